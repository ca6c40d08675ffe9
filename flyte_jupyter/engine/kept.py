"""What is stored of an action that has ended: its outcome, and the events that tell of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..host.logs import parse
from ..pack.outcome import Outcome, unseal_outcome
from ..pods import Event, LogEvent, history_of, pod_name
from ..store import Store, keys
from ..vitals import from_bytes
from .action import LOG_TAIL

_AT_ONCE, _HELD = 16, 64
"""Actions that are read at a time, and that are held in memory with all that they have printed."""


def happened(store: Store, run: str, action: str) -> Iterator[Event]:
    """Its phases, and what each attempt has shown of itself; nothing while it is open."""
    try:
        history = history_of(store.get(keys.status(run, action)))
    except KeyError:
        return  # the watch tells
    yield from history
    for number in range(history[-1].attempt + 1):
        with contextlib.suppress(KeyError):  # it showed nothing
            yield from_bytes(store.get(keys.vitals(run, action, number)))


def events(store: Store, run: str, action: str) -> Iterator[Event]:
    """The same with the last lines that each attempt has printed, as many as a view shows."""
    last = -1
    for event in happened(store, run, action):
        yield event
        last = max(last, event.attempt)
    for number in range(last + 1):
        start, lines = tail(store, run, action, number, LOG_TAIL)
        if lines:
            yield LogEvent(run=run, action=action, attempt=number, start=start, lines=tuple(lines))


def events_of_all(store: Store, run: str, actions: Sequence[str]) -> Iterator[Event]:
    """The same of many actions, read several at a time: a bucket takes its time for each."""
    if len(actions) < 2:
        for action in actions:
            yield from events(store, run, action)
        return
    with ThreadPoolExecutor(_AT_ONCE, "flyte-jupyter-read") as pool:
        for at in range(0, len(actions), _HELD):
            for told in pool.map(lambda action: list(events(store, run, action)), actions[at : at + _HELD]):
                yield from told


def log(store: Store, run: str, action: str, attempt: int) -> list[tuple[float, str, str]]:
    """What an attempt has printed, as far as it is stored: (seconds since the epoch, stream, text)."""
    try:
        return parse(bytes(store.get(keys.log(run, action, attempt))))
    except KeyError:
        return []  # nothing


def tail(store: Store, run: str, action: str, attempt: int, most: int) -> tuple[int, list[tuple[float, str, str]]]:
    """The number of the first of its last lines, and these: reading all of a long log takes its time."""
    try:
        data = bytes(store.get(keys.log(run, action, attempt)))
    except KeyError:
        return 0, []
    at = len(data)
    for _ in range(most + 1):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            break
    return data.count(b"\n", 0, at + 1), parse(data[at + 1 :])


def outcome(store: Store, key: bytes, run: str, action: str) -> Outcome | None:
    """Its outcome, verified; None while there is none. Raises `PayloadError`."""
    try:
        data = store.get(keys.outcome(run, action))
    except KeyError:
        return None
    return unseal_outcome(key, data, worker=pod_name(run, action), kept=lambda: _kept(store, keys.kept(run, action)))


def _kept(store: Store, key: str) -> memoryview:
    try:
        return store.get(key)
    except KeyError:
        return memoryview(b"")  # which is damaged, whatever it was
