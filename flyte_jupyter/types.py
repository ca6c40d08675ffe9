"""What an annotation accepts, and what becomes of a value on its way into or out of a task.

`checker(annotation)` is made once and then called for every value.  A checker returns *the same object* when nothing
had to be changed: a million numbers are not copied to find out that they are numbers, and a union can tell a value
that fits from one that would have to be converted.  `Mismatch` gathers the path (`[3].x`) while it passes upwards.

pydantic is never imported: a model of its cannot be here unless somebody else has imported it.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import functools
import inspect
import itertools
import sys
import typing
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from .annotations import EMPTY, UNIONS, Mismatch, describe, expected, hints, resolve, short, show
from .errors import nearest
from .scalars import SCALARS, Checker, as_it_is, enum_member, instance, literal

_LOOKED_INTO = (list, tuple, set, frozenset, deque)
_CONTAINER_MODULES = ("builtins", "collections", "collections.abc")


def convert(value: Any, annotation: Any) -> Any:
    """`value` as `annotation` wants it: the same object when it fits already.

    Raises:
        Mismatch: it does not fit.
    """
    return checker(resolve(annotation, {}, {}))(value)


def checker(annotation: Any) -> Checker:
    """The function that checks and converts one value to a resolved annotation; it raises `Mismatch`."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        return _class_checker(annotation) if isinstance(annotation, type) else as_it_is
    if origin in UNIONS:
        return _union(annotation, args)
    if origin is typing.Literal:
        return literal(args)
    if not isinstance(origin, type):
        return as_it_is
    if origin is tuple and args and args[-1] is not ...:
        return _fixed_tuple(annotation, args)
    if dataclasses.is_dataclass(origin):
        return _dataclass(origin)
    if origin.__module__ not in _CONTAINER_MODULES:
        return as_it_is  # what somebody's own Generic means by its parameters is not known
    if issubclass(origin, Mapping) and len(args) == 2:
        return _mapping(annotation, origin, *args)
    if issubclass(origin, Iterable) and args and (len(args) == 1 or origin is tuple):
        return _collection(annotation, origin, args[0])
    return _class_checker(origin)


def _class_checker(cls: type) -> Checker:
    if cls in SCALARS:
        return SCALARS[cls]
    if issubclass(cls, enum.Enum):
        return enum_member(cls)
    if typing.is_typeddict(cls):
        return _typed_dict(cls)
    if dataclasses.is_dataclass(cls):
        return _dataclass(cls)
    model = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    if model is not None and issubclass(cls, model) and hasattr(cls, "model_validate"):
        return _pydantic(cls)
    return instance(cls)


def _union(annotation: Any, args: tuple[Any, ...]) -> Checker:
    checks = [checker(a) for a in args]

    def check(value: Any) -> Any:
        converted: list[Any] = []
        deeper: list[Mismatch] = []
        for one in checks:
            try:
                new = one(value)
            except Mismatch as e:
                if e.path:
                    deeper.append(e)
                continue
            if new is value:
                return value
            converted.append(new)
        if converted:
            return converted[0]
        raise deeper[0] if len(deeper) == 1 else expected(annotation, value)

    return check


# --- values with parts ------------------------------------------------------------------------------------------------


def _all_exactly(cls: Any, values: Iterable[Any]) -> bool:
    """The fast path for many values of one class, which fit as they are: a single pass that runs in C."""
    return isinstance(cls, type) and set(map(type, values)) <= {cls}


def _items(values: Iterable[Any], checks: Iterable[Checker], segment: str) -> list[Any] | None:
    """The converted items; None when nothing changed."""
    new: list[Any] | None = None
    i = 0
    try:
        for i, (value, check) in enumerate(zip(values, checks, strict=False)):
            item = check(value)
            if item is not value:
                if new is None:
                    new = list(values)
                new[i] = item
    except Mismatch as e:
        e.within(segment.format(i))
        raise
    return new


def _collection(annotation: Any, origin: type, item: Any) -> Checker:
    check_item = checker(item)

    def check(value: Any) -> Any:
        if not isinstance(value, origin):
            if origin is not tuple or not isinstance(value, list):
                raise expected(annotation, value)
            value = tuple(value)
        # a range, an array or an iterator is not looked into: that may be endless, and an iterator would be used up
        if check_item is as_it_is or not isinstance(value, _LOOKED_INTO) or _all_exactly(item, value):
            return value
        new = _items(value, itertools.repeat(check_item), "{{}}" if isinstance(value, (set, frozenset)) else "[{}]")
        if new is None:
            return value
        kind = next((k for k in (tuple, set, frozenset, deque) if isinstance(value, k)), list)
        return kind(new)

    return check


def _fixed_tuple(annotation: Any, args: tuple[Any, ...]) -> Checker:
    checks = [checker(a) for a in args if a != ()]  # typing.Tuple[()] of Python 3.10 has one argument: ()

    def check(value: Any) -> Any:
        if not isinstance(value, (tuple, list)):
            raise expected(annotation, value)
        if len(value) != len(checks):
            raise Mismatch(f"expected {describe(annotation)}, got {len(value)} values: {show(value)}")
        new = _items(value, checks, "[{}]")
        return tuple(new or value) if new is not None or isinstance(value, list) else value

    return check


def _mapping(annotation: Any, origin: type, key: Any, item: Any) -> Checker:
    check_key, check_item = checker(key), checker(item)

    def check(value: Any) -> Any:
        if not isinstance(value, origin):
            raise expected(annotation, value)
        if not isinstance(value, dict):
            return value
        if (check_key is as_it_is or _all_exactly(key, value)) and (
            check_item is as_it_is or _all_exactly(item, value.values())
        ):
            return value
        new: dict[Any, Any] = {}
        changed = False
        for k, v in value.items():
            where = ".keys()"
            try:
                new_key = check_key(k)
                where = ""
                new[new_key] = new_item = check_item(v)
            except Mismatch as e:
                e.within(where or f"[{short(k)}]")
                raise
            changed = changed or new_key is not k or new_item is not v
        if not changed or type(value) is dict:
            return new if changed else value
        same_kind = copy.copy(value)  # a defaultdict stays one
        same_kind.clear()
        same_kind.update(new)
        return same_kind

    return check


def _fields(value: dict[Any, Any], annotations: Mapping[str, Checker], required: Iterable[str], of: str) -> Any:
    """The converted items of a dict that stands for a record; None when nothing changed."""
    missing = [name for name in required if name not in value]
    if missing:
        raise Mismatch(f"{of} needs {', '.join(missing)}, got {show(value)}")
    new = dict(value)
    for name, v in value.items():
        try:
            new[name] = annotations.get(name, as_it_is)(v)
        except Mismatch as e:
            e.within(f".{name}")
            raise
    return new if any(new[k] is not v for k, v in value.items()) else None


def _dataclass(cls: type) -> Checker:
    as_instance = instance(cls)

    @functools.cache  # at the first dict: a class that contains itself is no problem then
    def fields() -> tuple[dict[str, Checker], list[str], bool]:
        parameters = inspect.signature(cls).parameters.values()
        types_of = hints(cls)
        named = {p.name: checker(types_of.get(p.name, Any)) for p in parameters if p.kind is not p.VAR_KEYWORD}
        required = [p.name for p in parameters if p.default is EMPTY and p.name in named]
        return named, required, len(named) < len(parameters)

    def check(value: Any) -> Any:
        if not isinstance(value, dict) or isinstance(value, cls):
            return as_instance(value)
        known, required, anything = fields()
        for name in () if anything else value:
            if name not in known:
                near = nearest(name, known) if isinstance(name, str) else None
                hint = f"did you mean {near!r}?" if near else f"it has {', '.join(known)}"
                raise Mismatch(f"{describe(cls)} has no field {short(name)}; {hint}")
        arguments = _fields(value, known, required, describe(cls)) or value
        try:
            return cls(**arguments)
        except Exception as e:
            raise Mismatch(f"{describe(cls)}(...) raised {type(e).__name__}: {e}") from None

    return check


def _typed_dict(cls: type) -> Checker:
    @functools.cache
    def fields() -> dict[str, Checker]:
        return {name: checker(a) for name, a in hints(cls).items()}

    required: frozenset[str] = getattr(cls, "__required_keys__", frozenset())

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise expected(cls, value)
        new = _fields(value, fields(), sorted(required), describe(cls))
        return value if new is None else new

    return check


def _pydantic(cls: Any) -> Checker:
    as_instance = instance(cls)

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            return as_instance(value)
        try:
            return cls.model_validate(value)
        except Exception as e:
            errors: Any = getattr(e, "errors", list)()
            if not errors:
                raise Mismatch(f"{describe(cls)} refuses it: {type(e).__name__}: {e}") from None
            first, more = errors[0], len(errors) - 1
            path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
            tail = f" (and {more} more)" if more else ""
            raise Mismatch(f"{first['msg']}, got {show(first['input'])}{tail}", path) from None

    return check
