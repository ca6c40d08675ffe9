"""What can be watched over the stream: each topic gathers what is new, and makes one message of it at its own pace.

What comes faster than a browser takes it is folded together, so that nothing is queued.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
import weakref
from collections.abc import Callable
from typing import ClassVar, get_args

from ..engine.run import Run
from ..errors import ConfigValueError
from ..notebook.live import GRACE, INTERVAL, INTERVAL_OF_ALL, SLOWEST_TICK, TICK
from ..pods import Phase
from .answers import logs, runs
from .answers.here import Here
from .shapes.actions import ActionRow
from .shapes.parameters import ActionName, RunName
from .shapes.runs import RunSummary
from .shapes.stream import ActionsNews, CardNews, LogNews, News, RunsNews

_RUN, _ACTION = (get_args(name)[1].pattern for name in (RunName, ActionName))
_TOPIC = re.compile(
    rf"runs|(?P<kind>card|actions):(?P<run>{_RUN})|log:(?P<of>{_RUN})/(?P<action>{_ACTION})/(?P<attempt>[0-9]{{1,6}})"
)
_RECENT, _OPEN = 50, 500
"""Of the newest runs, and of those that have not ended, so many are told at first."""
_RUNS_AT_ONCE, _LINES_AT_ONCE = 500, 5000
"""In one message."""


class Topic:
    """One that is watched. `make` and `begin` may take their time, and are called on a thread.

    Args:
        name: as the front end calls it.

    Attributes:
        pace: seconds between two messages; tick: after which one is made although nothing was heard, None for never.
        is_over: whether there will be no more; has_more: whether there is more already.
        run: that it is about, "" for all.
    """

    pace = 0.1
    tick: float | None = None
    is_over = False
    has_more = False

    def __init__(self, name: str, here: Here, run: str = "") -> None:
        self.name, self.run = name, run
        self._here = here
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._is_awake = False
        self._lock = threading.Lock()
        self._leave: list[Callable[[], None]] | None = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def wake(self) -> None:
        """There is something new. From any thread."""
        if not self._is_awake:
            self._is_awake = True
            try:
                self._loop.call_soon_threadsafe(self._news.set)
            except RuntimeError:  # the server is ending
                self.is_over = True

    async def wait(self) -> None:
        """Until there is something new, or until its tick."""
        with contextlib.suppress(asyncio.TimeoutError):  # before Python 3.11 not the built-in one
            await asyncio.wait_for(self._news.wait(), self.tick)
        self._news.clear()
        self._is_awake = False  # in this order: what comes now wakes again

    def renew(self) -> None:
        """It begins once more, after it has ended."""
        with self._lock:
            self._leave = []

    def begin(self) -> None:
        """Begin to listen. Raises `ConfigError`."""

    def _listen(self, leave: Callable[[], None]) -> None:
        """Call that at the end, which may have been already."""
        with self._lock:
            if self._leave is not None:
                self._leave.append(leave)
                return
        leave()

    def make(self) -> News | None:
        """What is new; None for nothing. Raises `ConfigError`."""
        raise NotImplementedError

    def end(self) -> None:
        """Listen no more."""
        with self._lock:
            leave, self._leave = self._leave, None
        for each in leave or ():
            each()


class Runs(Topic):
    """All runs: at first those that go on and the newest, then what changes."""

    def __init__(self, name: str, here: Here) -> None:
        super().__init__(name, here)
        self._changed: dict[str, RunSummary] = {}
        self._gone: set[str] = set()

    def begin(self) -> None:
        self._listen(self._here.feed.subscribe(self._hear))
        ended = {phase.value for phase in Phase if phase.is_terminal}
        going = self._here.feed.page(0, _OPEN, phases=sorted({phase.value for phase in Phase} - ended))
        newest = self._here.feed.page(0, _RECENT)
        with self._lock:
            known = {run["name"]: run for page in (going, newest) for run in page["runs"]}
            self._changed = {**known, **self._changed}

    def _hear(self, changed: list[RunSummary], gone: list[str]) -> None:
        with self._lock:
            self._changed.update((run["name"], run) for run in changed)
            for name in gone:
                self._changed.pop(name, None)
            self._gone.update(gone)
        self.wake()

    def make(self) -> RunsNews:
        with self._lock:
            names = sorted(self._changed, reverse=True)[:_RUNS_AT_ONCE]
            changed = [self._changed.pop(name) for name in names]
            gone, self._gone = sorted(self._gone), set()
            self.has_more = bool(self._changed)
        return RunsNews(topic="runs", changed=changed, gone=gone)


class Card(Topic):
    """The card of a run, as its notebook would draw it."""

    live: ClassVar[weakref.WeakSet[Card]] = weakref.WeakSet()

    def begin(self) -> None:
        self.live.add(self)
        self._begun, self._ended = time.monotonic(), 0.0
        self._it: Run = self._here.run(self.run)
        self._listen(self._it.subscribe(self.wake))
        self._told = ""

    def make(self) -> CardNews | None:
        is_final = self._is_final()  # first: what comes in between is drawn
        made = runs.card_of(self._here, self.run)
        self.is_over = is_final
        self.pace = max(INTERVAL, len(self.live) * INTERVAL_OF_ALL)
        self.tick = min(SLOWEST_TICK, max(TICK, (time.monotonic() - self._begun) / 60))
        if made["html"] == self._told:
            return None
        self._told = made["html"]
        return CardNews(topic="card", card=made)

    def end(self) -> None:
        self.live.discard(self)
        super().end()

    def _is_final(self) -> bool:
        """Whether nothing will change any more: also the value is there, or will not come."""
        phase = self._it.phase
        if not phase.is_terminal:
            return False
        self._ended = self._ended or time.monotonic()
        has_value = self._it.standing.outcome is not None
        return phase is not Phase.SUCCEEDED or has_value or time.monotonic() >= self._ended + GRACE


class Actions(Topic):
    """The actions of a run: all at first, then those that change."""

    def begin(self) -> None:
        self._changed: dict[str, ActionRow] = {}
        self._listen(self._here.feed.follow(self.run, self._hear))
        self._all: list[ActionRow] | None = self._here.feed.actions(self.run)

    def _hear(self, changed: list[ActionRow]) -> None:
        with self._lock:
            self._changed.update((row["name"], row) for row in changed)
        self.wake()

    def make(self) -> ActionsNews | None:
        if self._all is not None:
            rows, self._all = self._all, None
            return ActionsNews(topic="actions", run=self.run, actions=rows, is_all=True)
        with self._lock:
            changed, self._changed = list(self._changed.values()), {}
        return ActionsNews(topic="actions", run=self.run, actions=changed, is_all=False) if changed else None


class Log(Topic):
    """The log of an attempt from a line on, as it grows."""

    tick = 1.0

    def __init__(self, name: str, here: Here, run: str, action: str, attempt: int, start: int) -> None:
        super().__init__(name, here, run)
        self._action, self._attempt, self._next = action, attempt, start
        self._is_told = False

    def begin(self) -> None:
        self._listen(self._here.run(self.run).subscribe(self.wake))

    def make(self) -> LogNews | None:
        page = logs.page(self._here, self.run, self._action, self._attempt, self._next, _LINES_AT_ONCE)
        self._next += len(page["lines"])
        self.has_more = len(page["lines"]) == _LINES_AT_ONCE
        self.is_over = page["is_complete"] and not self.has_more
        if self._is_told and not page["lines"] and not self.is_over:
            return None
        self._is_told = True
        complete = self.is_over
        return LogNews(topic="log", run=self.run, action=self._action, page={**page, "is_complete": complete})


def topic(name: str, here: Here, start: int = 0) -> Topic:
    """The topic that a front end means.

    Args:
        start: the first line that is wanted of a log.

    Raises:
        ConfigValueError: there is no such topic.
    """
    found = _TOPIC.fullmatch(name)
    if found is None:
        known = '"runs", "card:RUN", "actions:RUN" and "log:RUN/ACTION/ATTEMPT"'
        raise ConfigValueError(f"{name[:200]!r} is no topic; there are {known}.")
    said = found.groupdict()
    if said["of"] is not None:
        return Log(name, here, said["of"], said["action"], int(said["attempt"]), start)
    if said["kind"] is None:
        return Runs(name, here)
    return Card(name, here, said["run"]) if said["kind"] == "card" else Actions(name, here, said["run"])
