"""What of a class says what it does, and where it stands."""

from __future__ import annotations

import abc
import enum
import types
from collections.abc import Iterator
from typing import Any

from .bytecode import LAID_OUT
from .modules import is_installed, is_place

_SILENT = LAID_OUT | {
    "__abstractmethods__",
    "__annotations_cache__",
    "__dict__",
    "__module__",
    "__qualname__",
    "__slotnames__",
    "__weakref__",
    "_abc_impl",
}
"""They say nothing of what the class does, or what others say already, or are made when it is used."""
_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)
_TOLD_OF_PYDANTIC = "__pydantic_fields__"


def own_attributes(cls: type) -> Iterator[tuple[str, Any]]:
    """The attributes of the class itself that count, by name."""
    members: dict[str, Any] | None = dict(cls.__members__) if isinstance(cls, enum.EnumMeta) else None
    if members is not None:
        yield "", [(name, member._value_) for name, member in members.items()]
        yield "boundary", getattr(cls, "_boundary_", None)  # of flags, from Python 3.11
    if isinstance(cls, abc.ABCMeta):
        yield "registered", _registered(cls)
    for name, value in sorted(vars(cls).items()):
        if name in _SILENT or (name.startswith("__pydantic_") and name != _TOLD_OF_PYDANTIC):
            continue
        if isinstance(value, _DESCRIPTORS):  # `__slots__` says it
            continue
        if members is not None and (name in members or (name[:1] == "_" and not _is_of_the_user(value))):
            continue
        yield name, value


def _registered(cls: abc.ABCMeta) -> list[type]:
    """The classes that count as subclasses although they are none; they travel with the class."""
    made = abc._get_dump(cls)[0]  # type: ignore[attr-defined]  # what cloudpickle uses too
    found = [known for known in (reference() for reference in made) if known is not None]
    return sorted(found, key=lambda known: (known.__module__, known.__qualname__))


def _is_of_the_user(value: Any) -> bool:
    """In a class of which Python makes many attributes by itself."""
    func = getattr(value, "__func__", value)
    return isinstance(func, types.FunctionType) and not is_installed(func.__module__)


def place_of(cls: type) -> tuple[str, int]:
    """File and line of the class or of its first method; ("", 0) when neither is known."""
    functions = [getattr(value, "__func__", getattr(value, "fget", value)) for value in vars(cls).values()]
    codes = [f.__code__ for f in functions if isinstance(f, types.FunctionType) and f.__module__ == cls.__module__]
    places = [(code.co_filename, code.co_firstlineno) for code in codes if is_place(code.co_filename)]
    file, line = min(places, key=lambda place: place[1], default=("", 0))
    return file, min(line, getattr(cls, "__firstlineno__", line))
