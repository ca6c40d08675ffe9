"""What answers are made from, when it is needed: to import it takes longer than it may take a server to start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..home import Home

if TYPE_CHECKING:
    from .answers.here import Here


class Late:
    """Makes `Here` once, for whoever asks first.

    Args:
        home: the state folder, "" for that of the kernels; root: the folder that the server serves.
        made: is given it before anybody else is.
    """

    def __init__(self, home: str, root: Path, made: Callable[[Here], None]) -> None:
        self._home, self._root, self._made = home, root, made
        self._lock = threading.Lock()
        self._here: Here | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Late {self._here!r}>"

    def get(self) -> Here:
        """It takes its time at first: to be called on a thread. Raises `RuntimeError` once the server ends."""
        with self._lock:
            if self._is_closed:
                raise RuntimeError("The server ends.")
            if self._here is None:
                from . import openapi, topics  # noqa: F401 - all that answers, at once
                from .answers import cells, machine, rerun  # noqa: F401 - the same
                from .answers.here import Here

                self._here = Here(Home(self._home or None), self._root)
                self._made(self._here)
            return self._here

    def close(self) -> None:
        """Let go of everything; what runs, runs on."""
        with self._lock:
            self._is_closed = True
            if self._here is not None:
                self._here.close()
