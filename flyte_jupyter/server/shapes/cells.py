"""What the cells of an open notebook declare."""

from __future__ import annotations

from typing import Literal, TypedDict


class CellSource(TypedDict):
    """A code cell of a notebook, as it stands in the editor."""

    id: str
    source: str


class Cells(TypedDict):
    """The body of `POST cells`: code cells, in the order of the notebook."""

    cells: list[CellSource]


class Problem(TypedDict):
    """Something wrong in a line of a magic; `line` counts from 0, `start` and `end` are characters in it."""

    line: int
    start: int
    end: int
    message: str


class Declared(TypedDict):
    """An environment or a task that a cell makes; `line` counts from 0, `about` is what was given, in words.

    `name` is that of runs: "environment.function"; `variable` is what the notebook calls it, "" for a cell that is a
    task without a name. `environment` is "" for an environment itself, and for a task whose environment only running
    the notebook tells. `needs` are the inputs that have to be given to call a task.
    """

    kind: Literal["environment", "task"]
    name: str
    title: str
    variable: str
    environment: str
    needs: list[str]
    line: int
    about: str


class CellFound(TypedDict):
    """What there is in a cell."""

    id: str
    declared: list[Declared]
    problems: list[Problem]


class NotebookFound(TypedDict):
    """`POST cells`: what the cells of a notebook declare; nothing of them is executed."""

    cells: list[CellFound]
