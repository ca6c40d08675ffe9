"""What the index lacks, read from the store beside everything else, the newest runs first."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...engine.journal import Journal
from ...errors import StoreError
from ...store import Store
from ..shapes.actions import ActionRow
from ..shapes.runs import RunSummary
from .moved import Moved
from .open_runs import OpenRun, read, recall
from .summaries import row, summary

_FIRST, _AT_ONCE = 100, 200
"""Runs that are put into the index together: at first, and later."""
_LONG, _BREATH = 0.2, 0.01
"""Seconds after which those that were read so far are put into it; and in which others get their turn then."""
_log = logging.getLogger("flyte_jupyter")


class Past:
    """Fills the index, on a thread that lives as long as it lacks something.

    Args:
        store: of this machine; journal: the index; moved: the notebooks that were renamed.
        is_open: called with the record of a run that has not ended, as far as the store knows.
        is_ended: called with summaries of runs that have, when they are in the index.

    Attributes:
        unwritten: runs without a record, which somebody is still writing or has left like that; to be taken from there.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        moved: Moved,
        is_open: Callable[[dict[str, Any]], None],
        is_ended: Callable[[list[RunSummary]], None],
    ) -> None:
        self._store, self._journal, self._moved = store, journal, moved
        self._is_open, self._is_ended = is_open, is_ended
        self.unwritten: deque[str] = deque()
        self._wanted: set[str] = set()
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._first = threading.Event()

    def __repr__(self) -> str:
        return f"<Past [{len(self._wanted)} runs to be read]>"

    def add(self, runs: Iterable[str]) -> None:
        """Read these, too."""
        with self._lock:
            self._wanted.update(runs)
            if not self._wanted:
                self._first.set()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._fill, name="flyte-jupyter-journal", daemon=True)
                self._thread.start()

    def now(self, record: Mapping[str, Any]) -> tuple[RunSummary, list[ActionRow]]:
        """Read one that the index lacks at once, for somebody who waits; the next one finds it there."""
        name = record["run"]
        with self._reading:
            known: Any = self._journal.get(name)
            actions: Any = self._journal.actions(name)
            if known is not None and actions is not None:
                return known, actions
            run = OpenRun.of(record)
            recall(self._store, run)
            made, actions = self._moved.now(summary(record, run.state)), rows(run)
            if run.has_ended:
                try:
                    self._put([made], {name: actions})
                except StoreError:  # a full disk, say; who asks hears it all the same
                    _log.exception("The index of runs was not written.")
            return made, actions

    def wait(self, seconds: float) -> None:
        """Wait until the newest runs are in the index, so long at most."""
        self._first.wait(seconds)

    def close(self) -> None:
        """Leave the rest for the next time."""
        self._closed.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(5.0)

    def _fill(self) -> None:
        number = _FIRST
        while names := self._next(number):
            try:
                for part in self._parts(names):
                    summaries = [self._moved.now(summary(run.record, run.state)) for run in part]
                    self._put(summaries, {run.record["run"]: rows(run) for run in part})
                    self._closed.wait(_BREATH)
            except Exception:  # of these alone; the next server reads them again
                _log.exception("Some runs are not listed.")
            self._first.set()
            number = _AT_ONCE
            if self._closed.is_set():
                return

    def _next(self, number: int) -> list[str]:
        with self._lock:
            names = sorted(self._wanted, reverse=True)[:number]
            self._wanted.difference_update(names)
            if not names:
                self._thread = None
            return names

    def _parts(self, names: Sequence[str]) -> Iterator[list[OpenRun]]:
        """Those that have ended, read; a part that takes its time is given away before it is complete."""
        part, begun = list[OpenRun](), time.monotonic()
        for name in names:
            if self._closed.is_set():
                break
            record = read(self._store, name)
            if record is None:
                self.unwritten.append(name)
                continue
            run = OpenRun.of(record)
            recall(self._store, run)
            if run.has_ended:
                part.append(run)
            else:
                self._is_open(record)
            if time.monotonic() > begun + _LONG:
                yield part
                part, begun = [], time.monotonic()
        yield part

    def _put(self, summaries: list[RunSummary], actions: Mapping[str, list[ActionRow]]) -> None:
        self._journal.put(summaries, actions)
        self._is_ended(summaries)


def rows(run: OpenRun) -> list[ActionRow]:
    """All actions of a run."""
    return [row(action) for action in run.state.all()]
