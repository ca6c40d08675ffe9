"""Queues with a concurrency of their own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.host.machine.lanes import Lanes
from tests.unit.host.machine.test_admission import on_a_loop


class Traffic:
    """Pods that want to enter; those that are in, in the order they came."""

    def __init__(self, folder: Path, settings: str = "", cores: int = 2) -> None:
        self.file = folder / "settings.toml"
        if settings:
            self.file.write_text(settings)
        self.lanes = Lanes(self.file, cores)
        self.got: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def want(self, queue: str, *pods: str) -> None:
        for pod in pods:
            self.tasks[pod] = asyncio.ensure_future(self._enter(queue, pod))
        await self.settle()

    async def _enter(self, queue: str, pod: str) -> None:
        await self.lanes.enter(queue, pod)
        self.got.append(pod)

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def leave(self, *pods: str) -> None:
        for pod in pods:
            self.lanes.leave(pod)
        await self.settle()

    def rows(self) -> list[tuple[str, int, int, int]]:
        return [(row["name"], row["concurrency"], row["running"], row["waiting"]) for row in self.lanes.table()]


GPU = "[queues.gpu]\nconcurrency = 1\n"


@on_a_loop
async def test_as_many_as_the_settings_say(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, GPU)
    await traffic.want("gpu", "a", "b", "c")
    await traffic.want("other", "x", "y", "z")
    assert ["a", "x", "y"] == traffic.got
    assert [("gpu", 1, 1, 2), ("other", 2, 2, 1)] == traffic.rows()
    assert "waits in queue 'gpu': 1 of 1 running, 1 before it" == traffic.lanes.why("c")
    assert "" == traffic.lanes.why("a") == traffic.lanes.why("nobody")
    await traffic.leave("a")
    assert "b" == traffic.got[-1]
    await traffic.leave("b", "c", "x", "y", "z")
    assert [("gpu", 1, 0, 0), ("other", 2, 0, 0)] == traffic.rows()


@on_a_loop
async def test_queues_are_there_before_they_are_used(tmp_path: Path) -> None:
    assert [("gpu", 1, 0, 0)] == Traffic(tmp_path, GPU).rows()
    assert [] == Traffic(tmp_path / "none").rows()


@on_a_loop
async def test_queues_that_are_not_listed(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, "[queues]\nconcurrency = 3\n")
    await traffic.want("any", *"abcd")
    assert list("abc") == traffic.got


@on_a_loop
async def test_the_settings_may_change(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, GPU)
    await traffic.want("gpu", "a", "b", "c", "d")
    traffic.file.write_text("[queues.gpu]\nconcurrency = 3\n")
    assert "waits in queue 'gpu': 3 of 3 running, 0 before it" == traffic.lanes.why("d")
    await traffic.settle()
    assert ["a", "b", "c"] == traffic.got
    traffic.file.unlink()
    assert [("gpu", 2, 3, 1)] == traffic.rows()
    await traffic.leave("a")
    assert ["a", "b", "c"] == traffic.got


@on_a_loop
async def test_while_the_settings_are_wrong_the_last_right_ones_count(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, GPU)
    await traffic.want("gpu", "a", "b")
    traffic.file.write_text("[queues.gpu]\nconcurrency = 'two'\n")
    with pytest.raises(ConfigValueError, match=r"settings.toml, line 2: queues.gpu.concurrency: 'two' is not accepted"):
        traffic.lanes.table()
    assert "waits in queue 'gpu': 1 of 1 running, 0 before it" == traffic.lanes.why("b")
    traffic.file.write_text(GPU)
    assert [("gpu", 1, 1, 1)] == traffic.rows()


@on_a_loop
async def test_a_parent_that_waits_holds_no_place(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, GPU)
    await traffic.want("gpu", "parent")
    for child in ("one", "two"):
        traffic.lanes.opened("parent")
        await traffic.want("gpu", child)
    assert ["parent", "one"] == traffic.got
    await traffic.leave("one")
    traffic.lanes.closed("parent")
    assert ["parent", "one", "two"] == traffic.got
    await traffic.leave("two")
    traffic.lanes.closed("parent")
    assert [("gpu", 1, 1, 0)] == traffic.rows()
    await traffic.want("gpu", "other")
    await traffic.leave("parent")
    assert ["parent", "one", "two", "other"] == traffic.got


@on_a_loop
async def test_who_gives_up_leaves_no_trace(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, GPU)
    await traffic.want("gpu", "a", "b", "c")
    traffic.tasks["b"].cancel()
    traffic.lanes.leave("a")  # "c" is let in, and has not run yet
    await traffic.settle()
    assert ["a", "c"] == traffic.got
    await traffic.want("gpu", "d", "e")
    traffic.lanes.leave("c")
    traffic.tasks["d"].cancel()
    await traffic.settle()
    assert ["a", "c", "e"] == traffic.got


@on_a_loop
async def test_many_who_wait_are_not_counted(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, GPU)
    await traffic.want("gpu", *(f"p{n}" for n in range(100)))
    assert "waits in queue 'gpu': 1 of 1 running, 49 before it" == traffic.lanes.why("p50")
    assert "waits in queue 'gpu': 1 of 1 running, 50 or more before it" == traffic.lanes.why("p99")
