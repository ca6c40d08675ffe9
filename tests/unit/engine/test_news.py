"""The thread that brings the news of runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from flyte_jupyter.engine.engine import Engine
from flyte_jupyter.pods import PodEvent, PodRequest, Synced
from flyte_jupyter.store.memory import MemoryStore
from tests.conftest import eventually


class Slow:
    """A runner that takes its time to connect; like others, it can end only watches that are there."""

    def __init__(self) -> None:
        self.connecting, self.may_connect, self.asked_to_close = (threading.Event() for _ in range(3))
        self._over = threading.Event()
        self._is_there = False

    def missing(self, pod: PodRequest) -> list[str]:
        return []

    def launch(self, pod: PodRequest) -> None: ...

    def stop(self, name: str, *, reason: str = "", grace: float = 2.0) -> None: ...

    def tell(self, event: PodEvent, labels: Mapping[str, str]) -> None: ...

    def watch(self, labels: Mapping[str, str]) -> Iterator[Synced]:
        self.connecting.set()
        self.may_connect.wait()
        self._is_there = True
        yield Synced()
        self._over.wait()

    def close(self) -> None:
        if self._is_there:
            self._over.set()
        self.asked_to_close.set()


def test_closing_while_the_news_are_being_asked_for_ends_them() -> None:
    """Else a script that is over waits for seconds before it ends."""
    runner = Slow()
    engine = Engine(MemoryStore("memory://news"), runner, b"key", {})
    engine.news.listen("run", lambda event: None)
    runner.connecting.wait()
    watch = engine.news._watch
    assert watch is not None
    closing = threading.Thread(target=engine.close)
    closing.start()
    runner.asked_to_close.wait()
    runner.may_connect.set()
    try:
        eventually(lambda: not watch.is_alive(), within=3)
    finally:
        runner.close()
        closing.join()
