"""Checkers of values without parts: numbers, text, dates, enums, literals, instances of a class.

numpy is never imported: a value of its cannot be here unless somebody else has imported it.
"""

from __future__ import annotations

import datetime
import enum
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from .annotations import Mismatch, expected, short, show
from .errors import nearest

Checker: TypeAlias = Callable[[Any], Any]
"""Takes a value and returns it, the same object or converted; raises `Mismatch`."""


def as_it_is(value: Any) -> Any:
    """No check at all."""
    return value


def _plain(value: Any) -> Any:
    """A numpy number, truth value or string as Python's own; anything else as it is."""
    generic = getattr(sys.modules.get("numpy"), "generic", None)
    if generic is not None and isinstance(value, generic) and value.dtype.kind in "biufUS":
        return value.item()
    return value


def _int(value: Any) -> Any:
    if type(value) is int:
        return value
    plain = _plain(value)
    if isinstance(plain, int) and not isinstance(plain, bool):
        return plain
    raise expected(int, value)


def _float(value: Any) -> Any:
    if type(value) is float:
        return value
    plain = value if type(value) is int else _plain(value)
    if isinstance(plain, float):
        return plain
    if isinstance(plain, int) and not isinstance(plain, bool):
        try:
            number = float(plain)
        except OverflowError:
            number = float("inf")
        if number == plain:
            return number
        raise Mismatch(f"expected float, got {show(value)}, which no float can hold exactly")
    raise expected(float, value)


def _bool(value: Any) -> Any:
    plain = _plain(value)
    if isinstance(plain, bool):
        return plain
    raise expected(bool, value)


def _str(value: Any) -> Any:
    if isinstance(value, str):
        return value if type(value) is str else _plain(value)
    raise expected(str, value)


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return value if type(value) is bytes else _plain(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise expected(bytes, value)


def _date(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    raise expected(datetime.date, value)


def _tuple(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return value if isinstance(value, tuple) else tuple(value)
    raise expected(tuple, value)


def _none(value: Any) -> Any:
    if value is None:
        return None
    raise expected(None, value)


SCALARS: dict[type, Checker] = {
    object: as_it_is,
    type(None): _none,
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    bytes: _bytes,
    datetime.date: _date,
    tuple: _tuple,
}
"""The checkers of single classes."""


def _redefined(value: Any, cls: type) -> bool:
    """Whether the value is of an earlier definition of `cls`: the same cell run again, or a reloaded module."""
    name = (cls.__module__, cls.__qualname__)
    return any((c.__module__, c.__qualname__) == name for c in type(value).__mro__)


def instance(cls: type) -> Checker:
    """An instance of a class, also of an earlier definition of it."""

    def check(value: Any) -> Any:
        try:
            fits = isinstance(value, cls)
        except TypeError:  # a protocol that is not runtime_checkable
            return value
        if fits or _redefined(value, cls):
            return value
        raise expected(cls, value)

    return check


def enum_member(cls: type[enum.Enum]) -> Checker:
    """A member, its name (as in Flyte), its value, or the same member of an earlier definition."""

    def check(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        old = isinstance(value, enum.Enum) and _redefined(value, cls)
        name, wanted = (value.name, value.value) if old else (value, _plain(value))
        if isinstance(name, str) and name in cls.__members__:
            return cls.__members__[name]
        try:
            member = cls(wanted)
        except Exception:
            member = None
        if member is not None and type(member.value) is type(wanted):  # True == 1, but is not meant
            return member
        raise _one_of([str(m) for m in cls.__members__], value, cls.__name__)

    return check


def literal(args: tuple[Any, ...]) -> Checker:
    """One of the values of a Literal."""

    def check(value: Any) -> Any:
        plain = _plain(value)
        for allowed in args:
            if type(allowed) is type(plain) and allowed == plain:
                return plain
        if isinstance(plain, str):  # a `class Mode(str, Enum)`
            for allowed in args:
                if isinstance(allowed, str) and plain == allowed:
                    return allowed
        raise _one_of(args, value, "Literal")

    return check


def _one_of(allowed: Iterable[Any], value: Any, what: str) -> Mismatch:
    allowed = list(allowed)
    near = nearest(value, [a for a in allowed if isinstance(a, str)]) if isinstance(value, str) else None
    hint = f"; did you mean {near!r}?" if near is not None else ""
    some = ", ".join(map(short, allowed[:20])) + (", ..." if len(allowed) > 20 else "")
    return Mismatch(f"expected one of {some} ({what}), got {show(value)}{hint}")
