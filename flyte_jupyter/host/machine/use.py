"""What processes use now: time on the CPU so far, and memory.

Source: proc(5) of Linux, and the kernel's documentation of control groups.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Use(NamedTuple):
    """Seconds on the CPU since the start, and bytes."""

    cpu: float
    memory: int


def use_of(pid: int, folders: Mapping[str, Path]) -> Use | None:
    """Of a process and all that it has started; None when it has ended.

    The memory of a control group is what cannot be dropped (what Kubernetes calls the working set).  Without a group it
    is the resident memory of the process, and what its children have besides what they share.

    Args:
        folders: of its control group by controller; what they do not say is read from the processes.
    """
    cpu, memory = _cpu_of_group(folders), _memory_of_group(folders)
    if cpu is not None and memory is not None:
        return Use(cpu, memory)
    found = _of_tree(pid) if sys.platform == "linux" else _of_tree_elsewhere(pid)
    if found is None:
        return None
    return Use(found.cpu if cpu is None else cpu, found.memory if memory is None else memory)


def _memory_of_group(folders: Mapping[str, Path]) -> int | None:
    folder = folders.get("memory")
    if folder is None:
        return None
    for current, droppable in (("memory.current", "inactive_file"), ("memory.usage_in_bytes", "total_inactive_file")):
        used = _number(folder / current)
        if used is not None:
            return max(0, used - (_counter(folder / "memory.stat", droppable) or 0))
    return None


def _cpu_of_group(folders: Mapping[str, Path]) -> float | None:
    for folder in folders.values():
        if (microseconds := _counter(folder / "cpu.stat", "usage_usec")) is not None:
            return microseconds / 1e6
        if (nanoseconds := _number(folder / "cpuacct.usage")) is not None:
            return nanoseconds / 1e9
    return None


def _of_tree(pid: int) -> Use | None:
    cpu, memory, left, is_first = 0.0, 0, [str(pid)], True
    while left:
        folder = f"/proc/{left.pop()}"
        try:
            with open(f"{folder}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            ticks = sum(int(fields[i]) for i in (11, 12, 13, 14))  # its own and those of children that have ended
            pages = int(fields[21])
            if not is_first:
                with open(f"{folder}/statm", "rb") as file:
                    _, resident, shared, *_ = file.read().split()
                pages = int(resident) - int(shared)
            for thread in os.listdir(f"{folder}/task"):
                with open(f"{folder}/task/{thread}/children") as file:
                    left += file.read().split()
        except (OSError, IndexError, ValueError):  # it has ended meanwhile
            if is_first:
                return None
            continue
        cpu += ticks / _TICK
        memory += pages * _PAGE
        is_first = False
    return Use(cpu, memory)


def _of_tree_elsewhere(pid: int) -> Use | None:
    import psutil

    cpu, memory = 0.0, 0
    try:
        of = psutil.Process(pid)
        for process in (of, *of.children(recursive=True)):
            times = process.cpu_times()
            cpu += times.user + times.system
            memory += process.memory_info().rss
    except psutil.Error:
        return None if not memory else Use(cpu, memory)
    return Use(cpu, memory)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _counter(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), None)
