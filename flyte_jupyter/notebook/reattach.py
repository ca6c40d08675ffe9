"""After a restart or a crash of the kernel: what this notebook has started and what still runs, live again."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import context
from ..home import Home
from . import live, origin

if TYPE_CHECKING:
    from ..engine.run import Run

_MOST_CARDS = 5


def show(shell: Any) -> set[str]:
    """List the runs of this notebook that an earlier kernel has started and that go on, with live cards; their names.

    The cards that they have already, in the cells that started them, come alive too where the front end still knows
    their display ids. JupyterLab does not after a crash or a restart from its menu, only after one from elsewhere.
    """
    found = open_runs(context.notebook)
    if not found:
        return set()
    count = f"{len(found)} runs of this notebook go" if len(found) > 1 else "A run of this notebook goes"
    sys.stdout.write(f"{count} on since before the kernel was started. flyte.attach(run) waits for one.\n")
    for run in found:
        with live.placed(run.name):
            live.show(run, shell)
    for run in found[:_MOST_CARDS]:
        live.show(run, shell)
    if len(found) > _MOST_CARDS:
        from .cards import tables

        shell.display_pub.publish(tables.runs([run.view() for run in found[_MOST_CARDS:]], now=time.time()))
    return {run.name for run in found}


def open_runs(notebook: Mapping[str, str]) -> list[Run]:
    """The runs of a notebook that are open and were started by another kernel, the newest first.

    The Host notes what is open on disk, so that nobody has to be asked when there is nothing.
    """
    names = {note.name.partition("-")[0] for note in Home().path.glob("host-*.open/r*-*")}
    if not names or not notebook:
        return []
    from .. import session

    here = session.current()
    runs = []
    for name in sorted(names, reverse=True):
        record = here.find(name)
        if (
            record is None
            or record.get("session") == here.id
            or not origin.is_same(record.get("notebook", {}), notebook)
        ):
            continue
        run = here.attach(name)
        if not run.done():
            runs.append(run)
    return runs
