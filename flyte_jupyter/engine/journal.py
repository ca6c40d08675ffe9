"""The index of runs: what lists show of them, and of those that have ended the actions, in one file that SQLite keeps.

All of it is derived from the Store: without the file it is made anew. Several processes may use it at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import StoreError

_VERSION = 1
"""In the name of the file: another version of the package has one of its own."""
_PATIENCE = 10.0
"""Seconds to wait for another process that writes."""
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    name TEXT PRIMARY KEY, phase TEXT, task TEXT, title TEXT, environment TEXT, notebook TEXT, words TEXT, summary TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_by_phase ON runs (phase, name);
CREATE INDEX IF NOT EXISTS runs_by_task ON runs (environment, task, name);
CREATE INDEX IF NOT EXISTS runs_by_notebook ON runs (notebook, name);
CREATE TABLE IF NOT EXISTS actions (run TEXT PRIMARY KEY, rows BLOB) WITHOUT ROWID;
"""
_PUT = "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_WORDS = ("name", "task", "title", "reason", "notebook", "trigger")
"""What a search looks at."""
_log = logging.getLogger("flyte_jupyter")


class Used(NamedTuple):
    """A task that runs were of: how many, and the name of the last one."""

    environment: str
    task: str
    title: str
    runs: int
    last: str


@dataclass(frozen=True)
class Query:
    """Which runs are wanted; what is empty is not asked for.

    Attributes:
        text: every word of it is in the run's name, task, notebook or reason, in upper or lower case.
        phases: one of them; task: the full name or the title.
        notebook: the path, as the summaries have it; "" for none, None for all.
    """

    text: str = ""
    phases: Sequence[str] = ()
    task: str = ""
    notebook: str | None = None

    def where(self) -> tuple[str, list[str]]:
        """As SQL, with its values."""
        parts, values = ["1"], list[str]()
        if self.phases:
            parts.append(f"phase IN ({', '.join('?' * len(self.phases))})")
            values += self.phases
        if self.task:
            parts.append("(task = ? OR title = ?)")
            values += [self.task, self.task]
        if self.notebook is not None:
            parts.append("notebook IS nullif(?, '')")
            values.append(self.notebook)
        for word in self.text.lower().split():
            parts.append("instr(words, ?)")
            values.append(word)
        return " AND ".join(parts), values


class Journal:
    """The index in a state folder. Any thread may use it.

    Args:
        folder: of the state.

    Attributes:
        path: the file; opened: how often one was opened, which may be another one then, and empty.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"journal-{_VERSION}.sqlite"
        self._lock = threading.Lock()
        self.opened = 0
        self._file = 0
        self._open: sqlite3.Connection | None = None

    def __repr__(self) -> str:
        return f"<Journal {self.path} [{'open' if self._open is not None else 'closed'}]>"

    # --- what is in it ------------------------------------------------------------------------------------------------

    def page(self, query: Query, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """The summaries that match, the newest first, from `offset` on; and how many match."""
        where, values = query.where()
        select = f"SELECT summary FROM runs WHERE {where} ORDER BY name DESC LIMIT ? OFFSET ?"  # noqa: S608 - of `Query`
        with self._using() as here:
            found = here.execute(select, [*values, limit, offset]).fetchall()
            total = here.execute(f"SELECT count(*) FROM runs WHERE {where}", values).fetchone()[0]  # noqa: S608 - same
        return [json.loads(summary) for (summary,) in found], total

    def notebooks(self, query: Query) -> list[tuple[str | None, int, str]]:
        """The notebooks of those that match, the last used first: how many there are of each, and the newest."""
        where, values = query.where()
        select = f"SELECT notebook, count(*), max(name) AS last FROM runs WHERE {where} GROUP BY 1 ORDER BY last DESC"  # noqa: S608 - of `Query`
        with self._using() as here:
            return here.execute(select, values).fetchall()

    def get(self, run: str) -> dict[str, Any] | None:
        """The summary of a run; None when it is not here."""
        with self._using() as here:
            found = here.execute("SELECT summary FROM runs WHERE name = ?", [run]).fetchone()
        return json.loads(found[0]) if found else None

    def actions(self, run: str) -> list[dict[str, Any]] | None:
        """The actions of a run that has ended; None when they are not here."""
        with self._using() as here:
            found = here.execute("SELECT rows FROM actions WHERE run = ?", [run]).fetchone()
        return json.loads(zlib.decompress(found[0])) if found else None

    def names(self) -> dict[str, str]:
        """The phases of all runs, by name."""
        with self._using() as here:
            return dict(here.execute("SELECT name, phase FROM runs"))

    def before(self, run: str, task: str) -> str | None:
        """The name of the last run of a task before that one."""
        select = "SELECT max(name) FROM runs WHERE task = ? AND name < ?"
        with self._using() as here:
            found: str | None = here.execute(select, [task, run]).fetchone()[0]
        return found

    def used(self) -> list[Used]:
        """The tasks that runs were of, the last used first."""
        select = (
            "SELECT environment, task, max(title), count(*), max(name) AS last FROM runs GROUP BY 1, 2 ORDER BY last"
        )
        with self._using() as here:
            return [Used(*row) for row in here.execute(f"{select} DESC")]

    # --- what is put into it ------------------------------------------------------------------------------------------

    def put(
        self, summaries: Iterable[Mapping[str, Any]], actions: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
    ) -> None:
        """Add runs, or what has become of them; and the actions of runs that have ended, by the name of the run."""
        rows = [_row(summary) for summary in summaries]
        blobs = [(run, zlib.compress(_json(rows).encode(), 1)) for run, rows in (actions or {}).items()]
        with self._using() as here:
            here.executemany(_PUT, rows)
            here.executemany("INSERT OR REPLACE INTO actions VALUES (?, ?)", blobs)

    def remove(self, runs: Iterable[str]) -> None:
        """They were deleted."""
        names = [(run,) for run in runs]
        with self._using() as here:
            here.executemany("DELETE FROM runs WHERE name = ?", names)
            here.executemany("DELETE FROM actions WHERE run = ?", names)

    # --- the file -----------------------------------------------------------------------------------------------------

    def is_there(self) -> bool:
        """Whether the file is the one that is used; somebody may have deleted it."""
        try:
            return self._open is None or os.stat(self.path).st_ino == self._file
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """A transaction. A file that is no index, or a damaged one, is made anew, and is empty then.

        Raises:
            StoreError: it cannot be used now: the disk is full, say.
        """
        with self._lock:
            try:
                here = self._opened()
                with here:
                    here.execute("BEGIN")
                    yield here
            except (sqlite3.Error, OSError) as error:
                if _is_damage(error):
                    self._discard()
                raise StoreError(f"The index of runs, {self.path}, cannot be used: {error}.") from error

    def _opened(self) -> sqlite3.Connection:
        if self._open is None:
            try:
                self._open = self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._discard()
                self._open = self._connect()
        return self._open

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # SQLite's other files follow it
        self._file = os.stat(self.path).st_ino
        here = sqlite3.connect(self.path, _PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            here.execute("PRAGMA journal_mode = WAL")
            here.execute("PRAGMA synchronous = OFF")  # a power cut may cost the file, which is made anew
            here.executescript(_TABLES)
        except sqlite3.Error:
            here.close()
            raise
        self.opened += 1
        return here

    def _discard(self) -> None:
        _log.warning("%s is damaged; it is made anew.", self.path)
        if self._open is not None:
            self._open.close()
            self._open = None
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink(missing_ok=True)


def _is_damage(error: Exception) -> bool:
    """Whether the file is at fault, and not that somebody else uses it, or that the disk is full."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def _row(summary: Mapping[str, Any]) -> list[Any]:
    words = "\n".join(str(summary[name]) for name in _WORDS if summary[name]).lower()
    named = (summary[name] for name in ("name", "phase", "task", "title", "environment", "notebook"))
    return [*named, words, _json(summary)]


def _json(what: Any) -> str:
    return json.dumps(what, separators=(",", ":"))
