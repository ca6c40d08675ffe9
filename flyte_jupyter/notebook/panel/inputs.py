"""The inputs of a task as fields of a form: which editor an annotation has, and the code of what is in it.  Pure."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from ...errors import ConfigError, ConfigTypeError
from ...interface import Input
from ...task import Task
from . import code
from .code import Code, Names

Kind = Literal["switch", "choice", "text", "code"]
Value: TypeAlias = "str | bool | Code"

OPEN = "..."
"""What stands in the line for an input that has to be given and is not."""


def kind(given: Input) -> Kind:
    """How an input is edited; `code` is a literal, or a name of the notebook."""
    if given.annotation is bool:
        return "switch"
    if typing.get_origin(given.annotation) is Literal:
        return "choice"
    return "text" if given.annotation is str else "code"


def choices(given: Input) -> dict[str, str]:
    """What is chosen from, with its code."""
    return {code.plain(value): code.plain(value) for value in typing.get_args(given.annotation)}


def expression(given: Input, raw: Value) -> str:
    """The code of what stands in an editor."""
    if isinstance(raw, Code):
        return raw.text
    if isinstance(raw, bool):
        return str(raw)
    return code.text(raw) if kind(given) == "text" else raw.strip()


def raw_of(given: Input, written: str) -> Value:
    """What stands in the editor for an expression; `Code` where the editor cannot hold it."""
    if kind(given) == "code" or (kind(given) == "choice" and written in choices(given)):
        return written
    try:
        value = code.read(written, {})
    except ConfigError:  # a name, which is the user's
        return Code(written)
    held = isinstance(value, bool if kind(given) == "switch" else str) and kind(given) != "choice"
    return value if held else Code(written)


def default(given: Input, names: Names) -> str:
    """The default as code; "" where there is none."""
    if given.required:
        return ""
    try:
        return code.write(given.default, names)
    except ConfigTypeError:
        return "(its default)"


def problem(task: Task[..., Any], name: str, written: str, variables: Mapping[str, Any]) -> str:
    """What the call would say of this input; "" when it fits."""
    try:
        value = code.read(written, variables)
        others = [other for other in task.interface.inputs if other != name]
        task.interface.bind(task.name, (), {name: value}, later=others)
    except ConfigError as e:
        return str(e).partition("\nDeclared:")[0]
    return ""
