"""What happens around each cell of a shell: what is on screen at its end is what a saved notebook shows."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import context
from . import live, notice, origin
from .cards import card
from .cells.places import without_home

if TYPE_CHECKING:
    from ..engine.run import Run

_MOST_LINES = 5
"""That a cell says of runs that have ended meanwhile."""


def lines_of(runs: Sequence[Run]) -> str:
    """A line for each, to be printed; of many the first few."""
    lines = [card.ending(run.view(), now=time.time()) for run in runs[:_MOST_LINES]]
    if len(runs) > _MOST_LINES:
        lines[-1] = f"… and {len(runs) - _MOST_LINES + 1} more: %flyte_runs"
    text: str = without_home({"": "".join(f"{line}\n" for line in lines)})[""]
    return text


class Hooks:
    """What happens around each cell of one shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.raw_cell = ""
        self.shown: set[str] = set()  # runs whose cards this cell has already
        self.waiting: list[Run] = []  # runs whose end has not been said yet: in the background, without a kernel all
        self.before_cell: list[Callable[[], bool]] = []  # what waits for something; true when it is done

    def __repr__(self) -> str:
        return f"<Hooks [{len(self.waiting)} waiting, {len(self.before_cell)} before the next cell]>"

    def pre_run_cell(self, info: Any) -> None:
        """Remember the cell as it was written and which one it is, and do what was put off to now."""
        context.notebook.update({"cell": "", **origin.of(self._shell)})
        self.raw_cell = getattr(info, "raw_cell", "") or ""
        self.shown.clear()
        if mapping := sys.modules.get("flyte_jupyter.mapping"):
            mapping.handed_over.clear()
        later, self.before_cell = self.before_cell, []
        self.before_cell += [each for each in later if not each()]

    def post_run_cell(self, result: Any) -> None:
        """The cell is over: what its cards show now is what a saved notebook shows."""
        was_interrupted = isinstance(
            getattr(result, "error_in_exec", None), (KeyboardInterrupt, asyncio.CancelledError)
        )
        if was_interrupted and (mapping := sys.modules.get("flyte_jupyter.mapping")):
            mapping.interrupted()
        live.updater.flush()
        ended = [run for run in self.waiting if run.done()]
        self.waiting = [run for run in self.waiting if run not in ended]
        sys.stdout.write(lines_of([run for run in ended if run.name not in self.shown]))

    def in_background(self, run: Run) -> None:
        """A run that nobody waits for: its end is said in the cell that runs then, or in the next one, and told."""
        if run not in self.waiting:
            self.waiting.append(run)
        notice.when_done(run)
