"""What the cells of a notebook declare, and what is wrong in their magics: read, never executed. Pure.

A cell is read once for each text that it has; how the cells hang together is found anew each time.
"""

from __future__ import annotations

import ast
import functools
import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...notebook.cells.extract import functions_of
from ...notebook.files.editing import Used, edited
from ...notebook.files.slices import Program
from ...notebook.files.statements import Place, Statement, root
from ...notebook.files.tasks import declared, environment_made
from ...notebook.magics import lint
from ...notebook.magics.cell import TASK
from ...notebook.magics.environments import ENV
from ...notebook.magics.magic import Magic
from ...notebook.magics.options import Line
from ...notebook.magics.task import DEFAULT_ENV
from ..shapes.cells import Cells, CellSource, Declared, NotebookFound, Problem
from .given import of_call, of_line, words
from .here import Here

_KEPT = 2000
"""So many texts of cells are kept as they were read."""
_one_at_a_time = threading.Lock()


def of_notebook(_: Here, body: Cells) -> NotebookFound:
    """What the cells of a notebook declare, and what is wrong in their magics."""
    return found(body["cells"])


def found(cells: Iterable[CellSource]) -> NotebookFound:
    """What there is in code cells, given in the order of the notebook."""
    given = list(cells)
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Python thinks of the user's texts
        read = [_read(cell["source"]) for cell in given]
        made = _Notebook(read).declared()
    return {
        "cells": [
            {"id": cell["id"], "declared": of, "problems": list(one.problems)}
            for cell, of, one in zip(given, made, read, strict=True)
        ]
    }


@dataclass(frozen=True)
class _Cell:
    """A cell by itself.

    Attributes:
        statements: those that the notebook gets names from.
        magics: `%flyte_env` and `%%flyte_task`, each with its line in the cell, counted from 0.
    """

    statements: tuple[Statement, ...]
    magics: tuple[tuple[int, Magic, Line], ...]
    problems: tuple[Problem, ...]


@functools.lru_cache(_KEPT)
def _read(source: str) -> _Cell:
    cell = edited(source)
    makers = [(use, magic) for use in cell.uses if (magic := lint.magic_of(use)) in (TASK, ENV) and magic is not None]
    is_body = any(magic is TASK for _, magic in makers) and not functions_of(cell.statements)
    place = Place("", 0)
    return _Cell(
        () if is_body else tuple(Statement(type(node).__name__, node, place, 0) for node in cell.statements),
        tuple((source.count("\n", 0, use.at), magic, lint.line_of(magic, use)) for use, magic in makers),
        tuple(problem for use in cell.uses for problem in _problems(source, use)),
    )


def _problems(source: str, use: Used) -> Iterator[Problem]:
    lines = source.split("\n")
    for below, wrong in lint.wrong(use):
        if below:
            line = min(use.body_line + below, len(lines)) - 1
            start, end = len(lines[line]) - len(lines[line].lstrip()), len(lines[line].rstrip())
        else:
            at = use.text_at + wrong.place[0]
            line = source.count("\n", 0, at)
            start = at - (source.rfind("\n", 0, at) + 1)
            end = min(start + wrong.place[1] - wrong.place[0], len(lines[line]))
        yield {"line": line, "start": start, "end": end, "message": wrong.message}


@dataclass(frozen=True)
class _Task:
    environment: str
    name: str
    needs: tuple[str, ...] = ()


@dataclass
class _Notebook:
    """Cells in their order, and the names that those before have given to environments and tasks."""

    cells: list[_Cell]
    environments: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, _Task] = field(default_factory=dict)
    functions: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def declared(self) -> list[list[Declared]]:
        """What each cell declares, from the top down."""
        program = Program(statement for cell in self.cells for statement in cell.statements)
        everything: list[list[Declared]] = []
        index = 0
        for cell in self.cells:
            made = [one for line, magic, given in cell.magics if magic is ENV for one in self._by_env(line, given)]
            task = next(((line, given) for line, magic, given in cell.magics if magic is TASK), None)
            for statement in cell.statements:
                made += self._by_statement(statement.node, program, index)
                if task is not None:
                    made += self._under_task(task[1], statement.node, made)
                index += 1
            if task is not None and not cell.statements:
                made.append(self._by_task(*task))
            everything.append(sorted(made, key=lambda one: one["line"]))
        return everything

    # --- magics -------------------------------------------------------------------------------------------------------

    def _by_env(self, at: int, line: Line) -> Iterator[Declared]:
        for name in line.words[:1]:
            variable = name.replace("-", "_")
            if not line.settings and name in (*self.environments, *self.environments.values()):
                return  # it only shows
            self.environments[variable] = name
            yield _environment(name, variable, at, words(of_line(line, ENV)))

    def _by_task(self, at: int, line: Line) -> Declared:
        """A cell that is a task."""
        given = line.words[0].replace("-", "_") if line.words else ""
        return self._task(given, _Task(self._of_line(line), given or "cell"), at, of_line(line, TASK))

    def _under_task(self, line: Line, node: ast.stmt, made: list[Declared]) -> Iterator[Declared]:
        """A function below `%%flyte_task` that has no decorator of its own."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            at = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            if all(one["variable"] != node.name for one in made):
                made_here = _Task(self._of_line(line), node.name, _needs(node))
                yield self._task(node.name, made_here, at, of_line(line, TASK))

    def _of_line(self, line: Line) -> str:
        named = line.options.get("--env", DEFAULT_ENV)
        return self.environments.get(named, named)

    # --- Python -------------------------------------------------------------------------------------------------------

    def _by_statement(self, node: ast.stmt, program: Program, index: int) -> Iterator[Declared]:
        for inner in _run_at_once(node):
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions[inner.name] = _needs(inner)
            if (made := environment_made(inner)) is not None:
                self.environments[made.variable] = name = made.name or made.variable
                yield _environment(name, made.variable, inner.lineno - 1, words(of_call(made.call)))
        for variable, by in declared(node, program, index):
            task = self.tasks.get(root(by))  # of an override
            if task is None:
                function = variable.rpartition(".")[2]
                given = [a.id for a in getattr(by, "args", ()) if isinstance(a, ast.Name)]  # env.task(function)
                needs = next((self.functions[name] for name in (function, *given) if name in self.functions), ())
                task = _Task(self.environments.get(root(by), ""), function, needs)
            yield self._task(variable, task, by.lineno - 1, of_call(by))

    def _task(self, variable: str, task: _Task, at: int, given: dict[str, str]) -> Declared:
        self.tasks[variable] = task
        return {
            "kind": "task",
            "name": f"{task.environment}.{task.name}" if task.environment else task.name,
            "title": given.pop("short_name", "") or variable or task.name,
            "variable": variable,
            "environment": task.environment,
            "needs": list(task.needs),
            "line": at,
            "about": words(given),
        }


def _needs(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    """Parameters without a default."""
    of = function.args
    plain = [*of.posonlyargs, *of.args]
    only = [one for one, default in zip(of.kwonlyargs, of.kw_defaults, strict=True) if default is None]
    return tuple(one.arg for one in [*plain[: len(plain) - len(of.defaults)], *only])


def _environment(name: str, variable: str, at: int, about: str) -> Declared:
    return {
        "kind": "environment",
        "name": name,
        "title": name,
        "variable": variable,
        "environment": "",
        "needs": [],
        "line": at,
        "about": about,
    }


def _run_at_once(node: ast.stmt) -> Iterator[ast.stmt]:
    """A statement and those in it that run when it does."""
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                yield from _run_at_once(inner)
