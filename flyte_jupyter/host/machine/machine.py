"""What this machine has, and what of a request it does not."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ...pods import Requirements
from .accelerators import VISIBLE, Accelerator
from .cgroup_trees import own_bounds
from .limits import mebibytes


@dataclass(frozen=True)
class Machine:
    """What attempts may use together, without what the container that this process may be in does not give.

    Attributes:
        cores: their ids; cpu: how many of them may be used, fractions too; memory: bytes.
    """

    cores: tuple[int, ...]
    cpu: float
    memory: int

    @classmethod
    def here(cls) -> Machine:
        """This one."""
        cores = tuple(sorted(os.sched_getaffinity(0))) if sys.platform == "linux" else tuple(range(os.cpu_count() or 1))
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        bounds = own_bounds()
        return cls(
            cores, min(len(cores), bounds.get("cpu", math.inf)), int(min(memory, bounds.get("memory", math.inf)))
        )


@dataclass(frozen=True, kw_only=True)
class Means:
    """How limits are kept here.

    Attributes:
        memory: "together" for all processes of an attempt, "each" for each of them, "" not at all.
        affinity: whether an attempt can be kept on some cores; quota: whether to a fraction of one.
    """

    memory: str
    affinity: bool
    quota: bool


def shortfalls(
    asked: Requirements,
    machine: Machine,
    means: Means,
    *,
    gpus: Sequence[Accelerator],
    disk: tuple[str, int] | None,
    shm: int | None,
) -> list[str]:
    """What an attempt asks for and does not get, or not quite so, each in a line for people: pure.

    Args:
        gpus: of the class it asks for, that it may be given; disk: the folder of its scratch space, and the bytes free
            there; shm: the bytes free in /dev/shm. None where that was not looked up, or there is none.
    """
    said: list[str] = []
    cores = asked.cpu or 0.0
    if cores > machine.cpu:
        said.append(f"cpu: oversubscribed: it asks for {cores:g} cores, and runs alone on the {machine.cpu:g} here")
    most = asked.most_cores
    if most is not None and not means.affinity:
        said.append("cpu: this system keeps nobody to some cores; libraries are told how many threads to use")
    elif most is not None and most % 1 and not means.quota:
        said.append(f"cpu: {most:g} is kept to {math.ceil(most)}: there are no control groups for the CPU here")
    if (asked.memory or 0) > machine.memory:
        most_memory = mebibytes(machine.memory)
        said.append(f"memory: oversubscribed: it asks for {mebibytes(asked.memory or 0)} of the {most_memory} here")
    if asked.most_memory is not None and means.memory != "together":
        kept = "kept for each process, not for all of them together" if means.memory else "not kept on this system"
        said.append(f"memory: the limit is {kept}")
    said += _gpu_shortfalls(asked, gpus)
    if asked.disk and disk is not None and asked.disk > disk[1]:
        said.append(f"disk: it asks for {mebibytes(asked.disk)}; {mebibytes(disk[1])} are free in {disk[0]}")
    if asked.shm and shm is not None and asked.shm > shm:
        said.append(f"shm: it asks for {mebibytes(asked.shm)}; {mebibytes(shm)} are free in /dev/shm")
    return said


def _gpu_shortfalls(asked: Requirements, gpus: Sequence[Accelerator]) -> list[str]:
    if not asked.gpu:
        return []
    if asked.device not in VISIBLE:
        return [f"gpu: {asked.model or asked.device} is not handed out here; the task sees what the kernel sees"]
    said: list[str] = []
    what = asked.model or ("AMD GPU" if asked.device == "AMD_GPU" else "GPU")
    if asked.gpu > len(gpus):
        said.append(f"gpu: it asks for {asked.gpu} × {what}; this kernel has {len(gpus)} here")
    elif asked.model and sum(gpu.is_a(asked.model) for gpu in gpus) < asked.gpu:
        models = ", ".join(sorted({gpu.model for gpu in gpus}))
        said.append(f"gpu: it asks for {asked.gpu} × {asked.model}; here is {models}")
    if asked.partition and gpus:
        said.append(f"gpu: partition {asked.partition} is not made here; it gets whole GPUs")
    return said
