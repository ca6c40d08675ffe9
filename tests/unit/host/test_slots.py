"""Who may start now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from flyte_jupyter.host.slots import SLOTS_VARIABLE, Slots, default_slots


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Queue:
    """Pods that want a slot; those that have one, in the order they got it."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.got: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def want(self, *names: str) -> None:
        for name in names:
            self.tasks[name] = asyncio.ensure_future(self._acquire(name))
        await self.settle()

    async def _acquire(self, name: str) -> None:
        await self.slots.acquire(name)
        self.got.append(name)

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


@on_a_loop
async def test_as_many_as_there_are_slots() -> None:
    queue = Queue(Slots(2))
    await queue.want("a", "b", "c")
    assert (["a", "b"], "<Slots [2 of 2 busy, 1 waiting]>") == (queue.got, repr(queue.slots))
    queue.slots.release("a")
    await queue.settle()
    assert (["a", "b", "c"], "<Slots [2 of 2 busy, 0 waiting]>") == (queue.got, repr(queue.slots))
    for name in ("b", "c"):
        queue.slots.release(name)
    assert "<Slots [0 of 2 busy, 0 waiting]>" == repr(queue.slots)


@on_a_loop
async def test_first_come_first_served() -> None:
    queue = Queue(Slots(1))
    await queue.want("a", "b", "c", "d")
    for name in ("a", "b", "c", "d"):
        queue.slots.release(name)
        await queue.settle()
    assert ["a", "b", "c", "d"] == queue.got


@on_a_loop
async def test_who_comes_later_does_not_overtake() -> None:
    queue = Queue(Slots(1))
    await queue.want("a", "b")
    queue.slots.release("a")  # "b" is admitted, and has not run yet
    await queue.want("c")
    assert ["a", "b"] == queue.got


@on_a_loop
async def test_a_parent_that_waits_holds_no_slot() -> None:
    queue = Queue(Slots(1))
    await queue.want("parent", "child")
    assert ["parent"] == queue.got
    queue.slots.opened("parent")
    await queue.settle()
    assert (["parent", "child"], 1) == (queue.got, queue.slots.busy)
    await queue.want("other")
    queue.slots.release("child")
    queue.slots.closed("parent")
    await queue.settle()
    assert 2 >= queue.slots.busy
    queue.slots.release("parent")
    await queue.settle()
    assert ["parent", "child", "other"] == queue.got


@pytest.mark.parametrize("depth", [1, 5, 50])
@on_a_loop
async def test_nesting_never_comes_to_a_standstill(depth: int) -> None:
    queue = Queue(Slots(1))
    for level in range(depth):
        if level:
            queue.slots.opened(f"p{level - 1}")
        await queue.want(f"p{level}")
    assert [f"p{level}" for level in range(depth)] == queue.got
    assert 1 == queue.slots.busy


@on_a_loop
async def test_a_parent_of_several_is_back_when_all_have_ended() -> None:
    slots = Slots(3)
    await slots.acquire("parent")
    slots.opened("parent")
    slots.opened("parent")
    slots.closed("parent")
    assert 0 == slots.busy
    slots.closed("parent")
    assert 1 == slots.busy


@on_a_loop
async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    queue = Queue(Slots(1))
    await queue.want("a", "b", "c")
    queue.tasks["b"].cancel()
    await queue.settle()
    assert "<Slots [1 of 1 busy, 1 waiting]>" == repr(queue.slots)
    queue.slots.release("a")
    await queue.settle()
    assert ["a", "c"] == queue.got


@on_a_loop
async def test_who_gives_up_in_the_moment_of_getting_a_slot_passes_it_on() -> None:
    queue = Queue(Slots(1))
    await queue.want("a", "b", "c")
    queue.slots.release("a")  # "b" is admitted, and has not run yet
    queue.tasks["b"].cancel()
    await queue.settle()
    assert (["a", "c"], 1) == (queue.got, queue.slots.busy)


@on_a_loop
async def test_releasing_what_was_not_held_is_harmless() -> None:
    slots = Slots(1)
    slots.release("nobody")
    await slots.acquire("a")
    slots.release("nobody")
    assert 1 == slots.busy


@pytest.mark.parametrize(("given", "expected"), [("3", 3), ("1", 1)])
def test_the_number_can_be_given(monkeypatch: pytest.MonkeyPatch, given: str, expected: int) -> None:
    monkeypatch.setenv(SLOTS_VARIABLE, given)
    assert expected == default_slots()


@pytest.mark.parametrize("given", ["", "0", "-1", "many", "1.5"])
def test_what_is_no_number_counts_as_not_given(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.delenv(SLOTS_VARIABLE, raising=False)
    expected = default_slots()
    monkeypatch.setenv(SLOTS_VARIABLE, given)
    assert expected == default_slots() >= 16
