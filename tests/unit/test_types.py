"""What values become and what is refused, by annotation."""

import collections
import collections.abc as abc
import dataclasses
import datetime as dt
import enum
import itertools
import typing
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NewType, Optional, Protocol, TypedDict, TypeVar, Union

import numpy as np
import pandas as pd
import pytest
import typing_extensions

from flyte_jupyter.annotations import Mismatch, short
from flyte_jupyter.types import convert

T = TypeVar("T")
NOON = dt.datetime(2020, 1, 1, 12)  # noqa: DTZ001 - it stays naive


class Color(enum.Enum):
    RED = "r"
    GREEN = "g"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Row:
    x: int
    tags: "list[str]" = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        if self.x == 13:
            raise ValueError("unlucky")


@dataclasses.dataclass
class Tree:
    row: Row
    children: "list[Tree]" = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Box(Generic[T]):
    content: T


class Conf(TypedDict, total=False):
    rate: float


class Closable(Protocol):
    def close(self) -> None: ...


@typing.runtime_checkable
class Sized(Protocol):
    def __len__(self) -> int: ...


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


UserId = NewType("UserId", int)
FRAME = pd.DataFrame({"a": [1]})


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1, int),
        (Level.LOW, int),
        (1.5, float),
        (True, bool),
        ("a", str),
        (b"a", bytes),
        (NOON, dt.datetime),
        (NOON.date(), dt.date),
        (dt.timedelta(1), dt.timedelta),
        (None, None),
        (None, Optional[int]),
        (1, int | str),
        ("a", int | str),
        (1, Union[float, int]),
        (True, Union[int, bool]),
        (object(), Any),
        (object(), object),
        (object(), T),
        (object(), Closable),
        ([1], Sized),
        ([1], list),
        ([1], typing.List),  # noqa: UP006
        ([1], list[int]),
        ([object()], list[Any]),
        ([[1], [2]], list[list[int]]),
        ([Row(1)], list[Row]),
        ({"a": 1}, dict[str, int]),
        ({"a": [1]}, abc.Mapping[str, abc.Sequence[int]]),
        ({1}, set[int]),
        (frozenset({1}), frozenset[int]),
        ({1}, abc.Set[int]),
        ((1, "a"), tuple[int, str]),
        ((1, 2, 3), tuple[int, ...]),
        ((1, 2), tuple),
        (collections.deque([1]), collections.deque[int]),
        (range(3), abc.Sequence[float]),
        ("abc", abc.Sequence[str]),
        (itertools.count(), abc.Iterator[int]),
        (len, abc.Callable[[list[int]], int]),
        (Row, type[Row]),
        ("b", Literal["a", "b"]),
        (Color.RED, Color),
        (Row(1), Row),
        (Row("a"), Row),  # type: ignore[arg-type]
        (Box(1), Box[int]),
        ({"rate": 1.0, "more": 1}, Conf),
        (FRAME, pd.DataFrame),
        (np.zeros(2), np.ndarray),
        (np.zeros(2), np.ndarray[Any, Any]),
        (Path("a"), Path),
        (3, UserId),
        (3, Annotated[int, "doc"]),
    ],
)
def test_the_very_object(value: Any, annotation: Any) -> None:
    assert convert(value, annotation) is value


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (1, float, 1.0),
        (np.int32(1), int, 1),
        (np.float32(0.5), float, 0.5),
        (np.int64(2), float, 2.0),
        (np.float64(0.5), float, 0.5),
        (np.bool_(True), bool, True),
        (np.str_("a"), str, "a"),
        (np.str_("a"), Literal["a"], "a"),
        (bytearray(b"a"), bytes, b"a"),
        (NOON, dt.date, dt.date(2020, 1, 1)),
        ([1, 2.5], list[float], [1.0, 2.5]),
        ([1, 2], tuple[float, int], (1.0, 2)),
        ([1, 2], tuple[float, ...], (1.0, 2.0)),
        ([1], tuple, (1,)),
        ({1}, set[float], {1.0}),
        (frozenset({1}), abc.Set[float], frozenset({1.0})),
        ((1,), abc.Sequence[float], (1.0,)),
        ({"a": 1}, dict[str, float], {"a": 1.0}),
        ({np.int64(1): [1]}, dict[int, list[float]], {1: [1.0]}),
        (collections.OrderedDict(a=1), abc.Mapping[str, float], collections.OrderedDict(a=1.0)),
        (1, Optional[float], 1.0),
        ({"x": 1}, Row | None, Row(1)),
        ({"x": 1}, Row | dict, {"x": 1}),
        ("RED", Color, Color.RED),
        ("r", Color, Color.RED),
        (1, Level, Level.LOW),
        ({"x": 1, "tags": ["a"]}, Row, Row(1, ["a"])),
        (
            {"row": {"x": 1}, "children": [{"row": Row(2)}]},
            Tree,
            Tree(Row(1), [Tree(Row(2))]),
        ),
        ({"content": 1}, Box[int], Box(1)),
        ({"rate": 1}, Conf, {"rate": 1.0}),
        ([np.int64(1)], list[UserId], [1]),
    ],
)
def test_converted(value: Any, annotation: Any, expected: Any) -> None:
    actual = convert(value, annotation)
    assert actual == expected
    assert type(actual) is type(expected)
    if isinstance(expected, (list, tuple)):
        assert [type(v) for v in actual] == [type(v) for v in expected]


@pytest.mark.parametrize(
    ("value", "annotation", "text"),
    [
        ("a", int, "expected int, got str 'a'"),
        (None, int, "expected int, got None"),
        (1.0, int, "expected int, got float 1.0"),
        (True, int, "expected int, got bool True (write int(...) if a number is meant)"),
        (True, float, "expected float, got bool True (write int(...) if a number is meant)"),
        (2**53 + 1, float, "expected float, got int 9007199254740993, which no float can hold exactly"),
        (1, bool, "expected bool, got int 1"),
        (1, str, "expected str, got int 1"),
        (1, None, "expected None, got int 1"),
        (dt.date(2020, 1, 1), dt.datetime, "expected datetime, got date datetime.date(2020, 1, 1)"),
        ("x" * 200, int, f"expected int, got str '{'x' * 37}...{'x' * 38}'"),
        ((1, 2), list[int], "expected list[int], got tuple (1, 2)"),
        ([1, "a"], list[int], "[1]: expected int, got str 'a'"),
        (
            [[1], [2, True]],
            list[list[int]],
            "[1][1]: expected int, got bool True (write int(...) if a number is meant)",
        ),
        ({"a": 1}, set[int], "expected set[int], got dict {'a': 1}"),
        ({"a"}, set[int], "{}: expected int, got str 'a'"),
        ({"k": {"l": "a"}}, dict[str, dict[str, int]], "['k']['l']: expected int, got str 'a'"),
        ({1: 1}, dict[str, int], ".keys(): expected str, got int 1"),
        ((1,), tuple[int, str], "expected tuple[int, str], got 1 values: tuple (1,)"),
        ((1, 2), tuple[int, str], "[1]: expected str, got int 2"),
        (["a"], Optional[list[int]], "[0]: expected int, got str 'a'"),
        (1.5, int | str, "expected int | str, got float 1.5"),
        ("c", Literal["ab", "x"], "expected one of 'ab', 'x' (Literal), got str 'c'"),
        ("abc", Literal["ab", "x"], "expected one of 'ab', 'x' (Literal), got str 'abc'; did you mean 'ab'?"),
        (True, Literal[1], "expected one of 1 (Literal), got bool True"),
        ("RDE", Color, "expected one of 'RED', 'GREEN' (Color), got str 'RDE'; did you mean 'RED'?"),
        (True, Level, "expected one of 'LOW' (Level), got bool True"),
        ({"x": "a"}, Row, ".x: expected int, got str 'a'"),
        ({"x": 1, "tag": []}, Row, "Row has no field 'tag'; did you mean 'tags'?"),
        ({}, Row, "Row needs x, got dict {}"),
        ({"x": 13}, Row, "Row(...) raised ValueError: unlucky"),
        ({"row": {"x": 1}, "children": [{"row": {"x": ""}}]}, Tree, ".children[0].row.x: expected int, got str ''"),
        ({"rate": "a"}, Conf, ".rate: expected float, got str 'a'"),
        (1, Sized, "expected Sized, got int 1"),
        ([1], pd.DataFrame, "expected DataFrame, got list [1]"),
    ],
)
def test_refused(value: Any, annotation: Any, text: str) -> None:
    with pytest.raises(Mismatch) as e:
        convert(value, annotation)
    assert str(e.value) == text


def test_a_broken_repr() -> None:
    with pytest.raises(Mismatch, match="expected int, got Broken <Broken instance at"):
        convert(Broken(), int)


def test_a_defaultdict_stays_one() -> None:
    actual = convert(collections.defaultdict(list, a=[1]), dict[str, list[float]])
    assert (actual["a"], actual["b"]) == ([1.0], [])


def test_an_awaitable_is_named() -> None:
    async def later() -> int:
        return 1

    coroutine = later()
    with pytest.raises(Mismatch, match="it has to be awaited first"):
        convert(coroutine, int)
    coroutine.close()


def test_short_is_one_line_of_at_most_80_characters() -> None:
    texts = [short(v) for v in (FRAME, "a" * 500, list(range(10**6)), 10**3000, {"a": "b" * 500, "c": "d" * 500})]
    assert [t for t in texts if len(t) > 80 or "\n" in t] == []


def cell(source: str) -> dict[str, Any]:
    """What a notebook cell defines."""
    names: dict[str, Any] = {"__name__": "__main__", "enum": enum, "dataclass": dataclasses.dataclass}
    exec(source, names)
    return names


POINT = "@dataclass\nclass Point:\n    x: int = 0\n"
HUE = "class Hue(enum.Enum):\n    RED = 1\n    BLUE = 2\n"


def test_an_instance_of_a_class_that_a_later_cell_defines_anew() -> None:
    old, new = cell(POINT)["Point"](), cell(POINT)["Point"]
    assert convert([old], list[new])[0] is old
    sub = type("Sub", (type(old),), {})()
    assert convert(sub, new) is sub


def test_a_member_of_an_enum_that_a_later_cell_defines_anew() -> None:
    old, new = cell(HUE)["Hue"], cell(HUE.replace("BLUE", "GREEN"))["Hue"]
    assert convert(old.RED, new) is new.RED
    assert convert(old.BLUE, new) is new.GREEN  # the name is gone, the value is not


def test_same_name_in_another_module() -> None:
    names = cell("class Row: pass")
    with pytest.raises(Mismatch, match=rf"expected Row, got Row .* \(__main__ is not {__name__}\)"):
        convert(names["Row"](), Row)


def test_an_alias_with_parameters() -> None:
    pair = typing_extensions.TypeAliasType("pair", tuple[T, T], type_params=(T,))
    assert convert([1, 2], pair[float]) == (1.0, 2.0)


def test_pydantic() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        x: int
        rows: list[int] = []  # noqa: RUF012

    model = Model(x=1)
    assert convert(model, Model) is model
    assert convert({"x": 1, "rows": [2]}, Model) == Model(x=1, rows=[2])
    with pytest.raises(Mismatch) as e:
        convert([{"x": "a", "rows": [1, "b"]}], list[Model])
    assert str(e.value) == (
        "[0].x: Input should be a valid integer, unable to parse string as an integer, got str 'a' (and 1 more)"
    )
