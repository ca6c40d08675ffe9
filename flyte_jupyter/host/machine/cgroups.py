"""Control groups (Linux): bounds for all processes of an attempt together, set and counted by the kernel.

Source: the kernel's documentation of memory, CPU bandwidth and cgroup v2.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .cgroup_trees import delegated, join, prefix, remove_stale, trees_of_this_process, write

CGROUPS_VARIABLE = "FLYTE_JUPYTER_HOST_CGROUPS"
_ROOT = Path("/sys/fs/cgroup")
_PERIOD = 100_000
"""Microseconds over which the use of CPU is bounded (the kernel's default)."""
_FIRST_LOOK, _LAST_LOOK = 0.001, 0.3
"""Seconds between the news that memory ran out, and the kill that follows being counted."""
_LEAVE_WITHIN = 5.0
"""Seconds in which the processes of a group that is to be removed have to be gone."""


@dataclass(frozen=True)
class Use:
    """What the processes of a group have used together.

    Attributes:
        killed: whether the kernel has killed one because memory ran out; at_limit: whether that was the group's own
            limit, and not the whole machine's.
        peak: the most memory at a time, in bytes; None where the kernel does not say.
    """

    killed: bool
    at_limit: bool
    peak: int | None


class Group:
    """The processes of one attempt.

    Args:
        folders: by controller; in version 2 it is the same for all.

    Attributes:
        memory: bytes that its processes may use together, None for no bound; folders: as given.
    """

    _ENTRY = "cgroup.procs"

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self.folders = folders
        self.memory: int | None = None
        self._used: Use | None = None
        self._before = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(map(str, self._places()))}>"

    def _places(self) -> list[Path]:
        return sorted(set(self.folders.values()))

    @property
    def entries(self) -> list[str]:
        """The files by which a process goes into it, and what it starts from then on (`cgroup_trees.join`)."""
        return [str(folder / self._ENTRY) for folder in self._places()]

    def make(self) -> None:
        """Make it, without bounds. Raises `OSError` when that is not possible; then nothing is left of it."""
        try:
            for folder in self._places():
                folder.mkdir()
        except OSError:
            self.remove()
            raise

    def bound(self, *, memory: int | None = None, cores: float | None = None) -> None:
        """Bound it, as far as its controllers go. Called in the Host's loop. Raises `OSError`.

        Args:
            memory: bytes; when they run out for one process, all of them end.
            cores: time on the CPU per time, 0.5 for half a core.
        """
        if memory is not None and "memory" in self.folders:
            self._bound_memory(self.folders["memory"], memory)
            self._follow(self.folders["memory"])
            self.memory = memory
        if cores is not None and "cpu" in self.folders:
            self._bound_cores(self.folders["cpu"], round(cores * _PERIOD))

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

    def let_go(self) -> None:
        """Its end is not followed any longer."""

    def use(self) -> Use:
        """What its processes have used, also after its end."""
        if self._used is not None:
            return self._used
        return Use(self._kills() > self._before, self._hit_its_limit(), self._peak())

    def count_from_now(self) -> None:
        """What was killed before does not count any more."""
        self._before = self._kills()

    def note(self) -> None:
        """Remember what they have used: it is about to be removed."""
        if self.memory is not None:
            self._used = self.use()

    def _kills(self) -> int:
        raise NotImplementedError

    def _hit_its_limit(self) -> bool:
        raise NotImplementedError

    def _peak(self) -> int | None:
        raise NotImplementedError

    def _bound_memory(self, folder: Path, limit: int) -> None:
        raise NotImplementedError

    def _bound_cores(self, folder: Path, microseconds: int) -> None:
        raise NotImplementedError

    def _follow(self, folder: Path) -> None:
        """Where the kernel itself ends all of them there is nothing to follow."""


class GroupV1(Group):
    """In the separate trees of version 1."""

    _ENTRY = "tasks"
    _event: int | None = None

    def _bound_memory(self, folder: Path, limit: int) -> None:
        write(folder / "memory.limit_in_bytes", str(limit))
        with contextlib.suppress(OSError):  # there only when the kernel counts swap
            write(folder / "memory.memsw.limit_in_bytes", str(limit))

    def _bound_cores(self, folder: Path, microseconds: int) -> None:
        write(folder / "cpu.cfs_period_us", str(_PERIOD))
        write(folder / "cpu.cfs_quota_us", str(microseconds))

    def _follow(self, folder: Path) -> None:
        """The kernel kills one process only, and says that it is about to."""
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
        if self._kills():
            self.end()
        elif wait < _LAST_LOOK:
            asyncio.get_running_loop().call_later(wait, self._look, 2 * wait)

    def _kills(self) -> int:
        return _counters(self.folders["memory"] / "memory.oom_control").get("oom_kill", 0)

    def _hit_its_limit(self) -> bool:
        peak = self._peak()
        return self.memory is not None and peak is not None and peak >= self.memory - self.memory // 50

    def _peak(self) -> int | None:
        return _number(self.folders["memory"] / "memory.max_usage_in_bytes")


class GroupV2(Group):
    """In the one tree of version 2."""

    def _bound_memory(self, folder: Path, limit: int) -> None:
        write(folder / "memory.max", str(limit))
        for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
            with contextlib.suppress(OSError):  # no swap in this kernel; a kernel before 4.19
                write(folder / name, value)

    def _bound_cores(self, folder: Path, microseconds: int) -> None:
        write(folder / "cpu.max", f"{microseconds} {_PERIOD}")

    def _kills(self) -> int:
        return self._events().get("oom_kill", 0)

    def _hit_its_limit(self) -> bool:
        return self._events().get("oom", 0) > 0

    def _events(self) -> dict[str, int]:
        return _counters(self.folders["memory"] / "memory.events")

    def _peak(self) -> int | None:
        return _number(self.folders["memory"] / "memory.peak")  # since Linux 5.19


def of_container(memory: int | None) -> Group | None:
    """The group that this process's container is in, as it is seen from within; None where none is.

    Args:
        memory: bytes that it may use, None for no bound.
    """
    for kind, folder, file in ((GroupV2, _ROOT, "memory.events"), (GroupV1, _ROOT / "memory", "memory.oom_control")):
        if (folder / file).exists():
            group: Group = kind({"memory": folder})
            group.memory = memory
            return group
    return None


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

    def prepare(self) -> Group | None:
        """A new group for a process to go into; None when none can be made here."""
        if not self._parents:
            return None
        name = f"{prefix()}{next(self._numbers)}"
        group = self._kind({controller: parent / name for controller, parent in self._parents.items()})
        try:
            group.make()
        except OSError as error:  # the groups are not ours any more
            print(f"host: no control group can be made: {error}", file=sys.stderr)  # noqa: T201 - its log
            return None
        self._open.add(group)
        return group

    def close(self, group: Group) -> None:
        """The attempt has ended: end what it has left, and remove the group, soon."""
        group.let_go()
        group.note()
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
        """Make a group, bound it, and have a process go into it."""
        folder = self._parents[controller] / f"{prefix()}trial"
        group = self._kind({controller: folder})
        try:
            group.make()
            if controller == "memory":
                group._bound_memory(folder, 2**26)
            else:
                group._bound_cores(folder, _PERIOD // 2)
            return _goes_into(group)
        except OSError:
            return False
        finally:
            group.remove()


def _goes_into(group: Group) -> bool:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        is_in = join(group.entries) and f"/{prefix()}trial" in Path("/proc/self/cgroup").read_text()
        os.write(writing, b"1" if is_in else b"0")
        os._exit(0)
    os.close(writing)
    try:
        return os.read(reading, 1) == b"1"
    finally:
        os.close(reading)
        os.waitpid(pid, 0)


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
