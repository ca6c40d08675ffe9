"""What a user holds of a run: its phase, its value or error, its logs; also long after, and in another kernel."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent import futures
from concurrent.futures import Future
from typing import Any

from ..errors import RunNotDoneError, RunNotFoundError
from ..host.lifecycle import ABORTED
from ..host.logs import STREAMS
from ..interface import Outputs
from ..pack.envelope import PayloadError
from ..pack.outcome import Outcome, outcome_of
from ..pods import Event, Failure, Phase, PodEvent, Synced, pod_name
from ..report import Page
from ..store import keys
from ..vitals import VitalsEvent
from .action import RunState
from .arrival import arrival
from .engine import Engine
from .interrupt import LeftAlone
from .kept import events, log
from .record import told
from .reports import Shown, report

ROOT = "a0"
_STARTING = 60.0
"""Seconds after which a run that is not open and has not ended is known to have been lost before it was accepted."""
_LOOK_AGAIN = 0.02
"""Seconds between two looks for a run that is about to start."""
_log = logging.getLogger("flyte_jupyter")


class Run:
    """A run; made by `flyte.run`, `flyte.submit` and `flyte.runs`.

    `await run` gives the value of its task. In a notebook it shows itself as a card.

    Attributes:
        name: unique; later runs have later names.
        task_name: fully qualified name of the task; title: what is shown; mode: "local", or "remote" in a cluster.
        created: seconds since the epoch.
        is_cancelled: whether `cancel` was called on this object.
    """

    def __init__(
        self,
        engine: Engine,
        record: dict[str, Any],
        *,
        unpack: Callable[[Outputs], Any] | None = None,
        reattached: bool = False,
    ) -> None:
        self.name: str = record["run"]
        self.mode: str = record["mode"]
        self.task_name: str = record["task"]
        self.title: str = record["title"]
        self.created: float = record["created"]
        self._record, self._engine = record, engine
        self._unpack, self._reattached = unpack, reattached
        self.is_cancelled = self._is_joined = False
        self._state = RunState(self.name, ROOT, task=self.task_name, title=self.title)
        self._future: Future[Outcome] | None = None
        self._shown_report = Shown(engine.store, self.name, ROOT)
        self._changed: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Run {self.name} {self.title} [{self.phase.value}]>"

    @property
    def label(self) -> str:
        """Which one it is, for people: title and name."""
        return f"{self.title} ({self.name})"

    # --- where it stands ----------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """Where its first action stands (Flyte's phases)."""
        self._attach()
        return self._state.phase

    def done(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.phase.is_terminal

    @property
    def cache(self) -> str:
        """What the cache says of it: where its result is from, or why it runs; "" when its task is not cached."""
        self._attach()
        return self._state.cache or str((self._record["pod"] or {}).get("cache", ""))

    @property
    def is_cached(self) -> bool:
        """Whether its result was kept from an earlier run, so that nothing ran; `cache` says from which."""
        return self.phase.is_terminal and self._state.is_cached

    @property
    def url(self) -> str:
        """Where its record is."""
        return f"{self._engine.store.url}/runs/{self.name}"

    def inputs(self) -> dict[str, str]:
        """Its inputs in a few words each."""
        return dict(self._record["inputs"])

    # --- its value ----------------------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has ended; does not raise its error (as in Flyte), see `raise_for_status`.

        Interrupting leaves the run alone, and says so. Raises `TimeoutError` when `timeout` seconds are over before.
        """
        with LeftAlone(self):
            self._outcome(timeout)

    async def wait_aio(self) -> None:
        """The same, without blocking the event loop."""
        with LeftAlone(self):
            await self._arrived()

    def until_ended(self, timeout: float | None = None) -> None:
        """As `wait`, for those who deal with interrupts themselves."""
        self._outcome(timeout)

    async def until_ended_aio(self) -> None:
        """The same, without blocking the event loop."""
        await self._arrived()

    def outputs(self) -> Outputs:
        """Wait, and return what the task returned: `outputs()[0]`, `.named_outputs`. Raises the task's error."""
        with LeftAlone(self):
            outcome = self._outcome()
        return self._open(outcome)

    def result(self) -> Any:
        """Wait, and return the value itself: what `await task(...)` gives in a task. Raises the task's error."""
        return self._unpacked(self.outputs())

    def _unpacked(self, outputs: Outputs) -> Any:
        value = outputs[0] if len(outputs) == 1 else tuple(outputs)
        return value if self._unpack is None else self._unpack(outputs)

    def raise_for_status(self) -> None:
        """Raise the task's error if it failed. Raises `RunNotDoneError` before the end (as in Flyte)."""
        if not self.done():
            raise RunNotDoneError(f"{self.name} has not ended: it is {self.phase.value}. Wait for it: run.wait().")
        if (error := self._outcome().error()) is not None:
            raise error

    def __await__(self) -> Generator[Any, None, Any]:
        return self._value().__await__()

    async def _value(self) -> Any:
        with LeftAlone(self):
            outcome = await self._arrived()
        return self._unpacked(self._open(outcome))

    async def _arrived(self) -> Outcome:
        while self._is_starting():  # noqa: ASYNC110 - another process launches it
            await asyncio.sleep(_LOOK_AGAIN)
        outcome = await arrival(self._awaited())
        self._complete()
        return outcome

    def _outcome(self, timeout: float | None = None) -> Outcome:
        begin = time.monotonic()
        try:
            while self._is_starting():
                if timeout is not None and time.monotonic() - begin > timeout:
                    raise futures.TimeoutError
                time.sleep(_LOOK_AGAIN)
            outcome = self._awaited().result(timeout)
        except futures.TimeoutError:  # before Python 3.11 not the built-in one
            raise TimeoutError(f"{self.name} has not ended within {timeout:g} s: it is {self.phase.value}.") from None
        self._complete()
        return outcome

    def _is_starting(self) -> bool:
        """Whether somebody else has written it down and not launched it yet."""
        self._attach()
        return self._reattached and self._future is None and not self._is_joined

    def _awaited(self) -> Future[Outcome]:
        if self._future is None:
            raise RunNotFoundError(f"{self.name} has left no outcome in the store, so there is no value to wait for.")
        return self._future

    def _open(self, outcome: Outcome) -> Outputs:
        return Outputs(outcome.outputs() or (None,), self._record["outputs"] or None)

    # --- stopping it --------------------------------------------------------------------------------------------------

    def cancel(self, reason: str = "") -> None:
        """Stop it and everything it has called; returns when that is asked for, see `wait`."""
        self.is_cancelled = True
        self._attach()
        actions = [ROOT] if self._record["pod"] is not None else self._state.open_actions()
        for action in actions:
            self._engine.cancel(self.name, action, reason or "The run was cancelled.")

    abort = cancel
    """Flyte's name for it."""

    # --- its logs -----------------------------------------------------------------------------------------------------

    def get_logs(self, attempt: int | None = None, *, action: str = ROOT, filter_system: bool = True) -> Iterator[str]:
        """The lines that an action has printed so far, of its last attempt or a given one (counted from 0).

        Args:
            filter_system: without what was said while its image was built.
        """
        for _, stream, text in self._log(action, attempt):
            if stream in STREAMS or not filter_system:
                yield text

    def show_logs(self, attempt: int | None = None, *, action: str = ROOT, filter_system: bool = True) -> None:
        """Print them."""
        for line in self.get_logs(attempt, action=action, filter_system=filter_system):
            print(line)  # noqa: T201 - that is what it is for

    def _log(self, action: str, attempt: int | None) -> list[tuple[float, str, str]]:
        number = self._number(action, attempt)
        stored = log(self._engine.store, self.name, action, number)
        return stored + self._state.lines(action, number, len(stored))  # a pod stores them now and then

    def _number(self, action: str, attempt: int | None) -> int:
        self._attach()
        known = self._state.get(action)
        return attempt if attempt is not None else known.attempt if known else 0

    def get_report(self, attempt: int | None = None, *, action: str = ROOT) -> Page:
        """What the task of an action has logged as its report, also while it runs; of its last attempt or a given one.

        A text of HTML (Flyte) that a notebook shows in a frame: `.tabs`, `.save("report.html")`.

        Raises:
            RunNotFoundError: it has logged nothing.
        """
        return report(self._engine.store, self.name, action, self._number(action, attempt))

    # --- showing it ---------------------------------------------------------------------------------------------------

    def view(self) -> dict[str, Any]:
        """What a card shows, as JSON: where all actions stand, configuration, inputs, result; bounded in size."""
        self._attach()
        outcome = self._future.result() if self._future is not None and self._has_result() else None
        result = outcome.preview if outcome is not None and outcome.failure is None else None
        happened = self._state.view()
        record = told(self._record, happened)
        more = {"result": result, "report": self._shown_report(happened["actions"][0])}
        return {**happened, **record, **more, "reattached": self._reattached and not self.done()}

    def _has_result(self) -> bool:
        future = self._future
        return future is not None and future.done() and not future.cancelled() and future.exception() is None

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at every change, on a background thread, until the returned function is called."""
        self._attach()
        self._changed.append(callback)

        def unsubscribe() -> None:
            if callback in self._changed:
                self._changed.remove(callback)

        return unsubscribe

    def on_event(self, event: Event | Synced) -> None:
        """Take news in. For the engine."""
        if isinstance(event, Synced):
            self._recall_all()  # actions may have begun and ended while nobody watched
        else:
            self._state.apply(event)
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
        if not self._state.phase.is_terminal:
            self._recall_all()
        if not self._state.phase.is_terminal and self._has_result() and self._future is not None:
            failure = self._future.result().failure
            phase = Phase.FAILED if failure is not None and failure.code != ABORTED else Phase.ABORTED
            self._state.apply(self.root_event(phase, failure, at=time.time()))

    def _tell(self) -> None:
        for callback in list(self._changed):
            try:
                callback()
            except Exception:  # its own problem: the others, and the run, go on
                _log.exception("A subscriber of run %s failed.", self.name)

    # --- a run of the past --------------------------------------------------------------------------------------------

    def _attach(self) -> None:
        """For a run that this process did not start: read what is stored, watch what is open."""
        if self._reattached and self._future is None:
            with self._lock:
                self._look()

    def _look(self) -> None:
        if self._future is not None:  # another thread was faster
            return
        if not self._is_joined:
            self._recall_all()
            self._is_joined = self._state.phase.is_terminal or self._join()
        elif self._is_map and not self._state.phase.is_terminal:
            self._recall(ROOT)  # no process tells of its end
        if self._state.phase.is_terminal:
            self._settle()

    @property
    def _is_map(self) -> bool:
        return self._record["pod"] is None

    def _join(self) -> bool:
        """It has not ended: watch it, if it is open at all. False when it may be just about to start."""
        told = self._engine.snapshot(self.name)
        for event in told:
            self._state.apply(event)
        is_open = bool(told)
        if is_open and not self._is_map:
            self.follow(self._engine.expect(self.name, ROOT, self.on_event))
            return True
        self._recall(ROOT)  # it may have ended between the two questions
        if self._state.phase.is_terminal:
            return True
        if is_open:
            self._state.apply(self.root_event(Phase.RUNNING))
            self._engine.listen(self.name, self.on_event)
        elif self._is_map or time.time() > self.created + _STARTING:  # its kernel has ended before it did
            self._state.apply(self.root_event(Phase.ABORTED))
        else:
            return False
        return True

    def _settle(self) -> None:
        """It has ended: with what is in the store, or else with what the last event says."""
        settled: Future[Outcome] = Future()
        try:
            outcome = self._engine.outcome(self.name, ROOT)
        except PayloadError as error:  # its value is lost, not the sight of it
            settled.set_exception(error)
            self._future = settled
            return
        root = self._state.get(ROOT)
        if outcome is None and root is not None and root.failure is not None:
            outcome = outcome_of(root.failure, worker=pod_name(self.name, ROOT))
        self._engine.forget(self.name)
        if outcome is not None:
            settled.set_result(outcome)
            self._future = settled

    def _recall_all(self) -> None:
        for action in self._engine.store.list(keys.actions(self.name)):
            known = self._state.get(action)
            if known is None or not known.phase.is_terminal:
                self._recall(action)

    def _recall(self, action: str) -> None:
        for event in events(self._engine.store, self.name, action):
            self._state.apply(event)

    def root_event(self, phase: Phase, failure: Failure | None = None, *, at: float | None = None) -> PodEvent:
        """What no Host tells: of a map, whose first action is no process, or of a run that was never accepted."""
        return PodEvent(
            run=self.name,
            action=ROOT,
            parent=None,
            task=self.task_name,
            title=self.title,
            phase=phase,
            at=self.created if at is None else at,
            failure=failure,
        )


class RunList(list[Run]):
    """Runs, the newest first; a notebook shows them as a table."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "no runs"
