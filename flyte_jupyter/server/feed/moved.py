"""Notebooks that were renamed or moved: a run remembers where its notebook was when it started, and a kernel learns of
no other place before another one is started.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...engine.journal import Journal, Query
from ...home import write_privately
from ..shapes.runs import RunSummary

_MOST = 1000
"""Moves that are remembered, the newest ones."""
_log = logging.getLogger("flyte_jupyter")


class Move(NamedTuple):
    """A file or a folder has another path now; both are absolute.

    Attributes:
        at: when that was; kernels: the ids of those that ran notebooks there, which go on telling the old path.
    """

    at: float
    source: str
    path: str
    kernels: Sequence[str] = ()

    def of(self, path: str) -> str:
        """The path after the move of what had that one before."""
        if path == self.source or path.startswith(self.source + os.sep):
            return self.path + path[len(self.source) :]
        return path


def kernels_of(source: str, path: str, sessions: Mapping[str, str]) -> list[str]:
    """The ids of those whose notebook is moved, or was already. Pure.

    Args:
        source, path: before and after; sessions: the notebooks of kernels by their ids.
    """
    moves = Move(0.0, source, path), Move(0.0, path, source)
    return [kernel for kernel, there in sessions.items() if any(move.of(there) != there for move in moves)]


def followed(moves: Sequence[Move], made: RunSummary) -> str | None:
    """Where the notebook of a run is now. Pure.

    Args:
        moves: the oldest first; made: with the path that the run has remembered.
    """
    path = made["notebook"]
    for move in moves if path is not None else ():
        if made["created"] < move.at or made["kernel"] in move.kernels:
            path = move.of(path)  # type: ignore[arg-type]  # it is not None
    return path


class Moved:
    """The moves that servers have seen, in a file of the state folder that all of them share. Any thread may ask.

    Args:
        folder: of the state.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "moved.json"
        self._read: tuple[int, list[Move]] = (0, [])

    def __repr__(self) -> str:
        return f"<Moved [{len(self._moves())} moves]>"

    def now(self, made: RunSummary) -> RunSummary:
        """The same with the path that its notebook has now."""
        moves = self._moves()
        return {**made, "notebook": followed(moves, made)} if moves else made

    def follow(self, move: Move, journal: Journal) -> Iterator[list[RunSummary]]:
        """Remember one, and have the index tell of each notebook the new path; gives what has changed, by notebook.

        Raises:
            OSError: it could not be written down.
        """
        paths = [path for path, *_ in journal.notebooks(Query()) if path is not None and move.of(path) != path]
        if not paths and not move.kernels:
            return  # a file that no run is of
        write_privately(self._path, json.dumps([*self._moves(), move][-_MOST:]))
        for path in paths:
            found, _ = journal.page(Query(notebook=path), 0, -1)
            made: list[Any] = [{**each, "notebook": move.of(path)} for each in found]
            journal.put(made)
            yield made

    def _moves(self) -> list[Move]:
        try:
            at = self._path.stat().st_mtime_ns
        except OSError:  # nothing was moved yet
            return []
        if at != self._read[0]:
            try:
                self._read = at, [Move(*each) for each in json.loads(self._path.read_text())]
            except (OSError, ValueError, TypeError):
                _log.warning("%s is damaged; what it says of renamed notebooks is not used.", self._path, exc_info=True)
                self._read = at, []
        return self._read[1]
