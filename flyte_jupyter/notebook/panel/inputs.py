"""The inputs of a task as fields of a form: which editor an annotation has, and the code of what is in it.  Pure."""

from __future__ import annotations

import datetime
import enum
import itertools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from ...config.text import format, parse
from ...config.values.timeout import Timeout
from ...errors import ConfigError, ConfigTypeError
from ...interface import Input
from ...task import Task
from . import code
from .code import Code, Names

Kind = Literal["switch", "choice", "text", "time", "code"]
Value: TypeAlias = "str | bool | Code"

_MOST = 40
"""Names of the notebook that are offered."""


def _span(written: str) -> datetime.timedelta:
    """As durations of settings are written: "90", "1h30m"."""
    return datetime.timedelta(seconds=parse("timeout", written).max_runtime_seconds or 0)


_TIMES: dict[Any, tuple[Callable[[str], Any], str]] = {
    datetime.date: (datetime.date.fromisoformat, "2026-01-31"),
    datetime.datetime: (datetime.datetime.fromisoformat, "2026-01-31 18:30"),
    datetime.time: (datetime.time.fromisoformat, "18:30"),
    datetime.timedelta: (_span, "90s or 1h30m"),
}
"""How a text is read, and what one looks like."""


def kind(given: Input, names: Names) -> Kind:
    """How an input is edited.

    `switch` is on or off; `text` is text; `time` a date, a time or a duration as people write it, or code; `code` a
    literal, or a name of the notebook.
    """
    plain, may_be_none = _plain(given)
    if plain is bool and not given.required and not may_be_none:
        return "switch"
    if choices(given, names):
        return "choice"
    if plain is str and (not may_be_none or given.default is None):
        return "text"
    return "time" if plain in _TIMES else "code"


def _plain(given: Input) -> tuple[Any, bool]:
    """The annotation without None, and whether None is accepted."""
    if typing.get_origin(given.annotation) not in (typing.Union, types.UnionType):
        return given.annotation, False
    args = typing.get_args(given.annotation)
    rest = [one for one in args if one is not type(None)]
    return (rest[0] if len(rest) == 1 else given.annotation), len(rest) < len(args)


def choices(given: Input, names: Names) -> list[str]:
    """What is chosen from, as code; nothing where that is not known, or has no name in the notebook."""
    plain, may_be_none = _plain(given)
    found: list[Any] = []
    if plain is bool:
        found = [True, False]
    elif typing.get_origin(plain) is Literal:
        found = list(typing.get_args(plain))
    elif isinstance(plain, type) and issubclass(plain, enum.Enum):
        found = list(plain)
    try:
        written = [code.write(value, names) for value in found]
    except ConfigTypeError:
        return []
    return list(dict.fromkeys([*written, "None"] if written and may_be_none else written))


def offered(given: Input, names: Names) -> list[str]:
    """Names of the notebook that have a value of the annotation's class."""
    plain, _ = _plain(given)
    cls = typing.get_origin(plain) or plain
    if not isinstance(cls, type) or cls in (Any, object) or getattr(cls, "_is_protocol", False):
        return []
    fitting = names.all(lambda value: isinstance(value, cls) and not isinstance(value, (types.ModuleType, type, Task)))
    return list(itertools.islice((name for name in fitting if name not in ("In", "Out")), _MOST))  # IPython's history


def example(given: Input, names: Names) -> str:
    """What stands in an empty editor."""
    if written := default(given, names):
        return f"default: {written}"
    plain, _ = _plain(given)
    if plain in _TIMES:
        return f"such as {_TIMES[plain][1]}"
    if plain in (int, float):
        return "a number, or a name"
    return "a text" if kind(given, names) == "text" else "a value, or a name"


def expression(given: Input, raw: Value, names: Names) -> str:
    """The code of what stands in an editor."""
    if isinstance(raw, Code):
        return raw.text.strip()
    if isinstance(raw, bool):
        return str(raw)
    match kind(given, names):
        case "text":
            return code.text(raw)
        case "time":
            try:
                return code.write(_TIMES[_plain(given)[0]][0](raw.strip()), names)
            except ValueError:  # of the class, or our own: then it is code
                return raw.strip()
        case _:
            return raw.strip()


def raw_of(given: Input, written: str, names: Names) -> Value:
    """What stands in the editor for an expression; `Code` where the editor cannot hold it."""
    match kind(given, names):
        case "code":
            return written
        case "choice":
            return written if written in choices(given, names) else Code(written)
        case "time":
            return _time_of(given, written, names)
        case kind_:
            try:
                value = code.read(written, {})
            except ConfigError:  # a name, which is the user's
                return Code(written)
            return value if isinstance(value, bool if kind_ == "switch" else str) else Code(written)


def _time_of(given: Input, written: str, names: Names) -> str:
    """As people write it, where that comes to the same code."""
    try:
        value = code.read(written, names.variables)
        plain = format("timeout", Timeout(value)) if isinstance(value, datetime.timedelta) else str(value)
    except ConfigError:
        return written
    return plain if expression(given, plain, names) == written else written


def default(given: Input, names: Names) -> str:
    """The default, as code where there is some, else in words; "" where there is none."""
    if given.required:
        return ""
    try:
        return code.write(given.default, names)
    except ConfigTypeError:
        return f"its own {type(given.default).__name__}"


def problem(task: Task[..., Any], name: str, written: str, variables: Mapping[str, Any]) -> str:
    """What the call would say of this input; "" when it fits."""
    try:
        value = code.read(written, variables)
        others = [other for other in task.interface.inputs if other != name]
        task.interface.bind(task.name, (), {name: value}, later=others)
    except ConfigError as e:
        return str(e).partition("\nDeclared:")[0]
    return ""
