"""After a restart or a crash of the kernel: what this notebook has started and what still runs, live again; and what
has ended while there was no kernel that could have said so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import context
from ..home import Home
from . import live, origin
from .asked import Asked, ask
from .hooks import lines_of

if TYPE_CHECKING:
    from ..engine.run import Run

_MOST_CARDS = 5


def show(shell: Any) -> set[str]:
    """List the runs of this notebook that an earlier kernel has started: those that have ended since then, once, and
    those that go on, with live cards; the names of the latter. No cluster is waited for.

    The cards that they have already, in the cells that started them, come alive too where the front end still knows
    their display ids. JupyterLab does not after a crash or a restart from its menu, only after one from elsewhere.
    """
    asked = remote_runs(context.notebook)
    _show_asked(asked, shell)
    ended, going = ended_runs(context.notebook), open_runs(context.notebook)
    for run in (*ended, *going):
        with live.placed(run.name):
            live.show(run, shell)
    if ended:
        sys.stdout.write("Ended while no kernel lived; flyte.attach(run) gives the value:\n" + lines_of(ended))
    if not going:
        return {run.name for run in asked}
    count = f"{len(going)} runs of this notebook go" if len(going) > 1 else "A run of this notebook goes"
    sys.stdout.write(f"{count} on since before the kernel was started. flyte.attach(run) waits for one.\n")
    for run in going[:_MOST_CARDS]:
        live.show(run, shell)
    if len(going) > _MOST_CARDS:
        from .cards import tables

        shell.display_pub.publish(tables.runs([run.view() for run in going[_MOST_CARDS:]], now=time.time()))
    return {run.name for run in asked} | {run.name for run in going}


def _show_asked(runs: list[Asked], shell: Any) -> None:
    """Those in clusters: the cell does not wait for these, their cards do."""
    for place in dict.fromkeys(run.place for run in runs):
        there = [run for run in runs if run.place == place]
        count, cards = (f"{len(there)} runs", "their cards say") if len(there) > 1 else ("A run", "its card says")
        sys.stdout.write(f"{count} of this notebook may go on in {place}: {cards} it as soon as the cluster does.\n")
    for run in runs:
        with live.placed(run.name):
            live.show(run, shell)
    for run in runs[:_MOST_CARDS]:
        live.show(run, shell)
    if len(runs) > _MOST_CARDS:
        sys.stdout.write(f"… and {len(runs) - _MOST_CARDS} more: %flyte_runs\n")
    ask(runs)


def open_runs(notebook: Mapping[str, str]) -> list[Run]:
    """The runs of a notebook that are open and were started by another kernel, the newest first.

    The Host notes what is open on disk, so that nobody has to be asked when there is nothing.
    """
    names = sorted(Home().open_runs(), reverse=True)
    return [run for run in _of(notebook, names, origin.is_same) if not run.done()]


def ended_runs(notebook: Mapping[str, str]) -> list[Run]:
    """The runs of a notebook that have ended while nobody listened, and its kernels under an environment that have
    failed, the newest first; forgotten with that.
    """
    home = Home()
    found = [run for run in _of(notebook, home.unseen_runs(), _is_of) if run.done()]
    for run in found:
        (home.unseen / run.name).unlink(missing_ok=True)
    return found


def remote_runs(notebook: Mapping[str, str]) -> list[Asked]:
    """Those in clusters of which no kernel has heard that they have ended, the newest first; nobody is asked yet."""
    return [Asked(record) for _, record in _records(notebook, Home().remote_runs(), _is_of)]


Notebook: TypeAlias = "Mapping[str, str]"


def _is_of(then: Notebook, now: Notebook) -> bool:
    return origin.is_same(then, now) or origin.was_its_kernel(then, now)


def _of(notebook: Notebook, names: list[str], is_of: Callable[[Notebook, Notebook], bool]) -> Iterator[Run]:
    """Those that other kernels have started, and that are of this notebook."""
    return (_attach(name) for name, _ in _records(notebook, names, is_of))


def _attach(name: str) -> Run:
    from .. import session

    return session.current().attach(name)


def _records(
    notebook: Notebook, names: list[str], is_of: Callable[[Notebook, Notebook], bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Their names, and what was written down of them."""
    if not names or not notebook:
        return
    from .. import session

    here = session.current()
    for name in names:
        record = here.find(name)
        if record and record.get("session") != here.id and is_of(record.get("notebook", {}), notebook):
            yield name, record
