"""Objects to bytes and back: cloudpickle, protocol 5, large buffers beside the pickle instead of in it."""

from __future__ import annotations

import functools
import inspect
import io
import pickle
import threading
import types
import typing
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cloudpickle
from cloudpickle import cloudpickle as internals

from .bytecode import facts
from .modules import is_installed, is_local

if TYPE_CHECKING:
    from ..config.image.recipe import Recipe

_IMAGES = "flyte_jupyter.config.image.image"
"""Loaded only where images are used."""
_TEMPLATES = "flyte_jupyter.config.values.pod_template"
_OUT_OF_BAND = 16 * 1024
"""Smaller buffers are cheaper inside the pickle."""

_ids = internals._DYNAMIC_CLASS_TRACKER_BY_CLASS
"""The ids by which classes that came or went by value are known again."""
_registry_lock = threading.RLock()
"""cloudpickle's list of modules to pickle by value is one per process."""


def _new_type(it: Any) -> Any:
    """By name where it is installed, else by what it is made of."""
    if is_installed(it.__module__):
        return it.__qualname__
    return (
        typing.NewType,
        (it.__name__, it.__supertype__),
        {"__module__": it.__module__, "__qualname__": it.__qualname__},
    )


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Sends functions, classes and modules of the notebook and of files beside it by value.

    Attributes:
        referenced: top-level names of the modules that the other side has to import.
        files: where the functions that travel were written.
        recipes: what images that travel come to, by digest.
        functions, classes: those that travel by value; noted: the instances of the class `note` that were met.
    """

    dispatch_table = cloudpickle.Pickler.dispatch_table.new_child(
        {
            functools.cached_property: lambda it: (functools.cached_property, (it.func,), {"attrname": it.attrname}),
            typing.NewType: _new_type,
            weakref.WeakKeyDictionary: lambda it: (weakref.WeakKeyDictionary, (dict(it),)),  # `singledispatch` has one
        }
    )

    def __init__(
        self,
        file: io.BytesIO,
        buffer_callback: Callable[[pickle.PickleBuffer], Any] | None,
        note: type | tuple[()] = (),
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffer_callback)
        self._note = note
        self.noted: list[Any] = []
        self.functions: list[types.FunctionType] = []
        self.referenced: set[str] = set()
        self.files: set[str] = set()
        self.recipes: dict[str, Recipe] = {}
        self.classes: list[type] = []
        self.registered: list[types.ModuleType] = []

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, types.ModuleType):
            self._meet(obj.__name__)
        elif isinstance(obj, types.FunctionType):
            if self._meet(obj.__module__):
                self.functions.append(obj)
                self.files.add(obj.__code__.co_filename)
                _know_class_bodies(obj.__code__)
        elif type(obj) is functools._lru_cache_wrapper:
            if self._meet(obj.__module__):  # pickle would look it up by its name, there
                return _remembering, (obj.__wrapped__, *obj.cache_parameters().values())
        elif isinstance(obj, type):
            if self._meet(obj.__module__):
                self.classes.append(obj)
        elif type(obj).__module__ == _IMAGES:
            return self._image(obj)
        elif type(obj).__module__ == _TEMPLATES:
            from ..config.values.pod_template import with_plain_spec

            return with_plain_spec(obj).__reduce_ex__(self.proto)
        elif isinstance(obj, self._note):
            self.noted.append(obj)
        return super().reducer_override(obj)

    def _image(self, image: Any) -> Any:
        """An image goes with what it comes to here: its files may not be there where it is used."""
        from .image import prepared

        travels, recipe = prepared(image)
        if recipe is not None:
            self.recipes[recipe.digest] = recipe
        return travels.__reduce__()

    def _meet(self, name: str | None) -> bool:
        """Whether what is defined in that module travels by value; makes it so."""
        if not name or name == "__main__":
            return True
        module = is_local(name)
        if module is None:
            self.referenced.add(name.partition(".")[0])
            return False
        if module.__name__ not in internals.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(module)
            self.registered.append(module)
        return True


def _remembering(func: Callable[..., Any], maxsize: int | None, typed: bool) -> Callable[..., Any]:
    return functools.lru_cache(maxsize, typed)(func)


def _know_class_bodies(code: types.CodeType) -> None:
    """Tell cloudpickle of the globals that classes inside a function read: it does not look at how they do."""
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            if not inner.co_flags & inspect.CO_OPTIMIZED:
                internals._extract_code_globals_cache[inner] = dict.fromkeys(facts(inner).names)
            _know_class_bodies(inner)


@dataclass(frozen=True)
class Pickled:
    """An object as bytes.

    Attributes:
        parts: the pickle, then its large buffers, not copied.
        referenced: top-level names of the modules that the other side has to import.
        files: where the functions in it were written.
        recipes: what images in it come to, by digest.
        classes: those that are defined in it, by the id under which unpickling knows them.
        functions: those that are in it by value; noted: the objects in it that were asked for.
    """

    parts: list[bytes | memoryview]
    referenced: frozenset[str]
    files: frozenset[str]
    recipes: Mapping[str, Recipe]
    classes: Mapping[str, type]
    functions: list[types.FunctionType]
    noted: list[Any]


def dumps(obj: Any, *, note: type | tuple[()] = ()) -> Pickled:
    """Pickle an object. Raises what cloudpickle raises; `explain` in `capture.py` says what was in the way.

    Args:
        note: a class whose instances are wanted in `noted`.
    """
    buffers: list[bytes | memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _OUT_OF_BAND:
            return True
        buffers.append(raw)
        return False

    file = io.BytesIO()
    with _registry_lock:
        pickler = Pickler(file, keep, note)
        try:
            pickler.dump(obj)
        finally:
            for module in pickler.registered:
                cloudpickle.unregister_pickle_by_value(module)
    return Pickled(
        [file.getvalue(), *buffers],
        frozenset(pickler.referenced),
        frozenset(pickler.files),
        pickler.recipes,
        {_ids[cls]: cls for cls in pickler.classes if cls in _ids},
        pickler.functions,
        pickler.noted,
    )


def loads(parts: Sequence[bytes | memoryview]) -> Any:
    """The object of `dumps`; its arrays use the parts' memory. Only for parts whose signature was checked."""
    return _Unpickler(io.BytesIO(parts[0]), buffers=parts[1:]).load()


_TRACKER_ARGUMENT = {"_make_skeleton_class": 4, "_make_skeleton_enum": 5}
"""Which argument of cloudpickle's makers of classes is the id by which the class is known."""


class _Unpickler(pickle.Unpickler):
    """Leaves classes alone that this process already has.

    cloudpickle finds such a class again, then sets all its attributes to unpickled copies: methods of a class of the
    notebook would silently be replaced when a result comes back.
    """

    def __init__(self, file: io.BytesIO, *, buffers: Sequence[bytes | memoryview]) -> None:
        super().__init__(file, buffers=buffers)
        self._own: set[type] = set()

    def find_class(self, module: str, name: str) -> Any:
        if module == "cloudpickle.cloudpickle":
            if name in _TRACKER_ARGUMENT:
                return self._remembering(getattr(internals, name), _TRACKER_ARGUMENT[name])
            if name == "_class_setstate":
                return self._set_class_state
        return super().find_class(module, name)

    def _remembering(self, make: Callable[..., type], tracker: int) -> Callable[..., type]:
        def find_or_make(*args: Any) -> type:
            known = internals._DYNAMIC_CLASS_TRACKER_BY_ID.get(args[tracker])
            if known is not None:
                self._own.add(known)
                return known  # type: ignore[no-any-return]  # cloudpickle has no types
            return make(*args)

        return find_or_make

    def _set_class_state(self, obj: type, state: Any) -> type:
        if obj in self._own:
            return obj
        return internals._class_setstate(obj, state)  # type: ignore[no-any-return]  # cloudpickle has no types
