"""Jobs that had finished before anybody has watched: those of which all is stored need not be looked at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ...store import Store
from . import ends
from .action import Action, request_of
from .watch import Change

_AT_ONCE = 16
"""Outcomes that are looked for at a time: a bucket takes its time for each."""


class Before:
    """Puts such Jobs aside until all are listed, so that their outcomes are looked for together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: dict[str, Change] = {}

    def __repr__(self) -> str:
        return f"<Before [{len(self._jobs)} Jobs]>"

    def takes(self, change: Change) -> bool:
        """Whether a Job that is listed, or has changed since, is put aside."""
        name, is_gone = change.object["metadata"]["name"], change.type == "DELETED"
        self._jobs.pop(name, None)
        if not is_gone and (ends.has_finished(change.object) or "deletionTimestamp" in change.object["metadata"]):
            self._jobs[name] = change
        return name in self._jobs

    def sorted(self) -> tuple[set[str], list[Change]]:
        """The names of those that have left an outcome, and the others."""
        jobs, self._jobs = self._jobs, {}
        if not jobs:
            return set(), []
        with ThreadPoolExecutor(min(_AT_ONCE, len(jobs)), "flyte-jupyter-read") as pool:
            have_ended = pool.map(self._has_ended, jobs.values())
            over = {name for name, has_ended in zip(jobs, have_ended, strict=True) if has_ended}
        return over, [change for name, change in jobs.items() if name not in over]

    def _has_ended(self, change: Change) -> bool:
        return Action(request_of(change.object), change.object).history(self._store) is not None
