"""What a request may say, read from the signature of the function that answers it; pure.

    def page(here: Here, offset: Offset = 0, text: Words = "") -> RunPage: ...

A parameter whose name stands in the path of the route is taken from there, `body` is the JSON of the request, all
others are of the query. `Annotated` types say what is allowed.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints, is_typeddict

from ...config.refusal import did_you_mean
from ...errors import ConfigValueError

_MOST = 1000
"""Characters of a text that says nothing of its length."""


@dataclass(frozen=True)
class Words:
    """A text: how long it may be, and the pattern that all of it has to match; `of` says what it is."""

    of: str = "a text"
    pattern: str = ""
    most: int = _MOST


@dataclass(frozen=True)
class Within:
    """A number from `least` to `most`."""

    least: int
    most: int


RunName: TypeAlias = Annotated[str, Words("the name of a run", r"r[0-9a-z]{9,40}")]
ActionName: TypeAlias = Annotated[str, Words("the name of an action", r"a[0-9a-z]{1,40}(-[0-9]{1,6})?")]
Attempt: TypeAlias = Annotated[Union[int, None], Within(0, 100_000)]  # noqa: UP007 - evaluated on Python 3.10
"""Counted from 0; the last one when it is not given."""


@dataclass(frozen=True)
class Parameter:
    """One of them.

    Attributes:
        place: where it is from: "path", "query" or "body".
        type: without what `Annotated` says; rule: that.
        default: `inspect.Parameter.empty` for one that has to be given.
    """

    name: str
    place: Literal["path", "query", "body"]
    type: Any
    rule: Words | Within | None
    default: Any

    @property
    def is_required(self) -> bool:
        return self.default is inspect.Parameter.empty


def parameters(answer: Callable[..., Any], path: str) -> list[Parameter]:
    """Those of a function that answers; its first parameter is what it answers from."""
    hints = get_type_hints(answer, include_extras=True)
    in_path = re.findall(r"{(\w+)}", path)
    _, *given = inspect.signature(answer).parameters.values()
    found = []
    for each in given:
        hint, rule = hints[each.name], None
        if get_origin(hint) is Annotated:
            hint, rule = get_args(hint)
        place: Any = "path" if each.name in in_path else "body" if each.name == "body" else "query"
        found.append(Parameter(each.name, place, hint, rule, each.default))
    return found


def read(parameter: Parameter, text: str) -> Any:
    """The value of a parameter of a path or a query. Raises `ConfigValueError`."""
    if int in (parameter.type, *get_args(parameter.type)):
        return _number(parameter, text)
    rule = parameter.rule if isinstance(parameter.rule, Words) else Words()
    if len(text) > rule.most or (rule.pattern and not re.fullmatch(rule.pattern, text)):
        shown = text if len(text) <= 100 else f"{text[:100]}…"
        what = rule.of if rule.pattern else f"at most {rule.most} characters"
        raise ConfigValueError(f"{parameter.name}: {shown!r} is not {what}.")
    return text


def _number(parameter: Parameter, text: str) -> int:
    rule = parameter.rule if isinstance(parameter.rule, Within) else Within(0, 1_000_000_000)
    if not re.fullmatch(r"-?[0-9]{1,12}", text) or not rule.least <= int(text) <= rule.most:
        raise ConfigValueError(f"{parameter.name}: {text[:100]!r} is not a number from {rule.least} to {rule.most}.")
    return int(text)


def unknown(names: Mapping[str, Any], known: list[Parameter]) -> None:
    """Refuse what no parameter of the query is called. Raises `ConfigValueError`."""
    there = [each.name for each in known if each.place == "query"]
    for name in names:
        if name not in there and name not in ("token", "_xsrf", "no_track_activity"):  # which are Jupyter's
            hint = did_you_mean(name, there) or f"there are: {', '.join(there) or 'none'}."
            raise ConfigValueError(f"{name[:100]!r} is no parameter here; {hint}")


def check(value: Any, hint: Any, where: str = "the body") -> None:
    """Refuse JSON that does not have the form of a type. Raises `ConfigValueError`, naming the place."""
    origin, of = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        _check_object(value, hint, where)
    elif origin in (list, dict):
        if not isinstance(value, origin):
            raise ConfigValueError(f"{where} is not {'a list' if origin is list else 'an object'}.")
        parts = enumerate(value) if origin is list else value.items()
        for name, part in parts:
            check(part, of[-1], f"{where}[{name!r}]")
    elif origin is Literal:
        if value not in of:
            raise ConfigValueError(f"{where}: {str(value)[:100]!r} is none of {', '.join(of)}.")
    elif origin is Annotated:
        check(value, of[0], where)
        _check_rule(value, of[1], where)
    elif not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigValueError(f"{where} is not {_SAID.get(hint, hint.__name__)}.")


_SAID = {str: "a text", int: "a whole number", bool: "true or false", float: "a number"}


def _check_object(value: Any, hint: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise ConfigValueError(f"{where} is not an object.")
    fields = get_type_hints(hint, include_extras=True)
    needed = typing.cast("frozenset[str]", hint.__required_keys__)
    for name in sorted(needed - value.keys()):
        raise ConfigValueError(f"{where} lacks {name!r}.")
    for name, part in value.items():
        if name not in fields:
            raise ConfigValueError(f"{where} has {str(name)[:100]!r}; it may have: {', '.join(fields)}.")
        check(part, fields[name], f"{where}.{name}")


def _check_rule(value: Any, rule: Words | Within, where: str) -> None:
    if isinstance(rule, Within):
        if not rule.least <= value <= rule.most:
            raise ConfigValueError(f"{where}: {value} is not from {rule.least} to {rule.most}.")
    elif len(value) > rule.most:
        raise ConfigValueError(f"{where} has {len(value)} characters; at most {rule.most} are allowed.")
