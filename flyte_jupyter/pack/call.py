"""A call as payloads: the task's closure, which many calls share, and the inputs of one call."""

from __future__ import annotations

import hashlib
import inspect
import linecache
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..config.image.index_url import hide
from ..credentials.needs import Needs, needs_of
from ..errors import ConfigError
from ..task import Task
from . import inline
from .capture import explain
from .codec import Pickled, dumps, loads
from .envelope import Envelope, PayloadError, header_of, seal, unseal
from .image import prepared
from .suspects import check, without_known
from .written import places

if TYPE_CHECKING:
    from ..config.image.image import Image
    from ..config.image.recipe import Recipe

_MAX_SOURCES = 1024 * 1024


@dataclass(frozen=True)
class Sealed:
    """A payload that is ready for the store.

    Attributes:
        payload: its bytes, in pieces; digest: of what was pickled, the same for the same.
        referenced: top-level names of the modules that the task's process will import.
        needs: the secrets of the task, and of those that it can call.
        image: digest of the recipe of the task's image, None for none; recipes: of this and of other images in it.
        calls: whether it reaches tasks that it can call.
        images: of the task and of those that it can call, by their keys; include: the files that they want beside them.
    """

    payload: list[bytes | memoryview]
    digest: str
    referenced: frozenset[str]
    needs: Needs = frozenset()
    image: str | None = None
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    calls: bool = False
    images: Mapping[str, Image | Literal["auto"]] = field(default_factory=dict)
    include: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Packed:
    """The inputs of a call that are not signed yet: for which pod they are is known later, because children are named
    after them.

    Attributes:
        parts: the pickle and its buffers; digest: of them; code: digest of the task's code.
        referenced: top-level names of the modules that the task's process will import.
        needs: the secrets of tasks among them; images: theirs, by their keys.
        kept: what is to be told of the result when it is kept for later calls.
        calls: whether there are tasks among them; include: the files that these want beside them.
    """

    parts: list[bytes | memoryview]
    digest: str
    code: str
    referenced: frozenset[str]
    needs: Needs = frozenset()
    kept: Mapping[str, Any] = field(default_factory=dict)
    calls: bool = False
    images: Mapping[str, Image | Literal["auto"]] = field(default_factory=dict)
    include: frozenset[str] = frozenset()


def seal_code(key: bytes, task: Task[..., Any]) -> Sealed:
    """Pickle and sign a task with all that it captures.

    Raises:
        CaptureError: something in it cannot go, or looks like a credential; it is named with its path.
        ConfigValueError: a file that an image names is missing, or the image has another Python.
    """
    try:
        code = dumps(task, note=Task)
    except ConfigError as error:
        raise error.with_traceback(None) from None  # the frames of the pickler say nothing
    except Exception as error:
        raise explain(task.short_name or task.name, task, error) from None
    check(task.name, code.functions)
    digest = _digest(code)
    written = {"sources": _sources(code.files), "tasks": places(code.noted)}
    header = {"kind": "code", "digest": digest, "task": task.name, **written}
    needs = needs_of(code.noted)
    image, recipes = _image(task)
    payload, calls = seal(key, header, code.parts), len(code.noted) > 1 or _calls_itself(task)
    found = {**code.recipes, **recipes}
    return Sealed(
        payload, digest, code.referenced, needs, image, found, calls, _images(code.noted), _include(code.noted)
    )


def _images(tasks: Iterable[Task[..., Any]]) -> dict[str, Image | Literal["auto"]]:
    """What tasks run in, by key."""
    images = {task.spec.image for task in tasks}
    return {image if isinstance(image, str) else image.key: image for image in images}


def _include(tasks: Iterable[Task[..., Any]]) -> frozenset[str]:
    return frozenset(path for task in tasks for path in task.spec.include)


def _calls_itself(task: Task[..., Any]) -> bool:
    """A pickle has the task once, however often it is met."""
    function = inspect.unwrap(task.func)
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    return any(function.__globals__.get(name) is task for name in names)


def _image(task: Task[..., Any]) -> tuple[str | None, dict[str, Recipe]]:
    """What the task runs in, and what that comes to, as far as it is not in the store already."""
    given = task.spec.image
    if given == "auto":
        return None, {}
    image, recipe = prepared(given)
    return image.recipe or None, {recipe.digest: recipe} if recipe is not None else {}


def pack_inputs(
    task: Task[..., Any], code: str, inputs: Mapping[str, Any], kept: Mapping[str, Any] | None = None
) -> Packed:
    """Pickle the inputs of one call; `code` is the digest of the task's, `kept` plain data.

    Raises:
        CaptureError: one of them cannot go; it is named with its path.
        ConfigValueError: one of them is a task whose image cannot be used.
        InlineIOMaxBytesBreached: they are larger than `max_inline_io_bytes`.
    """
    try:
        given = dumps(dict(inputs), note=Task)
    except ConfigError as error:
        raise error.with_traceback(None) from None
    except Exception as error:
        raise explain(f"{task.short_name or task.name} → input", dict(inputs), error) from None
    inline.check(task.name, "input", inputs, given, task.max_inline_io_bytes)
    needs, calls = needs_of(given.noted), bool(given.noted)
    images = _images(given.noted)
    include = _include(given.noted)
    return Packed(given.parts, _digest(given), code, given.referenced, needs, kept or {}, calls, images, include)


def seal_inputs(key: bytes, given: Packed, *, name: str) -> list[bytes | memoryview]:
    """Sign the inputs of the call of a pod; they can be opened as that and nothing else."""
    return seal(key, {"kind": "inputs", "name": name, "code": given.code, "kept": dict(given.kept)}, given.parts)


def seal_for_trigger(key: bytes, given: Packed, *, template: str) -> list[bytes | memoryview]:
    """Sign the inputs of a trigger's runs, of which none exists yet: for a place that is no run's."""
    return seal(key, {"kind": "trigger", "name": template, "code": given.code, "kept": dict(given.kept)}, given.parts)


def reseal_inputs(key: bytes, data: memoryview, *, template: str, name: str) -> list[bytes | memoryview]:
    """Sign the inputs of a trigger for the pod of one of its runs, once they are verified; nothing is unpickled.

    Raises:
        PayloadError: they are damaged, or those of something else.
    """
    envelope = unseal_for_trigger(key, data, template=template)
    told = {part: envelope.header[part] for part in ("code", "kept")}
    return seal(key, {"kind": "inputs", "name": name, **told}, envelope.parts)


def unseal_for_trigger(key: bytes, data: memoryview, *, template: str) -> Envelope:
    """Verify the inputs of a trigger. Raises `PayloadError`."""
    return unseal(key, data, what="payload of the trigger", is_for={"kind": "trigger", "name": template})


def unseal_inputs(key: bytes, data: memoryview, *, name: str) -> Envelope:
    """Verify the inputs of a pod's call: "code" and "kept" as in `Packed`, and the parts, to unpickle once the code is
    there.
    """
    return unseal(key, data, what=f"call of {name}", is_for={"kind": "inputs", "name": name})


def code_of(data: memoryview) -> str:
    """The digest of the code of a call, of its sealed inputs, for those who pass both on. Raises `PayloadError`."""
    digest = header_of(data).get("code")
    if not isinstance(digest, str):
        raise PayloadError(
            "PayloadDamaged", "The inputs of the call are damaged: they do not say of which task they are."
        )
    return digest


def unseal_code(key: bytes, data: memoryview, *, digest: str) -> Task[..., Any]:
    """Verify and unpickle a task; its source lines come with it, for tracebacks and `inspect`.

    Args:
        digest: by which it was fetched; the signed one must be the same.
    """
    envelope = unseal(key, data, what="task's code", is_for={"kind": "code", "digest": digest})
    for name, text in envelope.header["sources"].items():
        # no modification time: linecache then never looks for a file
        there = linecache.cache.get(name)
        if there is None or (len(there) == 4 and there[1] is None):  # else it is of a file that is at hand here
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    task: Task[..., Any] = loads(envelope.parts)
    return task


def _digest(pickled: Pickled) -> str:
    digest = hashlib.sha256()
    for part in pickled.parts:
        digest.update(part)
    return digest.hexdigest()


def _sources(files: frozenset[str]) -> dict[str, str]:
    sources: dict[str, str] = {}
    room = _MAX_SOURCES
    for name in sorted(files):
        text = hide("".join(linecache.getlines(name)))
        if text and len(text) <= room:
            sources[name] = without_known(text)
            room -= len(text)
    return sources
