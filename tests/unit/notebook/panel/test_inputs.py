"""The inputs of a task as typed fields: which editor each has, and the code of what stands in it."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import Any, Literal, Optional

import pandas as pd
import pytest

import flyte_jupyter as flyte
from flyte_jupyter.notebook.panel import inputs
from flyte_jupyter.notebook.panel.code import Code, Names
from flyte_jupyter.notebook.panel.draft import Draft, draft_of


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


@dataclasses.dataclass
class Careful:
    x: float

    def __post_init__(self) -> None:
        raise AssertionError("made while somebody types")


env = flyte.TaskEnvironment(name="fields")
WHEN = datetime.datetime(2026, 1, 31, 18, 30)  # noqa: DTZ001 - as people give them


@env.task
def every(
    i: int,
    f: float,
    s: str,
    b: bool,
    colour: Colour,
    mode: Literal["fast", 3],
    day: datetime.date,
    items: list[int],
    point: Point,
    frame: pd.DataFrame,
    anything: Any,
    careful: Careful,
    maybe: Optional[Colour] = None,
    note: str | None = None,
    flag: bool = True,
    when: datetime.datetime = WHEN,
    clock: datetime.time = datetime.time(1),
    span: datetime.timedelta = datetime.timedelta(hours=1),
    place: Point = Point(1, 2),
) -> None: ...


frame = pd.DataFrame({"a": [1]})
mine: dict[str, Any] = {
    "datetime": datetime,
    "every": every,
    "Colour": Colour,
    "Point": Point,
    "Careful": Careful,
    "frame": frame,
    "rows": [1],
    "n": 3,
}
NAMES = Names(mine)


def test_each_kind_of_input_has_its_editor() -> None:
    found = {name: inputs.kind(declared, NAMES) for name, declared in every.interface.inputs.items()}
    text = {"s": "text", "note": "text"}
    choice = dict.fromkeys(("b", "colour", "mode", "maybe"), "choice")
    time = dict.fromkeys(("day", "when", "clock", "span"), "time")
    code = dict.fromkeys(("i", "f", "items", "point", "frame", "anything", "careful", "place"), "code")
    assert {**text, **choice, **time, **code, "flag": "switch"} == found


def test_what_is_chosen_from_is_code() -> None:
    found = {name: inputs.choices(every.interface.inputs[name], NAMES) for name in ("b", "colour", "mode", "maybe")}
    assert {
        "b": ["True", "False"],
        "colour": ["Colour.RED", "Colour.BLUE"],
        "mode": ['"fast"', "3"],
        "maybe": ["Colour.RED", "Colour.BLUE", "None"],
    } == found
    assert [] == inputs.choices(every.interface.inputs["colour"], Names({}))


def test_names_of_the_notebook_are_offered_where_they_fit() -> None:
    found = {name: inputs.offered(every.interface.inputs[name], NAMES) for name in ("frame", "items", "i", "anything")}
    assert {"frame": ["frame"], "items": ["rows"], "i": ["n"], "anything": []} == found


def test_defaults_are_shown_as_code() -> None:
    found = {name: inputs.default(every.interface.inputs[name], NAMES) for name in ("maybe", "flag", "place", "when")}
    expected = {
        "maybe": "None",
        "flag": "True",
        "place": "Point(x=1, y=2)",
        "when": "datetime.datetime(2026, 1, 31, 18, 30)",
    }
    assert expected == found
    assert "its own Point" == inputs.default(every.interface.inputs["place"], Names({}))


TIMES = [
    ("day", "2026-01-31", "datetime.date(2026, 1, 31)"),
    ("when", "2026-01-31 18:30:00", "datetime.datetime(2026, 1, 31, 18, 30)"),
    ("clock", "18:30:00", "datetime.time(18, 30)"),
]


@pytest.mark.parametrize(("name", "typed", "code"), TIMES)
def test_times_are_typed_as_people_write_them(name: str, typed: str, code: str) -> None:
    declared = every.interface.inputs[name]
    assert code == inputs.expression(declared, typed, NAMES)
    assert typed == inputs.raw_of(declared, code, NAMES)
    assert code == inputs.expression(declared, code, NAMES)


def test_durations_are_typed_as_those_of_settings() -> None:
    declared = every.interface.inputs["span"]
    written = ["datetime.timedelta(seconds=5400)", "datetime.timedelta(seconds=90)"]
    assert written == [inputs.expression(declared, typed, NAMES) for typed in ("1h30m", "90")]
    assert "n" == inputs.expression(declared, "n", NAMES)
    assert "1h30m" == inputs.raw_of(declared, "datetime.timedelta(seconds=5400)", NAMES)
    assert "datetime.timedelta(days=n)" == inputs.raw_of(declared, "datetime.timedelta(days=n)", NAMES)


def test_what_the_module_datetime_is_called_is_looked_up() -> None:
    declared = every.interface.inputs["day"]
    assert "dt.date(2026, 1, 31)" == inputs.expression(declared, "2026-01-31", Names({"dt": datetime}))
    taken = {"datetime": datetime.datetime, "every": every}
    made = Draft(every, taken)
    made.inputs = {"day": "2026-01-31"}
    assert "day=dt.date(2026, 1, 31)" in made.line()
    assert "import datetime as dt" in made.cell()
    assert made.line() == draft_of(made.cell(), taken).line()


def test_plain_data_classes_are_made_and_others_need_a_name() -> None:
    made = draft_of("every(point=Point(1, y=2), careful=Careful(1))", mine)
    assert "" == made.input_problem("point")
    assert "Careful(1): is not computed here" in made.input_problem("careful")


def test_what_an_editor_cannot_hold_is_python() -> None:
    line = 'every(s=who, b=n, colour="red", mode=n, flag=n, note=None)'
    made = draft_of(line, {**mine, "who": "me"})
    assert {Code("who"), Code("n"), Code('"red"'), Code("None")} == {
        raw for raw in made.inputs.values() if isinstance(raw, Code)
    }
    required = every.interface.inputs
    assert (
        line
        == f"every({', '.join(f'{k}={inputs.expression(required[k], raw, NAMES)}' for k, raw in made.inputs.items())})"
    )


def test_a_text_that_may_be_none_is_typed_as_text() -> None:
    made = Draft(every, mine)
    made.inputs = {"note": "hello"}
    assert 'note="hello"' in made.line()
