"""The logs of pods that reach no store, written down here as their lines are told."""

from __future__ import annotations

import os
from pathlib import Path

from ...host.logs import written
from ...pods import LogEvent
from ...store import keys
from ...store.files import FileStore


class LogFiles:
    """Of all actions that a watch tells of; several watches may write the same.

    Args:
        store: where the logs are.
    """

    def __init__(self, store: FileStore) -> None:
        self._store = store
        self._known: dict[str, tuple[int, int]] = {}  # bytes and lines of each, as far as this writer knows

    def add(self, event: LogEvent) -> None:
        """Write its lines at the end of their log, but for those that are there."""
        path = self._store.path(keys.log(event.run, event.action, event.attempt))
        there = self._lines(path)
        new = event.lines[max(0, there - event.start) :]
        if not new or event.start > there:
            return
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "ab") as file:
            file.write(written(new))
            self._known[path] = (file.tell(), there + len(new))

    def _lines(self, path: str) -> int:
        """How many lines it has now."""
        try:
            size = os.stat(path).st_size
        except FileNotFoundError:
            return 0
        known, lines = self._known.get(path, (-1, 0))
        return lines if known == size else Path(path).read_bytes().count(b"\n")
