"""`flyte.map`: one task over many items, outside and inside a task."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import time
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, mapping, session
from tests.conftest import eventually
from tests.integration.processes import is_gone, pid_in, program

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="mapped")


@env.task
def square(x: int) -> int:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x * x


@env.task
async def power(base: int, exponent: int) -> int:
    await asyncio.sleep(0.05 / (1 + base))  # later items end first
    return base**exponent


@env.task
def neighbours(folder: str, x: int) -> int:
    """How many items were seen to run, itself counted."""
    mine = Path(folder) / str(x)
    mine.touch()
    time.sleep(0.2)
    count = len(list(Path(folder).iterdir()))
    mine.unlink()
    return count


@env.task
def stays_unless_first(folder: str, x: int) -> int:
    if x > 0:
        (Path(folder) / str(x)).write_text(f"{os.getpid()}\n")
        time.sleep(60)
    while len(list(Path(folder).iterdir())) < 2:
        time.sleep(0.01)
    return x


def test_results_come_in_order() -> None:
    assert [x**2 for x in range(8)] == list(flyte.map(power, range(8), [2] * 8))


def test_nothing_to_map() -> None:
    assert [] == list(flyte.map(square, []))
    assert [] == flyte.runs()


def test_the_run_of_a_map() -> None:
    list(flyte.map(square, range(3)))
    (run,) = flyte.runs()
    assert "succeeded" == run.phase.value
    assert 4 == run.view()["total"]


def test_concurrency_is_a_bound(tmp_path: Path) -> None:
    at_once = functools.partial(neighbours, str(tmp_path))
    assert {1} == set(flyte.map(at_once, range(3), concurrency=1))
    counts = list(flyte.map(at_once, range(6), concurrency=2))
    assert 2 == max(counts)


def test_items_run_side_by_side(tmp_path: Path) -> None:
    counts = list(flyte.map(functools.partial(neighbours, str(tmp_path)), range(4)))
    assert 1 < max(counts) <= 4


def test_errors_are_results() -> None:
    first, second, third = flyte.map(square, [1, -2, 3])
    assert [1, 9] == [first, third]
    assert isinstance(second, ValueError)
    assert isinstance(second, errors.RuntimeUserError)
    assert "-2 is negative" == str(second)
    (run,) = flyte.runs()
    assert ("succeeded", "1 of 3 items failed") == (run.phase.value, run.view()["warning"])
    assert "1 of 3 items failed" == run.result()


def test_errors_are_raised(tmp_path: Path) -> None:
    results = flyte.map(square, [1, -2, 3], return_exceptions=False)
    assert 1 == next(results)
    with pytest.raises(ValueError, match="-2 is negative"):
        next(results)
    (run,) = flyte.runs()
    assert "failed" == run.phase.value


def test_partial() -> None:
    assert [1, 8, 27] == list(flyte.map(functools.partial(power, exponent=3), [1, 2, 3]))
    assert [2, 4, 8] == list(flyte.map(functools.partial(power, 2), [1, 2, 3]))
    with pytest.raises(errors.ConfigTypeError, match="leaves: base, exponent"):
        flyte.map(functools.partial(power), [1])


def test_wrong_items_start_nothing() -> None:
    with pytest.raises(errors.ConfigTypeError, match="takes a task"):
        flyte.map(len, ["x"])  # type: ignore[arg-type]
    with pytest.raises(errors.ConfigTypeError, match="concurrency"):
        flyte.map(square, [1], concurrency=-1)


def test_async_for() -> None:
    async def collect() -> list[int]:
        return [value async for value in flyte.map.aio(power, [1, 2, 3], [2, 2, 2])]

    assert [1, 4, 9] == asyncio.run(collect())


def test_in_a_task() -> None:
    @env.task
    def sums(xs: list[int]) -> int:
        return sum(flyte.map(square, xs, concurrency=2))

    @env.task
    async def sums_async(xs: list[int]) -> int:
        return sum([value async for value in flyte.map.aio(square, xs)])

    run = flyte.run(sums, [1, 2, 3])
    assert 14 == run.outputs()[0]
    assert 4 == run.view()["total"]
    assert 14 == flyte.run(sums_async, [1, 2, 3]).outputs()[0]


def test_many_items() -> None:
    assert [x * x for x in range(60)] == list(flyte.map(square, range(60)))
    (run,) = flyte.runs()
    view = run.view()
    assert (61, {"succeeded": 60}) == (view["total"], view["tasks"]["square"])


_WAITS = """
import functools, os, time
import flyte_jupyter as flyte
from pathlib import Path

env = flyte.TaskEnvironment(name="script")

@env.task
def stays(x: int) -> None:
    Path(str(x)).write_text(f"{os.getpid()}\\n")
    time.sleep(60)

list(flyte.map(stays, range(2)))
"""


def test_ctrl_c_ends_all_items(tmp_path: Path) -> None:
    with program(tmp_path, _WAITS) as script:
        pids = [pid_in(tmp_path / name) for name in ("0", "1")]
        script.send_signal(signal.SIGINT)
        script.wait(20)
    eventually(lambda: all(map(is_gone, pids)))
    assert "aborted" == flyte.runs()[0].phase.value


@pytest.mark.parametrize("concurrency", [0, 3])
def test_breaking_out_leaves_no_process(tmp_path: Path, concurrency: int) -> None:
    for value in flyte.map(functools.partial(stays_unless_first, str(tmp_path)), range(3), concurrency=concurrency):
        assert 0 == value
        break
    pids = [pid_in(tmp_path / name) for name in ("1", "2")]
    eventually(lambda: all(map(is_gone, pids)))
    (run,) = flyte.runs()
    assert "aborted" == run.phase.value


def test_breaking_out_of_async_for_leaves_no_process(tmp_path: Path) -> None:
    async def first() -> int:
        values = flyte.map.aio(functools.partial(stays_unless_first, str(tmp_path)), range(3))
        try:
            async for value in values:
                return value
        finally:
            await values.aclose()  # type: ignore[attr-defined]
        return -1

    assert 0 == asyncio.run(first())
    pids = [pid_in(tmp_path / name) for name in ("1", "2")]
    eventually(lambda: all(map(is_gone, pids)))


def test_a_map_that_was_interrupted_starts_no_more_items() -> None:
    values = flyte.map(square, range(4), concurrency=1)
    assert 0 == next(values)
    mapping.interrupted()
    rest = list(values)
    assert len(rest) < 3
    assert all(isinstance(value, (int, errors.ActionAbortedError)) for value in rest)
    (run,) = flyte.runs()
    assert ("aborted", True) == (run.phase.value, run.view()["total"] < 5)
    assert {} == session.current().engine.news._listeners
