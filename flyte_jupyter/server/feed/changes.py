"""Whether something was added to a folder, or taken away, since the last look: one system call when nothing was."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICK = 50_000_000
"""Nanoseconds within which a second change may leave the same time behind."""


class Changes:
    """Of the entries of a folder.

    Args:
        folder: it need not be there.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = folder
        self._seen: int | None = None
        self._is_sure = False

    def __repr__(self) -> str:
        return f"<Changes {self._folder}>"

    def are_there(self) -> bool:
        """Whether there may be some since the last time; yes at first."""
        try:
            at = os.stat(self._folder).st_mtime_ns
        except OSError:  # not there, or not any more
            at = 0
        is_same, self._seen = at == self._seen and self._is_sure, at
        self._is_sure = abs(time.time_ns() - at) > _TICK  # also when the clock was put back
        return not is_same
