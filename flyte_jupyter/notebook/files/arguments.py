"""Options of a command line as the inputs of a task. Pure, but for `@file`."""

from __future__ import annotations

import ast
import datetime
import enum
import inspect
import json
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from ...annotations import EMPTY, UNIONS, Mismatch, describe, short
from ...config.text import name_of
from ...config.values.duration import parse_duration, to_timedelta
from ...errors import ConfigValueError, nearest
from ...interface import Input, Interface
from ...types import convert

_NONE = ("none", "null")
_BOOLS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ArgumentError(ConfigValueError):
    """What stands on a command line does not fit."""


def inputs(words: Sequence[str], interface: Interface, *, folder: Path) -> dict[str, Any]:
    """`--x 3 --name=World --fast --no-log` as inputs by name.

    Args:
        folder: where paths begin.

    Raises:
        ArgumentError: with everything that is wrong.
    """
    given: dict[str, list[str]] = {}
    problems: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        found = _input(name, interface)
        if found is None:
            problems.append(_unknown(name, interface))
            if not equals and rest and not rest[0].startswith("--"):
                rest.pop(0)  # its value, most likely
            continue
        is_bool = _is_bool(interface.inputs[found].annotation)
        if not equals and is_bool:
            is_off = name_of(name) != found
            follows = bool(rest) and rest[0].lower() in _BOOLS and not is_off
            value = rest.pop(0) if follows else "false" if is_off else "true"
        elif not equals:
            if not rest or (rest[0].startswith("--") and _input(rest[0].partition("=")[0], interface)):
                problems.append(f"{name} needs a value: {said(found, interface.inputs[found])}")
                continue
            value = rest.pop(0)
        given.setdefault(found, []).append(value)
    values: dict[str, Any] = {}
    for name, texts in given.items():
        try:
            values[name] = _value(texts, interface.inputs[name].annotation, folder)
        except (Mismatch, ValueError, SyntaxError, OSError) as e:
            problems.append(f"--{name} {' '.join(texts)}: {getattr(e, 'reason', None) or e}")
    problems += [
        f"missing: {said(name, i)}" for name, i in interface.inputs.items() if i.required and name not in given
    ]
    if problems:
        raise ArgumentError("\n".join(problems))
    return values


def said(name: str, of: Input) -> str:
    """An input as an option: `--x int`, `--name str = 'world'`."""
    if _is_bool(of.annotation):
        return f"--{name} / --no-{name}" + ("" if of.required else f" = {short(of.default)}")
    return f"--{name} {describe(of.annotation)}" + ("" if of.required else f" = {short(of.default)}")


def value_of(text: str, annotation: Any) -> Any:
    """The value that a text stands for.

    Text, numbers, dates, choices, enums and paths as they are written; `90s`, `1h30m` for durations; JSON or a Python
    literal for what has parts; `@FILE` for such a thing in a file.

    Raises:
        ValueError: the text is not understood. Mismatch: its value does not fit.
    """
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return value_of(text, args[0])
    if annotation in (EMPTY, Any):
        return _literal(text, otherwise=text)
    if origin in UNIONS:
        return _one_of(text, annotation, args)
    if origin is typing.Literal:
        for choice in args:
            if str(choice) == text:
                return choice
        raise ValueError(f"one of: {', '.join(map(str, args))}")
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _member(text, annotation)
    if annotation in _SCALARS:
        return _scalar(text, annotation)
    if isinstance(annotation, type) and issubclass(annotation, PurePath):
        return annotation(text)
    parts = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
    return convert(_literal(parts), annotation)


def _value(texts: Sequence[str], annotation: Any, folder: Path) -> Any:
    others = _without_none(annotation)
    if len(others) == 1 and texts[-1].lower() not in _NONE:
        annotation = others[0]
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (list, set, tuple) and args and (len(texts) > 1 or texts[0].lstrip()[:1] not in ("[", "(", "{", "@")):
        item = args[0]
        return convert(origin(_value([text], item, folder) for text in texts), annotation)
    value = value_of(texts[-1] if not texts[-1].startswith("@") else f"@{folder / texts[-1][1:]}", annotation)
    return folder / value if isinstance(value, Path) else value


def _one_of(text: str, annotation: Any, args: tuple[Any, ...]) -> Any:
    if text.lower() in _NONE and type(None) in args:
        return None
    for arg in sorted((a for a in args if a is not type(None)), key=lambda a: a is str):  # any text is a str
        try:
            return convert(value_of(text, arg), arg)
        except (ValueError, SyntaxError, Mismatch):
            continue
    raise ValueError(f"not {describe(annotation)}")


def _member(text: str, annotation: type[enum.Enum]) -> enum.Enum:
    for member in annotation:
        if text in (member.name, str(member.value)):
            return member
    raise ValueError(f"one of: {', '.join(member.name for member in annotation)}")


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLS:
        raise ValueError("true or false")
    return _BOOLS[text.lower()]


def _duration(text: str) -> datetime.timedelta:
    value = parse_duration(text)
    found = to_timedelta(value) if isinstance(value, (int, datetime.timedelta)) else value
    if isinstance(found, float):
        return datetime.timedelta(seconds=found)
    if found is None:
        raise ValueError("a duration: 90s, 1h30m")
    return found


_SCALARS: Mapping[Any, Any] = {
    str: str,
    int: int,
    float: float,
    complex: complex,
    bool: _boolean,
    bytes: str.encode,
    datetime.datetime: lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")),
    datetime.date: datetime.date.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
    datetime.timedelta: _duration,
}


def _scalar(text: str, annotation: Any) -> Any:
    try:
        return _SCALARS[annotation](text)
    except ValueError as e:
        said = {int: "not a whole number", float: "not a number"}.get(annotation) or str(e)
        raise ValueError(said) from None


def _literal(text: str, otherwise: Any = EMPTY) -> Any:
    """JSON, or a Python literal."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError):
            continue
    if otherwise is not EMPTY:
        return otherwise
    raise ValueError("neither JSON nor a Python literal; @FILE takes it from a file")


def _input(word: str, interface: Interface) -> str | None:
    if not word.startswith("--"):
        return None
    name = name_of(word)
    if name in interface.inputs:
        return name
    off = name.removeprefix("no_")
    return off if off in interface.inputs and _is_bool(interface.inputs[off].annotation) else None


def _without_none(annotation: Any) -> list[Any]:
    """What an annotation allows besides None."""
    args = typing.get_args(annotation) if typing.get_origin(annotation) in UNIONS else (annotation,)
    return [arg for arg in args if arg is not type(None)]


def _is_bool(annotation: Any) -> bool:
    return _without_none(annotation) == [bool]


def _unknown(name: str, interface: Interface) -> str:
    if not name.startswith("--"):
        there = ", ".join(said(n, i) for n, i in interface.inputs.items())
        return f"{name!r}: inputs are given by name: {there or 'it has none'}"
    near = nearest(name_of(name), list(interface.inputs))
    hint = (
        f"did you mean --{near}?" if near else f"there are: {', '.join(f'--{n}' for n in interface.inputs) or 'none'}"
    )
    return f"no input {name}; {hint}"


def about(func: Any) -> str:
    """What a task's function says of itself."""
    return inspect.getdoc(func) or ""
