"""`flyte.map`: one task over many items, in parallel, results in order."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import context, session
from .engine.children import Call, Children
from .engine.request import new_run_name
from .engine.run import ROOT, Run
from .errors import ConfigTypeError
from .pack.outcome import Outcome, seal_value, unseal_outcome
from .pods import Phase, PodEvent
from .store import keys
from .task import Task

if TYPE_CHECKING:
    from typing_extensions import Self


class Map:
    """`flyte.map(task, *iterables)`; with `await`able items `flyte.map.aio(...)`. There is one instance, `map`."""

    def __call__(
        self,
        task: Task[..., Any] | functools.partial[Any],
        *iterables: Iterable[Any],
        group_name: str | None = None,
        concurrency: int = 0,
        return_exceptions: bool = True,
    ) -> Iterator[Any]:
        """Run a task once per item, each in its own process, and yield the results in the order of the items.

        Args:
            task: a task, or a `functools.partial` of one that leaves exactly one parameter.
            iterables: the arguments, zipped to the shortest.
            group_name: a name for the items, shown with the run (Flyte).
            concurrency: how many run at a time at most; 0 leaves it to the Host.
            return_exceptions: yield the error of an item that failed (the default, as in Flyte); False raises the
                first and cancels the rest.

        Raises:
            ConfigTypeError: not a task, or a partial that leaves another number of parameters.
        """
        items = _Items(task, iterables, concurrency, group_name)
        return items.results(return_exceptions)

    def aio(
        self,
        task: Task[..., Any] | functools.partial[Any],
        *iterables: Iterable[Any],
        group_name: str | None = None,
        concurrency: int = 0,
        return_exceptions: bool = True,
    ) -> AsyncIterator[Any]:
        """The same for `async for`."""
        items = _Items(task, iterables, concurrency, group_name)
        return items.aresults(return_exceptions)


class _Items:
    """The calls of one map: started in order, at most so many at a time."""

    def __init__(self, task: Any, iterables: tuple[Iterable[Any], ...], concurrency: int, group: str | None) -> None:
        self._task, self._fixed, self._keywords = _unwrap(task)
        bound: Any = concurrency
        if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0:
            raise ConfigTypeError(f"concurrency is a number of items, 0 for no bound, not {concurrency!r}.")
        self._arguments: deque[tuple[Any, ...]] = deque(zip(*iterables, strict=False)) if iterables else deque()
        self._limit = concurrency or len(self._arguments) or 1
        self.described = {"items": str(len(self._arguments)), **({"group": group} if group else {})}
        self._calls: deque[Call] = deque()
        self._running: set[Future[Outcome]] = set()
        self._failed = 0

    def results(self, return_exceptions: bool) -> Iterator[Any]:
        with _Root(self) as root:
            while self._fill(root) or self._calls:
                call = self._calls[0]  # stays there while it is waited for, so that `cancel` finds it
                while not call.future.done():
                    wait(self._running, return_when=FIRST_COMPLETED)
                    self._fill(root)
                self._calls.popleft()
                yield self._take(call, return_exceptions)

    async def aresults(self, return_exceptions: bool) -> AsyncIterator[Any]:
        with _Root(self) as root:
            while self._fill(root) or self._calls:
                call = self._calls[0]  # stays there while it is waited for, so that `cancel` finds it
                while not call.future.done():
                    waiting = [asyncio.wrap_future(future) for future in self._running]
                    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    self._fill(root)
                self._calls.popleft()
                yield self._take(call, return_exceptions)

    def _fill(self, root: _Root) -> bool:
        """Start what may run now; whether anything was started."""
        self._running = {future for future in self._running if not future.done()}
        started = False
        while self._arguments and len(self._running) < self._limit:
            call = root.start(self._task, (*self._fixed, *self._arguments.popleft()), self._keywords)
            self._calls.append(call)
            self._running.add(call.future)
            started = True
        return started

    def _take(self, call: Call, return_exceptions: bool) -> Any:
        try:
            return call.value()
        except Exception as error:
            self._failed += 1
            if return_exceptions:
                return error
            raise

    @property
    def task(self) -> Task[..., Any]:
        return self._task

    @property
    def left(self) -> int:
        return len(self._arguments)

    @property
    def failed(self) -> int:
        return self._failed

    def cancel(self) -> None:
        """Stop what runs and was not asked for yet."""
        for call in self._calls:
            if not call.future.done():
                call.cancel("The rest of the map is not wanted any more.")


class _Root:
    """What the items of a map hang below: the task that maps, or, outside tasks, a run made for it."""

    def __init__(self, items: _Items) -> None:
        self._items = items
        self._inside = context.caller()
        self._code: Any = None

    def __enter__(self) -> Self:
        if self._inside is None and self._items.left > 0:
            here = session.current()
            name = new_run_name()
            self._here = here
            self._code = here.engine.seal_code(self._items.task)
            self._run = here.record(self._items.task, name, self._items.described, None)
            self._children = Children(here.engine, here.place(), name, ROOT)
            self._outcome: Future[Outcome] = Future()
            self._run.follow(self._outcome)
            self._run.on_event(_event(self._run, Phase.RUNNING))
            here.show(self._run)
        return self

    def start(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._inside is not None:
            return self._inside.start(task, args, kwargs)
        return self._children.start(task, args, kwargs, self._code)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:
            self._items.cancel()
        if self._code is None:
            return
        failed = self._items.failed
        phase = Phase.SUCCEEDED if kind is None else Phase.FAILED if issubclass(kind, Exception) else Phase.ABORTED
        store, key = self._here.store, self._here.home.key()
        text = f"{failed} items failed" if failed else "all items succeeded"
        payload = seal_value(key, (text,), {"text": text, "html": None})
        event = _event(self._run, phase)
        store.put(keys.outcome(self._run.name, ROOT), payload)
        store.put(keys.status(self._run.name, ROOT), [json.dumps([event.to_json()]).encode()])
        self._run.on_event(event)
        data = memoryview(b"".join(payload))
        self._outcome.set_result(unseal_outcome(key, data, worker=f"{self._run.name}-{ROOT}"))
        self._here.engine.forget(self._run.name)


def _event(run: Run, phase: Phase) -> PodEvent:
    return PodEvent(
        run=run.name, action=ROOT, parent=None, task=run.task_name, title=run.title, phase=phase, at=time.time()
    )


def _unwrap(task: Any) -> tuple[Task[..., Any], tuple[Any, ...], dict[str, Any]]:
    fixed: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    given = task
    if isinstance(task, functools.partial):
        fixed, keywords, task = task.args, dict(task.keywords), task.func
    if not isinstance(task, Task):
        raise ConfigTypeError(f"flyte.map takes a task, not {task!r}.\nMake one with @env.task.")
    if given is not task:
        open_inputs = [name for name in list(task.interface.inputs)[len(fixed) :] if name not in keywords]
        if len(open_inputs) != 1:
            left = ", ".join(open_inputs) or "none"
            raise ConfigTypeError(f"A partial for flyte.map leaves exactly one parameter; this one leaves: {left}.")
    return task, fixed, keywords


map = Map()  # noqa: A001 - Flyte's name
