"""What a task's code can know about where it runs, and who starts the tasks that it calls."""

from __future__ import annotations

from concurrent.futures import Future
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .task import Task


class Caller(Protocol):
    """Starts an action for a task that is called inside another task."""

    def submit(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        """Start the action; the future holds its value or raises its error. Cancelling the future cancels the action."""
        ...


caller: ContextVar[Caller | None] = ContextVar("flyte_jupyter_caller", default=None)
"""Set inside a task's process; None elsewhere, and then calling a task is calling its function."""
