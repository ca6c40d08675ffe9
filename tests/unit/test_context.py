"""What code knows about where it runs."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from typing import Any

import pytest

from flyte_jupyter import context
from flyte_jupyter.context import ActionName, Invocation, TaskContext, caller, ctx, enter
from flyte_jupyter.task import Task

INSIDE = TaskContext(action=ActionName(name="a0", run_name="r1"), attempt_number=2, mode="local")


class Refusing:
    """Starts nothing."""

    def start(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Invocation:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _leave(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a process knows for good is undone after each test."""
    monkeypatch.setattr(context, "_process", context._process)
    before = context._here.set(None)
    yield
    context._here.reset(before)


def test_outside() -> None:
    assert not ctx()
    assert (None, None, None, None) == (caller(), ctx().action, ctx().attempt_number, ctx().mode)
    assert not ctx().is_in_cluster()


def test_inside() -> None:
    calls = Refusing()
    enter(INSIDE, calls)
    assert ctx()
    assert ("a0", "r1", 2, "local") == (
        ctx().action and ctx().action.name,
        ctx().action and ctx().action.run_name,
        ctx().attempt_number,
        ctx().mode,
    )
    assert calls is caller()


def test_threads_of_a_task_are_inside_too() -> None:
    calls = Refusing()
    enter(INSIDE, calls)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend([ctx(), caller()]))
    thread.start()
    thread.join(10)
    assert [INSIDE, calls] == found


def test_so_is_a_loop_and_what_it_runs_elsewhere() -> None:
    enter(INSIDE, Refusing())

    async def main() -> list[TaskContext]:
        return [ctx(), await asyncio.to_thread(ctx), *await asyncio.gather(*(asyncio.to_thread(ctx) for _ in range(2)))]

    assert [INSIDE] * 4 == asyncio.run(main())


def test_another_context_counts_where_it_is_set() -> None:
    """What runs with a context of its own, such as an item of a map, is not the process's action."""
    enter(INSIDE, Refusing())
    other = dataclasses.replace(INSIDE, attempt_number=7)

    def inner() -> TaskContext:
        context._here.set(context._Here(other, None, None))
        return ctx()

    assert (other, INSIDE) == (copy_context().run(inner), ctx())


def test_a_cluster() -> None:
    assert dataclasses.replace(INSIDE, mode="remote").is_in_cluster()
    assert not INSIDE.is_in_cluster()


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        INSIDE.mode = "remote"  # type: ignore[misc]
