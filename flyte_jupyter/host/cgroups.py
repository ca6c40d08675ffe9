"""Control groups (Linux): bounds for all processes of an attempt together, set and counted by the kernel.

Source: the kernel's documentation of memory, CPU bandwidth and cgroup v2.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from .cgroup_trees import delegated, prefix, remove_stale, trees_of_this_process, write

CGROUPS_VARIABLE = "FLYTE_JUPYTER_HOST_CGROUPS"
_PERIOD = 100_000
"""Microseconds over which the use of CPU is bounded (the kernel's default)."""
_FIRST_LOOK, _LAST_LOOK = 0.001, 0.3
"""Seconds between the news that memory ran out, and the kill that follows being counted."""
_LEAVE_WITHIN = 5.0
"""Seconds in which the processes of a group that is to be removed have to be gone."""


class Group:
    """The processes of one attempt.

    Args:
        folders: by controller; in version 2 it is the same for all.
        memory: bytes that they may use together, None for no bound.
    """

    def __init__(self, folders: Mapping[str, Path], memory: int | None) -> None:
        self._folders = folders
        self.memory = memory if "memory" in folders else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(map(str, self._places()))}>"

    def _places(self) -> list[Path]:
        return sorted(set(self._folders.values()))

    def make(self, cores: float | None) -> None:
        """Make it, with its bounds. Raises `OSError` when that is not possible; then nothing is left of it."""
        try:
            for folder in self._places():
                folder.mkdir()
            if self.memory is not None:
                self._bound_memory(self._folders["memory"], self.memory)
            if cores is not None:
                self._bound_cores(self._folders["cpu"], round(cores * _PERIOD))
        except OSError:
            self.remove()
            raise

    def add(self, pid: int) -> None:
        """Take a process in; what it starts from now on is in too."""
        for folder in self._places():
            write(folder / "cgroup.procs", str(pid))

    def end(self) -> None:
        """Kill all that is in it."""
        for folder in self._places():
            with contextlib.suppress(OSError):
                for pid in (folder / "cgroup.procs").read_text().split():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(int(pid), signal.SIGKILL)

    def remove(self) -> bool:
        """Whether it is gone; not while there are processes in it."""
        for folder in self._places():
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True

    def follow(self) -> None:
        """See to it that when memory runs out for one process, all of them end. Called in the Host's loop."""

    def let_go(self) -> None:
        """Follow it no longer."""

    def kills(self) -> int:
        """How many of its processes the kernel has killed because memory ran out."""
        raise NotImplementedError

    def hit_its_limit(self) -> bool:
        """Whether that was its own limit's doing, and not that of the whole machine."""
        raise NotImplementedError

    def peak(self) -> int | None:
        """The most memory that its processes have had together, in bytes; None where the kernel does not say."""
        raise NotImplementedError

    @staticmethod
    def _bound_memory(folder: Path, limit: int) -> None:
        raise NotImplementedError

    @staticmethod
    def _bound_cores(folder: Path, microseconds: int) -> None:
        raise NotImplementedError


class GroupV1(Group):
    """In the separate trees of version 1."""

    _event: int | None = None

    @staticmethod
    def _bound_memory(folder: Path, limit: int) -> None:
        write(folder / "memory.limit_in_bytes", str(limit))
        with contextlib.suppress(OSError):  # there only when the kernel counts swap
            write(folder / "memory.memsw.limit_in_bytes", str(limit))

    @staticmethod
    def _bound_cores(folder: Path, microseconds: int) -> None:
        write(folder / "cpu.cfs_period_us", str(_PERIOD))
        write(folder / "cpu.cfs_quota_us", str(microseconds))

    def follow(self) -> None:
        """The kernel kills one process only, and says that it is about to."""
        if self.memory is None:
            return
        folder = self._folders["memory"]
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        control = os.open(folder / "memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
        try:
            write(folder / "cgroup.event_control", f"{event} {control}")
        except OSError:
            os.close(event)
            raise
        finally:
            os.close(control)
        self._event = event
        asyncio.get_running_loop().add_reader(event, self._told)

    def let_go(self) -> None:
        if self._event is not None:
            asyncio.get_running_loop().remove_reader(self._event)
            os.close(self._event)
            self._event = None

    def _told(self) -> None:
        """Also told when memory runs out in a group above: what counts is whether one of ours was killed."""
        if self._event is not None:
            os.eventfd_read(self._event)
            self._look(_FIRST_LOOK)

    def _look(self, wait: float) -> None:
        if self._event is None:
            return
        if self.kills():
            self.end()
        elif wait < _LAST_LOOK:
            asyncio.get_running_loop().call_later(wait, self._look, 2 * wait)

    def kills(self) -> int:
        return _counters(self._folders["memory"] / "memory.oom_control").get("oom_kill", 0)

    def hit_its_limit(self) -> bool:
        peak = self.peak()
        return self.memory is not None and peak is not None and peak >= self.memory - self.memory // 50

    def peak(self) -> int | None:
        return _number(self._folders["memory"] / "memory.max_usage_in_bytes")


class GroupV2(Group):
    """In the one tree of version 2."""

    @staticmethod
    def _bound_memory(folder: Path, limit: int) -> None:
        write(folder / "memory.max", str(limit))
        for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
            with contextlib.suppress(OSError):  # no swap in this kernel; a kernel before 4.19
                write(folder / name, value)

    @staticmethod
    def _bound_cores(folder: Path, microseconds: int) -> None:
        write(folder / "cpu.max", f"{microseconds} {_PERIOD}")

    def kills(self) -> int:
        return self._events().get("oom_kill", 0)

    def hit_its_limit(self) -> bool:
        return self._events().get("oom", 0) > 0

    def _events(self) -> dict[str, int]:
        return _counters(self._folders["memory"] / "memory.events")

    def peak(self) -> int | None:
        return _number(self._folders["memory"] / "memory.peak")  # since Linux 5.19


class Groups:
    """Makes groups; `find` says where.

    Args:
        version: 1 or 2; parents: by controller, the groups below which they are made.
    """

    def __init__(self, version: int, parents: Mapping[str, Path]) -> None:
        self._kind = GroupV1 if version == 1 else GroupV2
        self._parents = parents
        self._numbers = itertools.count()
        self._open: set[Group] = set()

    def __repr__(self) -> str:
        return f"<Groups {', '.join(f'{name} in {folder}' for name, folder in self._parents.items()) or 'none'}>"

    @classmethod
    def find(cls) -> Groups:
        """Where this process may make groups: each controller is tried out with a process in a group.

        In version 2 that may need a group of the Host's own, which is made here, or asked of systemd. Nowhere when
        `$FLYTE_JUPYTER_HOST_CGROUPS` is "no".
        """
        if os.environ.get(CGROUPS_VARIABLE) == "no":
            return cls(2, {})
        try:
            found = trees_of_this_process()
        except OSError:  # not Linux, or without /proc
            return cls(2, {})
        parents: dict[str, Path] = {}
        version = 1 if any(tree.version == 1 and "memory" in tree.controllers for tree in found) else 2
        for tree in found:
            if version == 1 and tree.version == 1:
                parents.update(dict.fromkeys(tree.controllers & {"memory", "cpu"}, tree.own))
            elif version == 2 and tree.version == 2:
                parents = delegated(tree)
        remove_stale(parents.values())
        return cls(
            version, {name: folder for name, folder in parents.items() if cls(version, {name: folder})._works(name)}
        )

    @property
    def has_memory(self) -> bool:
        """Whether it can bound the memory of all processes of an attempt together."""
        return "memory" in self._parents

    @property
    def has_cpu(self) -> bool:
        """Whether it can bound the time on the CPU."""
        return "cpu" in self._parents

    def open(self, pid: int, *, memory: int | None = None, cores: float | None = None) -> Group | None:
        """A group with that process in it; None when nothing of it can be bounded here.

        Args:
            memory: bytes; cores: CPU time per time, 0.5 for half a core.

        Raises:
            OSError: it cannot be made any more.
        """
        wanted = {"memory"} if memory is not None else set()
        wanted |= {"cpu"} if cores is not None else set()
        name = f"{prefix()}{next(self._numbers)}"
        folders = {controller: self._parents[controller] / name for controller in wanted & self._parents.keys()}
        if not folders:
            return None
        group = self._kind(folders, memory)
        group.make(cores if self.has_cpu else None)
        try:
            group.add(pid)
            group.follow()
        except OSError:
            self.close(group)
            raise
        self._open.add(group)
        return group

    def close(self, group: Group) -> None:
        """The attempt has ended: end what it has left, and remove the group, soon."""
        group.let_go()
        self._remove(group, time.monotonic() + _LEAVE_WITHIN, 0.01)

    def _remove(self, group: Group, until: float, wait: float) -> None:
        if group.remove() or time.monotonic() > until:  # else the next Host does it
            self._open.discard(group)
            return
        group.end()
        asyncio.get_running_loop().call_later(wait, self._remove, group, until, 2 * wait)

    def end(self) -> None:
        """The Host ends, and all attempts have: remove what is left."""
        until = time.monotonic() + 1.0
        for group in list(self._open):
            group.let_go()
            group.end()
            while not group.remove() and time.monotonic() < until:
                time.sleep(0.005)  # the last thing that the Host does
        self._open.clear()

    def _works(self, controller: str) -> bool:
        """Make a group, and move a process into it."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
        group = self._kind({controller: self._parents[controller] / f"{prefix()}trial"}, 2**26)
        try:
            group.make(0.5 if controller == "cpu" else None)
            group.add(pid)
            return f"/{prefix()}trial" in Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:
            return False
        finally:
            os.close(writing)
            os.close(reading)
            os.waitpid(pid, 0)
            group.remove()


def _counters(path: Path) -> dict[str, int]:
    try:
        return {name: int(count) for name, count in (line.split() for line in path.read_text().splitlines())}
    except OSError:
        return {}


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
