"""Results that are kept for later calls: where they lie, what is told of them, and which go first.

A result is three blobs: the payload, what is told of it (JSON), and when it was used.  Nothing here is written over on
the way of a call, because file systems take milliseconds for that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import Store, keys

_ABOUT = ".json"
_USE = ".use"
_NOTED_AFTER = 600.0
"""Seconds after which it is written down again that a result is used."""
_STRAY = 3600.0
"""Seconds after which what belongs to no result is known to be left over from a writer that has died."""


@dataclass(frozen=True)
class Use:
    """When a result was made and (within some minutes) last used, in seconds since the epoch; and its size in bytes."""

    created: float
    used: float
    size: int


@dataclass(frozen=True)
class Kept:
    """One result that is kept.

    Attributes:
        key: where it is.
        about: what is told of it: "task", "run", "action", "created", "said", ...; {} when that cannot be read.
    """

    key: str
    use: Use
    about: Mapping[str, Any]


def keep(store: Store, key: str, result: str, size: int, about: Mapping[str, Any]) -> None:
    """Keep a result that lies at the key `result`; `about` has at least "task" and "created"."""
    task, created = about["task"], float(about["created"])
    store.put(key + _ABOUT, [json.dumps(about, separators=(",", ":")).encode()])
    _put_use(store, key, Use(created, created, size))
    store.copy(result, key)  # last: what is there is told of
    folder, name = keys.newest(task), f"{int(created * 1e6):016x}.{'.'.join(key.split('/')[-2:])}"
    store.put(folder + name, [])
    for other in store.list(folder):
        if other < name:
            store.delete(folder + other)


def note_use(store: Store, key: str, now: float) -> None:
    """It was used: it is kept for longer."""
    before = _use(store, key)
    if before is not None and now - before.used > _NOTED_AFTER:
        _put_use(store, key, Use(before.created, now, before.size))


def last_for(store: Store, task: str, inputs: str) -> dict[str, Any] | None:
    """What is told of the last result for the same inputs, whatever the version of the code."""
    folder = keys.cached_for(task, inputs)
    told = [_about(store, folder + name.removesuffix(_ABOUT)) for name in store.list(folder) if name.endswith(_ABOUT)]
    return max((each for each in told if each is not None), key=lambda each: float(each["created"]), default=None)


def last_of(store: Store, task: str) -> dict[str, Any] | None:
    """What is told of the last result of a task."""
    for name in reversed(store.list(keys.newest(task))):
        _, inputs, version = name.split(".")
        found = _about(store, keys.cached(task, inputs, version))
        if found is not None:
            return found
    return None


def kept(store: Store, task: str | None = None) -> Iterator[Kept]:
    """All that is kept, of a task or of all."""
    for key, use in _entries(store, task):
        yield Kept(key, use, _about(store, key) or {})


def remove(store: Store, key: str) -> None:
    """Forget a result."""
    for name in (key, key + _USE, key + _ABOUT):  # first what counts
        store.delete(name)


def clear(store: Store, task: str | None = None) -> int:
    """Forget all results of a task, or of all tasks; how many there were."""
    found = [key for key, _ in _entries(store, task)]
    for key in found:
        remove(store, key)
    return len(found)


def prune(store: Store, *, most_bytes: int, most_age: float, now: float) -> int:
    """Forget what was not used for `most_age` seconds, and what does not fit into `most_bytes` beside what was used
    later; and what writers that have died left over.

    Returns:
        How many results were forgotten.
    """
    found = sorted(_entries(store), key=lambda entry: entry[1].used, reverse=True)
    room, forgotten = most_bytes, 0
    for key, use in found:
        if use.size > room or now - use.used > most_age:
            remove(store, key)
            forgotten += 1
        else:
            room -= use.size
    for key in _strays(store, now):
        remove(store, key)
    return forgotten


def _folders(store: Store, task: str | None = None) -> Iterator[str]:
    """Those of results, below the folders of the tasks."""
    tasks = [keys.cached_of(task)] if task is not None else [f"{keys.CACHE}{name}/" for name in store.list(keys.CACHE)]
    yield from (f"{each}{name}/" for each in tasks for name in store.list(each) if name != "newest")


def _entries(store: Store, task: str | None = None) -> Iterator[tuple[str, Use]]:
    for folder in _folders(store, task):
        for name in store.list(folder):
            if "." not in name:
                yield folder + name, _use(store, folder + name) or Use(0.0, 0.0, 0)


def _strays(store: Store, now: float) -> Iterator[str]:
    for folder in _folders(store):
        names = set(store.list(folder))
        for name in {name.partition(".")[0] for name in names} - names:
            about = _about(store, folder + name)
            if about is None or now - float(about["created"]) > _STRAY:
                yield folder + name


def _about(store: Store, key: str) -> dict[str, Any] | None:
    try:
        told = json.loads(bytes(store.get(key + _ABOUT)))
    except (KeyError, ValueError):
        return None
    is_right = isinstance(told, dict) and isinstance(told.get("created"), (int, float))
    return told if is_right else None


def _use(store: Store, key: str) -> Use | None:
    try:
        return Use(*json.loads(bytes(store.get(key + _USE))))
    except (KeyError, ValueError, TypeError):
        return None


def _put_use(store: Store, key: str, use: Use) -> None:
    store.put(key + _USE, [json.dumps([use.created, use.used, use.size]).encode()])
