"""Words of a command line as the inputs of a task."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from flyte_jupyter.interface import Interface
from flyte_jupyter.notebook.files.arguments import ArgumentError, inputs, value_of


class Color(enum.Enum):
    RED = "r"


@dataclass
class Point:
    x: int
    y: float = 0.0


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("3", int, 3),
        ("-3", float, -3.0),
        ("3", str, "3"),
        ("3", Any, 3),
        ("three", Any, "three"),
        ("no", bool, False),
        ("none", Optional[int], None),
        ("3", int | str, 3),
        ("x", int | str, "x"),
        ("b", Literal["a", "b"], "b"),
        ("2", Literal[1, 2], 2),
        ("RED", Color, Color.RED),
        ("r", Color, Color.RED),
        ("2026-11-22", date, date(2026, 11, 22)),
        ("2026-11-22T10:00:00Z", datetime, datetime(2026, 11, 22, 10, tzinfo=timezone.utc)),
        ("1h30m", timedelta, timedelta(minutes=90)),
        ("90", timedelta, timedelta(seconds=90)),
        ("a b", bytes, b"a b"),
        ("a/b", Path, Path("a/b")),
        ('{"x": 1}', Point, Point(1)),
        ("[[1, 2], []]", list[list[int]], [[1, 2], []]),
        ("{'a': (1, 2)}", dict[str, tuple[int, int]], {"a": (1, 2)}),
    ],
)
def test_a_text_is_the_value_that_the_annotation_wants(text: str, annotation: Any, value: Any) -> None:
    found = value_of(text, annotation)
    assert (value, type(value)) == (found, type(found))


def read(*words: str) -> dict[str, Any]:
    def task(
        count: int,
        name: str = "a",
        fast: bool = False,
        parts: tuple[int, ...] = (),
        file: Path = Path(),
        some: list[int] | None = None,
    ) -> None: ...

    return inputs(words, Interface.of(task), folder=Path("/here"))


def test_options_are_read_in_all_ways_of_writing_them() -> None:
    assert {"count": 1, "name": "-x"} == read("--count=1", "--name", "-x")
    assert {"count": 1, "fast": True} == read("--fast", "--count", "1")
    assert {"count": 1, "fast": False} == read("--count", "1", "--no-fast")
    assert {"count": 1, "fast": True} == read("--fast", "true", "--count", "1")
    assert {"count": 1, "parts": (1, 2)} == read("--parts", "1", "--parts", "2", "--count", "1")
    assert {"count": 1, "parts": (1, 2)} == read("--parts", "[1, 2]", "--count", "1")
    assert {"count": 1, "file": Path("/here/x")} == read("--file", "x", "--count", "1")
    assert {"count": 1, "some": [2]} == read("--count", "1", "--some", "2")
    assert {"count": 1, "some": [2, 3]} == read("--count", "1", "--some", "2", "--some", "3")
    assert {"count": 1, "some": None} == read("--count", "1", "--some", "none")


def test_a_value_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "parts.json").write_text("[1, 2]")
    assert {"count": 1, "parts": (1, 2)} == read("--parts", f"@{tmp_path / 'parts.json'}", "--count", "1")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "missing: --count int"),
        (["1"], "'1': inputs are given by name: --count int, --name str = 'a', --fast / --no-fast = False"),
        (["--count"], "--count needs a value: --count int"),
        (["--count", "one"], "--count one: not a whole number"),
        (["--cuont", "1"], "no input --cuont; did you mean --count?"),
        (["--count", "1", "--fast=maybe"], "--fast maybe: true or false"),
        (["--count", "1", "--parts", "[x]"], "--parts [x]: neither JSON nor a Python literal; @FILE takes it"),
        (["--count", "1", "--parts", '["a"]'], '--parts ["a"]: expected int, got str \'a\''),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(words: list[str], told: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        read(*words)
    assert told in str(raised.value)
