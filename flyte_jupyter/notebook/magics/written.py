"""What a use of our magics comes to in Python, for whoever takes tasks out of a notebook. Pure."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ...config import text
from ...config.spec import PARAMS, Level
from ..cells.extract import CellCode, analyse
from ..files.layout import indented
from ..files.reading import Magicked, Written
from ..files.statements import PACKAGE, Statement
from ..files.tasks import environment_named, is_code, package_alias
from ..panel.code import Names, write
from ..panel.editors import shortest
from .call import OVERRIDE, RUN
from .cell import TASK
from .environments import ENV
from .options import TASK_LEVELS, OptionError, by_level
from .task import DEFAULT_ENV, task_name
from .words import in_braces

_Line = tuple[str, int]
"""A line of source, and the line of the cell that it stands for."""


def written(use: Magicked, before: list[Statement]) -> Written | None:
    """The statements for a magic after those `before` it; None for one that leaves nothing behind.

    Raises:
        SyntaxError: its line or its cell cannot be read.
    """
    write = {"flyte_env": _env, "flyte_task": _task, "flyte_run": _run, "flyte_override": _override}.get(use.name)
    if write is None:
        return None
    try:
        return write(use, before)
    except SyntaxError:
        raise
    except Exception as e:
        raise SyntaxError(f"%{use.name}: {e}", (None, 1, 0, use.line)) from None


def code(name: str, value: Any, package: str) -> str:
    """The expression for a value of a setting, where `package` is the name of ours; durations are in seconds.

    Raises:
        ConfigTypeError: there is none.
    """
    return write(shortest(name, PARAMS[name].accept(value)), Names({package: sys.modules[PACKAGE]}))


def _env(use: Magicked, before: list[Statement]) -> Written | None:
    line = ENV.parser.parse(use.line)
    if not line.words or (not line.settings and environment_named(line.words[0], before)):
        return None  # it only shows
    package, header = _package(before)
    given = {"name": f'"{line.words[0]}"', **_settings(line.settings, Level.ENV, package)}
    made = f"{line.words[0].replace('-', '_')} = {package}.TaskEnvironment({_arguments(given)})"
    return Written.of(*header, (made, 0))


def _task(use: Magicked, before: list[Statement]) -> Written | None:
    line = TASK.parser.parse(use.line)
    package, lines = _package(before)
    wanted = line.options.get("--env")
    env = environment_named(wanted or DEFAULT_ENV, before)
    if env is None:
        if wanted is not None:
            raise OptionError(f"--env {wanted}: no cell above makes it")
        env = DEFAULT_ENV
        lines.append((f'{env} = {package}.TaskEnvironment(name="{env}")', 0))
    decorator, override = map(_arguments, by_level(_settings(line.settings, TASK_LEVELS, package)))
    made = f"@{env}.task({decorator})" if decorator else f"@{env}.task"
    cell = analyse(use.body)
    if cell.kind == "functions":
        return Written.of(*lines, *_functions(use.body, cell, made, override))
    outputs = line.names("--output")
    name = _name(line.words[0] if line.words else "", outputs, cell, before)
    inputs = line.names("--inputs") if "--inputs" in line.options else _inputs(cell, before)
    if cell.unassigned(outputs, inputs):
        return None  # it was refused
    inputs = tuple(dict.fromkeys([*inputs, *(n for n in cell.early if _origin(n, before))]))
    lines += [("from typing import Any", 0), (made, 0), (_signature(name, inputs, outputs, cell), 0)]
    lines += _body(use.body, cell, inputs, outputs)
    last = lines[-1][1]
    if override:
        lines.append((f"{name} = {name}.override({override})", last))
    if "--dry-run" not in line.options:
        call = f"{package}.run({', '.join([name, *(f'{n}={n}' for n in inputs)])}).outputs()"
        taken = f"{', '.join(outputs)} = " if outputs else ""
        end = "" if len(outputs) > 1 else "[0]" if outputs or cell.has_value else "[0];"
        lines.append((taken + call + end, last))
    return Written.of(*lines)


def _package(before: list[Statement]) -> tuple[str, list[_Line]]:
    """The name of the package, and the import that it takes when there is none."""
    found = package_alias(before)
    return (found, []) if found else ("flyte", [(f"import {PACKAGE} as flyte", 0)])


def _run(use: Magicked, before: list[Statement]) -> Written | None:
    line = RUN.parser.parse(use.line)
    if not line.code or "--dry-run" in line.options:
        return None
    package, header = _package(before)
    call = ast.parse(line.code, mode="eval").body
    settings = _arguments(_settings(line.settings, Level.OVERRIDE, package))
    task = ast.unparse(call.func if isinstance(call, ast.Call) else call) + (
        f".override({settings})" if settings else ""
    )
    given = [ast.unparse(a) for a in (*call.args, *call.keywords)] if isinstance(call, ast.Call) else []
    made = f"{package}.run({', '.join([task, *given])})"
    return Written.of(*header, (f"{use.target} = {made}" if use.target else made, 0))


def _override(use: Magicked, before: list[Statement]) -> Written | None:
    line = OVERRIDE.parser.parse(use.line)
    if not line.code or isinstance(ast.parse(line.code, mode="eval").body, ast.Call):
        return _run(use, before)
    package, header = _package(before)
    settings = _arguments(_settings(line.settings, Level.OVERRIDE, package))
    if not use.target or not settings:
        return None  # it only shows
    return Written.of(*header, (f"{use.target} = {line.code}.override({settings})", 0))


def _settings(given: Mapping[str, str], level: Level, package: str) -> dict[str, str]:
    """The expressions of settings, by parameter; Python in braces is one already."""
    braces = {flag: made for flag, value in given.items() if (made := in_braces(value)) is not None}
    parts = {option.flag for option in text.options(level) if option.field}
    if both := sorted(braces.keys() & parts):
        raise OptionError(f"{both[0]} {given[both[0]]} cannot be written as code; use --resources with braces")
    plain = text.collect({flag: value for flag, value in given.items() if flag not in braces}, level)
    found = {name: code(name, value, package) for name, value in plain.items()}
    return {**found, **{text.name_of(flag): made for flag, made in braces.items()}}


def _arguments(given: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={made}" for name, made in given.items())


def _origin(name: str, before: Sequence[Statement]) -> Statement | None:
    return next((s for s in reversed(before) if name in s.bound), None)


def _inputs(cell: CellCode, before: list[Statement]) -> tuple[str, ...]:
    """What the cell reads and the notebook has, apart from what goes along with the code."""
    origins = {name: _origin(name, before) for name in cell.free}
    return tuple(name for name, origin in origins.items() if origin is not None and not is_code(origin, before))


def _name(given: str, outputs: Sequence[str], cell: CellCode, before: list[Statement]) -> str:
    """The name of the function: that of the task, unless the notebook has another use for it."""
    name = task_name(given)
    taken = {*outputs, *cell.assigned, *cell.free, *(n for s in before for n in s.bound)}
    candidates = [name, f"{name}_task", *(f"{name}_{number}" for number in range(2, 1000))]
    return next(candidate for candidate in candidates if candidate not in taken)


def _signature(name: str, inputs: Sequence[str], outputs: Sequence[str], cell: CellCode) -> str:
    kind = "async def" if cell.is_async else "def"
    several = f"tuple[{', '.join('Any' for _ in outputs)}]" if len(outputs) > 1 else "Any"
    returned = several if outputs or cell.has_value else "None"
    return f"{kind} {name}({', '.join(f'{n}: Any' for n in inputs)}) -> {returned}:"


def _body(source: str, cell: CellCode, inputs: Sequence[str], outputs: Sequence[str]) -> list[_Line]:
    """The cell as the body of a function, as it was written where that is possible."""
    body = cell.tree.body
    has_global = any(isinstance(node, ast.Global) for node in ast.walk(cell.tree))
    if has_global or not body or (cell.has_value and not outputs and body[-1].col_offset):
        function = cell.function("made", inputs, outputs).body[-1]
        assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        found = [(line, s.lineno) for s in function.body for line in ast.unparse(s).splitlines()]
    else:
        found = [(line, number) for number, line in enumerate(source.rstrip().splitlines(), 1)]
        if outputs:
            found.append((f"return {', '.join(outputs)}", found[-1][1]))
        elif cell.has_value:
            at = body[-1].lineno - 1
            found[at] = (f"return {found[at][0]}", found[at][1])
    moved = indented("\n".join(line for line, _ in found)).split("\n")
    return [(line, number) for line, (_, number) in zip(moved, found, strict=True)]


def _functions(source: str, cell: CellCode, made: str, override: str) -> list[_Line]:
    """Functions with the decorator that the line of the magic stands for."""
    above: dict[int, str] = {}
    below: dict[int, str] = {}
    for node in cell.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(ast.unparse(d).partition("(")[0].endswith(".task") for d in node.decorator_list):
                continue  # it has one of its own
            above[min([node.lineno, *(d.lineno for d in node.decorator_list)])] = made
            if override:
                below[node.end_lineno or node.lineno] = f"{node.name} = {node.name}.override({override})"
    found: list[_Line] = []
    for number, line in enumerate(source.splitlines(), 1):
        found += [(above[number], number)] if number in above else []
        found.append((line, number))
        found += [(below[number], number)] if number in below else []
    return found
