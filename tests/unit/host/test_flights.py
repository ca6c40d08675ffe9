"""Who waits for whom when several compute the same."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from flyte_jupyter.host.flights import Flights


class Lab:
    """Flights of pods whose parents are known; what they do is written down."""

    def __init__(self, **parents: str | None) -> None:
        self.parents = parents
        self.flights = Flights(lambda: self.parents)
        self.done: list[str] = []
        self.told: list[str] = []

    def starts(self, name: str, key: str = "k") -> asyncio.Task[None]:
        async def take() -> None:
            await self.flights.take(name, key, lambda holder: self.told.append(f"{name} waits for {holder}"))
            self.done.append(name)

        return asyncio.ensure_future(take())


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_equal_calls_one_after_the_other_in_order() -> None:
    async def work() -> None:
        lab = Lab(a=None, b=None, c=None)
        for name in "abc":
            lab.starts(name)
        await settled()
        assert (["a"], ["b waits for a", "c waits for a"]) == (lab.done, lab.told)
        assert "<Flights [1 open, 2 waiting]>" == repr(lab.flights)
        lab.flights.leave("a", "k")
        await settled()
        assert ["a", "b"] == lab.done
        lab.flights.leave("b", "k")
        lab.flights.leave("c", "k")
        await settled()
        assert ["a", "b", "c"] == lab.done
        lab.flights.leave("c", "k")
        assert "<Flights [0 open, 0 waiting]>" == repr(lab.flights)

    run(work())


def test_other_calls_do_not_wait() -> None:
    async def work() -> None:
        lab = Lab(a=None, b=None)
        lab.starts("a", "k1")
        lab.starts("b", "k2")
        await settled()
        assert (["a", "b"], []) == (lab.done, lab.told)

    run(work())


def test_one_that_has_never_held_it_takes_nothing_away() -> None:
    async def work() -> None:
        lab = Lab(a=None, b=None)
        lab.starts("a")
        lab.starts("b")
        await settled()
        lab.flights.leave("b", "k")
        lab.flights.leave("nobody", "other")
        await settled()
        assert ["a"] == lab.done

    run(work())


@pytest.mark.parametrize("when", ["before its turn", "at its turn"])
def test_one_that_is_cancelled_stops_nobody(when: str) -> None:
    async def work() -> None:
        lab = Lab(a=None, b=None, c=None)
        waiting = [lab.starts(name) for name in "abc"]
        await settled()
        if when == "before its turn":
            waiting[1].cancel()
            await settled()
        lab.flights.leave("a", "k")
        if when == "at its turn":
            waiting[1].cancel()
        await settled()
        assert ["a", "c"] == lab.done
        assert waiting[1].cancelled()

    run(work())


def test_a_child_does_not_wait_for_what_has_called_it() -> None:
    async def work() -> None:
        lab = Lab(top=None, parent="top", child="parent")
        for name in ("top", "parent", "child"):
            lab.starts(name)
        await settled()
        assert (["top", "parent", "child"], []) == (lab.done, lab.told)

    run(work())


def test_two_parents_do_not_wait_for_the_children_of_each_other() -> None:
    """Each has what the child of the other wants."""

    async def work() -> None:
        lab = Lab(a=None, b=None, a1="a", b1="b")
        lab.starts("a", "k1")
        lab.starts("b", "k2")
        lab.starts("a1", "k2")
        await settled()
        lab.starts("b1", "k1")
        await settled()
        assert (["a", "b", "b1"], ["a1 waits for b"]) == (lab.done, lab.told)
        lab.flights.leave("b", "k2")
        await settled()
        assert ["a", "b", "b1", "a1"] == lab.done

    run(work())


def test_a_ring_of_three() -> None:
    async def work() -> None:
        lab = Lab(a=None, b=None, c=None, a1="a", b1="b", c1="c")
        for name, key in (("a", "ka"), ("b", "kb"), ("c", "kc"), ("a1", "kb"), ("b1", "kc")):
            lab.starts(name, key)
        await settled()
        lab.starts("c1", "ka")
        await settled()
        assert ["a", "b", "c", "c1"] == lab.done

    run(work())


def test_siblings_wait_for_each_other() -> None:
    async def work() -> None:
        lab = Lab(parent=None, one="parent", two="parent")
        lab.starts("parent", "other")
        lab.starts("one")
        lab.starts("two")
        await settled()
        assert ["two waits for one"] == lab.told

    run(work())
