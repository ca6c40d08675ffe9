"""What the text of a notebook gives to an environment or a task, in words. Pure; nothing of the text is executed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ...config import text
from ...config.credential import HIDDEN
from ...config.say import said
from ...config.spec import PARAMS
from ...errors import ConfigError
from ...markup import cut
from ...notebook.magics.magic import Magic
from ...notebook.magics.options import Line
from ...notebook.magics.words import in_braces

_WIDEST = 60


def words(given: Mapping[str, str]) -> str:
    """All of it on one line."""
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in given.items())


def of_line(line: Line, magic: Magic) -> dict[str, str]:
    """The settings of a magic's line, by parameter; without those that are not accepted."""
    level = magic.parser.level
    accepted: dict[str, str] = {}
    for flag, value in line.texts.items():
        try:
            text.collect({flag: value}, level)
        except ConfigError:
            continue  # which is underlined there
        accepted[flag] = value
    found = {name: said(PARAMS[name], value) for name, value in _collected(accepted, magic).items()}
    code = {text.name_of(flag): made for flag, value in line.settings.items() if (made := in_braces(value))}
    return {name: cut(value, _WIDEST) for name, value in {**found, **code}.items()}


def _collected(accepted: Mapping[str, str], magic: Magic) -> dict[str, Any]:
    try:
        return text.collect(accepted, magic.parser.level)
    except ConfigError:
        return {}  # which do not go together, and are underlined


def of_call(by: ast.expr) -> dict[str, str]:
    """The settings of `TaskEnvironment(...)`, `env.task(...)`, `env.task(...)(function)` or `task.override(...)`."""
    call = by.func if isinstance(by, ast.Call) and isinstance(by.func, ast.Call) else by
    given = call.keywords if isinstance(call, ast.Call) else []
    return {k.arg: cut(_said(k.arg, k.value), _WIDEST) for k in given if k.arg in PARAMS and k.arg != "name"}


def _said(name: str, node: ast.expr) -> str:
    """A value as it is said elsewhere, if it is one that can be read; else as it is written."""
    try:
        return said(PARAMS[name], PARAMS[name].accept(_value(node)))
    except (ConfigError, ValueError, TypeError):
        return HIDDEN if name == "env_vars" else ast.unparse(node)


def _value(node: ast.expr) -> Any:
    """The value of a literal, and of a value type that is given literals: `Resources(cpu=1)`. Raises `ValueError`."""
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    types = {cls.__name__: cls for p in PARAMS.values() for cls in p.types()}
    if name not in types or any(k.arg is None for k in node.keywords):
        raise ValueError(f"{name}: no value type")
    return types[name](*map(_value, node.args), **{str(k.arg): _value(k.value) for k in node.keywords})
