"""Where the contract of runners is tried: this machine, and its warm processes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import psutil

from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.engine.request import Place
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.pods import Reuse
from flyte_jupyter.runners import Runner
from flyte_jupyter.runners.local import LocalRunner
from flyte_jupyter.store import Store, open_store
from tests.conftest import stop_host


class Lab(Protocol):
    """A place where pods run for the tests.

    Attributes:
        store: of the calls and outcomes; key: that signs them; place: for requests.
        reuse: the pool of all pods, if any.
        starts_within: seconds in which a pod begins, also while others do much else there.
        lacks: settings that ask for what the place does not have or not do, and a part of what is said of it.
    """

    store: Store
    key: bytes
    place: Place
    reuse: Reuse | None
    starts_within: float
    lacks: tuple[Mapping[str, Any], str]

    def runner(self) -> Runner:
        """Another client; closed at the end."""
        ...

    def lose(self) -> None:
        """Whatever serves the clients goes without a word, and with it the processes of all pods."""
        ...


class LocalLab:
    starts_within = 3.0
    lacks = ({"resources": Resources(cpu=100_000)}, "100000 cores")

    def __init__(self, home: Home, reuse: Reuse | None) -> None:
        self.store, self.key, self.reuse = open_store(home.store_url), home.key(), reuse
        self.place = Place(
            store=self.store.url,
            python=sys.executable,
            cwd=os.getcwd(),
            path=tuple(sys.path),
            labels={"session": "session"},
        )
        self._home = home
        self._runners: list[Runner] = []

    def runner(self) -> Runner:
        self._runners.append(LocalRunner(self._home, "session"))
        return self._runners[-1]

    def lose(self) -> None:
        status = call(self._home, {"op": "status"})
        assert status is not None
        host = psutil.Process(status["pid"])
        family = [host, *host.children(recursive=True)]
        host.send_signal(signal.SIGKILL)
        _, left = psutil.wait_procs(family, timeout=10)
        assert [] == left

    def close(self) -> None:
        for runner in self._runners:
            runner.close()
        stop_host(self._home)


@contextlib.contextmanager
def local(home: Home, reuse: Reuse | None = None) -> Iterator[Lab]:
    """The Host of a state folder. With `reuse` all pods are in one pool of warm processes."""
    lab = LocalLab(home, reuse)
    try:
        yield lab
    finally:
        lab.close()
