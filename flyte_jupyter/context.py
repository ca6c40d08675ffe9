"""What a task's code can know about where it runs, and who starts the tasks that it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from .bars import Bars
    from .engine.run import Run
    from .report import Report
    from .task import Task


class Invocation(Protocol):
    """A task that was called and runs as an action of its own."""

    def value(self) -> Any:
        """Wait, and return what the task returns or raise its error."""
        ...

    async def avalue(self) -> Any:
        """The same without blocking the event loop. Cancelling it cancels the action."""
        ...

    def cancel(self, reason: str) -> None:
        """Stop it and what it has called."""
        ...


class Caller(Protocol):
    """Starts the tasks that are called inside a task."""

    def start(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Invocation:
        """Start an action. Raises what is wrong with the arguments, before anything runs."""
        ...


class Outlet(Protocol):
    """Takes what a task shows of itself while it runs.

    Attributes:
        bars: its progress bars; report: what it has logged.
    """

    bars: Bars
    report: Report

    def changed(self) -> None:
        """Something is new: it is told soon, once for all that is new until then. May be called very often."""
        ...

    def flush(self) -> None:
        """Write the report now."""
        ...


@dataclass(frozen=True, kw_only=True)
class ActionName:
    """Which action this is.

    Attributes:
        name: within its run ("a0" is the first); run_name: of the run.
    """

    name: str
    run_name: str


@dataclass(frozen=True, kw_only=True)
class TaskContext:
    """What `flyte.ctx()` gives inside a task (Flyte's `TaskContext`); outside it is falsy and its fields are None.

    Attributes:
        attempt_number: 0 for the first attempt, 1 for the first retry, and so on.
        mode: "local", or "remote" on a cluster.
        custom_context: what `with_runcontext(custom_context=...)` said.
        data: what the plugin's `pre` has returned; empty without one.
    """

    action: ActionName | None = None
    attempt_number: int | None = None
    mode: str | None = None
    custom_context: Mapping[str, str] | None = None
    data: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return self.action is not None

    def is_in_cluster(self) -> bool:
        """Whether the task runs on a cluster."""
        return self.mode == "remote"


class _Here(NamedTuple):
    context: TaskContext
    caller: Caller | None
    outlet: Outlet | None


_OUTSIDE = _Here(TaskContext(), None, None)
_process = _OUTSIDE
"""For threads that the task starts itself: they do not inherit context variables."""
_here: ContextVar[_Here | None] = ContextVar("flyte_jupyter_context", default=None)


def enter(context: TaskContext, caller: Caller, outlet: Outlet | None = None) -> None:
    """This process now runs a task. Called once per attempt, before the task's code."""
    global _process  # noqa: PLW0603 - one attempt per process
    _process = _Here(context, caller, outlet)
    _here.set(_process)


@contextmanager
def having(data: Mapping[str, Any]) -> Iterator[None]:
    """Within it `ctx().data` is `data`, also in the threads that are started there."""
    global _process  # noqa: PLW0603 - one attempt per process
    outside, here = _process, _here.get() or _process
    _process = here._replace(context=replace(here.context, data=data))
    token = _here.set(_process)
    try:
        yield
    finally:
        _process = outside
        _here.reset(token)


def ctx() -> TaskContext:
    """Where this code runs: run, action and attempt inside a task; falsy outside."""
    return (_here.get() or _process).context


def caller() -> Caller | None:
    """Who runs the tasks that are called here; None outside a task, where calling a task is calling its function."""
    return (_here.get() or _process).caller


def outlet() -> Outlet | None:
    """Who takes what the task shows of itself; None outside a task."""
    return (_here.get() or _process).outlet


observers: list[Callable[[Run], None]] = []
"""Called with every run that is started here, on the caller's thread; the notebook shows its card."""

cell_of: list[Callable[[str], str | None]] = []
"""What a file of this process is called when it is a cell, such as "Cell In[4]"; the notebook knows."""

notebook: dict[str, str] = {}
"""The notebook whose cells this process runs, as far as it is known; every run that is started here remembers it."""

notebook_of: list[Callable[[], dict[str, str]]] = []
"""Asked for that while nothing is known: a notebook may run tasks before it loads the extension."""


def which_notebook() -> dict[str, str]:
    """What is known of it now."""
    for ask in () if notebook else notebook_of:
        notebook.update(ask())
    return dict(notebook)
