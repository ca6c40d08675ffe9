"""What a user holds of a run: its phase, its value or error, its logs; also long after, and in another kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from ..errors import RunNotDoneError
from ..host.lifecycle import aborted
from ..host.logs import STREAMS
from ..interface import Outputs
from ..pack.outcome import Outcome
from ..pods import ROOT, Phase
from ..report import Page
from .action import RunState
from .engine import Engine
from .interrupt import LeftAlone
from .kept import log
from .record import told
from .reports import Shown, report
from .standing import Standing


class Run:
    """A run; made by `flyte.run`, `flyte.submit` and `flyte.runs`.

    `await run` gives the value of its task. In a notebook it shows itself as a card.

    Attributes:
        name: unique; later runs have later names.
        task_name: fully qualified name of the task; title: what is shown; mode: "local", or "remote" in a cluster.
        created: seconds since the epoch.
        is_cancelled: whether `cancel` was called on this object.
        standing: where it stands; for those who start and show runs.
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
        self.is_cancelled = False
        self.standing = Standing(engine, record, is_reattached=reattached)
        self._shown_report = Shown(engine.store, self.name, ROOT)

    def __repr__(self) -> str:
        return f"<Run {self.name} {self.title} [{self.phase.value}]>"

    @property
    def label(self) -> str:
        """Which one it is, for people: title and name."""
        return f"{self.title} ({self.name})"

    # --- where it stands ----------------------------------------------------------------------------------------------

    @property
    def _state(self) -> RunState:
        self.standing.look()
        return self.standing.state

    @property
    def phase(self) -> Phase:
        """Where its first action stands (Flyte's phases)."""
        return self._state.phase

    def done(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.phase.is_terminal

    @property
    def cache(self) -> str:
        """What the cache says of it: where its result is from, or why it runs; "" when its task is not cached."""
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
            self.standing.wait(timeout)

    async def wait_aio(self) -> None:
        """The same, without blocking the event loop."""
        with LeftAlone(self):
            await self.standing.arrive()

    def until_ended(self, timeout: float | None = None) -> None:
        """As `wait`, for those who deal with interrupts themselves."""
        self.standing.wait(timeout)

    async def until_ended_aio(self) -> None:
        """The same, without blocking the event loop."""
        await self.standing.arrive()

    def outputs(self) -> Outputs:
        """Wait, and return what the task returned: `outputs()[0]`, `.named_outputs`. Raises the task's error."""
        with LeftAlone(self):
            outcome = self.standing.wait()
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
        if (error := self.standing.wait().error()) is not None:
            raise error

    def __await__(self) -> Generator[Any, None, Any]:
        return self._value().__await__()

    async def _value(self) -> Any:
        with LeftAlone(self):
            outcome = await self.standing.arrive()
        return self._unpacked(self._open(outcome))

    def _open(self, outcome: Outcome) -> Outputs:
        return Outputs(outcome.outputs() or (None,), self._record["outputs"] or None)

    # --- stopping it --------------------------------------------------------------------------------------------------

    def cancel(self, reason: str = "") -> None:
        """Stop it and everything it has called; returns when that is asked for, see `wait`."""
        self.is_cancelled = True
        why = reason or "The run was cancelled."
        if self._record["pod"] is not None:
            self._engine.cancel(self.name, ROOT, why)
            return
        known = self._state.open_actions()
        if self._reattached:  # first: then whoever goes through the items starts no more of them
            self._engine.end(self.standing.root_event(Phase.ABORTED, aborted(why), at=time.time()))
        for action in dict.fromkeys((*known, *self._state.open_actions())):
            self._engine.cancel(self.name, action, why)

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
        state, outcome = self._state, self.standing.outcome  # in this order: who has ended has an outcome
        happened = state.view()
        result = outcome.preview if outcome is not None and outcome.failure is None else None
        record = told(self._record, happened)
        more = {"result": result, "report": self._shown_report(happened["actions"][0])}
        return {**happened, **record, **more, "reattached": self._reattached and not self.done()}

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at every change, on a background thread, until the returned function is called."""
        return self.standing.subscribe(callback)


class RunList(list[Run]):
    """Runs, the newest first; a notebook shows them as a table."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "no runs"
