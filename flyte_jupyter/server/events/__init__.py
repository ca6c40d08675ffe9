"""What is told to whoever listens to the events of a Jupyter server (`jupyter_events`): the phases of runs."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..shapes.runs import RunSummary

SCHEMA = Path(__file__).with_name("run_state.yaml")
ID = "urn:flyte-jupyter:run-state"
_REMEMBERED = 10_000
"""Runs whose last phase is known, so that nothing is told twice."""


class Phases:
    """The changes of phases among all that is told of runs.

    Args:
        began: seconds since the epoch; what has ended before is no news.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._last: OrderedDict[str, str] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Phases [{len(self._last)} runs]>"

    def changes(self, told: Iterable[RunSummary]) -> Iterator[dict[str, Any]]:
        """The events that summaries of runs come to."""
        for run in told:
            before = self._last.pop(run["name"], None)
            self._last[run["name"]] = run["phase"]
            if len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)
            is_news = before != run["phase"] if before is not None else self._is_of_now(run)
            if is_news:
                yield self._event(run, before)

    def _is_of_now(self, run: RunSummary) -> bool:
        return max(run["created"], run["ended"] or 0.0) >= self._began

    def _event(self, run: RunSummary, before: str | None) -> dict[str, Any]:
        at = run["ended"] or (run["began"] if run["phase"] == "running" and not run["attempt"] else None)
        return {
            "run": run["name"],
            "task": run["task"],
            "title": run["title"],
            "phase": run["phase"],
            "previous": before,
            "at": at if at is not None else time.time(),
            "attempt": run["attempt"],
            "is_cached": run["is_cached"],
            "mode": run["mode"],
            "notebook": run["notebook"],
        }
