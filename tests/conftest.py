"""What all tests share: a private state folder per test, and a Host that is gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import psutil
import pytest

from flyte_jupyter import session
from flyte_jupyter.home import HOME_VARIABLE, Home
from flyte_jupyter.host.client import call

hypothesis.settings.register_profile("shared", deadline=None)  # other work on the machine is no failure
hypothesis.settings.load_profile("shared")
PATIENCE = 120.0
"""Seconds that something may take at most on a machine that does much else; they pass only when it never happens."""


@pytest.fixture(autouse=True)
def _private(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Neither settings nor state of the person who runs the tests: whatever a test starts, it starts in a folder of
    its own, and its Host is stopped at the end. With the marker `one_host` both are those of the file: for tests that
    only run tasks, and look at nothing that another one may have left.
    """
    for name in list(os.environ):
        if name.startswith("FLYTE_JUPYTER_"):
            monkeypatch.delenv(name)
    forget_session()
    shared = request.node.get_closest_marker("one_host") is not None
    folder: Path = request.getfixturevalue("_of_file") if shared else new_folder()
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    yield folder
    forget_session()
    if not shared:
        clear(folder)


@pytest.fixture(scope="module")
def _of_file() -> Iterator[Path]:
    """The state folder that the tests of a file have in common."""
    folder = new_folder()
    yield folder
    clear(folder)


def new_folder() -> Path:
    """Where a state folder may be made, with a short path for the sake of the socket."""
    return Path(tempfile.gettempdir()) / f"fj-{secrets.token_hex(4)}"


def clear(folder: Path) -> None:
    """Stop the Host of a state folder, if there is one, and remove the folder."""
    if folder.exists():
        stop_host(Home(folder))
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(_private: Path) -> Home:
    """The state folder of this test."""
    return Home(_private).make()


def forget_session() -> None:
    """The next run starts a session of its own, as in another kernel."""
    if session._current is not None:
        session._current.close()
        session._current = None


def stop_host(home: Home) -> None:
    """Stop the Host and see that nothing it started is left."""
    processes = host_processes(home)
    call(home, {"op": "shutdown"})
    eventually(lambda: not any(map(is_alive, processes)), within=10)


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; what waits for its parent, or for init, to take note of its end does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def host_processes(home: Home) -> list[psutil.Process]:
    """The Host, its zygotes and its attempts."""
    status = call(home, {"op": "status"})
    if status is None:
        return []
    host = psutil.Process(status["pid"])
    return [host, *host.children(recursive=True)]


def lacking(what: str) -> NoReturn:
    """Skip the test, which needs something that this machine does not have; in CI fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"needs {what}", pytrace=False)
    pytest.skip(f"needs {what}")


def eventually(condition: Callable[[], object], within: float = PATIENCE) -> None:
    """Wait until something is true; fail when it is not within so many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not true within {within} s"
        time.sleep(0.01)
