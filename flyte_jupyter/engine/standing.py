"""Where a run stands: by the news of it, by its outcome, and of one that others have started by what is stored."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from typing import Any

from ..errors import RunNotFoundError, StoreError
from ..host.lifecycle import ABORTED
from ..host.shelf import ended
from ..pack.envelope import PayloadError
from ..pack.outcome import Outcome, outcome_of
from ..pods import ROOT, Event, Failure, Phase, PodEvent, Synced, history_as_bytes, pod_name
from ..store import Store, keys
from ..vitals import VitalsEvent
from .action import RunState
from .arrival import arrival
from .engine import Engine
from .kept import events_of_all
from .news import OUTCOME_LOST
from .record import is_driven

_STARTING = 60.0
"""Seconds after which a run that is not open and has not ended is known to have been lost before it was accepted."""
_LOOK_AGAIN, _SELDOM = 0.02, 1.0
"""Seconds between two looks for a run that is about to start, doubled each time: a cluster has to list for each."""
_log = logging.getLogger("flyte_jupyter")


class Standing:
    """What is known of a run so far. Any thread may ask.

    Args:
        record: what was written down of it; is_reattached: whether others have started it.

    Attributes:
        state: all that was told, folded; `look` before it is read.
    """

    def __init__(self, engine: Engine, record: dict[str, Any], *, is_reattached: bool) -> None:
        self._engine, self._record, self._is_reattached = engine, record, is_reattached
        self._name: str = record["run"]
        self.state = RunState(self._name, ROOT, task=record["task"], title=record["title"])
        self._future: Future[Outcome] | None = None
        self._is_joined = False
        self._pause, self._look_at = _LOOK_AGAIN, 0.0
        self._changed: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Standing {self._name} [{self.state.phase.value}]>"

    # --- its outcome --------------------------------------------------------------------------------------------------

    @property
    def outcome(self) -> Outcome | None:
        """Its outcome, when it is known by now."""
        future = self._future
        has_one = future is not None and future.done() and not future.cancelled() and future.exception() is None
        return future.result() if future is not None and has_one else None

    def wait(self, timeout: float | None = None) -> Outcome:
        """Its outcome, once it has ended.

        Raises:
            TimeoutError: `timeout` seconds are over before. RunNotFoundError: it has left none.
        """
        begin = time.monotonic()
        try:
            while self._is_starting():
                if timeout is not None and time.monotonic() - begin > timeout:
                    raise futures.TimeoutError
                time.sleep(_LOOK_AGAIN)
            outcome = self._awaited().result(timeout)
        except futures.TimeoutError:  # before Python 3.11 not the built-in one
            phase = self.state.phase.value
            raise TimeoutError(f"{self._name} has not ended within {timeout:g} s: it is {phase}.") from None
        self._complete()
        return outcome

    async def arrive(self) -> Outcome:
        """The same, without blocking the event loop."""
        while self._is_starting():  # noqa: ASYNC110 - another process launches it
            await asyncio.sleep(_LOOK_AGAIN)
        outcome = await arrival(self._awaited())
        self._complete()
        return outcome

    def _is_starting(self) -> bool:
        """Whether somebody else has written it down and not launched it yet."""
        self.look()
        return self._is_reattached and self._future is None and not self._is_joined

    def _awaited(self) -> Future[Outcome]:
        if self._future is None:
            root = self.state.get(ROOT)
            why = f"\n{root.failure.message}" if root is not None and root.failure is not None else ""
            what = f"{self._name} has left no outcome in the store, so there is no value to wait for."
            raise RunNotFoundError(what + why)
        return self._future

    # --- its news -----------------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at every change, on a background thread, until the returned function is called."""
        self.look()
        self._changed.append(callback)

        def unsubscribe() -> None:
            if callback in self._changed:
                self._changed.remove(callback)

        return unsubscribe

    @property
    def is_followed(self) -> bool:
        """Whether somebody is called back."""
        return bool(self._changed)

    def on_event(self, event: Event | Synced) -> None:
        """Take news in. For the engine."""
        if isinstance(event, Synced):
            self._recall_all()  # actions may have begun and ended while nobody watched
        else:
            self.state.apply(event)
        if not (isinstance(event, VitalsEvent) and event.is_only_samples):
            self._tell()

    def follow(self, future: Future[Outcome]) -> None:
        """Take the outcome from there. For whoever starts the run."""
        self._future = future
        future.add_done_callback(self._ended)

    def _ended(self, _: Future[Outcome]) -> None:
        self._complete()
        self._tell()

    def _complete(self) -> None:
        """News may have been lost with a Host, or be late; what was written down before has not."""
        if not self.state.phase.is_terminal:
            self._recall_all()
        if not self.state.phase.is_terminal and (outcome := self.outcome) is not None:
            failure = outcome.failure
            ended = Phase.ABORTED if failure is not None and failure.code == ABORTED else Phase.FAILED
            phase = Phase.SUCCEEDED if failure is None else ended
            self.state.apply(self.root_event(phase, failure, at=time.time()))

    def _tell(self) -> None:
        for callback in list(self._changed):
            try:
                callback()
            except Exception:  # its own problem: the others, and the run, go on
                _log.exception("A subscriber of run %s failed.", self._name)

    # --- a run of the past --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """For a run that this process did not start: read what is stored, watch what is open."""
        if self._is_reattached and self._future is None:
            with self._lock:
                if self._is_joined or time.monotonic() >= self._look_at:
                    self._look()
                    self._pause = min(2 * self._pause, _SELDOM)
                    self._look_at = time.monotonic() + self._pause

    def _look(self) -> None:
        if self._future is not None:  # another thread was faster
            return
        if not self._is_joined:
            self._recall_all()
            self._is_joined = self.state.phase.is_terminal or self._join()
        elif self._is_map and not self.state.phase.is_terminal:
            self._recall(ROOT)  # no process tells of its end
            self._desert()
        if self.state.phase.is_terminal:
            self._settle()

    def _desert(self) -> None:
        """End a map whose process is gone, with all that it has called."""
        goes_on = self.state.phase.is_terminal or self._is_driven() or self._engine.snapshot(self._name)
        if not goes_on:
            self.state.apply(self.root_event(Phase.ABORTED, self._engine.news.nothing_left()))

    @property
    def _is_map(self) -> bool:
        return self._record["pod"] is None

    def _is_driven(self) -> bool:
        """Whether somebody still goes through the items of a map, and may start another one."""
        return self._is_map and is_driven(self._record)

    def _join(self) -> bool:
        """It has not ended: watch it, if it is open at all. False when it may be just about to start."""
        told = self._engine.snapshot(self._name)
        for event in told:
            self.state.apply(event)
        is_open = bool(told)
        if is_open and not self._is_map:
            self.follow(self._engine.news.expect(self._name, ROOT, self.on_event))
            return True
        self._recall(ROOT)  # it may have ended between the two questions
        if self.state.phase.is_terminal:
            return True
        if is_open or self._is_driven():
            self.state.apply(self.root_event(Phase.RUNNING))
            self._engine.news.listen(self._name, self.on_event)
        elif self._is_map or time.time() > self._record["created"] + _STARTING:  # its kernel has ended before it did
            self.state.apply(self.root_event(Phase.ABORTED, self._engine.news.nothing_left()))
        else:
            return False
        return True

    def _settle(self) -> None:
        """It has ended: with what is in the store, or else with what the last event says."""
        settled: Future[Outcome] = Future()
        try:
            outcome = self._engine.outcome(self._name, ROOT)
        except PayloadError as error:  # its value is lost, not the sight of it
            settled.set_exception(error)
            self._future = settled
            return
        root = self.state.get(ROOT)
        if outcome is None and root is not None and root.failure is not None and root.failure.code != OUTCOME_LOST:
            outcome = outcome_of(root.failure, worker=pod_name(self._name, ROOT))
        self._engine.news.forget(self._name)
        if outcome is not None:
            settled.set_result(outcome)
            self._future = settled

    def _recall_all(self) -> None:
        known = {action: self.state.get(action) for action in self._engine.store.list(keys.actions(self._name))}
        self._recall(*(name for name, action in known.items() if action is None or not action.phase.is_terminal))

    def _recall(self, *actions: str) -> None:
        for event in events_of_all(self._engine.store, self._name, actions):
            self.state.apply(event)

    def keep_end(self, store: Store) -> bool:
        """Whether it has ended; how is then written down in another store, too, for lists that ask no cluster."""
        self.look()
        with contextlib.suppress(StoreError):  # then they have to ask
            if self.state.phase.is_terminal and (history := ended(self._engine.store, self._name, ROOT)):
                store.put_if_absent(keys.status(self._name, ROOT), [history_as_bytes(history)])
        return self.state.phase.is_terminal

    def root_event(self, phase: Phase, failure: Failure | None = None, *, at: float | None = None) -> PodEvent:
        """What no Host tells: of a map, whose first action is no process, or of a run that was never accepted."""
        return PodEvent(
            run=self._name,
            action=ROOT,
            parent=None,
            task=self._record["task"],
            title=self._record["title"],
            phase=phase,
            at=self._record["created"] if at is None else at,
            failure=failure,
        )
