"""Results that are kept for later calls, as far as the Host has to do with them; and how actions have ended."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from ..config.values.duration import rough_duration
from ..config.values.quantity import parse_bytes
from ..errors import ConfigError
from ..pack.envelope import Envelope, PayloadError
from ..pack.outcome import seal_again, seal_failure, unseal_kept
from ..pods import PodEvent, PodRequest, history_as_bytes, history_of, pod_name
from ..store import Store, cached, keys, open_store

SIZE_VARIABLE = "FLYTE_JUPYTER_CACHE_SIZE"
DAYS_VARIABLE = "FLYTE_JUPYTER_CACHE_DAYS"
_SIZE = 10 << 30
_DAYS = 30.0
_OFTEN = 600.0
"""Seconds between two looks at what is kept, unless a great deal has come."""


def recall(key: bytes, request: PodRequest) -> str | None:
    """Leave what is stored, as another pod may have computed it meanwhile, as the outcome of this one.

    Returns:
        Where it is from, for people; None when there is nothing new enough.
    """
    store = open_store(request.store)
    try:
        found = unseal_kept(key, store.get(request.cache_key), entry=request.cache_key)
    except (KeyError, PayloadError):
        return None
    about = found.header["about"]
    if request.cache_since is None or about["created"] < request.cache_since:
        return None
    now = time.time()
    leave(store, key, request, found, now)
    return f"stored {rough_duration(max(0.0, now - about['created']))} ago by run {about['run']}"


def leave(store: Store, key: bytes, pod: PodRequest, found: Envelope, now: float) -> None:
    """Leave a result that was kept as the outcome of a pod, which does not run; and note that it is used."""
    store.copy(pod.cache_key, keys.kept(pod.run, pod.action))
    store.put(keys.outcome(pod.run, pod.action), seal_again(key, found.header, name=pod.name))
    cached.note_use(store, pod.cache_key, now)


def ended(store: Store, run: str, action: str) -> list[PodEvent] | None:
    """What is stored of an action that has ended, the end last; None when it has not."""
    try:
        history = history_of(store.get(keys.status(run, action)))
    except KeyError:
        return None
    return history if history[-1].phase.is_terminal else None


def end(store: Store, key: bytes, event: PodEvent) -> None:
    """Write down the end of an action that no Host knows of, unless a Host has done so."""
    run, action = event.run, event.action
    if event.failure is not None:
        payload = seal_failure(key, event.failure, name=pod_name(run, action))
        store.put_if_absent(keys.outcome(run, action), payload)
    store.put_if_absent(keys.status(run, action), [history_as_bytes([event])])


@dataclass(frozen=True)
class Bounds:
    """How much is kept: bytes in all, and seconds since a result was last used."""

    size: int = _SIZE
    age: float = _DAYS * 86400.0

    @classmethod
    def given(cls) -> Bounds:
        """As the environment says: `$FLYTE_JUPYTER_CACHE_SIZE` ("10Gi") and `$FLYTE_JUPYTER_CACHE_DAYS`."""
        size, days = _SIZE, _DAYS
        try:
            size = parse_bytes(os.environ.get(SIZE_VARIABLE) or str(_SIZE), SIZE_VARIABLE)
            days = float(os.environ.get(DAYS_VARIABLE) or _DAYS)
        except (ConfigError, ValueError) as error:
            print(f"host: the bounds of the cache are not used: {error}", file=sys.stderr)  # noqa: T201 - its log
        return cls(size, days * 86400.0)


class Pruning:
    """Forgets results beside everything else, in a thread of its own, when many have come or some time is over."""

    def __init__(self, store: str, bounds: Bounds) -> None:
        self._store = store
        self._bounds = bounds
        self._new = 0
        self._next = 0.0
        self._thread: threading.Thread | None = None

    def came(self, size: int) -> None:
        """A result of so many bytes is kept now, or, when it is 0, nothing."""
        self._new += size
        is_free = self._thread is None or not self._thread.is_alive()
        if size and is_free and (self._new > self._bounds.size // 10 or time.monotonic() >= self._next):
            self._new, self._next = 0, time.monotonic() + _OFTEN
            self._thread = threading.Thread(target=self._prune, name="flyte-jupyter-prune", daemon=True)
            self._thread.start()

    def _prune(self) -> None:
        store: Store = open_store(self._store)
        try:
            cached.prune(store, most_bytes=self._bounds.size, most_age=self._bounds.age, now=time.time())
        except Exception:  # the next time, perhaps; what is kept does no harm
            traceback.print_exc()
