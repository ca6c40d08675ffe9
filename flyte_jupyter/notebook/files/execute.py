"""A task out of a notebook: the statements that it needs are executed, and no others."""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import sys
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...errors import ConfigValueError, nearest
from .reading import Cell
from .slices import Program
from .statements import Statement
from .tasks import tasks


class NotebookTaskError(ConfigValueError):
    """A task that cannot be taken out of its notebook."""


def statements_for(program: Program, task: str) -> list[Statement]:
    """What has to be executed for a task. Raises `NotebookTaskError`."""
    there = tasks(program)
    if task not in there:
        near = nearest(task, there)
        hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(there) or 'none'}"
        raise NotebookTaskError(f"no cell declares a task {task!r}; {hint}")
    found = program.needs_of_tasks(task)
    if found.missing:
        raise NotebookTaskError("\n".join(map(str, found.missing.values())))
    return [program.statements[index] for index in sorted(found.chosen)]


def statements_for_outputs(program: Program) -> list[Statement]:
    """What has to be executed for the cells tagged `outputs`; () when there are none. Raises `NotebookTaskError`."""
    tagged = [index for index, statement in enumerate(program.statements) if statement.tag == "outputs"]
    found = program.needs(chosen=tagged)
    if found.missing:
        raise NotebookTaskError("\n".join(map(str, found.missing.values())))
    return [program.statements[index] for index in sorted(found.chosen)] if tagged else []


def with_parameters(cells: Sequence[Cell], given: Sequence[tuple[str, str]]) -> list[Cell]:
    """The cells with other values for the variables of the cell tagged `parameters`, as papermill puts them in.

    Raises:
        NotebookTaskError: there is no such cell, or it has no such variable.
    """
    if not given:
        return list(cells)
    tagged = [index for index, cell in enumerate(cells) if cell.tag in ("parameters", "injected-parameters")]
    if not tagged:
        raise NotebookTaskError("-p: no cell of the notebook has the tag `parameters`")
    known = [
        node.id
        for index in tagged
        for node in ast.walk(ast.parse(cells[index].source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    for name, _ in given:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"it has: {', '.join(known) or 'none'}"
            raise NotebookTaskError(f"-p {name}: not in the cell tagged `parameters`; {hint}")
    source = "\n".join(f"{name} = {_parameter(text)!r}" for name, text in given)
    at = tagged[-1] + 1
    return [*cells[:at], Cell(source, "-p", "injected-parameters"), *cells[at:]]


def execute(statements: Iterable[Statement], cells: Sequence[Cell], file: Path) -> types.ModuleType:
    """Execute statements in a module of their own, which is `__main__` as a kernel's is.

    Tracebacks show lines of the notebook's cells.
    """
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace = vars(module)
    for cell in cells:
        name = _file(file, cell.name)
        linecache.cache[name] = (len(cell.source), None, cell.source.splitlines(keepends=True), name)
    loop = asyncio.new_event_loop()  # one for all cells, as in a kernel
    try:
        for statement in statements:
            _execute(statement, namespace, _file(file, statement.place.cell), loop)
    finally:
        loop.close()
    return module


def values(statements: Sequence[Statement], module: types.ModuleType, file: Path) -> dict[str, Any]:
    """What the cells tagged `outputs` give: what they assign, and the value of an expression at their end."""
    found: dict[str, Any] = {}
    for statement in statements:
        if statement.tag != "outputs":
            continue
        if isinstance(statement.node, ast.Expr) and statement.is_shown:
            code = compile(ast.Expression(statement.node.value), _file(file, statement.place.cell), "eval")
            found[ast.unparse(statement.node.value)] = eval(code, vars(module))  # noqa: S307 - the user's notebook
        found.update({name: vars(module)[name] for name in sorted(statement.bound) if name in vars(module)})
    return found


def cells_in_words(statements: Sequence[Statement], program: Program) -> str:
    """Which cells are executed, and which of them in part."""
    chosen: dict[int, int] = {}
    total: dict[int, int] = {}
    names: dict[int, str] = {}
    for statement in program.statements:
        total[statement.number] = total.get(statement.number, 0) + 1
        names[statement.number] = statement.place.cell
    for statement in statements:
        if statement.number >= 0:
            chosen[statement.number] = chosen.get(statement.number, 0) + 1
    parts = [
        names[n].removeprefix("cell ") + ("" if count == total[n] else " (in part)") for n, count in chosen.items()
    ]
    return ", ".join(parts)


def _execute(statement: Statement, namespace: dict[str, Any], filename: str, loop: asyncio.AbstractEventLoop) -> None:
    code = compile(
        ast.Module([statement.node], []), filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    if code.co_flags & inspect.CO_COROUTINE:
        loop.run_until_complete(eval(code, namespace))  # noqa: S307 - the user's notebook
    else:
        exec(code, namespace)  # noqa: S102 - the user's notebook


def _file(file: Path, cell: str) -> str:
    return f"<{file.name}, {cell}>"


def _parameter(text: str) -> Any:
    """The value of a parameter: a number, a truth value, a list, else text."""
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
