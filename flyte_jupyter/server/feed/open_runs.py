"""The runs of this machine that have not ended, folded from what the Hosts tell and from what is stored."""

from __future__ import annotations

import functools
import json
import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.action import RunState
from ...engine.record import is_driven
from ...home import Home
from ...host import notes
from ...pods import ROOT, Failure, Phase, PodEvent, history_of
from ...store import Store, keys
from .summaries import summary

_STARTING = 60.0
"""Seconds after which one that no Host knows of was lost before it was accepted."""
_SELDOM, _SURE = 1.0, 2
"""Seconds between two looks at one that no Host has; after so many looks its Host has died, and is not just coming."""
_LOST = Failure(
    code="RunLost",
    kind="system",
    message="It is not open any more and has left no outcome: it was not accepted, or its files are gone.",
)
_DESERTED = Failure(
    code="RunLost",
    kind="system",
    message="The process that went through the items of this map has ended before it did.",
)
_log = logging.getLogger("flyte_jupyter")


@dataclass(eq=False)
class OpenRun:
    """One that has not ended.

    Attributes:
        record: what was written down of it; state: what has happened.
        pods: its actions that a Host has open, by the Host.
        changed: names of the actions that somebody who follows them was not told of yet.
        look_at: when it is looked for next, as `time.monotonic` counts, while no Host has it; looked: how often it was.
        is_told: whether anybody can say where it stands; not yet, or not any more, in a cluster.
        seen: of one in a cluster, what was known of its actions when they were told last.
    """

    record: Mapping[str, Any]
    state: RunState
    pods: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    changed: set[str] = field(default_factory=set)
    look_at: float = 0.0
    looked: int = 0
    is_told: bool = True
    seen: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> OpenRun:
        return cls(record, RunState(record["run"], ROOT, task=record["task"], title=record["title"]))

    @property
    def is_map(self) -> bool:
        """Whether its first action is no process, so that no Host tells of its end."""
        return self.record["pod"] is None

    @property
    def is_remote(self) -> bool:
        """Whether it is in a cluster, and no Host knows of it."""
        return self.record.get("cluster") is not None

    @property
    def has_ended(self) -> bool:
        return self.state.phase.is_terminal

    @property
    def host(self) -> str | None:
        """The Host that has something of it open."""
        return next((host for host, pods in self.pods.items() if pods), None)

    def take(self, event: PodEvent) -> None:
        self.state.apply(event)
        self.changed.add(event.action)

    def event(self, phase: Phase, at: float, failure: Failure | None = None, reason: str = "") -> PodEvent:
        """Of its first action, that nobody tells."""
        who = {"run": self.record["run"], "task": self.record["task"], "title": self.record["title"]}
        return PodEvent(**who, action=ROOT, parent=None, phase=phase, at=at, failure=failure, reason=reason)


class OpenRuns:
    """All of them. One thread changes them; any may read.

    Args:
        home: the state folder; store: of this machine.

    Attributes:
        runs: by name; changed: the names of those of which there is something to tell.
    """

    def __init__(self, home: Home, store: Store) -> None:
        self._home, self._store = home, store
        self.runs: dict[str, OpenRun] = {}
        self.changed: set[str] = set()

    def __repr__(self) -> str:
        return f"<OpenRuns {len(self.runs)}>"

    def add(self, record: Mapping[str, Any]) -> OpenRun:
        """One that may have ended meanwhile; what is stored of it is read."""
        run = OpenRun.of(record)
        recall(self._store, run)  # before anybody can ask for it: half of its actions would look like all
        self.runs[record["run"]] = run
        if run.is_map and not run.is_remote and not run.has_ended:
            run.take(run.event(Phase.RUNNING, record["created"]))
        self.changed.add(record["run"])
        return run

    # --- what the Hosts tell ------------------------------------------------------------------------------------------

    def heard(self, host: str, event: PodEvent) -> None:
        """Something has happened to a pod of a Host."""
        run = self.runs.get(event.run) or self._join(event.run)
        if run is None:
            return
        if event.phase.is_terminal:
            run.pods[host].discard(event.action)
        else:
            run.pods[host].add(event.action)
            run.looked = 0
        run.take(event)
        self.changed.add(event.run)

    def _join(self, name: str) -> OpenRun | None:
        record = read(self._store, name)
        return self.add(record) if record is not None else None

    def synced(self, host: str) -> None:  # noqa: ARG002 - as a `Hearer`
        """What it has not told of may have ended before."""
        for run in self.runs.values():
            run.look_at = 0.0
        self.look()

    def lost(self, host: str) -> None:
        """It has ended, and may have written down more than it has told."""
        for run in self.runs.values():
            if run.pods.pop(host, None):
                run.look_at = 0.0
        self.look()

    # --- what nobody tells --------------------------------------------------------------------------------------------

    def look(self, *, at_once: bool = False) -> None:
        """Look after those of which nobody tells whether they have ended.

        Args:
            at_once: also after those that were looked for a moment ago.
        """
        now = time.monotonic()
        for run in list(self.runs.values()):
            if run.is_map and not run.has_ended and not run.is_remote:
                self._recall(run, [ROOT])
            if run.host is not None or run.has_ended or run.is_remote:
                continue
            if now >= run.look_at:
                run.look_at = now + _SELDOM
                run.looked += 1
                self._look_for(run)
            elif at_once:
                self._recall(run)

    def _look_for(self, run: OpenRun) -> None:
        name, created = run.record["run"], run.record["created"]
        self._recall(run)
        if run.has_ended:
            return
        host = self._home.noted(name)
        if host is not None:
            is_lost = run.looked > _SURE
            for event in notes.waiting(Home(self._home.path, host).open_pods, name) if is_lost else ():
                first = run.state.get(event.action)
                if first is None or first.reason != event.reason:
                    run.take(event)
                    self.changed.add(name)
        elif not (is_driven(run.record) if run.is_map else time.time() < created + _STARTING):
            run.take(run.event(Phase.ABORTED, time.time(), _DESERTED if run.is_map else _LOST))
            self.changed.add(name)

    def _recall(self, run: OpenRun, actions: Sequence[str] | None = None) -> None:
        if recall(self._store, run, actions):
            self.changed.add(run.record["run"])


def recall(store: Store, run: OpenRun, actions: Sequence[str] | None = None) -> bool:
    """Read of the store which actions have ended, of these or of all, that were not known to; whether any have."""
    name, version = run.record["run"], run.state.version
    for action in store.list(keys.actions(name)) if actions is None else actions:
        known = run.state.get(action)
        if known is None or not known.phase.is_terminal:
            for event in stored(store, name, action):
                run.take(event)
    return run.state.version != version


def stored(store: Store, run: str, action: str) -> list[PodEvent]:
    """The phases of an action that has ended; [] while it is open, or when they cannot be read."""
    try:
        return history_of(store.get(keys.status(run, action)))
    except KeyError:
        return []
    except (ValueError, LookupError, TypeError):
        _say_once(f"The status of {action} of {run} is damaged.")
        return []


def read(store: Store, run: str) -> dict[str, Any] | None:
    """What was written down of a run; None when there is nothing, or nothing that can be understood."""
    try:
        record = json.loads(bytes(store.get(keys.record(run))))
        summary(record, OpenRun.of(record).state)  # whatever a later look needs, it has
    except KeyError:
        return None
    except (ValueError, LookupError, TypeError, AttributeError):
        _say_once(f"The record of {run} is damaged, so it is not shown.")
        return None
    return record  # type: ignore[no-any-return]  # JSON


@functools.lru_cache(maxsize=10_000)
def _say_once(what: str) -> None:
    """Log the exception that is dealt with; it is met again at each look."""
    _log.warning("%s", what, exc_info=True)
