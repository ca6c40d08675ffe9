"""Annotations: looking up their names, making them simple, and the words for one that a value does not fit."""

from __future__ import annotations

import dataclasses
import inspect
import reprlib
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any

EMPTY: Any = inspect.Parameter.empty
"""No annotation, no default.  It is a class, so it is itself again after pickling."""

UNIONS = (typing.Union, types.UnionType)

_NoneType = type(None)
_QUALIFIERS = {"Required", "NotRequired", "ReadOnly", "Final", "ClassVar"}

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 80


# --- words for people -------------------------------------------------------------------------------------------------


def short(value: Any) -> str:
    """The beginning of a value's repr in one line, whatever that repr does."""
    try:
        text = " ".join(_repr.repr(value).split())
    except Exception as e:
        return f"(its repr raises {type(e).__name__})"
    return text if len(text) <= 80 else text[:77] + "..."


def show(value: Any) -> str:
    """The class of a value and the beginning of its repr."""
    return "None" if value is None else f"{type(value).__qualname__.rpartition('<locals>.')[2]} {short(value)}"


def describe(annotation: Any) -> str:
    """An annotation as one would write it."""
    if annotation is EMPTY:
        return "Any"
    if annotation is None or annotation is _NoneType:
        return "None"
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        if isinstance(annotation, type):
            return annotation.__qualname__.rpartition("<locals>.")[2]
        return "..." if annotation is ... else repr(annotation).replace("typing.", "")
    if origin in UNIONS:
        return " | ".join(map(describe, args))
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, args))}]"
    return f"{describe(origin)}[{', '.join(map(describe, args))}]" if args else describe(origin)


class Mismatch(Exception):
    """A value does not fit its annotation.

    Attributes:
        reason: what was expected and what was given.
        path: which part of the value, such as `[3].x`; "" for the value itself.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason

    def within(self, segment: str) -> Mismatch:
        """The same mismatch seen from the container: `segment` says where the part is."""
        self.path = segment + self.path
        return self


def expected(annotation: Any, value: Any) -> Mismatch:
    """The mismatch of a value as a whole, with a hint for the usual mistakes."""
    wanted = (annotation, *typing.get_args(annotation))
    hint = ""
    if isinstance(value, bool) and any(a is int or a is float for a in wanted):
        hint = " (write int(...) if a number is meant)"
    elif inspect.isawaitable(value):
        hint = " (it has to be awaited first)"
    elif isinstance(annotation, type) and type(value).__qualname__ == annotation.__qualname__:
        hint = f" ({type(value).__module__} is not {annotation.__module__})"
    return Mismatch(f"expected {describe(annotation)}, got {show(value)}{hint}")


# --- annotations ------------------------------------------------------------------------------------------------------


def resolve(annotation: Any, globalns: dict[str, Any], localns: Mapping[str, Any]) -> Any:
    """The annotation with the names in its strings looked up.

    Raises:
        Exception: whatever evaluating the text raises; mostly NameError.
    """
    if type(annotation) is type or annotation is EMPTY:
        return annotation
    holder: Any = types.SimpleNamespace(__annotations__={"it": annotation})
    return typing.get_type_hints(holder, globalns, dict(localns), include_extras=True)["it"]


def hints(cls: type) -> dict[str, Any]:
    """The annotations of a class and its bases, simplified; Any where a name cannot be looked up."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        namespace = vars(sys.modules[base.__module__]) if base.__module__ in sys.modules else {}
        try:
            own = inspect.get_annotations(base)
        except NameError:  # Python 3.14 evaluates here
            own = {}
        for name, annotation in own.items():
            try:
                found[name] = simplify(resolve(annotation, namespace, {base.__name__: base, cls.__name__: cls}))
            except Exception:
                found[name] = Any
    return found


def simplify(annotation: Any, _aliases: tuple[Any, ...] = ()) -> Any:
    """The annotation without NewType, Annotated and `type` aliases, also inside.

    They say nothing about the value, and those of a notebook could not be unpickled elsewhere: they pickle by name.
    """
    if annotation is None or annotation is EMPTY:
        return Any if annotation is EMPTY else _NoneType
    if isinstance(annotation, typing.NewType):
        return simplify(annotation.__supertype__, _aliases)
    if isinstance(annotation, dataclasses.InitVar):
        return simplify(annotation.type, _aliases)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    alias = annotation if origin is None else origin
    if type(alias).__name__ == "TypeAliasType":
        if any(alias is a for a in _aliases):
            return Any  # an alias that contains itself, like Json
        value = alias.__value__
        return simplify(value[args] if args and getattr(value, "__parameters__", ()) else value, (*_aliases, alias))
    if origin is typing.Annotated or str(origin).rpartition(".")[2] in _QUALIFIERS:
        return simplify(args[0], _aliases)
    if not args or origin is typing.Literal or any(isinstance(a, list) for a in args):
        return annotation
    simple = tuple(a if a is ... or a == () else simplify(a, _aliases) for a in args)
    if all(a is b for a, b in zip(simple, args, strict=True)):
        return annotation
    whole: Any = typing.Union if origin in UNIONS else origin
    return whole[simple]
