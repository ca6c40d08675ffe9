"""Digests of values: the same for the same, in every process; another one for another."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import random
import subprocess
import sys
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_jupyter.pack.codec import dumps, loads
from flyte_jupyter.pack.reach import reach

ROOT = Path(__file__).parents[3]


def digest(value: Any) -> str:
    return reach(value).digest


@dataclass
class Box:
    size: int
    tags: list[str] = field(default_factory=list)


class Order(pydantic.BaseModel):
    number: int
    names: dict[str, int] = {}


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Tagged(set[str]):
    tag = "a"


Point = namedtuple("Point", "x y")  # noqa: PYI024 - of the untyped kind


def frame(*columns: str) -> pd.DataFrame:
    data = {"a": [1, 2, 3], "b": ["x", "y", None], "c": pd.Categorical(["u", "v", "u"])}
    return pd.DataFrame({name: data[name] for name in columns or data})


SAME: list[tuple[Any, Any]] = [
    ({"x", "y", "z"}, {"z", "y", "x"}),
    ({(1, "a"), (2, "b")}, {(2, "b"), (1, "a")}),
    (float("nan"), float("nan")),
    ("ab" * 40, "".join(["ab"] * 40)),
    (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
    (np.arange(10)[::2], np.array([0, 2, 4, 6, 8])),
    (np.array(["a", "b"], dtype=object), np.array(["a", "b"], dtype=object)),
    (Box(1, ["a"]), Box(1, ["a"])),
    (frame(), frame("a").assign(b=frame()["b"], c=frame()["c"])),
    (
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    ),
    (Path("a") / "b", Path("a/b")),
    ([[1], [1]], [[1]] * 2),
]

DIFFERENT: list[Any] = [
    None,
    ...,
    0,
    False,
    0.0,
    -0.0,
    "",
    b"",
    bytearray(),
    0j,
    1,
    True,
    1.0,
    "1",
    b"1",
    10**6000,
    10**6000 + 1,
    -1,
    [],
    (),
    {},
    set(),
    frozenset(),
    [1],
    (1,),
    {1},
    {1: 1},
    {"1": 1},
    [[1], 2],
    [[1, 2]],
    [1, 2],
    ["12"],
    ["1", "2"],
    [1, "2"],
    [None, None],
    [...],
    OrderedDict(a=1, b=2),
    OrderedDict(b=2, a=1),
    defaultdict(int, a=1),
    defaultdict(list, a=1),
    Counter("ab"),
    Counter("ba"),
    deque([1]),
    deque([1], maxlen=2),
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    {"a": 1, "b": [2]},
    {"b": [2], "a": 1},
    {1: "a", None: 2},
    {None: 2, 1: "a"},
    {"a": 1},
    {"a": True},
    {"a": "1"},
    np.arange(3),
    np.arange(3.0),
    np.arange(3, dtype="int32"),
    np.arange(3).reshape(3, 1),
    np.zeros(3),
    np.zeros(0),
    np.zeros((0, 3)),
    np.array(0.0),
    np.float64(0),
    np.array(["a"], dtype=object),
    np.array([["a"]], dtype=object),
    np.array(["2024-01-01"], dtype="datetime64[D]"),
    np.ma.masked_array([1, 2], [0, 1]),
    np.ma.masked_array([1, 2], [1, 0]),
    np.random.default_rng(1),
    np.random.default_rng(2),
    frame(),
    frame("a"),
    frame("a", "b"),
    frame("b", "a"),
    frame("a").rename(columns={"a": "z"}),
    frame("a").astype("float"),
    frame("a").set_index("a"),
    frame("a")["a"],
    frame("a")["a"].rename("z"),
    frame("c")["c"],
    pd.Index([1, 2, 3]),
    pd.Timestamp("2024-01-01"),
    pd.Timestamp("2024-01-01", tz="UTC"),
    pd.NA,
    Box(1),
    Box(2),
    Box(1, ["a"]),
    Box,
    Order(number=1),
    Order(number=2),
    Order,
    Color.RED,
    Color.BLUE,
    Color,
    Tagged({"a"}),
    Point(1, 2),
    Point(2, 1),
    datetime.date(2024, 1, 1),
    datetime.datetime(2024, 1, 1),  # noqa: DTZ001 - one without a time zone is another value
    datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    datetime.timedelta(1),
    decimal.Decimal("1.0"),
    decimal.Decimal("1.00"),
    fractions.Fraction(1, 3),
    uuid.UUID(int=1),
    pathlib.PurePosixPath("a"),
    pathlib.PureWindowsPath("a"),
    random.Random(1),
    random.Random(2),
    slice(1),
    range(3),
    int,
    len,
    str.upper,
    "a".upper,
    "b".upper,
    [].append,
    list[int],
    list[str],
    int | None,
    lambda: 1,
    lambda: 2,
    ValueError("a"),
    ValueError("b"),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=[str(i) for i in range(len(SAME))])
def test_equal_values_have_one_digest(one: Any, other: Any) -> None:
    assert digest(one) == digest(other)


def test_other_values_have_others() -> None:
    by_digest: dict[str, Any] = {}
    for value in DIFFERENT:
        found = by_digest.setdefault(digest(value), value)
        assert found is value, f"{value!r} has the digest of {found!r}"


@pytest.mark.parametrize("value", DIFFERENT, ids=[str(i) for i in range(len(DIFFERENT))])
def test_a_copy_has_the_same(value: Any) -> None:
    again = loads([bytes(part) for part in dumps(value).parts])
    assert digest(value) == digest(again)


_ELSEWHERE = """
import pickle, sys
from flyte_jupyter.pack.codec import loads
from flyte_jupyter.pack.reach import reach
for parts in pickle.load(sys.stdin.buffer):
    print(reach(loads(parts)).digest)
"""


def test_the_same_in_other_processes() -> None:
    import pickle

    values = [value for value in [*DIFFERENT, *(one for one, _ in SAME)] if type(value).__module__ != __name__]
    values = [value for value in values if not callable(value)]
    here = [digest(value) for value in values]
    given = pickle.dumps([[bytes(part) for part in dumps(value).parts] for value in values])
    for seed in range(2):
        environ = {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", _ELSEWHERE], input=given, env=environ, capture_output=True, check=True
        )
        assert here == done.stdout.decode().split()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=3), inner, max_size=5)
        | st.frozensets(st.integers() | st.text(max_size=3), max_size=5)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


def same(a: Any, b: Any) -> bool:
    """Equal, of the same types all the way down, and in the same order, which a loop over a dict shows."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, frozenset):
        return sorted(map(_typed, a)) == sorted(map(_typed, b))
    return repr(a) == repr(b) if isinstance(a, float) else bool(a == b)


def _typed(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"


@settings(max_examples=200, deadline=None)
@given(PLAIN, PLAIN)
def test_two_values_have_one_digest_when_they_are_the_same(a: Any, b: Any) -> None:
    assert same(a, b) == (digest(a) == digest(b))


@settings(max_examples=100, deadline=None)
@given(PLAIN, st.randoms())
def test_neither_the_order_of_sets_nor_the_way_it_was_made_counts(value: Any, rng: random.Random) -> None:
    assert digest(value) == digest(shuffled(value, rng))


def shuffled(value: Any, rng: random.Random) -> Any:
    """An equal value of other objects, whose sets were filled in another order."""
    if isinstance(value, dict):
        return {key: shuffled(inner, rng) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(shuffled(inner, rng) for inner in value)
    if isinstance(value, frozenset):
        items = list(value)
        rng.shuffle(items)
        return frozenset(items)
    return value


def test_what_holds_itself() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    other: list[Any] = [1]
    other.append(other)
    assert digest(ring) == digest(other)
    other[0] = 2
    assert digest(ring) != digest(other)
    loop = {"me": {1, 2}}
    box = Box(1)
    box.tags = loop  # type: ignore[assignment]
    loop["box"] = box  # type: ignore[assignment]
    assert digest(box)


def test_the_class_of_a_value_counts() -> None:
    def made(body: str) -> Any:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(f"class Thing:\n    def area(self): {body}", scope)
        return scope["Thing"]()

    assert digest(made("return 1")) == digest(made("return 1"))
    assert digest(made("return 1")) != digest(made("return 2"))


def test_a_great_deal_of_data_takes_no_great_time() -> None:
    """Which is not measured here: a walk item by item would show in the benchmarks. Both ways give one digest."""
    numbers = list(range(100_000))
    assert digest(numbers) == digest(list(range(100_000)))
    assert digest([*numbers, None]) != digest(numbers)
    assert digest([0, 0.5]) != digest([0.0, 0.5])
