"""Finds out which captured object could not be pickled, and says so in the user's words.

Only walked after pickling has failed: each part is pickled by itself, and the walk goes into the part that fails.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import CaptureError
from .bytecode import defaults_of
from .codec import dumps

_MAX_DEPTH = 12

_WAYS_OUT = {
    "sqlite3.Connection": "Open the connection inside the task, from its path.",
    "socket": "Open it inside the task, from its address.",
    "_io.": "Open the file inside the task, from its path.",
    "_thread.": "Make the lock inside the task; tasks share no memory, so a lock here would not protect anything.",
    "threading.": "Make it inside the task; tasks share no memory.",
    "generator": "Pass a list of its items, or make the generator inside the task.",
    "coroutine": "Await it first and pass its value, or pass the async function.",
}
_WAY_BACK = "Return what it is made from (a path, a URL, plain data), and make it again where it is used."
_WAY_OUT = "Make it inside the task, or pass as an input what it is made from (a path, a URL, its settings)."


def explain(name: str, obj: Any, error: BaseException, *, returned: bool = False) -> CaptureError:
    """The error to raise for something that cannot be pickled.

    Args:
        name: the task's short name; obj: the task, the dictionary of its inputs, or what it returned.
        error: what cloudpickle raised; returned: whether it was on its way back.
    """
    path, culprit, reason = _find(obj, error)
    kind = _kind(culprit)
    trail = " → ".join([name, *path, kind])
    if returned:
        return CaptureError(f"{trail}: cannot leave the task's process ({reason}).\n{_WAY_BACK}")
    way_out = next((text for start, text in _WAYS_OUT.items() if kind.startswith(start)), _WAY_OUT)
    return CaptureError(f"{trail}: cannot be sent to the task's process ({reason}).\n{way_out}")


def _kind(obj: Any) -> str:
    cls = type(obj)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _find(obj: Any, error: BaseException) -> tuple[list[str], Any, str]:
    path: list[str] = []
    seen: set[int] = set()
    while len(path) < _MAX_DEPTH:
        seen.add(id(obj))
        for label, part in _parts(obj):
            if id(part) in seen:
                continue
            try:
                dumps(part)
            except Exception as deeper:
                obj, error = part, deeper
                path += [label] if label else []
                break
        else:
            break
    return path, obj, str(error).rstrip(".") or type(error).__name__


def _parts(obj: Any) -> Iterator[tuple[str, Any]]:
    """What an object is made of, as (label, part)."""
    func = getattr(obj, "func", None)
    if isinstance(func, types.FunctionType):  # a task; no label: its name is said already
        yield "", func
    elif isinstance(obj, types.FunctionType):
        yield from _function_parts(obj)
    elif isinstance(obj, types.MethodType):
        yield "self", obj.__self__
    elif isinstance(obj, types.ModuleType):
        yield from ((f"'{obj.__name__}.{name}'", value) for name, value in vars(obj).items() if name[:2] != "__")
    elif isinstance(obj, type):
        yield from ((f"attribute '{name}'", value) for name, value in vars(obj).items() if name[:2] != "__")
    elif isinstance(obj, Mapping):
        yield from ((f"'{key}'" if isinstance(key, str) else f"[{key!r:.40}]", value) for key, value in obj.items())
    elif isinstance(obj, (list, tuple, set, frozenset)):
        yield from ((f"[{i}]", value) for i, value in enumerate(obj))
    else:
        yield from ((f"attribute '{name}'", value) for name, value in getattr(obj, "__dict__", {}).items())


def _function_parts(func: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name in sorted(names_in(func.__code__)):
        if name in func.__globals__:
            value = func.__globals__[name]
            word = "function" if isinstance(value, types.FunctionType) else "global"
            yield f"{word} '{name}'", value
    for name, cell in zip(func.__code__.co_freevars, func.__closure__ or (), strict=False):
        try:
            yield f"closure '{name}'", cell.cell_contents
        except ValueError:  # not set yet
            continue
    yield from ((f"default of '{name}'", value) for name, value in defaults_of(func).items())


def names_in(code: types.CodeType) -> set[str]:
    """The names of globals and attributes that a function uses, with those inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= names_in(constant)
    return names
