"""What the container of a pod gives a task: variables, secrets, memory; all of it is there before the task is."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..config.values.secret import FOLDER_VARIABLE, MOUNT
from ..credentials.mask import Mask
from ..errors import HostError
from ..home import HOME_VARIABLE, Home
from ..pods import PodRequest, SecretRef
from .given import NAMESPACE, POD, PREFIX
from .lifecycle import Exit
from .machine.cgroups import of_container
from .machine.limits import thread_variables
from .process.forks import Worker


def variables(environ: Mapping[str, str], home: Home, request: PodRequest) -> dict[str, str]:
    """The environment variables of attempts: those of the container, but for what is meant for the Host alone.

    Libraries are told how many threads the task's cores are worth, since they see those of the whole node.
    """
    known = {k: v for k, v in environ.items() if not k.startswith(PREFIX) or k in (POD, NAMESPACE)}
    most = request.resources.most_cores
    threads = thread_variables(max(1, math.ceil(most - 1e-6)) if most is not None else None)
    return {**threads, **known, HOME_VARIABLE: str(home.path)}


class Secrets:
    """The values of a task's secrets, as the cluster has put them into variables and files.

    Args:
        environ: of the container; folder: where the files are.
    """

    def __init__(self, refs: Iterable[SecretRef], environ: Mapping[str, str], folder: str = MOUNT) -> None:
        self._folder = folder
        self._values = {ref: _value(ref, environ, folder) for ref in refs}
        self.mask = Mask(value for value in self._values.values() if value)

    def __repr__(self) -> str:
        return f"<Secrets [{len(self._values)}]>"

    def hand_out(self) -> dict[str, Any]:
        """What an attempt is told of them, as `Vault.hand_out` says. Raises `HostError` when one is not there."""
        for ref, value in self._values.items():
            if value is None:
                where = f"the variable {ref.env_var}" if ref.env_var is not None else f"{self._folder}/{ref.title}"
                raise HostError(f"{ref.title!r} is not in {where} of the container")
        env = {FOLDER_VARIABLE: self._folder} if any(ref.mounted for ref in self._values) else {}
        return {"env": env, "folder": None, "values": [(ref.title, value) for ref, value in self._values.items()]}


def _value(ref: SecretRef, environ: Mapping[str, str], folder: str) -> str | None:
    if ref.env_var is not None:
        return environ.get(ref.env_var)
    try:
        with open(f"{folder}/{ref.title}", "rb") as file:
            return os.fsdecode(file.read())
    except OSError:
        return None


class Bounds:
    """The memory of the container, which the kernel keeps (`running.Bounds`).

    Args:
        memory: bytes that the task may use, None for no bound.
    """

    def __init__(self, memory: int | None) -> None:
        self._group = of_container(memory)

    def __repr__(self) -> str:
        return f"<Bounds {self._group!r}>"

    def hold(self, _worker: Worker) -> dict[str, Any]:
        """Nothing is left to be done: the process is in the container."""
        if self._group is not None:
            self._group.count_from_now()
        return {"memory": None, "grouped": False, "cores": None, "file_size": None}

    def explain(self, exit: Exit) -> Exit:
        """What the kernel has counted in the container while the attempt ran."""
        if self._group is None:
            return exit
        use = self._group.use()
        if not use.killed:
            return exit
        return replace(exit, peak_memory=use.peak or exit.peak_memory, memory_ran_out=True, at_limit=use.at_limit)

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether a process was killed for the memory that all of them use."""
        return self._group is not None and self._group.memory is not None and self._group.use().killed
