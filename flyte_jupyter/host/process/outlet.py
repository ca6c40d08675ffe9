"""What an attempt tells the Host of itself while its task runs, once for all that is new within a fifth of a second."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ...bars import Bars
from ...credentials.mask import Mask
from ...pods import PodEvent
from ...report import Report

_EVERY = 0.2
"""Seconds between two messages."""
_REPORT_EVERY, _REPORT_SHARE = 1.0, 10
"""Seconds between two times that a report is written by itself, and how many times longer than the last time took."""


class Outlet:
    """One attempt's (`context.Outlet`).

    Args:
        name: of the task, for its report.
        send: takes messages to the Host; write: puts a report into the store.
        mask: takes the values of secrets out of both.

    Attributes:
        is_reported: whether the report is written by itself, and not only when the task says so.
    """

    def __init__(
        self, name: str, send: Callable[[dict[str, Any]], None], write: Callable[[bytes], None], mask: Mask
    ) -> None:
        self.bars = Bars()
        self.report = Report(name, self._report_changed)
        self.is_reported = False
        self._send = send
        self._write = write
        self._mask = mask
        self._told: list[dict[str, Any]] = []
        self._is_unwritten = False
        self._written: dict[str, Any] | None = None  # and not told yet
        self._write_after = 0.0
        self._timer: threading.Timer | None = None
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Outlet [{self.bars!r}, {self.report!r}]>"

    def changed(self) -> None:
        self._tell_in(_EVERY)

    def recalled(self, event: PodEvent) -> None:
        """Tell of the end of an action that the task has called, and that nobody runs."""
        with self._lock, contextlib.suppress(OSError):
            if os.getpid() == self._process and not self._is_closed:
                self._send({"op": "recalled", "event": event.to_json()})

    def flush(self) -> None:
        # not from a process that the task has forked: it has only a copy of this
        if os.getpid() == self._process and self.report.has_content():
            with self._lock:
                self._put()
            self.changed()

    def close(self) -> None:
        """Tell what is left, and write the report; nothing is told after that."""
        if os.getpid() != self._process:
            return
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._write_after = 0.0
            self._tell()
            self._is_closed = True

    def _report_changed(self) -> None:
        self._is_unwritten = True
        if self.is_reported:
            self.changed()

    def _tell_in(self, seconds: float) -> None:
        if self._timer is None and os.getpid() == self._process and not self._is_closed:
            self._timer = threading.Timer(seconds, self._tell)
            self._timer.daemon = True
            try:
                self._timer.start()
            except (
                RuntimeError
            ):  # no memory for a thread, or the interpreter is ending: told the next time, or at the end
                self._timer = None

    def _tell(self) -> None:
        self._timer = None  # first: what comes from here on is told the next time
        with self._lock:
            if self._is_closed:
                return
            wait = self._write_after - time.monotonic()
            if self.is_reported and self._is_unwritten and wait <= 0 and self.report.has_content():
                self._put()
            elif self.is_reported and self._is_unwritten and wait > 0:
                self._tell_in(wait)
            with contextlib.suppress(OSError):  # the Host is gone, or the task has closed what it does not know
                self._tell_news()

    def _tell_news(self) -> None:
        bars: list[dict[str, Any]] = self._mask.within(self.bars.to_json())
        news = {"bars": bars} if bars != self._told else {}
        if self._written is not None:
            news["report"] = self._written  # type: ignore[assignment]  # a message is JSON
        if news:
            self._told, self._written = bars, None
            self._send({"op": "shows", **news})

    def _put(self) -> None:
        begin = time.monotonic()
        self._is_unwritten = False
        tabs: dict[str, str] = self._mask.within(self.report.html_of_tabs())
        data = json.dumps({"name": self.report.name, "tabs": tabs}, ensure_ascii=False).encode("utf-8", "replace")
        try:
            self._write(data)
            self._written = {"tabs": list(tabs), "size": len(data)}
        except Exception as error:  # no failure of the task
            sys.stderr.write(f"flyte_jupyter: the report of {self.report.name} could not be written: {error}\n")
        end = time.monotonic()
        self._write_after = end + max(_REPORT_EVERY, _REPORT_SHARE * (end - begin))
