"""`python -m flyte_jupyter.doctor`: what of this installation works, tried and not guessed, and what to do."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

from . import __version__, api, session
from .environment import TaskEnvironment
from .home import Home
from .host.client import call

_PACKAGES = (
    "cloudpickle",
    "cronsim",
    "ipykernel",
    "nbformat",
    "nbclient",
    "platformdirs",
    "psutil",
    "uv",
    "jupyterlab",
)


def _versions() -> str:
    found = [f"flyte_jupyter {__version__}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


def _store() -> str:
    here = session.current()
    key = "doctor/probe"
    here.store.put(key, [b"probe"])
    read = bytes(here.store.get(key))
    if read != b"probe":
        raise RuntimeError(f"wrote 'probe', read {read!r}")
    return f"{here.store.url} can be written and read"


def _host() -> str:
    start = time.monotonic()
    api.prepare()
    status = call(Home(), {"op": "status"})
    if status is None:
        raise RuntimeError("it was started and is gone again")
    return f"process {status['pid']}, {len(status['pods'])} actions open, reached in {time.monotonic() - start:.2f} s"


def _task() -> str:
    def which_process(caller: int) -> bool:
        return os.getpid() != caller

    environment = TaskEnvironment(name="doctor")
    start = time.monotonic()
    isolated = api.run(environment.task(which_process), os.getpid()).outputs()[0]
    if not isolated:
        raise RuntimeError("it ran in the caller's own process")
    return f"ran in a process of its own and came back in {(time.monotonic() - start) * 1000:.0f} ms"


CHECKS: dict[str, Callable[[], str]] = {"versions": _versions, "store": _store, "Host": _host, "task": _task}


def results() -> Iterator[tuple[str, bool, str]]:
    """Each check as it is done: its name, whether it works, and what was found."""
    for name, check in CHECKS.items():
        try:
            yield name, True, check()
        except Exception as error:  # the next check may still tell something
            yield name, False, f"{type(error).__name__}: {error}"


def main() -> int:
    """Print a line per check; the exit code is the number of checks that failed."""
    failed = 0
    for name, is_fine, text in results():
        failed += not is_fine
        print(f"  {'ok' if is_fine else '--'}  {name:<11} {text}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
