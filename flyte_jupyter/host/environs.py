"""The environment variables of kernels, which their runs start with.

They may hold secrets, so they are in no spec, note or store. While a kernel has open runs they are also in a file that
only this user can read (0600 in a 0700 folder), because a run goes on when its Host and its kernel are both gone.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import psutil

from ..home import write_privately


class Environs:
    """By session, the name that a kernel gives itself.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, dict[str, str]] = {}
        self._processes: dict[str, int | None] = {}
        self._open: Counter[str] = Counter()

    def set(self, session: str, environ: dict[str, str], process: int | None) -> None:
        """A kernel says its environment, and its process id or None when it will not say this again."""
        self._known[session] = environ
        self._processes[session] = process
        if self._open[session]:
            self._write(session)

    def get(self, session: str) -> dict[str, str] | None:
        """None when nobody has said it, and there is no file."""
        if session not in self._known:
            try:
                saved = json.loads(self._path(session).read_text())
            except FileNotFoundError:
                return None
            self._known[session], self._processes[session] = saved["environ"], saved["process"]
        return self._known[session]

    def is_gone(self, session: str) -> bool:
        """Whether it is known that nobody will say it again."""
        process = self._processes.get(session, os.getpid())
        return process is None or not psutil.pid_exists(process)

    def keep(self, session: str | None) -> None:
        """That kernel has one more open run."""
        if session is not None:
            self._open[session] += 1
            if self._open[session] == 1 and self.get(session) is not None:
                self._write(session)

    def release(self, session: str | None) -> None:
        """It has one less."""
        if session is not None:
            self._open[session] -= 1
            if self._open[session] <= 0:
                del self._open[session]
                self._path(session).unlink(missing_ok=True)

    def drop_unkept(self) -> None:
        """Remove the files of kernels that have no open runs any more."""
        for path in self._folder.glob("*"):
            if not self._open[path.name]:
                path.unlink(missing_ok=True)

    def _path(self, session: str) -> Path:
        return self._folder / session.replace("/", "_").lstrip(".")

    def _write(self, session: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = {"environ": self._known[session], "process": self._processes[session]}
        write_privately(self._path(session), json.dumps(told))
