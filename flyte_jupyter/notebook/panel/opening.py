"""Opening a panel, wherever a task is: in a notebook with ipywidgets, in one without, in a terminal, in a script."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import sys
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import live
from .draft import Draft, draft_of

if TYPE_CHECKING:
    from ...task import Task
    from .panel import Panel

INSTALL = 'pip install "flyte_jupyter[panel]"'
MISSING = f"The form needs ipywidgets: {INSTALL}, then restart the kernel and open it again."

MOST = 8
"""Panels that are open at a time; opening another one closes the oldest."""

_open: list[tuple[Panel, str]] = []
"""Each with the cell that it was opened in, as far as the front end says that."""


def open_panel(task: Task[..., Any]) -> None:
    """The panel of a task: `task.panel()`."""
    shell = live.shell()
    show(Draft(task, shell.user_ns if shell is not None else {}))


def open_line(source: str, variables: Mapping[str, Any]) -> None:
    """The panel of what a line of code says: a task, `task.override(...)(...)`, or the cell that runs it.

    Raises:
        ConfigError: it is nothing like that, or says something that is not accepted.
    """
    show(draft_of(source, variables))


def show(draft: Draft) -> None:
    """Show a panel, or the line where there can be none."""
    shell = live.shell()
    if shell is None or not live.is_kernel(shell):
        sys.stdout.write(draft.line() + "\n")
        return
    send = functools.partial(live.publish, shell.display_pub)
    if importlib.util.find_spec("ipywidgets") is None:
        from .look import saved

        send(saved(draft, MISSING), uuid.uuid4().hex, False)
        return
    from .panel import Panel

    cell = _cell(shell)
    stale = [other for other, where in _open if other.is_closed or (cell and where == cell)]
    for other in stale or [other for other, _ in _open[: len(_open) - MOST + 1]]:
        close(other)
    made = Panel(draft, send, shell.set_next_input)
    if _follow not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _follow)
    _open.append((made, cell))
    made.show()


def _follow(_: object) -> None:
    for panel in [panel for panel, _ in _open]:
        panel.follow()


def close(panel: Panel) -> None:
    """Close a panel; again is harmless."""
    _open[:] = [entry for entry in _open if entry[0] is not panel]
    panel.close()


def close_all() -> None:
    """Close what is open: the kernel ends."""
    while _open:
        close(_open[-1][0])


def _cell(shell: Any) -> str:
    """The cell that runs, as JupyterLab names it; "" when that is not told."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return str((parent.get("metadata") or {}).get("cellId") or "")


atexit.register(close_all)
