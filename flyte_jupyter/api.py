"""`flyte.run` and its relatives: the functions a notebook calls."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

from . import session
from .engine.run import Run, RunList
from .errors import ConfigTypeError, HostError, RunInterrupted, nearest
from .store import keys
from .task import Task


class RunTask:
    """`flyte.run(task, ...)`, and `await flyte.run.aio(task, ...)`. There is one instance, `run`."""

    def __call__(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> Run:
        """Run a task in a process of its own, wait for it, and return the run; `run.outputs()[0]` is the value.

        In a notebook a live card appears below the cell. Interrupting the cell cancels the run.

        Args:
            task: made by `@env.task`, perhaps with `.override(...)`.
            args, kwargs: its inputs.

        Raises:
            ConfigTypeError, ConfigValueError: not a task, or inputs that do not fit; nothing was started.
            CaptureError: something the task needs cannot be sent to its process; nothing was started.
            RuntimeUserError: the task failed; it is also an instance of the class that the task raised.
        """
        run = submit(task, *args, **kwargs)
        try:
            run.wait()
        except KeyboardInterrupt:
            run.interrupted()
            raise RunInterrupted(f"{run.title} ({run.name}) was cancelled.") from None
        run.raise_for_status()
        return run

    async def aio(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> Run:
        """The same, without blocking the event loop."""
        run = submit(task, *args, **kwargs)
        try:
            await run.wait_aio()
        except (asyncio.CancelledError, KeyboardInterrupt):
            await run.interrupted_aio()
            raise
        run.raise_for_status()
        return run


run = RunTask()


def submit(task: Task[..., Any], *args: Any, **kwargs: Any) -> Run:
    """Start a task and return its run at once; `await run`, `run.outputs()` or its card tell how it goes.

    Interrupting a cell does not touch it; `run.cancel()` does. It goes on when the kernel ends. Arguments and errors
    are those of `flyte.run`, but for the task's own error, which `run.outputs()` raises.
    """
    given: Any = task
    if not isinstance(given, Task):
        hint = "Decorate it with @env.task." if callable(given) else "Make one with @env.task."
        raise ConfigTypeError(
            f"A run needs a task, not {type(given).__name__} {getattr(given, '__name__', '')}.\n{hint}"
        )
    return session.current().start(task, args, kwargs)


def runs(limit: int = 20) -> RunList:
    """The newest runs of this user, also of kernels that are gone; `flyte.runs()[0]` is the last one.

    Args:
        limit: how many at most.
    """
    here = session.current()
    names = here.store.list(keys.RUNS)[: -limit - 1 : -1]
    return RunList(here.attach(name) for name in names)


def attach(run: Run | str) -> Run:
    """A run by its name, from any kernel. Raises `RunNotFoundError`."""
    return session.current().attach(run.name if isinstance(run, Run) else run)


def init(**settings: Any) -> None:
    """Accepted for programs written for Flyte; local runs need no set-up.

    Args:
        settings: `mode="local"` is the only one so far.

    Raises:
        ConfigTypeError: another setting.
    """
    known = {"mode": "local"}
    for name, value in settings.items():
        if name not in known or value != known[name]:
            near = nearest(name, known)
            hint = f" Did you mean {near!r}?" if near and near != name else ""
            raise ConfigTypeError(f"init({name}={value!r}) is not supported yet.{hint}\nAllowed: mode='local'.")


def prepare(*, wait: bool = True) -> None:
    """Start the local Host now, so that the first run need not wait for it.

    Args:
        wait: False returns at once; what goes wrong then, the first run tells.

    Raises:
        HostError: it cannot be started, only when waited for.
    """
    runner = session.current().runner
    if wait:
        runner.prepare()
        return

    def quietly() -> None:
        with contextlib.suppress(HostError):
            runner.prepare()

    threading.Thread(target=quietly, name="flyte-jupyter-prepare", daemon=True).start()
