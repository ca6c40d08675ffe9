"""Results of an earlier kernel come back as instances of the classes that this one has defined again."""

from __future__ import annotations

import sys
import textwrap
import types
from typing import Any

import pytest

from flyte_jupyter.pack.adopt import adopt, told
from flyte_jupyter.pack.codec import dumps, loads

CELL = """
import dataclasses, enum

@dataclasses.dataclass
class Box:
    size: int
    def double(self):
        return 2 * self.size

class Color(enum.Enum):
    RED = 1

class Outer:
    class Inner:
        pass
"""


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A `__main__` in which cells are run."""
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def run(notebook: types.ModuleType, cell: str) -> None:
    exec(textwrap.dedent(cell), vars(notebook))


def from_an_earlier_kernel(notebook: types.ModuleType, expression: str, cell: str = CELL) -> tuple[list[Any], Any]:
    """The pickle of a value whose classes nobody here has any more, and what is told of them."""
    run(notebook, cell)
    pickled = dumps(eval(expression, vars(notebook)))
    parts, about = [bytes(part) for part in pickled.parts], told(pickled.classes)
    for name in [name for name in vars(notebook) if name[:2] != "__"]:
        delattr(notebook, name)
    return parts, about


@pytest.mark.parametrize(
    ("expression", "name"),
    [("Box(1)", "Box"), ("[Box(2), 1]", "Box"), ("Color.RED", "Color"), ("Outer.Inner()", "Outer.Inner")],
)
def test_the_class_of_this_kernel(notebook: types.ModuleType, expression: str, name: str) -> None:
    parts, about = from_an_earlier_kernel(notebook, expression)
    run(notebook, CELL)
    adopt(about)
    value = loads(parts)
    value = value[0] if isinstance(value, list) else value
    assert type(value) is eval(name, vars(notebook))


def test_a_class_that_is_defined_otherwise_is_another_class(notebook: types.ModuleType) -> None:
    parts, about = from_an_earlier_kernel(notebook, "Box(1)")
    run(notebook, CELL.replace("2 * self.size", "3 * self.size"))
    adopt(about)
    value = loads(parts)
    assert (2, 3) == (value.double(), vars(notebook)["Box"](1).double())
    assert type(value) is not vars(notebook)["Box"]


def test_a_class_that_is_not_defined_here(notebook: types.ModuleType) -> None:
    parts, about = from_an_earlier_kernel(notebook, "Box(1)")
    adopt(about)
    assert 2 == loads(parts).double()


def test_a_class_that_came_with_a_task(notebook: types.ModuleType) -> None:
    """In the process of a task there is no cell, but what the task uses has come by value."""
    parts, about = from_an_earlier_kernel(notebook, "Box(1)")
    run(notebook, CELL)
    given = [bytes(part) for part in dumps(vars(notebook)["Box"]).parts]
    vars(notebook).pop("Box")
    mine = loads(given)
    adopt(about)
    assert type(loads(parts)) is mine


def test_the_cell_was_run_again(notebook: types.ModuleType) -> None:
    run(notebook, CELL)
    before = vars(notebook)["Box"](1)
    pickled = dumps(before)
    parts, about = [bytes(part) for part in pickled.parts], told(pickled.classes)
    run(notebook, CELL)
    adopt(about)
    assert type(loads(parts)) is vars(notebook)["Box"] is not type(before)


def test_installed_classes_are_not_told() -> None:
    from collections import OrderedDict

    assert {} == told(dumps([OrderedDict(), ValueError("a")]).classes)
