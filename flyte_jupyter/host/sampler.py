"""Looks once a second at what attempts use, as long as there are any that run longer than that."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..vitals import Sample
from .machine.use import Use, use_of
from .process.forks import Worker

_EVERY = 1.0
"""Seconds between two samples, and the age from which an attempt has any."""
_LEAST, _SHARE = 0.1, 100
"""Seconds until the next look at least, and how many times longer than a look: it may take a hundredth of a core."""


@dataclass(eq=False)
class _Watched:
    """An attempt.

    Attributes:
        last: what it had used at `since` (monotonic seconds); None when that is not known.
    """

    worker: Worker
    tell: Callable[[Sample], None]
    since: float
    last: Use | None


class Sampler:
    """One per Host. Without attempts it does nothing at all."""

    def __init__(self) -> None:
        self._watched: set[_Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        state = "looks" if self._timer is not None else "idle"
        return f"<Sampler [{len(self._watched)} attempts, {state}]>"

    @contextlib.contextmanager
    def watching(self, worker: Worker | None, tell: Callable[[Sample], None], *, is_new: bool) -> Iterator[None]:
        """Meanwhile, tell what the process and all that it has started use.

        Args:
            worker: None for one that several attempts share.
            is_new: whether it has done nothing else before.
        """
        if worker is None:
            yield
            return
        watched = _Watched(worker, tell, time.monotonic(), Use(0.0, 0) if is_new else None)
        self._watched.add(watched)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY, self._look)
        try:
            yield
        finally:
            self._watched.discard(watched)

    def _look(self) -> None:
        """Nothing is asked for again when nobody is left."""
        self._timer = None
        if not self._watched:
            return
        begin = time.monotonic()
        for watched in tuple(self._watched):
            if begin - watched.since > _EVERY - _LEAST:
                self._sample(watched)
        now = time.monotonic()
        due = min(watched.since for watched in self._watched) + _EVERY - now
        self._timer = asyncio.get_running_loop().call_later(max(due, _LEAST, _SHARE * (now - begin)), self._look)

    @staticmethod
    def _sample(watched: _Watched) -> None:
        worker = watched.worker
        now, used = time.monotonic(), use_of(worker.pid, worker.group.folders if worker.group is not None else {})
        if used is None:
            watched.since = now  # it is about to end
            return
        if watched.last is not None:
            cores = max(0.0, used.cpu - watched.last.cpu) / (now - watched.since)
            watched.tell(Sample(round(time.time(), 3), round(cores, 3), used.memory))
        watched.last, watched.since = used, now
