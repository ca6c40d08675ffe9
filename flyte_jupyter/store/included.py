"""Files that go along with a task into a cluster: `include` of its environment, from our folder to the same places.

Each is a blob of the store, and so is their list; a request has the digest of that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..config.image.files import Content, Ignored, Sources
from ..config.refusal import wrong_value
from ..errors import RuntimeSystemError
from . import Store, keys


def included(paths: Iterable[str], folder: Path) -> list[Content]:
    """The files, folders with all that is in them, but for credentials and what comes and goes by itself.

    Args:
        paths: relative to the folder.

    Raises:
        ConfigValueError: one is elsewhere, so that there is no such place in a pod, or cannot be read.
        MissingFileError: one is not there.
    """
    sources, found = Sources(), dict[str, Content]()
    for path in sorted(set(paths)):
        place = (folder / path).resolve()
        if not place.is_relative_to(folder.resolve()):
            raise wrong_value("include", path, f"a path below {folder}: a pod has no other folder of yours")
        to = place.relative_to(folder.resolve())
        files = sources.files(place, Ignored(), "include") if place.is_dir() else [("", place)]
        for below, file in files:
            name = (to / below).as_posix()
            found[name] = sources.file(name, file, "include")
    return list(found.values())


def listed(contents: Sequence[Content]) -> Content:
    """Their list, as a file among them."""
    return Content.of_text("", json.dumps([content.to_json() for content in contents]))


def list_of(store: Store, digest: str) -> list[Content]:
    """The files of a list. Raises `RuntimeSystemError` when it is not in the store, or is another one."""
    try:
        data = store.get(keys.file(digest))
    except KeyError:
        data = memoryview(b"")
    if hashlib.sha256(data).hexdigest() != digest:
        raise RuntimeSystemError(
            "FileDamaged", "The list of the files that go along is damaged in the store.\nRun it again."
        )
    return [Content.from_json(each) for each in json.loads(bytes(data))]
