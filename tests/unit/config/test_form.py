"""What forms are told is what is accepted: every choice, every bound, every example."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from flyte_jupyter import config
from flyte_jupyter.config import text
from flyte_jupyter.config.field import Field, attributes, edited, fields_of
from flyte_jupyter.config.form import form
from flyte_jupyter.config.resolve import check
from flyte_jupyter.config.spec import ENV, OVERRIDE, PARAMS, TASK, TaskSpec
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import RetryStrategy
from flyte_jupyter.config.values.trigger import TriggeredPartition
from flyte_jupyter.config.values.value import Value
from flyte_jupyter.errors import ConfigError

for module in pkgutil.iter_modules(config.__path__):
    importlib.import_module(f"{config.__name__}.{module.name}")

TYPES = sorted({cls for cls in Value.__subclasses__() if cls is not TaskSpec}, key=lambda cls: cls.__name__)
REQUIRED: dict[str, dict[str, Any]] = {
    "Backoff": {"base": timedelta(1), "cap": timedelta(1)},
    "Cache": {"behavior": "auto"},
    "Cron": {"expression": "* * * * *"},
    "Device": {"quantity": 1, "device_class": "GPU"},
    "Documentation": {"description": ""},
    "FixedRate": {"interval_minutes": 1},
    "OnArtifact": {"name": "a"},
    "RetryStrategy": {"count": 0},
    "Secret": {"key": "a"},
    "Trigger": {"name": "t"},
    "TriggeredPartition": {"key": "k"},
}
"""What a value of the type has to be given."""

FIELDS = [(cls, f) for cls in TYPES for f in fields_of(cls)]
Accept = Callable[[Any], object]


def setter(cls: type, f: Field) -> Accept:
    """Makes a value of the type with one field set."""
    return lambda value: cls(**{**REQUIRED.get(cls.__name__, {}), f.name: value})


EVERYTHING = [
    *(pytest.param(f, setter(cls, f), id=f"{cls.__name__}.{f.name}") for cls, f in FIELDS),
    *(pytest.param(p, p.accept, id=name) for name, p in PARAMS.items()),
]
every = pytest.mark.parametrize(("f", "accept"), EVERYTHING)


def accepted(accept: Accept, value: Any) -> bool:
    try:
        accept(value)
    except ConfigError:
        return False
    return True


def given(f: Field, number: float) -> Any:
    """A number in the unit of the field as it is given in Python."""
    if f.editor == "duration":
        return timedelta(seconds=number)
    return f"{number:g}" if f.editor == "quantity" else number


# --- complete


@pytest.mark.parametrize("cls", TYPES)
def test_every_field_of_every_value_type_is_described(cls: type) -> None:
    assert [f.name for f in dataclasses.fields(cls)] == [f.name for f in fields_of(cls)]  # type: ignore[arg-type]


@every
def test_every_field_says_what_it_means(f: Field, accept: Accept) -> None:
    assert f.doc.endswith(".")
    assert "\n" not in f.doc


@every
def test_numbers_have_a_bound_and_choices_words(f: Field, accept: Accept) -> None:
    assert (f.least is not None) == (f.editor in ("number", "quantity", "duration") or f.name == "gpu")
    assert bool(f.unit) >= (f.editor == "quantity")
    assert bool(f.words()) >= (f.editor == "choice")
    assert bool(f.examples) >= (f.editor in ("quantity", "duration", "number", "pairs", "list"))


def test_every_value_type_is_part_of_the_form() -> None:
    def named(entries: list[dict[str, Any]]) -> set[str]:
        found = [kind for entry in entries for kind in entry["types"]]
        return {kind["name"] for kind in found}.union(*(named(kind["fields"]) for kind in found))

    every_type = {cls.__name__ for cls in TYPES} - {TriggeredPartition.__name__}  # an input, not a setting
    assert named(form(ENV | TASK | OVERRIDE)) == every_type


def test_the_form_of_a_level_is_its_parameters_as_plain_data() -> None:
    for level in (ENV, TASK, OVERRIDE):
        made = form(level)
        assert json.loads(json.dumps(made)) == made
        assert [entry["name"] for entry in made] == [name for name, p in PARAMS.items() if p.levels & level]


def test_an_entry_of_the_form() -> None:
    (retries,) = (entry for entry in form(TASK) if entry["name"] == "retries")
    kind = retries.pop("types")[0]
    count = kind["fields"][0]
    assert (kind["name"], [f["name"] for f in kind["fields"]]) == ("RetryStrategy", ["count", "backoff"])
    assert count == {
        "name": "count",
        "editor": "number",
        "doc": attributes(RetryStrategy)["count"],
        "unit": "",
        "choices": [],
        "open": False,
        "least": 0,
        "whole": True,
        "pair": False,
        "examples": ["3"],
        "has_text": True,
        "types": [],
        "shorthand": "",
        "required": True,
        "default": None,
    }
    assert {key: retries[key] for key in ("editor", "shorthand", "default", "levels", "locked", "required")} == {
        "editor": "fields",
        "shorthand": "count",
        "default": {"type": "RetryStrategy", "count": 0},
        "levels": ["decorator", "override"],
        "locked": False,
        "required": False,
    }


# --- true


@every
def test_every_choice_is_accepted_and_nothing_else_where_they_are_all(f: Field, accept: Accept) -> None:
    for word in f.words():
        assert accepted(accept, word), word
    if f.words():
        others = [example for example in f.examples if example not in f.words()] or ["no/such word"]
        assert [f.is_open] * len(others) == [accepted(accept, other) for other in others]


@every
def test_bounds_are_exact(f: Field, accept: Accept) -> None:
    if f.least is None:
        return
    below = f.least - (1 if f.editor in ("number", "choice") and f.is_whole else 1e-6)
    assert accepted(accept, given(f, f.least))
    assert not accepted(accept, given(f, below))
    assert accepted(accept, given(f, f.least + 10**6)) or f.editor == "choice"


@every
def test_whole_numbers_are_whole(f: Field, accept: Accept) -> None:
    if f.editor == "number" and f.least is not None:
        assert accepted(accept, f.least + 1.5) == (not f.is_whole)


@pytest.mark.filterwarnings("ignore:ReusePolicy")
@every
def test_numbers_are_durations_where_they_have_a_unit(f: Field, accept: Accept) -> None:
    if f.editor == "duration":
        assert accepted(accept, 60) == bool(f.unit)
        assert accepted(accept, 60.5) == (bool(f.unit) and not f.is_whole)


@pytest.mark.filterwarnings("ignore:ReusePolicy")
@every
def test_two_are_accepted_where_it_says_so_in_their_order(f: Field, accept: Accept) -> None:
    if f.least is not None:
        low, high = given(f, f.least), given(f, f.least + 1)
        assert accepted(accept, (low, high)) == f.is_pair
        assert not accepted(accept, (high, low))


@every
def test_every_example_is_accepted(f: Field, accept: Accept) -> None:
    for example in f.examples:
        assert accepted(accept, example), example


@every
def test_every_value_type_that_is_named_is_accepted(f: Field, accept: Accept) -> None:
    for cls in f.types():
        assert accepted(accept, cls(**REQUIRED.get(cls.__name__, {})))


@pytest.mark.parametrize("name", [name for name, p in PARAMS.items() if p.shorthand])
def test_the_text_of_a_shorthand_stands_for_the_value(name: str) -> None:
    p = PARAMS[name]
    (cls,) = p.types()
    (field,) = (field for field in fields_of(cls) if field.name == p.shorthand)
    for value in (*field.words(), *(example for example in field.examples if isinstance(example, int))):
        assert text.parse(name, str(value)) == cls(**{field.name: value})


@every
def test_switches_are_true_or_false(f: Field, accept: Accept) -> None:
    if f.editor == "switch":
        assert accepted(accept, True)
        assert accepted(accept, False)


def test_the_word_that_takes_away_is_for_nearer_levels() -> None:
    words = {
        level: [(entry["name"], word) for entry in form(level) for word in entry["choices"] if word == "off"]
        for level in (ENV, OVERRIDE)
    }
    assert words == {ENV: [], OVERRIDE: [("reusable", "off")]}
    assert check(OVERRIDE, {"reusable": "off"}) == {"reusable": None}
    with pytest.raises(TypeError, match="belongs in an override"):
        check(ENV, {"reusable": "off"})


def test_examples_of_the_form_are_text_that_is_accepted() -> None:
    for entry in form(ENV | TASK | OVERRIDE):
        if entry["has_text"] and entry["name"] != "name":
            for example in entry["examples"]:
                text.parse(entry["name"], example)


def test_a_device_may_be_any_of_those_that_are_offered() -> None:
    for word in PARAMS["resources"].types()[0].__dataclass_fields__["gpu"].metadata["field"].words():
        device = Resources(gpu=word).get_device()
        assert device is not None
        assert device.device == word.partition(":")[0]


# --- where it comes from


def test_what_a_docstring_says_of_attributes() -> None:
    class Made:
        """A thing.

        Attributes:
            one: first,
                over two lines.
            two: second: with a colon.

        Raises:
            ConfigError: never.
        """

    assert attributes(Made) == {"one": "first, over two lines.", "two": "second: with a colon."}
    assert attributes(type("Bare", (), {})) == {}


def test_fields_that_are_not_described_are_not_offered() -> None:
    @dataclasses.dataclass
    class Two:
        """Two.

        Attributes:
            told: of this.
        """

        told: int = dataclasses.field(metadata=edited("number"))
        kept: int = 0

    assert [(f.name, f.doc) for f in fields_of(Two)] == [("told", "of this.")]
