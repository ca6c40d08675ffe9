"""The extension as IPython sees it: magics, formatters, and cards for the runs that are started.

`load` and `unload` are `%load_ext` and `%unload_ext`.  `prepare` is the part of it that needs no `%load_ext`: runs show
themselves as cards.  All of them may be called again.
"""

from __future__ import annotations

import functools
import sys
import time
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .. import context, shown
from . import live, origin, reattach
from .cards import card, tables
from .cells.places import names_of, readable, without_home
from .hooks import Hooks
from .magics import magics

if TYPE_CHECKING:
    from ..engine.run import Run, RunList
    from ..environment import TaskEnvironment
    from ..markup import Html

_RUN = ("flyte_jupyter.engine.run", "Run")
_RUNS = ("flyte_jupyter.engine.run", "RunList")
_loaded: weakref.WeakSet[Any] = weakref.WeakSet()
_hooks: weakref.WeakKeyDictionary[Any, Hooks] = weakref.WeakKeyDictionary()


def load(shell: Any) -> None:
    """`%load_ext flyte_jupyter`; once more at most lists what an earlier kernel has left running."""
    is_new = shell not in _loaded
    _loaded.add(shell)
    prepare(shell)
    magics.register(shell, hooks(shell))
    if not _is_observed():
        context.observers.append(show)
    shown.asides[:] = [_pools]
    if is_new and live.is_kernel(shell):
        if origin.is_within_a_cell(shell):
            _reattach(shell)
        else:  # the kernel is just starting
            hooks(shell).before_cell.append(functools.partial(_reattach, shell))


def _reattach(shell: Any) -> bool:
    """List what goes on since before the kernel was started. What goes wrong is said, and keeps nobody from working."""
    context.notebook["loads"] = context.notebook.get("cell", "")
    try:
        hooks(shell).shown |= reattach.show(shell)
    except Exception as e:
        sys.stdout.write(f"flyte_jupyter could not look for runs of this notebook: {type(e).__name__}: {e}\n")
    return True


def _pools(env: TaskEnvironment) -> Iterable[Html]:
    from ..warm import of

    return of(env)


def unload(shell: Any) -> None:
    """`%unload_ext flyte_jupyter`: no magics, no cards."""
    shown.asides.clear()
    magics.unregister(shell)
    for observer in _ours():
        context.observers.remove(observer)
    formatters = shell.display_formatter
    for formatter, name in _formatters(formatters):
        formatter.pop(".".join(name), None)
    context.cell_of.clear()
    found = _hooks.pop(shell, None)
    if found is not None:
        shell.events.unregister("pre_run_cell", found.pre_run_cell)
        shell.events.unregister("post_run_cell", found.post_run_cell)


def prepare(shell: Any) -> None:
    """Runs that are displayed become cards, and cards are complete at the end of their cell."""
    if shell in _hooks:
        return
    _hooks[shell] = found = Hooks(shell)
    context.notebook.update(origin.of(shell))
    context.cell_of[:] = [names_of(shell)]
    shell.events.register("pre_run_cell", found.pre_run_cell)
    shell.events.register("post_run_cell", found.post_run_cell)
    formatters = shell.display_formatter
    functions = (lambda run: _display(shell, run), lambda run: _bundle(shell, run), _runs_html, _runs_pretty)
    for (formatter, name), function in zip(_formatters(formatters), functions, strict=True):
        formatter.for_type_by_name(*name, function)


def hooks(shell: Any) -> Hooks:
    """The hooks of a shell that is prepared."""
    return _hooks[shell]


def show(run: Run) -> None:
    """A run has been started: display its card. In a terminal one line is printed when it has ended."""
    shell = live.shell()
    if shell is None:
        return
    prepare(shell)
    if not live.is_kernel(shell):
        hooks(shell).waiting.append(run)
    elif run.name not in hooks(shell).shown:
        hooks(shell).shown.add(run.name)
        live.show(run, shell)


def _formatters(formatters: Any) -> list[tuple[Any, tuple[str, str]]]:
    """Which formatter takes which type; the order is that of the functions in `prepare`."""
    by_type = formatters.formatters
    return [
        (formatters.ipython_display_formatter, _RUN),  # alone can choose a display id, so that what is shown is live
        (formatters.mimebundle_formatter, _RUN),
        (by_type["text/html"], _RUNS),
        (by_type["text/plain"], _RUNS),
    ]


def _display(shell: Any, run: Run) -> None:
    """A run is displayed, most often as the value of `flyte.run(...)` in the cell that has its card already."""
    found = hooks(shell)
    if live.is_kernel(shell):
        if run.name not in found.shown:
            live.show(run, shell)
        return
    found.waiting = [waiting for waiting in found.waiting if waiting.name != run.name]
    try:
        sys.stdout.write(card.text(readable(run.view(), names_of(shell)), now=time.time()) + "\n")
    except Exception as e:
        sys.stdout.write(live.failure(run, e)["text/plain"] + "\n")


def _bundle(shell: Any, run: Run) -> dict[str, Any]:
    try:
        return without_home(card.bundle(readable(run.view(), names_of(shell)), now=time.time()))
    except Exception as e:
        return live.failure(run, e)


def _table(runs: RunList) -> dict[str, str]:
    try:
        return tables.runs([run.view() for run in runs], now=time.time())
    except Exception as e:
        return {"text/plain": f"flyte_jupyter could not draw the table of runs: {type(e).__name__}: {e}"}


def _runs_html(runs: RunList) -> str | None:
    return _table(runs).get("text/html")


def _runs_pretty(runs: RunList, printer: Any, _cycle: bool) -> None:
    printer.text(_table(runs)["text/plain"])


def _is_observed() -> bool:
    return bool(_ours())


def _ours() -> list[Any]:
    """Our observers: `show`, and the package's own that was there before `%load_ext`."""
    package = sys.modules[__package__.partition(".")[0]]
    mine = (show, getattr(package, "_show", None))
    return [observer for observer in context.observers if observer in mine]
