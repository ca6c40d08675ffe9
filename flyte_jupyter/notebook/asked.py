"""Runs in clusters that an earlier kernel has started: shown at once, and filled in when their cluster answers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.record import as_written
from ..errors import ConfigError
from ..home import Home

if TYPE_CHECKING:
    from ..engine.run import Run

_FIRST_WAIT, _LONGEST_WAIT = 5.0, 60.0
"""Seconds before a cluster that did not answer is asked again, doubled each time."""
_log = logging.getLogger("flyte_jupyter")


class Asked:
    """A run of which nothing is known yet but what was written down; to a card it is a run (`live.Showable`).

    Args:
        record: what was written down of it.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.name: str = record["run"]
        self.place = str(record.get("site") or "its cluster")
        self._record = record
        self._said = f"{self.place} is asked where it stands"
        self._run: Run | None = None
        self._changed: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Asked {self.name} [{'answered' if self._run is not None else self._said}]>"

    def done(self) -> bool:
        return self._run is not None and self._run.done()

    def view(self) -> dict[str, Any]:
        return self._run.view() if self._run is not None else as_written(self._record, self._said)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._changed.append(callback)

        def unsubscribe() -> None:
            if callback in self._changed:
                self._changed.remove(callback)

        return unsubscribe

    def attach(self) -> None:
        """Ask, which takes as long as the cluster takes; the next kernel does not ask again if the run has ended.

        Raises:
            ConfigError: the cluster is not reached, or refuses.
        """
        from .. import session

        here = session.current()
        run = here.attach(self.name)
        run.subscribe(self._tell)
        if run.done():
            (Home().remote / self.name).unlink(missing_ok=True)
        else:
            here.note_remote(run)
        self._run = run
        self._tell()

    def say(self, what: str) -> None:
        """Have its card say why nothing is known of it."""
        self._said = what
        self._tell()

    def _tell(self) -> None:
        for callback in list(self._changed):
            callback()


def ask(runs: Sequence[Asked]) -> None:
    """Ask each cluster for its runs, beside everything else, and again while it does not answer."""
    for place in dict.fromkeys(each.place for each in runs):
        there = [each for each in runs if each.place == place]
        threading.Thread(target=_ask, args=(there,), name="flyte-jupyter-reattach", daemon=True).start()


def _ask(runs: list[Asked]) -> None:
    """Those of one cluster."""
    wait = _FIRST_WAIT
    while runs:
        try:
            runs[0].attach()
        except ConfigError as error:
            for each in runs:
                each.say(f"it may go on: {str(error).splitlines()[0]}")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
            continue
        except Exception as error:  # of this run alone; nobody else would hear of it
            _log.exception("The run %s is not shown as it is now", runs[0].name)
            runs[0].say(f"it may go on: {type(error).__name__}: {error}")
        del runs[0]
