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
_DATA = (bytes, int, float, complex, list, tuple, dict, set, frozenset)
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


def resolve(
    annotation: Any, globalns: dict[str, Any], localns: Mapping[str, Any], _aliases: tuple[Any, ...] = ()
) -> Any:
    """The annotation without strings, NewType, Annotated and `type` aliases, also inside; Any when there is none.

    What is taken away says nothing about the value, and that of a notebook could not be unpickled elsewhere: it
    pickles by name.  `typing.get_type_hints` does less and takes longer, and leaves `list["Row"]` on Python 3.10.

    Raises:
        TypeError: it is not a type.
        Exception: whatever evaluating a string raises; mostly NameError.
    """
    if annotation is None or annotation is EMPTY:  # EMPTY is a class, too
        return _NoneType if annotation is None else Any
    if type(annotation) is type or annotation is Any or annotation is ...:
        return annotation

    def again(inner: Any, *aliases: Any) -> Any:
        return resolve(inner, globalns, localns, (*_aliases, *aliases))

    if isinstance(annotation, (str, typing.ForwardRef)):
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        return again(eval(text, globalns, dict(localns)))  # noqa: S307 - the user's own annotation
    if isinstance(annotation, _DATA):
        raise TypeError(f"{annotation!r} is not a type")
    if isinstance(annotation, typing.NewType):
        return again(annotation.__supertype__)
    if isinstance(annotation, dataclasses.InitVar):
        return again(annotation.type)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    alias = annotation if origin is None else origin
    if type(alias).__name__ == "TypeAliasType":
        if any(alias is a for a in _aliases):
            return Any  # an alias that contains itself, like Json
        value = alias.__value__
        return again(value[args] if args and getattr(value, "__parameters__", ()) else value, alias)
    if origin is typing.Annotated or str(origin).rpartition(".")[2] in _QUALIFIERS:
        return again(args[0])
    if not args or origin is typing.Literal or any(isinstance(a, (list, tuple)) for a in args):
        return annotation  # a list: Callable[[int], str]; a tuple: typing.Tuple[()] on Python 3.10
    simple = tuple(again(a) for a in args)
    if all(a is b for a, b in zip(simple, args, strict=True)):
        return annotation
    whole: Any = typing.Union if origin in UNIONS else origin
    return whole[simple]


def hints(cls: type) -> dict[str, Any]:
    """The resolved annotations of a class and its bases; Any where a name cannot be looked up."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        namespace = vars(sys.modules[base.__module__]) if base.__module__ in sys.modules else {}
        try:
            own = inspect.get_annotations(base)
        except NameError:  # Python 3.14 evaluates here
            own = {}
        for name, annotation in own.items():
            try:
                found[name] = resolve(annotation, namespace, {base.__name__: base, cls.__name__: cls})
            except Exception:
                found[name] = Any
    return found
