"""What makes a task the same task: its configuration, its code, and what its code refers to.

Unlike the digest of its pickle this does not depend on the order of sets, on what was pickled before, or on the
process, so that a parent that is attempted again computes the names of its children again.
"""

from __future__ import annotations

import hashlib
import json
import sys
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .capture import names_in
from .codec import dumps
from .modules import is_local

if TYPE_CHECKING:
    from ..task import Task


def identity(task: Task[..., Any], otherwise: str) -> str:
    """A digest of the task; the same in all processes for the same task. `otherwise` when it is nested too deep."""
    try:
        return _Walk().of(task).hex()
    except RecursionError:
        return otherwise


def _hash(kind: str, *parts: bytes) -> bytes:
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


class _Walk:
    """One walk over all that a task refers to; what it meets again it names by its number, so that it ends."""

    def __init__(self, met: Mapping[int, tuple[int, Any]] | None = None) -> None:
        self._met = dict(met or {})  # by id, with the object, so that the id is not used again

    def of(self, obj: Any) -> bytes:
        if type(obj) in (bool, int, float, complex, str, type(None), type(...)):
            return _hash(type(obj).__qualname__, repr(obj).encode())
        if type(obj) in (bytes, bytearray):
            return _hash(type(obj).__qualname__, obj)
        if id(obj) in self._met:
            return _hash("again", str(self._met[id(obj)][0]).encode())
        self._met[id(obj)] = (len(self._met), obj)
        if isinstance(obj, types.FunctionType):
            return self._function(obj)
        if isinstance(obj, types.ModuleType):
            return _hash("module", obj.__name__.encode())
        if isinstance(obj, type):
            return self._class(obj)
        if isinstance(obj, types.CodeType):
            return self._code(obj)
        if isinstance(obj, types.MethodType):
            return _hash("method", self.of(obj.__self__), self.of(obj.__func__))
        if type(obj) in (list, tuple):
            return _hash(type(obj).__qualname__, *(self.of(item) for item in obj))
        if type(obj) in (set, frozenset):
            return _hash(type(obj).__qualname__, *sorted(_Walk(self._met).of(item) for item in obj))
        if type(obj) in (dict, types.MappingProxyType):
            return self._mapping(obj)
        spec: Any = getattr(obj, "spec", None)
        if isinstance(getattr(obj, "func", None), types.FunctionType) and hasattr(spec, "to_json"):
            # links are objects of any kind, which do not change what the task does; a plugin's are walked
            given = dict(spec.to_json(), links=None, plugin_config=None)
            settings = json.dumps(given, sort_keys=True, default=lambda value: type(value).__qualname__)
            plugin = (self.of(type(obj)), self.of(spec.plugin_config))
            return _hash("task", obj.name.encode(), settings.encode(), *plugin, self.of(obj.func))
        return self._instance(obj)

    def _mapping(self, obj: Mapping[Any, Any]) -> bytes:
        return _hash("mapping", *(part for key, value in obj.items() for part in (self.of(key), self.of(value))))

    def _function(self, func: types.FunctionType) -> bytes:
        if _is_installed(func.__module__):
            return _hash("function", f"{func.__module__}.{func.__qualname__}".encode())
        found = [func.__globals__[name] for name in sorted(names_in(func.__code__)) if name in func.__globals__]
        cells = [cell.cell_contents for cell in func.__closure__ or () if cell != types.CellType()]
        return _hash(
            "function",
            func.__qualname__.encode(),
            self._code(func.__code__),
            *map(self.of, (func.__defaults__, func.__kwdefaults__, cells, found)),
        )

    def _code(self, code: types.CodeType) -> bytes:
        names = "\0".join((*code.co_names, "", *code.co_varnames, "", *code.co_freevars))
        return _hash("code", code.co_code, names.encode(), *map(self.of, code.co_consts))

    def _class(self, cls: type) -> bytes:
        name = f"{cls.__module__}.{cls.__qualname__}".encode()
        if _is_installed(cls.__module__):
            return _hash("class", name)
        own = {key: value for key, value in vars(cls).items() if key[:2] != "__" or callable(value)}
        functions = (getattr(value, "__func__", value) for _, value in sorted(own.items()))
        return _hash("class", name, *(self.of(f) for f in functions if isinstance(f, types.FunctionType)))

    def _instance(self, obj: Any) -> bytes:
        """One of a class of the user's by its parts, because the pickle of the class depends on what came before."""
        try:
            if _is_installed(type(obj).__module__):
                return _hash("object", *(hashlib.sha256(part).digest() for part in dumps(obj).parts))
            made = obj.__reduce_ex__(4)
            if isinstance(made, tuple):
                items = [list(part) if isinstance(part, Iterator) else part for part in made]
                return _hash("instance", self.of(type(obj)), *map(self.of, items))
            return _hash("name", made.encode())
        except RecursionError:
            raise
        except Exception:  # what cannot be pickled is refused elsewhere, if it travels at all
            return _hash("object", f"{type(obj).__module__}.{type(obj).__qualname__}".encode())


def _is_installed(module: str | None) -> bool:
    """Whether what is defined there is the same wherever it is imported. What came by value has no module here."""
    return module in sys.modules and module != "__main__" and is_local(module or "") is None
