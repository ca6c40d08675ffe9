"""Limits of one process: a task that takes too much gets an error, not the machine."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sys
from collections.abc import Iterable, Iterator

_SHARE_OF_FREE = 0.9
"""What a task without a limit may take of the memory that is free when it starts."""


def bound_memory(limit: int | None) -> None:
    """Bound what this process may allocate; what the interpreter and its libraries hold now comes on top.

    Without a limit, or when a control group has it (`cgroups`), it may take 90 % of the free memory, so that a runaway
    task fails instead of the machine. The system's out-of-memory killer is told to take this process first. Not
    enforced on macOS, whose kernel ignores it.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = _data_size() + (limit if limit is not None else int(_free() * _SHARE_OF_FREE))
    resource.setrlimit(resource.RLIMIT_DATA, (bound if hard < 0 else min(bound, hard), hard))


@contextlib.contextmanager
def files_of_at_most(size: int | None) -> Iterator[None]:
    """Bound how large a file this process may write meanwhile, so that a runaway one does not fill the disk."""
    if size is None:
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size if hard < 0 else min(size, hard), hard))
    try:
        yield
    except OSError as error:
        if error.errno == errno.EFBIG:
            error.strerror = f"{error.strerror}: no more than {mebibytes(size)}, as resources say (disk)"
        raise
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


def lift() -> None:
    """Give room again, for telling what happened."""
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def keep_to_cores(cores: Iterable[int] | None) -> None:
    """Run this process on these cores alone, where the system can do that."""
    if cores is not None and sys.platform == "linux":
        with contextlib.suppress(OSError):  # some of them were taken away meanwhile
            os.sched_setaffinity(0, cores)


_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "JULIA_NUM_THREADS",
    "GOMAXPROCS",
)
"""What libraries read to know how many threads to use."""


def thread_variables(threads: int | None) -> dict[str, str]:
    """Environment variables that say so; none for None."""
    return dict.fromkeys(_THREADS, str(threads)) if threads is not None else {}


def out_of_memory(title: str, limit: int | None) -> str:
    """What to tell the user about a MemoryError of a task that `bound_memory` gave this limit."""
    bound = f"its limit of {mebibytes(limit)}" if limit else "what was free on this machine"
    return f"{title} needed more memory than {bound}; it had used {mebibytes(peak_memory())}.\n{give_more(title)}"


def give_more(title: str) -> str:
    """What to do about it; a title that is no name, as that of a kernel, cannot stand in code."""
    asked = "resources=flyte.Resources(memory=...)"
    return f"Give it more: {f'{title}.override({asked})' if title.isidentifier() else asked}."


def raise_open_files() -> int:
    """Let this process open as many files as it may, since waiting parents keep some open; the limit as it was."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses what it says is allowed
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


def bound_open_files(limit: int) -> None:
    """Let this process open so many files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def memory_bound() -> tuple[int, int]:
    """What `bound_memory` has set, for `bound_again` after `lift`."""
    return resource.getrlimit(resource.RLIMIT_DATA)


def bound_again(bound: tuple[int, int]) -> None:
    """As it was."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, bound)


def forget_peak() -> None:
    """Have `peak_memory` begin anew, where the system can do that."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")


def kills_for_memory() -> int | None:
    """How often this system has killed a process because memory ran out; None where it does not count."""
    try:
        with open("/proc/vmstat") as counters:
            return next((int(line.split()[1]) for line in counters if line.startswith("oom_kill ")), None)
    except OSError:
        return None


def peak_memory() -> int:
    """The most memory this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def mebibytes(size: int) -> str:
    """A size for people."""
    if size >= 2**40:
        return f"{size / 2**40:.2f} TiB"
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _data_size() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")


def _free() -> int:
    with open("/proc/meminfo") as meminfo:
        for line in meminfo:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
