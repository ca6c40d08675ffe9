"""What the objects of a cluster and the news of its pods come to: a fold over them, which tells events.

An outcome in the store beats whatever a pod looks like; so pods are looked at first, and then for their outcomes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ...host import lifecycle, shelf
from ...host.spoken import Ended, Piece
from ...pods import Event, Failure, LogEvent, Phase, PodEvent, Synced, history_of
from ...store import Store, keys
from ...store.files import FileStore
from ...vitals import VitalsEvent
from . import carriage, ends, reasons
from .action import Action, request_of
from .api import Api
from .carried_logs import LogFiles
from .error import ApiError
from .follow import Follower, Heard
from .kueue import Place, Places
from .manifest.job import notes_of
from .room import Rooms
from .watch import Change, Item, Trouble

_log = logging.getLogger("flyte_jupyter")
_EVENTS = 20
"""Of the cluster's events those that are kept for each pod, at most."""


_AGAIN = 10.0
"""Seconds between two looks at a place in a queue, which no news tells of."""
_EARLY = 0.05
"""Seconds by which a timer may be early."""


class Due(NamedTuple):
    """It is time to look at an action again: it may have waited too long, or stand elsewhere in its queue."""

    job: str


class Actions:
    """All actions that a watch tells of.

    Args:
        store: of outcomes; key: that signs them; follower: of the logs of pods.
        carried: whether what a pod leaves comes with its log, because it does not reach the store.
    """

    def __init__(self, api: Api, store: Store, key: bytes, follower: Follower, put: Any, *, carried: bool) -> None:
        self._api, self._store, self._key, self._follower, self._put = api, store, key, follower, put
        self._carried = carried
        self._rooms = Rooms(api)
        self._places = Places(api)
        self._logs = LogFiles(store) if carried and isinstance(store, FileStore) else None
        self._actions: dict[str, Action] = {}
        self._pods: dict[str, str] = {}  # the Job of each
        self._early: dict[str, dict[str, Change]] = {}  # pods that were told before their Jobs
        self._events: dict[str, dict[str, dict[str, Any]]] = {}  # of the cluster, by the uid of what they are about

    def __repr__(self) -> str:
        return f"<Actions [{sum(not each.is_closed for each in self._actions.values())} open]>"

    def close(self) -> None:
        """Nothing more is looked at."""
        for action in self._actions.values():
            action.cancel_timers()

    def take(self, item: Item | Heard | Due | PodEvent) -> Iterator[Event | Synced]:
        """The events that follow on something."""
        if isinstance(item, (Synced, PodEvent)):
            yield item
        elif isinstance(item, Change) and item.kind == "jobs":
            yield from self._job(item)
        elif isinstance(item, Change) and item.kind == "pods":
            yield from self._pod(item)
        elif isinstance(item, Change) and item.kind == "events":
            yield from self._event(item)
        elif isinstance(item, Heard):
            yield from self._heard(item)
        elif isinstance(item, Due):
            yield from self._due(item.job)
        elif isinstance(item, Trouble) and item.kind == "pods":
            yield from self._trouble(item.text)

    def _trouble(self, text: str) -> Iterator[Event]:
        """Say of all that is open why nothing more is heard of it, or that it is heard of again."""
        said = f"nothing is heard of it for now: {text.splitlines()[0]}" if text else ""
        for action in self._actions.values():
            if action.last is not None and not action.is_closed:
                yield replace(action.last, reason=said or action.last.reason)

    # --- Jobs ---------------------------------------------------------------------------------------------------------

    def _job(self, change: Change) -> Iterator[Event]:
        name = change.object["metadata"]["name"]
        action = self._actions.get(name)
        if change.type == "DELETED":
            if action is not None:
                yield from self._gone(action)
                self._actions.pop(name, None)
            return
        if action is None:
            action = self._actions[name] = Action(request_of(change.object), change.object)
            if ends.has_finished(change.object) and self._history(action) is not None:
                action.is_closed = True  # long ago
                return
            yield from self._tell(action, Phase.QUEUED, at=action.created)
            self._wait(action)
        action.job = change.object
        if not action.is_closed:
            yield from self._look(action)
        for pod in self._early.pop(name, {}).values():
            yield from self._pod(pod)

    def _gone(self, action: Action) -> Iterator[Event]:
        """Somebody has deleted it: whoever cancels has put down its end before."""
        if not action.is_closed:
            said = "Its Job was deleted in the cluster, by hand or with what it belongs to."
            yield from self._end(action, Phase.ABORTED, lifecycle.aborted(said))

    # --- pods ---------------------------------------------------------------------------------------------------------

    def _pod(self, change: Change) -> Iterator[Event]:
        metadata = change.object["metadata"]
        name = metadata["name"]
        job = (metadata.get("labels") or {}).get("job-name") or self._pods.get(name, "")
        action = self._actions.get(job)
        if action is None:
            if change.type != "DELETED":
                self._early.setdefault(job, {})[name] = change
            return
        self._pods[name] = job
        if change.type == "DELETED":
            known = action.pods.pop(name, None)
            if not action.is_closed and known is not None and not ends.has_ended(known):
                yield from self._lose(action, name, ends.of(known, self._about(known), is_gone=True))
            return
        action.pods[name] = change.object
        if not action.is_closed:
            if self._carried and metadata.get("deletionTimestamp"):  # the next one may begin before this one has ended
                self._hand_on(action, name)
            yield from self._look(action)
        if name in action.lost and ends.goes_on(change.object):  # without the task; then the Job starts another one
            self._delete("pods", name)

    def _delete(self, kind: str, name: str) -> None:
        """Away with a pod, or a Job with its pods, in which other containers would go on without the task."""
        try:
            self._api.delete(kind, name)
        except ApiError as error:
            _log.warning("%s goes on although its task has ended: %s", name, error)

    def _hand_on(self, action: Action, name: str) -> None:
        """Have the next pod know of the attempts of one that is lost, when it cannot read of them."""
        if name in action.handed_on:
            return
        action.handed_on.add(name)
        secret = carriage.attempts_secret(self._store, action.request, action.job)
        if secret is None:
            return
        try:
            self._api.create("secrets", secret)
        except ApiError as error:
            if not error.is_there_already:
                raise
            self._api.patch("secrets", secret["metadata"]["name"], {"data": secret["data"]})

    def _look(self, action: Action) -> Iterator[Event]:
        """What its Job and its pods say now."""
        for name, pod in list(action.pods.items()):
            if ends.has_ended(pod):
                if ends.has_succeeded(pod):
                    if self._carried and not self._follow(action, name, pod):
                        continue  # until its log is read
                    yield from self._finish(action)
                    return
                yield from self._lose(action, name, ends.of(pod, self._about(pod), peak_memory=action.peak_memory))
            elif ends.has_started(pod):
                action.has_started = True
                self._follow(action, name, pod)
                begun = ends.started_at(pod)  # it says itself that it runs
                yield from self._tell(action, Phase.INITIALIZING, at=begun, pod=name)
            else:
                yield from self._why(action, pod)
        if not action.pods and not action.is_closed:
            yield from self._why(action, None)
        if ends.has_failed(action.job):
            yield from self._failed(action)

    def _why(self, action: Action, pod: Mapping[str, Any] | None) -> Iterator[Event]:
        """Why a pod does not start."""
        events = [*(self._about(pod) if pod is not None else ()), *self._about(action.job)]
        reason = reasons.of(pod, events, action.job, rooms=self._rooms, place=lambda: self._place(action))
        if reason is None:
            return
        more = {
            "pod": pod["metadata"]["name"] if pod is not None else "",
            "instead": action.request.resources.changed(reason.instead),
        }
        if reason.failure is not None:
            yield from self._give_up(action, reason.failure, **more)
            return
        yield from self._tell(action, reason.phase, at=time.time(), step=reason.step, reason=reason.text, **more)

    def _about(self, found: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the cluster has told of an object."""
        return list(self._events.get(found["metadata"]["uid"], {}).values())

    def _give_up(self, action: Action, failure: Failure, **more: Any) -> Iterator[Event]:
        """End what no pod will ever do."""
        yield from self._end(action, Phase.FAILED, failure, **more)
        self._api.delete("jobs", action.job["metadata"]["name"])

    def _lose(self, action: Action, name: str, failure: Failure) -> Iterator[Event]:
        """A pod has ended without an outcome; the Job starts another one, as long as it may."""
        if name in action.lost:
            return
        action.lost[name] = failure
        if self._carried:
            self._hand_on(action, name)
        if self._history(action) is not None:  # it ended while its outcome was written
            yield from self._finish(action)
            return
        if not failure.recoverable:
            yield from self._give_up(action, failure)
        elif not ends.has_failed(action.job):
            action.attempt += 1
            action.has_started = False
            yield from self._tell(action, Phase.QUEUED, at=time.time(), failure=failure)

    def _failed(self, action: Action) -> Iterator[Event]:
        if self._history(action) is not None:
            yield from self._finish(action)
            return
        last = list(action.lost.values())[-1] if action.lost else None
        failure = ends.of_job(action.job, last)
        late = failure.code.endswith("ExceededError")
        yield from self._end(action, Phase.TIMED_OUT if late else Phase.FAILED, failure)

    def _wait(self, action: Action) -> None:
        """Look again when it may not be queued any longer."""
        limit = action.limit()
        if limit is not None:
            action.due = self._due_in(limit[0] - time.time(), action)

    def _due_in(self, seconds: float, action: Action) -> threading.Timer:
        timer = threading.Timer(max(0.0, seconds), self._put, (Due(action.job["metadata"]["name"]),))
        timer.daemon = True
        timer.start()
        return timer

    def _place(self, action: Action) -> Place:
        """Where it stands in its queue; looked at again in a while."""
        if action.again is not None:
            action.again.cancel()
        action.again = self._due_in(_AGAIN, action)
        return self._places(action.job)

    def _due(self, job: str) -> Iterator[Event]:
        action = self._actions.get(job)
        if action is None or action.is_closed or action.has_started:
            return
        limit = action.limit()
        if limit is None or limit[0] > time.time() + _EARLY:
            yield from self._look(action)
            return
        yield from self._end(action, Phase.TIMED_OUT, limit[1])
        self._api.delete("jobs", job)

    # --- what pods say ------------------------------------------------------------------------------------------------

    def _follow(self, action: Action, name: str, pod: Mapping[str, Any]) -> bool:
        """Have its log read; whether it was read to the end."""
        if name not in action.followed:
            action.followed.add(name)
            self._follower.follow(pod, action.request)
        return self._follower.has_read(name)

    def _heard(self, heard: Heard) -> Iterator[Event]:
        action = self._actions.get(self._pods.get(heard.pod, ""))
        if action is None or action.is_closed:
            return
        news = heard.news
        if news is None:  # that was all of it
            yield from self._look(action)
        elif isinstance(news, Piece):
            self._gather(action, news)
        elif isinstance(news, PodEvent) and not news.phase.is_terminal:  # ends are told by the store
            yield from self._pass(action, news)
        elif isinstance(news, Ended) and self._history(action) is not None:  # sooner than the cluster says it
            yield from self._finish(action)
        elif isinstance(news, (LogEvent, VitalsEvent)):
            if isinstance(news, VitalsEvent):
                action.uses(news)
            elif self._logs is not None:
                self._logs.add(news)
            yield news

    def _gather(self, action: Action, piece: Piece) -> None:
        parts = action.parts.setdefault(piece.key, {})
        parts[piece.part] = piece.data
        if len(parts) == piece.of:
            carriage.pour(self._store, action.request, piece.key, b"".join(data for _, data in sorted(parts.items())))
            del action.parts[piece.key]

    def _event(self, change: Change) -> Iterator[Event]:
        about = change.object.get("involvedObject") or {}
        uid, name = about.get("uid", ""), change.object["metadata"]["name"]
        if change.type == "DELETED":
            self._events.get(uid, {}).pop(name, None)
            return
        known = self._events.setdefault(uid, {})
        known.pop(name, None)
        known[name] = change.object  # as the last
        if len(known) > _EVENTS:
            del known[next(iter(known))]
        job = about.get("name", "") if about.get("kind") == "Job" else self._pods.get(about.get("name", ""), "")
        action = self._actions.get(job)
        if action is not None and not action.is_closed and not action.has_started:
            if not action.pods:
                yield from self._why(action, None)
            else:
                yield from self._look(action)

    # --- telling ------------------------------------------------------------------------------------------------------

    def _tell(self, action: Action, phase: Phase, *, at: float, **more: Any) -> Iterator[Event]:
        if phase is Phase.QUEUED:
            more = {"links": action.request.links, "notes": notes_of(action.job), **more}
        event = action.request.event(phase, at=at, attempt=action.attempt, **more)
        yield from self._pass(action, event)

    def _pass(self, action: Action, event: PodEvent) -> Iterator[Event]:
        """Once, whoever says it: the cluster and the pod itself tell of the same phases."""
        if action.is_news(event):
            yield event

    def _history(self, action: Action) -> list[PodEvent] | None:
        """What its pod has left in the store; None when it has not ended."""
        request = action.request
        try:
            found = history_of(self._store.get(keys.status(request.run, request.action)))
        except KeyError:
            return None
        return found if found[-1].phase.is_terminal else None

    def _finish(self, action: Action) -> Iterator[Event]:
        """It has ended: with what is in the store."""
        history = self._history(action)
        if history is None:
            yield from self._end(action, Phase.FAILED, _NOTHING_SAID)
            return
        for event in history:
            yield from self._pass(action, event)
        self._close(action)

    def _end(self, action: Action, phase: Phase, failure: Failure, **more: Any) -> Iterator[Event]:
        """End it from here, unless it has ended by itself."""
        event = action.request.event(phase, at=time.time(), attempt=action.attempt, failure=failure, **more)
        shelf.end(self._store, self._key, event)
        for told in self._history(action) or [event]:
            yield from self._pass(action, told)
        self._close(action)

    def _close(self, action: Action) -> None:
        action.is_closed = True
        if any(ends.goes_on(pod) and len(pod["spec"]["containers"]) > 1 for pod in action.pods.values()):
            self._delete("jobs", action.job["metadata"]["name"])
        action.parts.clear()
        action.cancel_timers()


_NOTHING_SAID = Failure(
    code="OutcomeLost",
    kind="system",
    message="Its pod has ended as if all were well, and has left no outcome: what it said was lost with its log.",
)
