"""What happens around each cell of a shell: what is on screen at its end is what a saved notebook shows."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import context
from . import live, origin
from .cards import card

if TYPE_CHECKING:
    from ..engine.run import Run


class Hooks:
    """What happens around each cell of one shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.raw_cell = ""
        self.shown: set[str] = set()  # runs whose cards this cell has already
        self.waiting: list[Run] = []  # without a kernel: runs whose end has not been said yet
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
        for run in ended:
            sys.stdout.write(card.line(run.view(), now=time.time()) + "\n")
