"""Runs in clusters: each cluster is asked on a thread of its own, while there are runs of which it is not known how
they have ended; one that is slow or away holds up nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...config.cluster import Cluster
from ...engine.action import Action
from ...engine.run import Run
from ...errors import ConfigError
from ...pods import Failure, Phase
from .open_runs import OpenRun

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
"""Seconds before a cluster that did not answer is asked again, doubled each time."""
_MOST = 200
"""Runs of which a cluster is asked how they have ended; of older ones that is not known."""
_FORGOTTEN = Failure(
    code="EndUnknown", kind="system", message="How it has ended was not heard on this machine, which is long ago."
)
_log = logging.getLogger("flyte_jupyter")


class _Seen(NamedTuple):
    """What of an action may have changed."""

    phase: Phase
    attempt: int
    stretches: int
    reason: str

    @classmethod
    def of(cls, action: Action) -> _Seen:
        return cls(action.phase, action.attempt, len(action.history), action.reason)


class Remote:
    """The open runs of all clusters.

    Args:
        attach: gives the run of a record, which takes as long as its cluster does. Raises `ConfigError`.
        changed: called from any thread with the name of a run of which there is news.
    """

    def __init__(self, attach: Callable[[Mapping[str, Any]], Run], changed: Callable[[str], None]) -> None:
        self._attach, self._changed = attach, changed
        self._asked: dict[str, dict[str, OpenRun]] = {}
        self._followed: dict[str, Callable[[], None]] = {}
        self._clusters: dict[str, Cluster] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"<Remote [{len(self._followed)} runs, {len(self._asked)} clusters asked]>"

    def clusters(self) -> list[Cluster]:
        """Those that any of them have been in."""
        with self._lock:
            return list(self._clusters.values())

    def add(self, run: OpenRun) -> None:
        """Ask its cluster, and again while it does not answer."""
        place = json.dumps(run.record["cluster"], sort_keys=True)
        with self._lock:
            self._clusters.setdefault(place, Cluster.from_json(run.record["cluster"]))
            is_new = place not in self._asked
            waiting = self._asked.setdefault(place, {})
            waiting[run.record["run"]] = run
            too_old = [waiting.pop(name) for name in sorted(waiting, reverse=True)[_MOST:]]
        for old in too_old:
            old.take(old.event(Phase.ABORTED, old.record["created"], _FORGOTTEN))
            self._changed(old.record["run"])
        run.is_told = False
        self._say(run, f"{_title(run)} is asked where it stands")
        if is_new:
            threading.Thread(target=self._ask, args=(place,), name="flyte-jupyter-clusters", daemon=True).start()

    def end(self, run: str) -> None:
        """It has ended, or was deleted."""
        with self._lock:
            leave = self._followed.pop(run, None)
            for waiting in self._asked.values():
                waiting.pop(run, None)
        if leave is not None:
            leave()

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()
        for run in list(self._followed):
            self.end(run)

    def _ask(self, place: str) -> None:
        pause = _FIRST_PAUSE
        while (run := self._next(place)) is not None:
            try:
                self._follow(run)
            except ConfigError as error:
                with self._lock:
                    waiting = list(self._asked[place].values())
                for each in waiting:
                    self._say(each, f"it may go on: {str(error).splitlines()[0]}")
                self._closed.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            except Exception as error:  # of this run alone; nobody else would hear of it
                _log.exception("The run %s is not shown as it is now", run.record["run"])
                self._say(run, f"it may go on: {type(error).__name__}: {error}")
            with self._lock:
                self._asked[place].pop(run.record["run"], None)
            pause = _FIRST_PAUSE

    def _next(self, place: str) -> OpenRun | None:
        """The newest one to be asked for; with the last one the place is forgotten."""
        with self._lock:
            waiting = self._asked[place]
            if not waiting or self._closed.is_set():
                del self._asked[place]
                return None
            return waiting[max(waiting)]

    def _follow(self, run: OpenRun) -> None:
        name = run.record["run"]
        it = self._attach(run.record)
        leave = it.subscribe(lambda: self._changed(name))
        it.done()  # which looks at what is stored
        run.state, run.is_told = it.standing.state, True
        with self._lock:
            self._followed[name] = leave
        self._changed(name)
        if self._closed.is_set():
            self.end(name)

    def _say(self, run: OpenRun, reason: str) -> None:
        """Have the list say why nothing is known of it."""
        run.take(run.event(Phase.QUEUED, run.record["created"], reason=reason))
        self._changed(run.record["run"])


def news_of(run: OpenRun) -> list[Action]:
    """The actions of a run in a cluster that have changed since this was asked last."""
    found = []
    for action in run.state.all():
        now = _Seen.of(action)
        if run.seen.get(action.name) != now:
            run.seen[action.name] = now
            found.append(action)
    return found


def _title(run: OpenRun) -> str:
    return str(run.record.get("site") or "its cluster")
