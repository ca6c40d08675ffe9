"""Who gets what of this machine: cores, memory, GPUs, scratch space, and places in queues."""

from __future__ import annotations

import asyncio
import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..pods import PodRequest
from .lifecycle import Exit
from .machine import accelerators, scratch
from .machine.accelerators import VISIBLE, Accelerator
from .machine.admission import Admission, Claim, Grant, default_slots
from .machine.cgroups import Group, Groups
from .machine.lanes import Lanes
from .machine.limits import thread_variables
from .machine.machine import Machine, Means, shortfalls
from .process.forks import Worker

_SHM = Path("/dev/shm")  # noqa: S108 - it is asked how large it is


@dataclass
class Share:
    """What one attempt has of the machine, from its start to its end.

    Attributes:
        holder: the name of the pod or replica that has it.
        threads: that libraries are told to use, None for as many as they like.
        notes: what it asks for and does not get, or not quite so, for people.
        variables: for its environment; scratch: the folder that it has to itself.
    """

    request: PodRequest
    holder: str
    grant: Grant
    threads: int | None
    notes: tuple[str, ...]
    variables: dict[str, str]
    scratch: Path | None = None
    _group: Group | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether it has bounds that a control group keeps."""
        return self.request.resources.most_memory is not None or self._quota is not None

    @property
    def _quota(self) -> float | None:
        most = self.request.resources.most_cores
        return most if most is not None and most % 1 else None

    def hold(self, worker: Worker) -> dict[str, Any]:
        """Bound a process by its group; what it has to be told, to do the rest itself."""
        asked = self.request.resources
        if worker.group is not None:
            try:
                worker.group.bound(memory=asked.most_memory, cores=self._quota)
                self._group = worker.group
            except OSError as error:  # the groups are not ours any more
                print(f"host: {self.holder} cannot be bounded: {error}", file=sys.stderr)  # noqa: T201 - its log
        return {
            "memory": asked.most_memory,
            "grouped": self._group is not None and self._group.memory is not None,
            "cores": self.cores,
            "file_size": asked.disk if self.scratch is not None else None,
        }

    @property
    def cores(self) -> list[int] | None:
        """Those that it may run on, None for all."""
        return sorted(self.grant.cores) if self.grant.cores is not None else None

    def explain(self, exit: Exit) -> Exit:
        """What is known besides of how the process ended."""
        if self._group is None or self._group.memory is None:
            return exit
        use = self._group.use()
        return replace(exit, peak_memory=use.peak or exit.peak_memory, memory_ran_out=use.killed, at_limit=use.at_limit)

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether one of its processes was killed for the memory that all of them use."""
        return self._group is not None and self._group.memory is not None and self._group.use().killed

    def let_go(self, worker: Worker | None) -> None:
        """Remove its scratch folder, once the process has ended, if there is one."""
        folder = self.scratch
        if folder is None:
            return
        if worker is None:
            scratch.remove(folder)
        else:
            worker.exited.add_done_callback(lambda _: scratch.remove(folder))


class Shares:
    """The machine, and those who share it.

    Args:
        settings: the file that says how wide queues are.
    """

    def __init__(self, settings: Path) -> None:
        self.groups = Groups.find()  # it may move this process, and zygotes begin where it is
        self._machine = Machine.here()
        self.admission = Admission(
            default_slots(), self._machine.cores, cpu=self._machine.cpu, memory=self._machine.memory
        )
        self.lanes = Lanes(settings, max(1, int(self._machine.cpu)))
        linux = sys.platform == "linux"
        memory = "together" if self.groups.has_memory else "each" if linux else ""
        self._means = Means(memory=memory, affinity=linux, quota=self.groups.has_cpu)
        self._gpus: list[Accelerator] = []
        self._holders: dict[str, str] = {}
        self._open: Counter[str] = Counter()
        self.on_grant: Callable[[], None] = lambda: None
        """Called when somebody has got something."""

    def __repr__(self) -> str:
        return f"<Shares {self.admission!r} {self.groups!r}>"

    async def acquire(self, request: PodRequest, environ: Mapping[str, str], holder: str | None = None) -> Share:
        """Wait for what an attempt asks for. Released by the name of its pod, also when the wait is given up.

        Args:
            environ: of the kernel; holder: the replica that it is for, and by whose name it is released then.
        """
        holder = holder or request.name
        pool = await self._pool(request, environ)
        grant = await self.admission.acquire(self._claim(request, holder, tuple(gpu.key for gpu in pool)))
        notes = self._shortfalls(request, environ, pool)
        if grant.shared:
            notes.append("gpu: oversubscribed: it shares with a parent that waits for what it called")
        chosen = [gpu for gpu in pool if gpu.key in grant.accelerators]
        threads = self._threads(request)
        variables = {**thread_variables(threads), **_gpu_variables(request, chosen, environ)}
        share = Share(request, holder, grant, threads, tuple(notes), variables)
        if request.resources.disk:
            self._give_scratch(share, environ)
        self.on_grant()
        return share

    async def again(self, share: Share, request: PodRequest) -> None:
        """Wait until a replica that has released its share may have it again, with the same GPUs.

        Args:
            request: what it is to run next.
        """
        claim = self._claim(request, share.holder, share.grant.accelerators)
        grant = await self.admission.acquire(claim)
        share.grant = replace(grant, accelerators=share.grant.accelerators)
        self.on_grant()

    def _claim(self, request: PodRequest, holder: str, gpus: tuple[str, ...]) -> Claim:
        asked, caller = request.resources, request.caller
        return Claim(
            name=holder,
            title=request.title,
            parent=self._holders.get(caller, caller) if caller is not None else None,
            cores=asked.cpu or 0.0,
            most_cores=asked.most_cores or 0.0,
            memory=asked.memory or 0,
            accelerators=asked.gpu or 0 if gpus else 0,
            pool=gpus,
        )

    def missing(self, request: PodRequest, environ: Mapping[str, str]) -> list[str]:
        """What of a request this machine does not have, or does not do."""
        if _wants_gpus(request) and not self._gpus:
            self._gpus = accelerators.found()
        return self._shortfalls(request, environ, self._visible(request, environ))

    def release(self, name: str) -> None:
        """That pod's attempt has ended."""
        self.admission.release(name)
        self.lanes.leave(name)

    def opened(self, parent: str) -> None:
        """A task called by that pod is open."""
        self._open[parent] += 1
        self.admission.opened(self._holders.get(parent, parent))
        self.lanes.opened(parent)

    def closed(self, parent: str) -> None:
        """It has ended."""
        self._open[parent] -= 1
        if not self._open[parent]:
            del self._open[parent]
        self.admission.closed(self._holders.get(parent, parent))
        self.lanes.closed(parent)

    def waits(self, holder: str) -> bool:
        """Whether it waits for tasks that were called there."""
        return self.admission.waits(holder)

    def sit(self, pod: str, replica: str) -> None:
        """A pod's attempt runs in a replica: when it waits for what it has called, that one does."""
        for _ in range(self._open[pod]):  # left by an attempt before this one
            self.admission.opened(replica)
            self.admission.closed(pod)
        self._holders[pod] = replica

    def stand(self, pod: str) -> None:
        """It does not any more."""
        replica = self._holders.pop(pod, None)
        if replica is not None:
            for _ in range(self._open[pod]):
                self.admission.opened(pod)
                self.admission.closed(replica)

    def end(self) -> None:
        """The Host ends."""
        self.groups.end()

    async def _pool(self, request: PodRequest, environ: Mapping[str, str]) -> list[Accelerator]:
        """The GPUs that an attempt may be given; asking for them may take a while."""
        if _wants_gpus(request) and not self._gpus:
            self._gpus = await asyncio.to_thread(accelerators.found)
        return self._visible(request, environ)

    def _visible(self, request: PodRequest, environ: Mapping[str, str]) -> list[Accelerator]:
        """Those of the model that it asks for first."""
        asked = request.resources
        if not _wants_gpus(request):
            return []
        pool = accelerators.visible(self._gpus, asked.device, environ)
        return sorted(pool, key=lambda gpu: not gpu.is_a(asked.model)) if asked.model else pool

    def _shortfalls(self, request: PodRequest, environ: Mapping[str, str], pool: list[Accelerator]) -> list[str]:
        asked = request.resources
        disk: tuple[str, int] | None = None
        if asked.disk:
            place = scratch.place(environ)
            room = scratch.free(place)
            disk = (str(place), room) if room is not None else None
        shm = scratch.free(_SHM) if asked.shm else None
        return shortfalls(asked, self._machine, self._means, gpus=pool, disk=disk, shm=shm)

    def _threads(self, request: PodRequest) -> int | None:
        most = request.resources.most_cores
        return max(1, math.ceil(min(most, self._machine.cpu) - 1e-6)) if most is not None else None

    def _give_scratch(self, share: Share, environ: Mapping[str, str]) -> None:
        try:
            share.scratch = scratch.make(scratch.place(environ))
        except OSError as error:
            share.notes += (f"disk: no scratch folder could be made: {error}",)
            return
        share.variables["TMPDIR"] = str(share.scratch)


def _wants_gpus(request: PodRequest) -> bool:
    return bool(request.resources.gpu) and request.resources.device in VISIBLE


def _gpu_variables(request: PodRequest, chosen: list[Accelerator], environ: Mapping[str, str]) -> dict[str, str]:
    """What a task that asks for none at all, or for some, sees; one that says nothing sees what the kernel sees."""
    asked = request.resources
    if asked.gpu is None or asked.device not in VISIBLE:
        return {}
    return accelerators.hidden() if asked.gpu == 0 else accelerators.variables(asked.device, chosen, environ)
