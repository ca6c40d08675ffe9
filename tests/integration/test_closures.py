"""What a task needs travels with it by value: nothing is imported again, nothing has to be installed."""

from __future__ import annotations

import enum
import functools
import importlib
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors

pytestmark = [pytest.mark.one_host, pytest.mark.usefixtures("home")]

env = flyte.TaskEnvironment(name="closures")

FACTOR = 3
DATABASE = sqlite3.connect(":memory:", check_same_thread=False)


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    DATABASE.close()


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


@dataclass(frozen=True)
class Point:
    x: int
    colour: Colour = Colour.RED
    tags: list[str] = field(default_factory=list)

    def doubled(self) -> Point:
        return Point(2 * self.x, self.colour, [*self.tags, "doubled"])


class Counter:
    total = 0

    def __init__(self, start: int) -> None:
        self.count = start

    def up(self) -> Counter:
        self.count += FACTOR
        return self


def tripled(x: int) -> int:
    return FACTOR * x


def twice(func: Callable[[int], int], x: int) -> int:
    return func(func(x))


@env.task
def uses_helpers(x: int) -> int:
    return twice(tripled, x)


@env.task
def paints(point: Point, colour: Colour) -> Point:
    if point.colour is not Colour.RED or not isinstance(colour, Colour):
        raise TypeError("not the same class")
    return Point(point.doubled().x, colour, ["painted"])


def test_helpers_and_globals() -> None:
    assert 18 == flyte.run(uses_helpers, 2).outputs()[0]


def test_globals_are_taken_when_the_task_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 10)
    assert 200 == flyte.run(uses_helpers, 2).outputs()[0]


def test_dataclasses_and_enums_come_back_as_the_same_classes() -> None:
    point = flyte.run(paints, Point(2), Colour.BLUE).outputs()[0]
    assert Point(4, Colour.BLUE, ["painted"]) == point
    assert Point is type(point)
    assert Colour.BLUE is point.colour
    assert Point(8, Colour.BLUE, ["painted", "doubled"]) == point.doubled()


def test_a_class_keeps_its_methods_when_a_value_comes_back() -> None:
    before = Point.__dict__["doubled"]
    flyte.run(paints, Point(2), Colour.BLUE).outputs()
    assert before is Point.__dict__["doubled"]


def test_a_class_of_its_own() -> None:
    @env.task
    def counts(counter: Any) -> Any:
        Counter.total += 1
        return counter.up().up()

    counter = flyte.run(counts, Counter(1)).outputs()[0]
    assert Counter is type(counter)
    assert 7 == counter.count
    assert 0 == Counter.total


def test_closures_and_defaults() -> None:
    base = 10
    seen = {"a": [1, 2]}

    @env.task
    def adds(x: int, y: int = base) -> int:
        seen["a"].append(x)
        return x + y + base + len(seen["a"])

    assert 24 == flyte.run(adds, 1).outputs()[0]
    base = 20
    assert 34 == flyte.run(adds, 1).outputs()[0]
    assert {"a": [1, 2]} == seen


def test_lambdas_and_partials() -> None:
    add = functools.partial(lambda x, y: x + y, 5)

    @env.task
    def applies(x: int) -> int:
        return add(x)

    @env.task
    def makes() -> Any:
        return lambda x: x + FACTOR

    assert 6 == flyte.run(applies, 1).outputs()[0]
    assert 4 == flyte.run(makes).outputs()[0](1)


REMEMBERING = """
import functools, typing

Number = typing.NewType("Number", int)

@functools.lru_cache(maxsize=50)
def fib(n: Number) -> Number: return n if n < 2 else fib(n - 1) + fib(n - 2)

class Square:
    def __init__(self, side): self.side = side
    @functools.cached_property
    def area(self): return self.side ** 2
    @functools.cache
    def twice(self): return 2 * self.area

@functools.singledispatch
def shown(x): return "?"

@shown.register
def _(x: int): return "int"

def f() -> list:
    square = Square(3)
    return [fib(30), fib.cache_info().maxsize, square.area, square.twice(), vars(square)["area"], shown(1), shown("")]
"""


def test_what_python_makes_of_functions_and_names() -> None:
    assert [832040, 50, 9, 18, 9, "int", "?"] == result(REMEMBERING)


def test_a_class_within_a_task_reads_globals() -> None:
    assert [5, 6] == result(
        "size = 5\ndef f() -> list:\n    class Box:\n        a = size\n        b = a + 1\n    return [Box.a, Box.b]"
    )


def result(source: str) -> Any:
    """Of the function `f` of a cell."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(source, scope)
    return flyte.run(env.task(scope["f"])).result()


def test_recursion_in_a_helper() -> None:
    def factorial(n: int) -> int:
        return 1 if n < 2 else n * factorial(n - 1)

    @env.task
    def computes(n: int) -> int:
        return factorial(n)

    assert 120 == flyte.run(computes, 5).outputs()[0]


@env.task
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def test_a_task_that_calls_itself() -> None:
    assert 5 == flyte.run(fibonacci, 5).outputs()[0]


# --- modules


def test_module_beside_the_script_travels_by_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "beside_the_script"
    file = tmp_path / f"{name}.py"
    file.write_text("SIZE = 1\ndef size():\n    return SIZE\n")
    beside = importlib.import_module(name)
    monkeypatch.setitem(sys.modules, name, beside)

    @env.task
    def measures() -> tuple[int, bool]:
        return beside.size(), os.path.exists(beside.__file__ or "")

    assert (1, True) == tuple(flyte.run(measures).outputs())
    file.write_text("SIZE = 22\ndef size():\n    return SIZE + 0\n")
    importlib.reload(beside)
    assert (22, True) == tuple(flyte.run(measures).outputs())
    file.unlink()
    assert (22, False) == tuple(flyte.run(measures).outputs())


# --- arrays and frames


def test_arrays() -> None:
    @env.task
    def doubles(array: np.ndarray) -> np.ndarray:
        return array * 2

    large = np.arange(100_000, dtype="float64")
    result = flyte.run(doubles, large).outputs()[0]
    np.testing.assert_array_equal(large * 2, result)
    result[0] = 7.0  # it is the caller's own
    assert 7.0 == result[0]
    small = flyte.run(doubles, np.arange(3)).outputs()[0]
    np.testing.assert_array_equal([0, 2, 4], small)


def test_frames() -> None:
    rows = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "a"]})

    @env.task
    def groups(rows: pd.DataFrame) -> pd.DataFrame:
        rows["z"] = rows["x"] * FACTOR
        return rows.groupby("y", as_index=False).sum()

    expected = pd.DataFrame({"y": ["a", "b"], "x": [4, 2], "z": [12, 6]})
    pd.testing.assert_frame_equal(expected, flyte.run(groups, rows).outputs()[0])
    assert ["x", "y"] == list(rows)


def test_large_frames() -> None:
    rows = pd.DataFrame({"x": np.arange(50_000.0)})

    @env.task
    def shifts(rows: pd.DataFrame) -> pd.DataFrame:
        rows["x"] += 1
        return rows

    result = flyte.run(shifts, rows).outputs()[0]
    assert [1.0, 50_000.0] == [result["x"].iloc[0], result["x"].iloc[-1]]


# --- what cannot travel


def test_global_that_cannot_travel_is_named() -> None:
    before = flyte.runs()

    @env.task
    def asks() -> int:
        return int(DATABASE.execute("select 1").fetchone()[0])

    message = r"asks → global 'DATABASE' → sqlite3\.Connection.*\n.*inside the task"
    with pytest.raises(errors.CaptureError, match=message):
        flyte.run(asks)
    assert before == flyte.runs()


def test_what_a_helper_needs_is_named_with_its_path() -> None:
    lock = threading.Lock()

    def helper() -> None:
        with lock:
            pass

    @env.task
    def locks() -> None:
        helper()

    with pytest.raises(errors.CaptureError, match=r"locks → closure 'helper' → closure 'lock' → _thread\.lock"):
        flyte.run(locks)


def test_input_that_cannot_travel_is_named() -> None:
    before = flyte.runs()

    @env.task
    def takes(things: Any) -> None: ...

    message = r"takes → input → 'things' → 's' → \[0\] → socket\.socket"
    with socket.socket() as sock, pytest.raises(errors.CaptureError, match=message):
        flyte.run(takes, {"s": [sock]})
    assert before == flyte.runs()


def test_value_that_cannot_travel_is_named_and_not_tried_again() -> None:
    @env.task(retries=3)
    def opens() -> Any:
        return {"rows": [1, sqlite3.connect(":memory:")]}

    run = flyte.submit(opens)
    run.wait()
    message = r"opens → returned value → 'rows' → \[1\] → sqlite3\.Connection"
    with pytest.raises(errors.CaptureError, match=message):
        run.raise_for_status()
    assert {0} == {attempt for _, _, attempt, *_ in run.view()["actions"][0]["history"]}
