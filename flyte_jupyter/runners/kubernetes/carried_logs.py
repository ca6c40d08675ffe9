"""The logs of pods that reach no store, written down here as their lines are told."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ...host.logs import written
from ...pods import LogEvent
from ...store import keys
from ...store.files import FileStore


class LogFiles:
    """Of all actions that a watch tells of; several watches may write the same, also of several kernels.

    Args:
        store: where the logs are.
    """

    def __init__(self, store: FileStore) -> None:
        self._store = store
        self._known: dict[str, tuple[int, int]] = {}  # bytes and lines of each, as far as this writer knows

    def add(self, event: LogEvent) -> None:
        """Write its lines at the end of their log, but for those that are there."""
        if not event.lines:
            return
        path = self._store.path(keys.log(event.run, event.action, event.attempt))
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another one may just count the lines, too
            there = self._lines(path, os.fstat(file.fileno()).st_size)
            if event.start <= there < event.start + len(event.lines):
                new = event.lines[there - event.start :]
                file.write(written(new))
                self._known[path] = (file.tell(), there + len(new))

    def _lines(self, path: str, size: int) -> int:
        """How many lines it has now."""
        known, lines = self._known.get(path, (-1, 0))
        return lines if known == size else Path(path).read_bytes().count(b"\n")
