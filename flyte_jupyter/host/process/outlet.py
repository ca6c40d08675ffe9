"""What an attempt tells the Host of itself while its task runs, once for all that is new within a fifth of a second."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any

from ...bars import Bars
from ...credentials.mask import Mask

_EVERY = 0.2
"""Seconds between two messages."""


class Outlet:
    """One attempt's (`context.Outlet`).

    Args:
        send: takes messages to the Host; mask: takes the values of secrets out of them.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None], mask: Mask) -> None:
        self.bars = Bars()
        self._send = send
        self._mask = mask
        self._told: list[dict[str, Any]] = []
        self._timer: threading.Timer | None = None
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Outlet [{self.bars!r}]>"

    def changed(self) -> None:
        # not from a process that the task has forked: it has only a copy of this
        if self._timer is None and os.getpid() == self._process and not self._is_closed:
            self._timer = threading.Timer(_EVERY, self._tell)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Tell what is left; nothing is told after that."""
        if os.getpid() != self._process:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._tell()
        with self._lock:
            self._is_closed = True

    def _tell(self) -> None:
        self._timer = None  # first: what comes from here on is told the next time
        with self._lock, contextlib.suppress(OSError):  # the Host is gone, or the task has closed what it does not know
            bars: list[dict[str, Any]] = self._mask.within(self.bars.to_json())
            if bars != self._told and not self._is_closed:
                self._told = bars
                self._send({"op": "shows", "bars": bars})
