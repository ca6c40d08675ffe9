"""Where control groups may be made: below the Host's own one, as far as it may make any there.

Version 1 has a tree of groups per controller, version 2 one tree for all. In version 2 a group that passes controllers
on to groups below it must hold no process itself. Source: the kernel's documentation of cgroup v1 and v2.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import systemd

_PREFIX = "flyte_jupyter."


@dataclass(frozen=True)
class Tree:
    """One of the kernel's trees of groups, as this process sees it.

    Attributes:
        version: 1 or 2; controllers: of a version 1 tree.
        own: the folder of the group that this process is in; top: where the tree begins for it.
    """

    version: int
    controllers: frozenset[str]
    own: Path
    top: Path


def trees(cgroup: str, mountinfo: str) -> list[Tree]:
    """The trees in `/proc/self/cgroup` that `/proc/self/mountinfo` makes visible."""
    mounts: dict[frozenset[str], tuple[str, str]] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, top = (part.replace("\\040", " ") for part in before.split()[3:5])
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            mounts.setdefault(frozenset(), (root, top))
        elif kind == "cgroup":
            mounts.setdefault(frozenset(options.split(",")), (root, top))
    found = []
    for line in cgroup.splitlines():
        number, names, path = line.split(":", 2)
        controllers = frozenset(names.split(",")) - {""}
        for offered, (root, top) in mounts.items():
            is_it = controllers <= offered if controllers else not offered
            below = os.path.relpath(path, root)
            if is_it and not below.startswith("..") and not path.startswith("/.."):  # else it is out of our sight
                version = 2 if number == "0" and not controllers else 1
                found.append(Tree(version, controllers, Path(top, below), Path(top)))
                break
    return found


def trees_of_this_process() -> list[Tree]:
    return trees(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())


def own_bounds() -> dict[str, float]:
    """What the groups that this process is in leave to it, where they bound it: "memory" in bytes, "cpu" in cores."""
    bounds: dict[str, float] = {}
    try:
        found = trees_of_this_process()
    except OSError:  # not Linux
        return bounds
    for tree in found:
        for folder in (tree.own, *(above for above in tree.own.parents if above.is_relative_to(tree.top))):
            for name, bound in (("memory", _memory_bound(folder)), ("cpu", _cpu_bound(folder))):
                if bound is not None:
                    bounds[name] = min(bound, bounds.get(name, bound))
    return bounds


def _memory_bound(folder: Path) -> float | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # another version's; "max"
            return int((folder / name).read_text())
    return None


def _cpu_bound(folder: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period)
    with contextlib.suppress(OSError, ValueError):
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else None
    return None


def delegated(tree: Tree) -> dict[str, Path]:
    """Where groups of version 2 may be made: below our own group when we are alone in it, or below one above."""
    for own in _candidates(tree):
        controllers = set((own / "cgroup.controllers").read_text().split()) & {"memory", "cpu"}
        passed_on = {name for name in controllers if _passes_on(own, name)}
        if "memory" in passed_on:
            return dict.fromkeys(passed_on, own)
    return {}


def _candidates(tree: Tree) -> Iterator[Path]:
    if _is_root(tree.own):
        yield tree.own
    if systemd.give_own_group():
        tree = next((other for other in trees_of_this_process() if other.version == 2), tree)
    if _retreat(tree.own):
        yield tree.own
    for above in tree.own.parents:
        if above in tree.top.parents:
            break
        if os.access(above, os.W_OK) and os.access(above / "cgroup.procs", os.W_OK):
            yield above


def _is_root(folder: Path) -> bool:
    """The tree's root, which may hold processes and groups side by side."""
    return not (folder / "cgroup.type").exists()


def _retreat(folder: Path) -> bool:
    """Leave our own group for one below, so that it may pass controllers on; only when nobody else is in it."""
    try:
        if (folder / "cgroup.procs").read_text().split() != [str(os.getpid())]:
            return False
        below = folder / f"{prefix()}host"
        below.mkdir()
        write(below / "cgroup.procs", str(os.getpid()))
    except OSError:
        return False
    return True


def _passes_on(folder: Path, controller: str) -> bool:
    control = folder / "cgroup.subtree_control"
    try:
        if controller not in control.read_text().split():
            write(control, f"+{controller}")
    except OSError:
        return False
    return True


def remove_stale(parents: Iterable[Path]) -> None:
    """Remove the groups of Hosts that are gone. One with a process in it stays: the kernel does not remove it."""
    for parent in set(parents):
        for folder in parent.glob(f"{_PREFIX}*.*.*"):
            pid, began, _ = folder.name.removeprefix(_PREFIX).split(".", 2)
            if _began(pid) != began:
                with contextlib.suppress(OSError):
                    folder.rmdir()


@functools.cache
def prefix() -> str:
    """Of the groups of this process: its id and when it began, since ids are used again."""
    pid = str(os.getpid())
    return f"{_PREFIX}{pid}.{_began(pid)}."


def _began(pid: str) -> str:
    """When a process began, in the kernel's ticks; "" when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def join(entries: Iterable[str]) -> bool:
    """Go into groups, each by the file that says who is in it; whether that was possible.

    A process that is moved by another one waits ten milliseconds for the whole machine, one that goes by itself does
    not in version 1. In version 2 it waits too, so it goes before it has anything to do.
    """
    try:
        for entry in entries:
            write(Path(entry), "0")
    except OSError:
        return False
    return True


def write(path: Path, text: str) -> None:
    """Into a file of the kernel's: at once, and without making it."""
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)
