"""A slice of a notebook gives what the whole notebook gives."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given, settings

from flyte_jupyter.notebook.files.reading import Cell, Magicked, read
from flyte_jupyter.notebook.files.slices import Program

TEMPLATES = [
    "{x} = {n}",
    "{x} = {y} + {z}",
    "{x} += {y}",
    "{x}, {y} = {z}, {n}",
    "if {x} > {n}:\n    {y} = {z}",
    "if {x} > {n}:\n    {y} = {n}\nelse:\n    {y} = {z}",
    "for {x} in range({n}):\n    {y} += {x}",
    "try:\n    {x} = {y} // {n}\nexcept ZeroDivisionError:\n    {x} = {z}",
    "with nothing() as _:\n    {x} = {y}",
    "numbers.append({x})",
    "numbers[0] = {x}",
    "{x} = sum(numbers)",
    "alias = numbers\nalias.append({n})",
    "for row in rows:\n    row['n'] += {x}",
    "rows.append({{'n': {x}}})",
    "{x} = rows[-1]['n']",
    "def f():\n    return {x} + {y}",
    "def f():\n    return g() + {x}",
    "def g():\n    return {y} + sum(numbers)",
    "{x} = f()",
    "{x} = g()",
    "def change():\n    numbers.append({x})",
    "def change():\n    global {x}\n    {x} += {n}",
    "change()",
    "class C:\n    n = {x}\n    def m(self):\n        return self.n + {y}",
    "{x} = C().m()",
    "c = C()",
    "c.n = {x}",
    "{x} = c.m()",
    "{x} = [{y} for {y} in range({n})][-1:] == [] and {z}",
    "h = lambda: {x} + {y}",
    "{x} = h()",
    "def g():\n    return h() + {x}",
    "print({x}, numbers)",
    "{x}",
]
START = """
from contextlib import nullcontext as nothing

a, b, d, e = 1, 2, 3, 4
numbers = [1]
rows = [{"n": 1}]


def f():
    return 1


def g():
    return 2


h = lambda: 3


def change():
    pass


class C:
    n = 1

    def m(self):
        return self.n


c = C()
"""
SOURCES = st.builds(
    lambda template, x, y, z, n: template.format(x=x, y=y, z=z, n=n),
    st.sampled_from(TEMPLATES),
    *[st.sampled_from("abde")] * 3,
    st.integers(0, 4),
)
TASK = "def task():\n    return [{names}, f(), g(), h(), C().m(), c.m()]"
READ = ["a", "b", "sum(numbers)", "rows[-1]['n']"]


def nothing_written(_use: Magicked, _before: Any) -> None:
    return None


def run(source: str) -> Any:
    """What the task gives, or how it fails."""
    variables: dict[str, Any] = {"__name__": "cells", "print": lambda *_: None}
    exec(source, variables)
    return variables["task"]()


def program(*cells: str) -> Program:
    statements, problems = read([Cell(source, f"cell {n}") for n, source in enumerate(cells)], nothing_written)
    assert [] == problems
    return Program(statements)


def sliced(made: Program, name: str) -> str:
    found = made.needs_of_tasks(name)
    assert {} == found.missing
    return "\n".join(made.statements[index].text for index in sorted(found.chosen))


@given(st.lists(SOURCES, max_size=12), st.lists(st.sampled_from(READ), max_size=2))
@settings(max_examples=100, deadline=None)
@example(["alias = numbers", "alias.append(4)"], ["sum(numbers)"])
@example(["class C:\n    n = a\n    def m(self):\n        return self.n + a", "d, a = e, 0"], ["a"])
def test_a_slice_gives_what_everything_gives(sources: list[str], names: list[str]) -> None:
    task = TASK.format(names=", ".join([*names, "0"]))
    cells = [START, *sources[:6], task, *sources[6:]]
    try:
        whole = run("\n".join(cells))
    except Exception:
        return  # a notebook whose cells fail is another matter
    assert whole == run(sliced(program(*cells), "task"))


def test_a_slice_has_nothing_that_is_not_needed() -> None:
    made = program(
        "import os, sys\nunused = 1",
        "x = 1\ny = x + 1\nz = y + 1",
        "x = 10",
        "print(x, y, z)\nlen(os.sep)",
        "def f():\n    return y",
    )
    assert "x = 1\ny = x + 1\ndef f():\n    return y" == sliced(made, "f")


def test_the_search_path_comes_before_what_is_imported_from_it() -> None:
    made = program("import sys", "sys.path.append('lib')", "import ours", "def f():\n    return ours")
    assert "import sys\nsys.path.append('lib')\nimport ours\ndef f():\n    return ours" == sliced(made, "f")


def test_names_of_attributes_and_of_other_scopes_are_no_names() -> None:
    made = program("x = 1", "value = 2", "def f(x):\n    value = x.value\n    return [value for value in value]")
    assert "def f(x):\n    value = x.value\n    return [value for value in value]" == sliced(made, "f")
