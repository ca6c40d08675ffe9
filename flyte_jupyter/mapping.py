"""`flyte.map`: one task over many items, in parallel, results in order."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import context, session
from .credentials.needs import Needs
from .engine import interrupt
from .engine.arrival import any_of
from .engine.children import Call, Children, Prepared
from .engine.record import items_failed
from .engine.request import new_run_name
from .errors import ConfigTypeError, RunInterrupted
from .host.lifecycle import aborted
from .host.shelf import ended
from .pack.codec import dumps
from .pack.failure import failure_of
from .pack.outcome import Outcome, seal_failure, seal_value, unseal_outcome
from .pods import ROOT, Failure, Phase, PodEvent, history_as_bytes, pod_name
from .store import keys
from .task import Task

if TYPE_CHECKING:
    from typing_extensions import Self


_LOOK_AGAIN, _SELDOM = 0.02, 2.0
"""Seconds between two looks whether the map was cancelled from elsewhere: on this machine, and in a cluster."""
_NOT_WANTED = "The rest of the map is not wanted any more."


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
        self._count = len(self._arguments)
        self._limit = concurrency or self._count or 1
        self.described = {"items": str(self._count), **({"group": group} if group else {})}
        self._calls: deque[Call] = deque()
        self._running: set[Future[Outcome]] = set()
        self._failed = 0

    def results(self, return_exceptions: bool) -> Iterator[Any]:
        if not self._arguments:
            return
        with _root(self) as root:
            while self._fill(root) or self._calls:
                call = self._calls[0]  # stays there while it is waited for, so that `cancel` finds it
                while not call.future.done():
                    wait(self._awaited(call), return_when=FIRST_COMPLETED)
                    self._fill(root)
                self._calls.popleft()
                root.hand_over()
                yield self._take(call, return_exceptions)

    async def aresults(self, return_exceptions: bool) -> AsyncIterator[Any]:
        if not self._arguments:
            return
        with _root(self) as root:
            while self._fill(root) or self._calls:
                call = self._calls[0]
                while not call.future.done():
                    try:
                        await any_of(self._awaited(call))
                    except (asyncio.CancelledError, KeyboardInterrupt) as error:
                        raise await root.interrupted_aio(error) from None
                    self._fill(root)
                self._calls.popleft()
                root.hand_over()
                yield self._take(call, return_exceptions)

    def _awaited(self, call: Call) -> Iterable[Future[Outcome]]:
        """Whatever makes room for another item, as long as there are any."""
        return self._running if self._arguments else [call.future]

    def _fill(self, root: _Inside | _Outside) -> bool:
        """Start what may run now; whether anything was started."""
        if root.is_cancelled:
            self._arguments.clear()
        if not self._arguments:
            return False
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
    def outcome(self) -> str:
        return items_failed(self._failed, self._count) or "all items succeeded"

    def cancel(self, reason: str = _NOT_WANTED) -> None:
        """Stop what runs and was not asked for yet."""
        for call in list(self._calls):
            if not call.future.done():
                call.cancel(reason)

    def have_ended(self, seconds: float) -> bool:
        """Wait so long at most for what runs; whether nothing does any more."""
        return not wait([call.future for call in self._calls], seconds).not_done

    async def end(self) -> None:
        """Wait for what runs, whatever comes of it."""
        for call in list(self._calls):
            await any_of([call.future])


class _Inside:
    """The items of a map in a task: actions of the task like any other that it calls."""

    is_cancelled = False

    def __init__(self, items: _Items, caller: context.Caller) -> None:
        self._items = items
        self._caller = caller

    def __enter__(self) -> Self:
        return self

    def start(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._caller.start(task, args, kwargs)

    def hand_over(self) -> None: ...

    async def interrupted_aio(self, error: BaseException) -> BaseException:
        return error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None:
            self._items.cancel()


class _Outside:
    """The items of a map elsewhere: actions of a run that is made for them, whose first action is no process."""

    def __init__(self, items: _Items) -> None:
        self._items = items
        self._here = session.current()
        self._site = self._here.site(items.task, session.defaults)
        engine = self._site.engine
        self._prepared = Prepared.of(engine, items.task)
        code = self._prepared.code
        self._here.provide(items.task, self._site, code, code.needs)  # now, and not when the run is under way
        self._run = self._here.record(items.task, self._site, new_run_name(), items.described, None)
        engine.news.listen(self._run.name, self._run.standing.on_event, has_begun=False)
        place = self._here.place(site=self._site)
        self._children = Children(engine, place, self._run.name, ROOT, self._provide, self._here.screen)
        self._outcome: Future[Outcome] = Future()
        self._outcome.set_running_or_notify_cancel()
        self._run.standing.follow(self._outcome)
        self._look_at = 0.0

    def _provide(self, needs: Needs) -> None:
        code = self._prepared.code
        self._here.provide(self._items.task, self._site, code, needs - code.needs)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has cancelled it, also from elsewhere: then its end is written down already."""
        if not self._run.is_cancelled and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + (_LOOK_AGAIN if self._site.is_local else _SELDOM)
            self._run.is_cancelled = self._written_end() is not None
        return self._run.is_cancelled

    def _written_end(self) -> PodEvent | None:
        history = ended(self._site.store, self._run.name, ROOT)
        return history[-1] if history else None

    def __enter__(self) -> Self:
        try:
            self._run.standing.on_event(self._run.standing.root_event(Phase.RUNNING, at=time.time()))
            self._here.show(self._run)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def hand_over(self) -> None:
        """An item goes to the caller's loop. If that is interrupted, nobody may be left to close the generator."""
        if threading.current_thread() is threading.main_thread():
            handed_over.add(self)

    def interrupted(self) -> None:
        """The loop over the items was interrupted, and is kept alive by the traceback that shows it."""
        if not self._outcome.done():
            self._cancel(KeyboardInterrupt())
            self._run.is_cancelled = True  # whoever takes another item all the same starts none

    async def interrupted_aio(self, error: BaseException) -> BaseException:
        """The wait for an item was; what is to be raised."""
        what = self._run.label
        try:
            ending = await interrupt.end_aio(what, self._stop, self._items.end())
            interrupt.say(interrupt.said(what, ending))
        finally:
            self._end(error)
        return interrupt.of_user(error, interrupt.cancelled(what))

    def start(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._children.start(task, args, kwargs, self._prepared)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._outcome.done():
            return
        self._cancel(error)
        if isinstance(error, KeyboardInterrupt):
            raise RunInterrupted(interrupt.cancelled(self._run.label)) from None

    def _cancel(self, error: BaseException | None) -> None:
        """Stop what runs, for this reason, and put down how it has ended."""
        try:
            if isinstance(error, KeyboardInterrupt):
                what = self._run.label
                interrupt.say(interrupt.said(what, interrupt.end(what, self._stop, self._items.have_ended)))
            elif error is not None:
                self._items.cancel()
        finally:
            self._end(error)

    def _stop(self) -> None:
        self._items.cancel(interrupt.REASON)

    def _end(self, error: BaseException | None) -> None:
        phase, failure = self._verdict(error)
        key, store, name = self._site.key, self._site.store, self._run.name
        pod = pod_name(name, ROOT)
        if failure is None:
            text = self._items.outcome
            payload = seal_value(key, dumps((text,)), {"text": text, "html": None}, name=pod)
        else:
            payload = seal_failure(key, failure, name=pod)
        event = self._run.standing.root_event(phase, failure, at=time.time())
        store.put(keys.outcome(name, ROOT), payload)
        store.put(keys.status(name, ROOT), [history_as_bytes([event])])
        self._run.standing.on_event(event)
        self._outcome.set_result(unseal_outcome(key, memoryview(b"".join(payload)), worker=pod))
        self._site.engine.news.forget(name)

    def _verdict(self, error: BaseException | None) -> tuple[Phase, Failure | None]:
        if self._run.is_cancelled:
            written = self._written_end()
            return Phase.ABORTED, (written and written.failure) or aborted("The run was cancelled.")
        if error is None:
            return Phase.SUCCEEDED, None
        if isinstance(error, Exception):
            return Phase.FAILED, failure_of(error)
        is_interrupted = isinstance(error, (asyncio.CancelledError, KeyboardInterrupt))
        return Phase.ABORTED, aborted(interrupt.REASON if is_interrupted else _NOT_WANTED)


handed_over: weakref.WeakSet[_Outside] = weakref.WeakSet()
"""Maps whose items the main thread has taken since the cell began; the notebook clears it."""


def interrupted() -> None:
    """The cell, or the program, was interrupted: the maps that it was going through have ended."""
    for root in list(handed_over):
        root.interrupted()
    handed_over.clear()


def _root(items: _Items) -> _Inside | _Outside:
    """What the items hang below."""
    caller = context.caller()
    return _Inside(items, caller) if caller is not None else _Outside(items)


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
