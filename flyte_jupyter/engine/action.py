"""Where the actions of a run stand: a fold over events, and the bounded view of it that people are shown."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..once import Part
from ..pods import Event, Failure, LogEvent, Phase, PodEvent
from ..vitals import Vitals, VitalsEvent

LOG_TAIL = 200
"""Lines of a log that are kept in memory per action; all lines are in the store."""
SHOWN_ATTEMPTS = 10
"""The last attempts of an action, whose vitals are kept in memory."""
SHOWN_ACTIONS = 50
"""Actions a view lists one by one; above that it counts."""
_LINES_OF_ALL, _FEWEST_LINES = 2 * LOG_TAIL, 5
"""Lines in a view of all actions together that the first one has called, and of each of them at least."""
_LISTED_OF_MANY = 10
"""Actions that are listed of those that are counted."""
_FIRST = (Phase.FAILED, Phase.TIMED_OUT, Phase.ABORTED, Phase.RUNNING)
"""What a person looks for among many."""


@dataclass(slots=True)
class Action:
    """One invocation and where it stands.

    Attributes:
        history: (phase, seconds since the epoch, attempt, step) in the order they happened.
        reason: why it waits, or what is being done, in words; "" when there is nothing to say.
        notes: what its attempts asked for and did not get, or not quite so.
        replica: which replica of which pool the last of them ran in, "" for a process of its own.
        failure: of the last attempt that failed; failures: of every failed attempt, by its number.
        links: to elsewhere, as `PodRequest` has them.
        is_cached: whether its result was kept from an earlier call.
        cache: where that is from, or why it runs although its task is cached; "" for others.
        instead: all that it could ask for, as `Requirements.to_json`, when there is less than it asks for; asked: what
            it asks for, in the same form.
        pod: of the last of them, in a cluster; "" for none.
        tail: the last lines, (attempt, seconds, stream, text); printed: lines printed so far, by attempt.
        vitals: what its last attempts have shown of themselves, by their number.
        unfinished: of the last attempt that printed, by stream, what has no line end yet.
    """

    name: str
    parent: str | None
    task: str
    title: str
    phase: Phase = Phase.QUEUED
    attempt: int = 0
    history: list[tuple[Phase, float, int, str]] = field(default_factory=list)
    failures: dict[int, Failure] = field(default_factory=dict)
    retry_in: float | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    pod: str = ""
    replica: str = ""
    peak_memory: int | None = None
    is_cached: bool = False
    cache: str = ""
    instead: Mapping[str, Any] | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[Mapping[str, str], ...] = ()
    tail: deque[tuple[int, float, str, str]] = field(default_factory=lambda: deque(maxlen=LOG_TAIL))
    printed: dict[int, int] = field(default_factory=dict)
    unfinished: tuple[int, Mapping[str, str]] = (0, {})
    vitals: dict[int, Vitals] = field(default_factory=dict)

    @property
    def failure(self) -> Failure | None:
        return self.failures[max(self.failures)] if self.failures and self.phase != Phase.SUCCEEDED else None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "parent": self.parent,
            "task": self.task,
            "title": self.title,
            "phase": self.phase.value,
            "attempt": self.attempt,
            "history": [[phase.value, at, attempt, step] for phase, at, attempt, step in self.history],
            "failures": {str(n): failure.to_json() for n, failure in self.failures.items()},
            "retry_in": self.retry_in,
            "reason": self.reason,
            "notes": list(self.notes),
            "pod": self.pod,
            "replica": self.replica,
            "peak_memory": self.peak_memory,
            "is_cached": self.is_cached,
            "cache": self.cache,
            "instead": dict(self.instead or {}),
            "links": [dict(link) for link in self.links],
            "vitals": {str(n): vitals.to_json() for n, vitals in self.vitals.items()},
        }


class RunState:
    """All actions of a run, fed by events from any thread.

    Events may arrive twice (a watch begins with a snapshot) and late; a terminal phase is never left.  What a view
    counts is counted here as it happens, so that a card of ten thousand actions costs no more than one of fifty.

    Args:
        run: its name; root: the name of its first action; task, title: of that.
    """

    def __init__(self, run: str, root: str = "a0", *, task: str = "", title: str = "") -> None:
        self.run = run
        self.root = root
        self.version = 0
        self._actions: dict[str, Action] = {root: Action(root, None, task, title)}
        self._in_phase: dict[Phase, dict[str, Action]] = {phase: {} for phase in Phase}  # without the first one
        self._tasks: dict[str, Counter[str]] = {}
        self._cached = 0
        self._told: dict[str, Part] = {}
        self._told_lines: dict[str, tuple[int, Part]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {phase}" for phase, n in sorted(self.counts().items()))
        return f"<RunState {self.run} [{counts or 'no actions'}]>"

    def apply(self, event: Event) -> None:
        """Take one event in."""
        with self._lock:
            self.version += 1
            changed: dict[str, Any] = self._told_lines if isinstance(event, LogEvent) else self._told
            changed.pop(event.action, None)
            action = self._actions.get(event.action)
            if not isinstance(event, PodEvent):
                if action is not None and isinstance(event, LogEvent):
                    self._print(action, event)
                elif action is not None and isinstance(event, VitalsEvent) and not self._is_passed_over(action):
                    self._show(action, event)
                return
            if action is None:
                action = Action(event.action, event.parent, event.task, event.title)
                self._actions[event.action] = action
            else:
                self._count(action, -1)
            self._advance(action, event)
            self._count(action, +1)
            if self._is_passed_over(action):
                action.tail.clear()
                action.vitals.clear()
                self._told_lines.pop(event.action, None)

    def _count(self, action: Action, by: int) -> None:
        if action.name == self.root:
            return
        self._tasks.setdefault(action.title, Counter())[action.phase.value] += by
        self._cached += by * action.is_cached
        if by > 0:
            self._in_phase[action.phase][action.name] = action
        else:
            del self._in_phase[action.phase][action.name]

    @staticmethod
    def _advance(action: Action, event: PodEvent) -> None:
        step = (event.phase, event.at, event.attempt, event.step)
        if action.history and step == action.history[-1] and not action.phase.is_terminal:
            action.reason, action.instead = event.reason, event.instead  # told again, with other words
            action.notes = event.notes or action.notes
        if action.phase.is_terminal or step in action.history:
            return
        action.history.append(step)
        action.phase = event.phase
        action.retry_in = event.retry_in
        action.reason = event.reason
        action.instead = event.instead
        action.is_cached = event.is_cached
        action.cache = event.cache or action.cache
        action.links = event.links or action.links
        action.asked = event.asked or action.asked
        action.notes = tuple(dict.fromkeys((*action.notes, *event.notes)))  # the cluster tells some, the pod others
        action.pod = event.pod or action.pod
        action.replica = event.replica or action.replica
        if event.failure is not None:
            failed = event.attempt - 1 if event.phase is Phase.QUEUED else event.attempt
            action.failures[failed] = event.failure
        action.attempt = event.attempt
        if event.peak_memory is not None:
            action.peak_memory = max(event.peak_memory, action.peak_memory or 0)

    def _print(self, action: Action, event: LogEvent) -> None:
        seen = action.printed.get(event.attempt, 0)
        new = event.lines[max(0, seen - event.start) :]
        action.printed[event.attempt] = max(seen, event.start + len(event.lines))
        if self._is_passed_over(action):
            return
        if event.start + len(event.lines) >= seen:  # else it is old
            action.unfinished = (event.attempt, event.unfinished)
        action.tail.extend((event.attempt, at, stream, text) for at, stream, text in new)

    @staticmethod
    def _show(action: Action, event: VitalsEvent) -> None:
        action.vitals.setdefault(event.attempt, Vitals()).apply(event)
        for old in sorted(action.vitals)[:-SHOWN_ATTEMPTS]:
            del action.vitals[old]

    def get(self, action: str) -> Action | None:
        return self._actions.get(action)

    def lines(self, action: str, attempt: int, after: int) -> list[tuple[float, str, str]]:
        """What was told of the log of an attempt beyond its first lines; [] where lines in between are not known."""
        with self._lock:
            known = self._actions.get(action)
            if known is None:
                return []
            told = [(at, stream, text) for of, at, stream, text in known.tail if of == attempt]
            missing = known.printed.get(attempt, 0) - len(told)
            return told[after - missing :] if after >= missing else []

    def all(self) -> list[Action]:
        """The first action, then all others as they began."""
        with self._lock:
            first, *others = self._actions.values()
        return [first, *sorted(others, key=lambda a: a.history[0][1] if a.history else 0.0)]

    def open_actions(self) -> list[str]:
        """The names of the actions that have not ended, the first one left out."""
        with self._lock:
            return [a.name for a in self._actions.values() if a.name != self.root and not a.phase.is_terminal]

    @property
    def phase(self) -> Phase:
        """The phase of the first action."""
        return self._actions[self.root].phase

    @property
    def cache(self) -> str:
        """What the cache says of the first action."""
        return self._actions[self.root].cache

    @property
    def is_cached(self) -> bool:
        """Whether the result of the first action was kept from an earlier call."""
        return self._actions[self.root].is_cached

    def counts(self) -> Counter[str]:
        """How many actions are in which phase, the first one left out."""
        with self._lock:
            return Counter({phase.value: len(found) for phase, found in self._in_phase.items() if found})

    def tasks(self) -> dict[str, dict[str, int]]:
        """The same by title."""
        with self._lock:
            return self._counted()

    def _counted(self) -> dict[str, dict[str, int]]:
        return {title: dict(+counts) for title, counts in self._tasks.items()}

    def view(self) -> dict[str, Any]:
        """What a card shows, as JSON; neither its size nor the time it takes depends on the number of actions.

        What has not changed is the same object as in the view before, so that it need not be drawn again; whoever looks
        at a view leaves it as it is.
        """
        with self._lock:
            shown = list(self._shown())
            few = max(_FEWEST_LINES, _LINES_OF_ALL // len(shown))
            self._told = {of.name: self._told.get(of.name) or Part(of.to_json()) for of in shown}
            self._told_lines = {of.name: self._lines(of, LOG_TAIL if of.name == self.root else few) for of in shown}
            return {
                "version": 1,
                "run": self.run,
                "root": self.root,
                "phase": self.phase.value,
                "actions": list(self._told.values()),
                "total": len(self._actions),
                "cached": self._cached,
                "tasks": self._counted(),
                "logs": {name: told for name, (_, told) in self._told_lines.items()},
            }

    def _lines(self, action: Action, most: int) -> tuple[int, Part]:
        """The last lines of an action: fewer of those that were called when there are many of them."""
        known = self._told_lines.get(action.name)
        if known is not None and known[0] == most:
            return known
        last = itertools.islice(reversed(action.tail), most)
        attempt, texts = action.unfinished
        at = action.tail[-1][1] if action.tail else action.history[-1][1] if action.history else 0.0
        open_lines = [[attempt, at, stream, line] for stream, text in texts.items() for line in text.split("\n")]
        lines = [*([list(line) for line in last][::-1]), *open_lines]
        return most, Part({"printed": sum(action.printed.values()), "lines": lines})

    def _shown(self) -> Iterator[Action]:
        """The first action, then all others as they began, or, of too many, some of those a person looks for."""
        yield self._actions[self.root]
        if self._is_crowd():
            order = (*_FIRST, *(phase for phase in Phase if phase not in _FIRST))
            found = itertools.chain.from_iterable(self._in_phase[phase].values() for phase in order)
            yield from itertools.islice(found, _LISTED_OF_MANY)
            return
        others = [a for a in self._actions.values() if a.name != self.root]
        yield from sorted(
            others, key=lambda a: a.history[0][1] if a.history else 0.0
        )  # what is read back comes by name

    def _is_passed_over(self, action: Action) -> bool:
        """Whether it is one of many that nobody looks for: its lines are in the store, and not kept here too."""
        return self._is_crowd() and action.phase is Phase.SUCCEEDED and action.name != self.root

    def _is_crowd(self) -> bool:
        return len(self._actions) > SHOWN_ACTIONS + 1
