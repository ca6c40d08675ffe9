"""`flyte.progress`: what it takes, and what is told of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from flyte_jupyter import context
from flyte_jupyter.bars import Bars, progress
from flyte_jupyter.context import ActionName, TaskContext
from flyte_jupyter.errors import ConfigTypeError


class Told:
    """An outlet that counts."""

    def __init__(self) -> None:
        self.bars = Bars()
        self.changes = 0

    def changed(self) -> None:
        self.changes += 1

    @property
    def shown(self) -> list[tuple[str, Any, Any, bool]]:
        return [(of["description"], of["done"], of["total"], of["is_over"]) for of in self.bars.to_json()]


@pytest.fixture
def told() -> Iterator[Told]:
    outlet = Told()
    here = context._Here(TaskContext(action=ActionName(name="a0", run_name="r1")), None, outlet)
    token = context._here.set(here)
    yield outlet
    context._here.reset(token)


def test_what_is_iterated_over_comes_through_and_is_counted(told: Told) -> None:
    seen = []
    for item in progress(["a", "b", "c"], description="letters"):
        seen += [(item, told.shown[0][1])]
    assert [("a", 0), ("b", 1), ("c", 2)] == seen
    assert [("letters", 3, 3, True)] == told.shown


def test_a_loop_that_is_left_is_not_over(told: Told) -> None:
    for item in progress(range(10)):
        if item == 4:
            break
    assert [("", 4, 10, False)] == told.shown


def test_what_has_no_length_has_no_total(told: Told) -> None:
    list(progress(n for n in range(3)))
    list(progress((n for n in range(3)), 3, description="given"))
    assert [("", 3, None, True), ("given", 3, 3, True)] == told.shown


def test_what_comes_asynchronously_too(told: Told) -> None:
    async def rows() -> AsyncIterator[int]:
        for n in range(3):
            yield n

    async def all_of_them() -> list[int]:
        return [row async for row in progress(rows(), total=3)]

    assert [0, 1, 2] == asyncio.run(all_of_them())
    assert [("", 3, 3, True)] == told.shown


def test_so_much_is_done_of_so_much(told: Told) -> None:
    progress(3, 10, description="epochs")
    progress(1, 2, description="files")
    progress(4, 10, description="epochs")
    assert [("epochs", 4, 10, False), ("files", 1, 2, False)] == told.shown
    progress(10, 10, description="epochs")
    assert ("epochs", 10, 10, True) == told.shown[0]


def test_a_bar_is_updated_within_a_block(told: Told) -> None:
    with progress(total=100, unit="bytes") as bar:
        bar.update(40)
        bar.done = 90
        bar.total = 200
    assert [("", 90, 200, True)] == told.shown
    with contextlib.suppress(KeyError), progress(total=5, description="fails") as bar:
        bar.update()
        raise KeyError
    assert ("fails", 1, 5, False) == told.shown[1]
    assert "<Bar fails [1 of 5 items]>" == repr(bar)


def test_inner_loops_take_one_place(told: Told) -> None:
    for _ in progress(range(3)):
        for _ in progress(range(5)):
            pass
    assert [("", 3, 3, True), ("", 5, 5, True)] == told.shown


def test_only_the_last_few_are_shown(told: Told) -> None:
    for n in range(30):
        progress(total=n + 1, description=str(n))
    assert [str(n) for n in range(22, 30)] == [of[0] for of in told.shown]


def test_outside_a_task_it_is_only_a_loop() -> None:
    assert [0, 1, 2] == list(progress(range(3)))
    progress(1, 2)
    with progress(total=3) as bar:
        bar.update()
    assert 1 == bar.done


@pytest.mark.parametrize("given", [object(), True])
def test_what_cannot_be_counted_is_refused(given: Any) -> None:
    with pytest.raises(ConfigTypeError, match=r"neither something to iterate over nor a number\.\nfor row in flyte"):
        progress(given)
    with pytest.raises(ConfigTypeError, match="a number is needed"):
        progress([], total="3")  # type: ignore[arg-type]  # that is what it is about
    with pytest.raises(ConfigTypeError, match="nothing to iterate over"):
        list(progress(total=3))
