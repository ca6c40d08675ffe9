"""What a task takes along from the notebook, with sizes: for a look before it is run."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..task import Task
from .bytecode import defaults_of, facts
from .codec import dumps
from .modules import is_installed, is_users


@dataclass(frozen=True)
class Captured:
    """One thing that goes along.

    Attributes:
        name: under which the code uses it; type: the name of its class.
        size: bytes of it alone, pickled with what it needs itself.
        value: itself; is_data: whether that can be shown: it is no function, class, module or task.
    """

    name: str
    type: str
    size: int
    value: Any
    is_data: bool


def captured(task: Task[..., Any]) -> list[Captured]:
    """What goes along with a task by value, the largest first; libraries are imported there and do not count."""
    found: dict[int, Captured] = {}
    functions = [task.func] if isinstance(task.func, types.FunctionType) else []
    seen: set[int] = {id(task.func), id(task)}
    while functions:
        for name, value in _of(functions.pop()):
            if id(value) in seen:
                continue
            seen.add(id(value))
            called = value.func if isinstance(value, Task) else value
            if isinstance(called, types.FunctionType):
                functions.append(called)
                seen.add(id(called))
            found[id(value)] = Captured(name, type(value).__name__, size_of(value), value, not isinstance(value, _CODE))
    return sorted(found.values(), key=lambda one: -one.size)


def size_of(value: Any) -> int:
    """Bytes of a value, pickled with what it needs."""
    return sum(map(len, dumps(value).parts))


_CODE = (Task, types.FunctionType, type, types.ModuleType)


def _of(func: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function uses that is not installed, by the name under which it does."""
    scope = func.__globals__
    used = [(name, scope[name]) for name in facts(func.__code__).names if name in scope]
    for name, cell in zip(func.__code__.co_freevars, func.__closure__ or (), strict=False):
        try:
            used.append((name, cell.cell_contents))
        except ValueError:  # not set yet
            continue
    used += [(f"default of '{name}'", value) for name, value in defaults_of(func).items()]
    return (one for one in used if not _is_imported(one[1]))


def _is_imported(value: Any) -> bool:
    """Whether the task's process gets it by importing it."""
    if isinstance(value, types.ModuleType):
        return not is_users(value)
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return value.__module__ in (None, "builtins") or is_installed(value.__module__)
    return False
