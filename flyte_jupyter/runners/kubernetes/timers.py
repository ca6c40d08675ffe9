"""What has to be looked at later: one thread for all, however many there are."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Due(NamedTuple):
    """It is time to look at an action again: it may have waited too long, or stand elsewhere in its queue."""

    job: str


class Timers:
    """Puts something when its time has come; nothing any more after `close`.

    Args:
        put: is called with it, on a thread of its own.
    """

    def __init__(self, put: Callable[[Any], None]) -> None:
        self._put = put
        self._due: list[tuple[float, int, Any]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Timers [{len(self._due)} to come]>"

    def at(self, when: float, what: Any) -> None:
        """Put something then, in seconds since the epoch."""
        with self._changed:
            heapq.heappush(self._due, (when, next(self._order), what))
            if self._thread is None:
                self._thread = threading.Thread(target=self._wait, name="flyte-timers", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _wait(self) -> None:
        with self._changed:
            while not self._is_closed:
                now = time.time()
                if self._due and self._due[0][0] <= now:
                    self._put(heapq.heappop(self._due)[2])
                else:
                    self._changed.wait(self._due[0][0] - now if self._due else None)
