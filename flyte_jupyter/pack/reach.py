"""What a task or a value reaches: functions, classes, globals, modules and libraries, each with a digest of its own.

One walk serves two ends.  The digest of all says whether two tasks are the same, in any process: names of children and
keys of the cache are made of it.  The parts say what is different, when something is.

A part is told by its name where it is met, and entered once: the digest of `train` says that it calls `scale`, the
digest of `scale` what that does.  So one change changes one part, and whatever refers to itself comes to an end.
Libraries are parts with their version; what Python itself brings is not told.
"""

from __future__ import annotations

import functools
import hashlib
import json
import types
import typing
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ..annotations import describe
from ..interface import Interface
from ..task import Task
from . import libraries
from .bytecode import Chain, Facts, facts
from .canonical import SCALARS, joined, plain_items, scalar, unordered
from .classes import own_attributes, place_of
from .codec import Pickler
from .frames import content
from .modules import is_installed, is_standard, is_users
from .sources import Source, imported, told
from .surroundings import surroundings

_MISSING = object()
_NOT_TOLD = frozenset({"__main__", "cloudpickle", "flyte_jupyter"})
"""No libraries of the user's: nothing that a task computes changes with them."""


@dataclass(frozen=True)
class Part:
    """One thing that is reached.

    Attributes:
        digest: of the thing itself, without what it refers to; of a library its version.
        file, line: where it is defined, "" and 0 where that is not known.
    """

    digest: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Reach:
    """What something reaches.

    Attributes:
        own: digest of the thing itself.
        parts: by name: "function scale", "class Box", "global size", "closure n of train", "module model",
            "file model", "library numpy", "task env.child".
        unknown: what cannot be told, in words.
        is_sure: False when a class of its own way of being pickled was met: a second walk may give another digest.
    """

    own: str
    parts: Mapping[str, Part]
    unknown: tuple[str, ...] = ()
    is_sure: bool = True

    @functools.cached_property
    def digest(self) -> str:
        """Of all."""
        told = "\0".join(f"{name}\0{part.digest}" for name, part in sorted(self.parts.items()))
        return hashlib.sha256(f"{self.own}\0{told}".encode()).hexdigest()


def reach(obj: Any, *, configured: bool = False) -> Reach:
    """What a task, a function or a value reaches.

    Args:
        configured: whether the configuration of tasks counts too.

    Raises:
        RecursionError: it is nested too deep.
    """
    walk = _Walk(configured)
    own = _hex(walk.of(obj))
    walk.finish()
    return Reach(own, walk.parts, tuple(walk.unknown), walk.is_sure)


def identity(task: Task[..., Any], otherwise: str) -> str:
    """A digest of a task with its configuration; `otherwise` when it is nested too deep."""
    try:
        return reach(task, configured=True).digest
    except RecursionError:
        return otherwise


def _hex(told: bytes) -> str:
    return hashlib.sha256(told).hexdigest()[:32]


class _Walk:
    """One walk: `of` gives the bytes of a value, `finish` enters the parts that were met."""

    def __init__(self, configured: bool, above: Mapping[int, int] | None = None) -> None:
        self.parts: dict[str, Part] = {}
        self.unknown: list[str] = []
        self.is_sure = True
        self._configured = configured
        self._names: dict[Hashable, str] = {}  # of the parts met
        self._open: deque[tuple[str, Callable[[], Part]]] = deque()
        self._taken: set[str] = set()
        self._told: dict[int, bytes] = {}  # by id
        self._held: list[Any] = []  # so that no id is used again
        self._above: dict[int, int] = dict(
            above or {}
        )  # the values that the present one is in, by id, with their depth
        self._where = "the value"

    def finish(self) -> None:
        """Enter all parts that were met, and those that they meet."""
        while self._open:
            self._where, enter = self._open.popleft()
            self.parts[self._where] = enter()

    # --- values -------------------------------------------------------------------------------------------------------

    def of(self, obj: Any) -> bytes:
        """The bytes of a value; of a part a reference to it."""
        if type(obj) in SCALARS:
            return scalar(obj)
        key = id(obj)
        told = self._told.get(key)
        if told is not None:
            return told
        depth = len(self._above)
        if key in self._above:
            return joined("above", [scalar(depth - self._above[key])])
        self._above[key] = depth
        try:
            told = self._tell(obj)
        finally:
            del self._above[key]
        self._told[key] = told
        self._held.append(obj)
        return told

    def _tell(self, obj: Any) -> bytes:
        kind = type(obj)  # not isinstance: objects may say that they are of another class
        pieces = _PIECES.get(kind)
        if pieces is not None:
            return joined(kind.__name__, map(self.of, pieces(obj)))
        if kind in (list, tuple):
            return plain_items(kind.__name__, obj) or joined(kind.__name__, map(self.of, obj))
        if kind in (dict, types.MappingProxyType):
            return plain_items("dict", obj) or joined("dict", self._items(obj))
        if issubclass(kind, (set, frozenset)):
            items = unordered("items", map(self._alone, obj))
            return joined("set", (self.of(kind), items, self.of(getattr(obj, "__dict__", {}))))
        if kind is types.FunctionType:
            return self._function(obj)
        if kind is types.BuiltinFunctionType:
            return self._builtin(obj)
        for base, tell in ((type, self._class), (Task, self._task), (types.ModuleType, self._module)):
            if issubclass(kind, base):
                return tell(obj)
        if issubclass(kind, PurePath):
            return joined("path", (self.of(kind), scalar(str(obj))))
        if kind.__module__ == "flyte_jupyter.environment":
            return joined("environment", (obj.name.encode(),))
        return content(obj, self.of) or self._instance(obj)

    def _items(self, obj: Mapping[Any, Any]) -> Iterator[bytes]:
        return (joined("item", (self.of(key), self.of(value))) for key, value in obj.items())

    def _alone(self, item: Any) -> bytes:
        """An item of a set, told without what was met before, because sets have another order in every process."""
        if type(item) in SCALARS:
            return scalar(item)
        walk = _Walk(self._configured, self._above)
        own = _hex(walk.of(item))
        walk.finish()
        self.unknown += walk.unknown
        self.is_sure &= walk.is_sure
        return Reach(own, walk.parts).digest.encode()

    def _instance(self, obj: Any) -> bytes:
        """By what pickle would make it again of."""
        cls = type(obj)
        self.is_sure &= is_standard(str(cls.__module__))
        try:
            reduce = Pickler.dispatch_table.get(cls)
            made = reduce(obj) if reduce is not None else obj.__reduce_ex__(4)
        except RecursionError:
            raise
        except Exception:  # what cannot be pickled is refused elsewhere, if it travels at all
            self.unknown.append(f"{self._where} ({cls.__module__}.{cls.__qualname__})")
            return joined("unknown", [cls.__qualname__.encode()])
        if isinstance(made, str):
            return self._named("name", getattr(obj, "__module__", None) or cls.__module__, made)
        make, arguments, *rest = made
        state, items, pairs = (*rest[:3], None, None, None)[:3]
        return joined(
            "object",
            [
                self.of(make),
                self.of(arguments),
                self.of(state),
                self.of(list(items or ())),
                self.of(dict(pairs or ())),
            ],
        )

    # --- references ---------------------------------------------------------------------------------------------------

    def _task(self, task: Task[..., Any]) -> bytes:
        key = id(task) if self._configured else id(task.func)
        return self._part(("task", key), task, f"task {task.name}", lambda: self._enter_task(task))

    def _builtin(self, obj: Any) -> bytes:
        if obj.__self__ is None or isinstance(obj.__self__, types.ModuleType):
            return self._named("builtin", obj.__module__, obj.__qualname__)
        return joined("method", (self.of(obj.__self__), obj.__name__.encode()))

    def _named(self, kind: str, module: str | None, name: str) -> bytes:
        """What is installed: by its name and the version of what it comes with."""
        self._library(module or "")
        return joined(kind, (str(module).encode(), name.encode()))

    def _library(self, module: str) -> None:
        top = module.partition(".")[0]
        if top and not is_standard(top) and top not in _NOT_TOLD:
            self.parts[f"library {top}"] = Part(libraries.version(top))

    def _function(self, func: types.FunctionType) -> bytes:
        if is_installed(func.__module__):
            return self._named("function", func.__module__, func.__qualname__)
        return self._part(id(func), func, f"function {_qualified(func)}", lambda: self._enter_function(func))

    def _class(self, cls: type) -> bytes:
        if is_installed(cls.__module__):
            return self._named("class", cls.__module__, cls.__qualname__)
        return self._part(id(cls), cls, f"class {_qualified(cls)}", lambda: self._enter_class(cls))

    def _module(self, module: types.ModuleType) -> bytes:
        if not is_users(module):
            return self._named("module", module.__name__, "")
        return self._part(id(module), module, f"module {module.__name__}", lambda: self._enter_module(module))

    # --- parts --------------------------------------------------------------------------------------------------------

    def _part(self, key: Hashable, obj: Any, name: str, enter: Callable[[], Part]) -> bytes:
        """A reference to a part. Several of one name, as lambdas are, are told apart by numbers."""
        known = self._names.get(key)
        if known is None:
            known, number = name, 1
            while known in self._taken:
                number += 1
                known = f"{name} ({number})"
            self._taken.add(known)
            self._names[key] = known
            self._held.append(obj)
            self._open.append((known, enter))
        return joined("part", (known.encode(),))

    def _enter_task(self, task: Task[..., Any]) -> Part:
        told = [task.name.encode(), self.of(task.func), interface_text(task.interface).encode()]
        told.append(self.of(surroundings(task)))
        if type(task) is not Task:  # a plugin's: its hooks run with the function
            told += (self.of(type(task)), self.of(task.spec.plugin_config))
        if self._configured:  # links are objects of any kind, which do not change what the task does
            given = dict(task.spec.to_json(), links=None, plugin_config=None)
            told.append(json.dumps(given, sort_keys=True, default=lambda value: type(value).__qualname__).encode())
        return Part(_hex(joined("task", told)))

    def _enter_function(self, func: types.FunctionType) -> Part:
        known = facts(func.__code__)
        scope = func.__globals__
        bound = [name for name in sorted(known.names) if name in scope]
        own = (func.__qualname__, func.__doc__, _annotations(func), func.__defaults__, func.__kwdefaults__, vars(func))
        told = joined("function", (known.digest, *map(self.of, own), *map(scalar, bound)))
        for name in bound:
            self._global(scope, name, known.names[name])
        for name, cell in zip(func.__code__.co_freevars, func.__closure__ or (), strict=False):
            self._holds((id(func), name), cell, f"closure {name} of {_qualified(func)}", _content(cell))
        self._imports(known, str(scope.get("__package__") or ""))
        return Part(_hex(told), func.__code__.co_filename, func.__code__.co_firstlineno)

    def _enter_class(self, cls: type) -> Part:
        told = [cls.__qualname__.encode(), self.of(type(cls)), *map(self.of, cls.__bases__)]
        for name, value in own_attributes(cls):
            told += (scalar(name), self.of(value))
        return Part(_hex(joined("class", told)), *place_of(cls))

    def _enter_module(self, module: types.ModuleType) -> Part:
        names = sorted(name for name in vars(module) if name[:2] != "__")
        for name in names:
            self._global(vars(module), name, {()})
        return Part(_hex(joined("module", map(scalar, names))), getattr(module, "__file__", None) or "", 1)

    def _holds(self, key: Hashable, holder: Any, name: str, value: Any) -> None:
        if value is not _MISSING:
            self._part(key, holder, name, lambda: Part(_hex(self.of(value))))

    def _global(self, scope: dict[str, Any], name: str, chains: set[Chain]) -> None:
        """What a global stands for; of a module of the user's what is taken of it."""
        value = scope[name]
        if issubclass(type(value), types.ModuleType) and is_users(value):
            for chain in sorted(chains):
                self._taken_of(value, chain)
            return
        module = str(scope.get("__name__"))
        if _names_itself(value, module, name):
            self.of(value)
        else:
            shown = name if module == "__main__" else f"{module}.{name}"
            self._holds((id(scope), name), scope, f"global {shown}", value)

    def _taken_of(self, module: types.ModuleType, chain: Chain) -> None:
        if not chain or chain[0] not in vars(module):
            self._module(module)
            return
        self._global(vars(module), chain[0], {chain[1:]})

    def _imports(self, known: Facts, package: str) -> None:
        """What a function imports when it runs, in a fresh process: files as they are on the disk."""
        for source in imported(known.imports, package):
            if source.is_library:
                self._library(source.name)
            else:
                self._part(source, source, f"file {source.name}", functools.partial(self._enter_file, source))

    def _enter_file(self, source: Source) -> Part:
        digest, known = told(source)
        if known is not None:
            self._imports(known, source.package)
        return Part(digest, source.path, 1)


def interface_text(interface: Interface) -> str:
    """The names and types of inputs and outputs; in which order the inputs stand makes no difference."""
    inputs = sorted(f"{name}: {describe(given.annotation)}" for name, given in interface.inputs.items())
    outputs = [f"{output.name}: {describe(output.annotation)}" for output in interface.outputs]
    return f"({', '.join(inputs)}) -> ({', '.join(outputs)})"


def _annotations(func: types.FunctionType) -> Any:
    """They travel with the function, and programs read them: a description of a tool is made of them."""
    try:
        return func.__annotations__
    except Exception:  # Python 3.14 evaluates them here
        return None


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return _MISSING


def _qualified(obj: Any) -> str:
    module = obj.__module__
    return obj.__qualname__ if module in (None, "__main__") else f"{module}.{obj.__qualname__}"


def _names_itself(value: Any, module: str, name: str) -> bool:
    """Whether a global is what was defined under that name, so that one part is enough for both."""
    defined = value.func if issubclass(type(value), Task) else value
    is_definition = issubclass(type(defined), (types.FunctionType, type))
    return is_definition and (defined.__module__, defined.__qualname__) == (module, name)


_PIECES: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    bytearray: lambda obj: (bytes(obj),),
    memoryview: lambda obj: (bytes(obj),),
    types.CellType: lambda obj: () if _content(obj) is _MISSING else (_content(obj),),
    types.CodeType: lambda obj: (facts(obj).digest,),
    types.MethodType: lambda obj: (obj.__self__, obj.__func__),
    typing.TypeVar: lambda obj: (obj.__name__, obj.__bound__, obj.__constraints__),
    classmethod: lambda obj: (obj.__func__,),
    staticmethod: lambda obj: (obj.__func__,),
    property: lambda obj: (obj.fget, obj.fset, obj.fdel),
    functools.cached_property: lambda obj: (obj.func,),
    functools._lru_cache_wrapper: lambda obj: (obj.__wrapped__, *obj.cache_parameters().values()),
    weakref.ref: lambda _: (),
    weakref.WeakSet: lambda _: (),
    weakref.WeakKeyDictionary: lambda _: (),
    weakref.WeakValueDictionary: lambda _: (),
}
"""What stands for a value in which something else is, or which has no use to another process."""
