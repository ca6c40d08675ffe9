"""What the objects of a cluster and the news of its pods come to: a fold over them, which tells events.

An outcome in the store beats whatever a pod looks like; so pods are looked at first, and then for their outcomes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...host import lifecycle, shelf
from ...host.lifecycle import Finish
from ...host.spoken import Ended, Piece
from ...pods import Event, Failure, LogEvent, Phase, PodEvent, Synced
from ...store import Store
from ...store.files import FileStore
from ...vitals import VitalsEvent
from . import carriage, ends
from .action import Action, request_of
from .api import Api
from .before import Before
from .carried_logs import LogFiles
from .follow import Follower, Heard
from .known import end_of, kept
from .later import Later
from .manifest import names
from .manifest.job import notes_of
from .timers import Due, Timers
from .watch import Change, Item
from .why import Why

_LAGGING = 5.0
"""Seconds that the rest of a log may take, once the outcome is in the store."""
_ENDING = 60.0
"""Seconds after which the end of a Job that is being deleted is told, although a node keeps its pod."""
_BY_HAND = lifecycle.aborted("Its Job was deleted in the cluster, by hand or with what it belongs to.")


class Actions:
    """All actions that a watch tells of. One that has ended is forgotten, but for its name.

    Args:
        store: of outcomes; key: that signs them; follower: of the logs of pods; put: takes what is due.
        carried: whether what a pod leaves comes with its log, because it does not reach the store.
    """

    def __init__(
        self, api: Api, store: Store, key: bytes, follower: Follower, put: Callable[[Any], None], *, carried: bool
    ) -> None:
        self._api, self._store, self._key, self._follower = api, store, key, follower
        self._carried = carried
        self._logs = LogFiles(store) if carried and isinstance(store, FileStore) else None
        self._timers = Timers(put)
        self._reasons = Why(api, lambda at, action: self._timers.at(at, Due(action.name)))
        self._later = Later(api, store)
        self._before = Before(store)
        self._is_synced = False
        self._actions: dict[str, Action] = {}  # by the name of the Job
        self._freed: list[Action] = []  # whose ends were held back
        self._over: set[str] = set()  # Jobs that are there, and of which all was told
        self._pods: dict[str, str] = {}  # the Job of each
        self._early: dict[str, dict[str, Change]] = {}  # pods that were told before their Jobs

    def __repr__(self) -> str:
        return f"<Actions [{len(self._actions)} open]>"

    def close(self) -> None:
        """Nothing more is looked at."""
        self._timers.close()
        self._later.close()

    def take(self, item: Item | Heard | Due | PodEvent) -> Iterator[Event | Synced]:
        """The events that follow on something."""
        if isinstance(item, PodEvent):
            yield item
        elif isinstance(item, Synced):
            self._is_synced = True
            yield from self._earlier()
            for action in list(self._actions.values()):
                yield from self._look(action)
            yield item
        elif isinstance(item, Change):
            yield from {"jobs": self._job, "pods": self._pod, "events": self._event}[item.kind](item)
        elif isinstance(item, Heard):
            yield from self._heard(item)
        elif isinstance(item, Due):
            yield from self._due(item.job)
        elif item.kind == "pods":
            yield from self._trouble(item.text)
        while self._freed:
            caller = self._freed.pop()
            yield from () if caller.is_closed else self._finish(caller)

    def _trouble(self, text: str) -> Iterator[Event]:
        """Say of all that is open why nothing more is heard of it, or that it is heard of again."""
        said = f"nothing is heard of it for now: {text.splitlines()[0]}" if text else ""
        known = [action.last for action in self._actions.values() if action.last is not None]
        yield from (replace(last, reason=said or last.reason) for last in known)

    # --- Jobs ---------------------------------------------------------------------------------------------------------

    def _earlier(self) -> Iterator[Event]:
        """All Jobs are listed: those that had finished before are over, unless they have left nothing."""
        over, others = self._before.sorted()
        self._over |= over
        self._early = {job: pods for job, pods in self._early.items() if job not in over}
        for change in others:
            yield from self._job(change)

    def _job(self, change: Change) -> Iterator[Event]:
        if not self._is_synced and self._before.takes(change):
            return
        name = change.object["metadata"]["name"]
        action = self._actions.get(name)
        if change.type == "DELETED":
            self._over.discard(name)
            self._early.pop(name, None)
            if action is not None:
                action.is_gone = True
                phase, failure = end_of(change.object) or end_of(action.job) or (Phase.ABORTED, _BY_HAND)
                yield from self._end(action, phase, failure)  # unless who cancels has put it down
            return
        if name in self._over:
            return
        job = kept(change.object)
        if action is None:
            action = self._actions[name] = Action(request_of(change.object), job)
            yield from self._tell(action, Phase.QUEUED, at=action.created)
            self._wait(action)
        if "deletionTimestamp" in job["metadata"] and not action.is_deleted:
            self._timers.at(time.time() + _ENDING, Due(name))  # the one node that keeps its pod may be lost
        action.job = job
        for pod in self._early.pop(name, {}).values():
            yield from self._pod(pod)
        yield from self._look(action)

    # --- pods ---------------------------------------------------------------------------------------------------------

    def _pod(self, change: Change) -> Iterator[Event]:
        metadata = change.object["metadata"]
        name = metadata["name"]
        job = (metadata.get("labels") or {}).get("job-name") or self._pods.get(name, "")
        action = self._actions.get(job)
        if action is None:
            early = self._early.setdefault(job, {}) if job not in self._over else {}
            early[name] = change
            if change.type == "DELETED":
                del early[name]
                self._reasons.told.forget([change.object])
            if not early:
                self._early.pop(job, None)
            return
        self._pods[name] = job
        if change.type != "DELETED":
            action.pods[name] = kept(change.object)
            yield from self._look(action)
            if name in action.lost and ends.goes_on(change.object):  # without the task; then the Job starts another one
                self._later.delete("pods", name)
            return
        known = action.pods.get(name)
        if known is not None and not ends.has_ended(known):  # else its log may still be read
            del action.pods[name]
            yield from self._lose(action, name, known, is_gone=True)

    def _look(self, action: Action) -> Iterator[Event]:
        """What its Job and its pods say now."""
        if not self._is_synced:  # what is there is known only then
            return
        is_read_soon = False
        for name, pod in sorted(action.pods.items(), key=lambda each: str(each[1]["metadata"]["creationTimestamp"])):
            if action.is_closed:
                return
            if name in action.lost:
                continue
            if ends.has_succeeded(pod):
                if self._has_read(action, name, pod):
                    yield from self._finish(action)
                    return
                is_read_soon = True
            elif ends.has_ended(pod):
                yield from self._lose(action, name, pod)
            elif "deletionTimestamp" in pod["metadata"]:
                # the next one may begin before this one has ended; what is cancelled has ended when all is gone
                if not action.is_deleted and action.history(self._store) is None:
                    yield from self._lose(action, name, pod)
            elif ends.has_started(pod):
                action.has_started = True
                self._follower.follow(pod, action.request)
                if name not in action.ahead:  # what comes then it says itself
                    yield from self._tell(action, Phase.INITIALIZING, at=ends.started_at(pod), pod=name)
            else:
                yield from self._why(action, pod)
        if not action.pods and not action.is_closed:
            yield from self._why(action, None)
        if not is_read_soon and not action.is_closed and ends.has_finished(action.job):
            yield from self._finished(action)

    def _has_read(self, action: Action, name: str, pod: Mapping[str, Any]) -> bool:
        """Whether nothing more is to be expected of a pod that has ended."""
        self._follower.follow(pod, action.request)
        if name in action.read:  # and taken: what the follower has read may still be on its way
            return True
        if not self._carried:
            self._timers.at(time.time() + _LAGGING, Due(action.name))
        return False

    def _why(self, action: Action, pod: Mapping[str, Any] | None) -> Iterator[Event]:
        """Why a pod does not start."""
        if (reason := self._reasons.reason(action, pod)) is None:
            return
        more = {
            "pod": pod["metadata"]["name"] if pod is not None else "",
            "instead": action.request.resources.changed(reason.instead),
        }
        if reason.failure is not None:
            yield from self._give_up(action, Phase.FAILED, reason.failure, **more)
            return
        yield from self._tell(action, reason.phase, at=time.time(), step=reason.step, reason=reason.text, **more)

    def _give_up(self, action: Action, phase: Phase, failure: Failure, **more: Any) -> Iterator[Event]:
        """End what no pod will ever do, or not in time; what a pod has printed that ran stays with its Job."""
        self._later.end(action.name, phase, failure, keep=bool(action.lost))
        yield from self._end(action, phase, failure, **more)

    def _lose(self, action: Action, name: str, pod: Mapping[str, Any], *, is_gone: bool = False) -> Iterator[Event]:
        """A pod has ended without an outcome; the Job starts another one, as long as it may."""
        if name in action.lost:
            return
        failure = ends.of(pod, self._reasons.told.about(pod), is_gone=is_gone, peak_memory=action.peak_memory)
        action.lost[name] = failure
        # it may have said something, and ended, between two news
        is_read = is_gone or not ends.has_started(pod) or self._has_read(action, name, pod)
        action.parts.pop(name, None)
        if action.history(self._store) is not None:  # it ended while its outcome was written, or was cancelled
            yield from self._finish(action)
            return
        if failure.recoverable and (ends.has_failed(action.job) or action.is_deleted):
            return
        yield from self._go_on(action, action.lose(self._store, name, is_read=is_read))
        if action.is_closed or action.final:
            return
        now, has_begun = time.time(), action.has_started or ends.has_started(pod)
        action.has_started = False
        if has_begun:
            action.begin_again(now)
            yield from self._tell(action, Phase.QUEUED, at=now, failure=failure)
            self._wait(action)
        else:
            yield from self._tell(action, Phase.QUEUED, at=now, reason=failure.message)

    def _go_on(self, action: Action, end: Finish | None) -> Iterator[Event]:
        """Whether there is another attempt was written down: have the next pod know, or end it."""
        if end is not None and end.failure is not None:
            yield from self._give_up(action, end.phase, end.failure)
        elif self._carried:
            self._later.hand_on(action)

    def _finished(self, action: Action) -> Iterator[Event]:
        """Its Job starts no pods any more, and those that are known have said nothing of an end."""
        if not (action.lost and ends.has_failed(action.job)):
            before = dict(action.pods)
            for pod in self._api.list("pods", labels=f"job-name={action.name}").items:
                action.pods[pod["metadata"]["name"]] = kept(pod)  # two watches: one may be ahead
                self._pods[pod["metadata"]["name"]] = action.name
            if action.pods != before:
                yield from self._look(action)
                return
        if action.history(self._store) is not None or not ends.has_failed(action.job):
            yield from self._finish(action)
            return
        failure = ends.of_job(action.job, list(action.lost.values())[-1] if action.lost else None)
        late = failure.code.endswith("ExceededError")
        yield from self._end(action, *(end_of(action.job) or (Phase.TIMED_OUT if late else Phase.FAILED, failure)))

    # --- time ---------------------------------------------------------------------------------------------------------

    def _wait(self, action: Action) -> None:
        """Look again when it may not be queued any longer."""
        if (limit := action.limit()) is not None:
            self._timers.at(limit[0], Due(action.name))

    def _due(self, job: str) -> Iterator[Event]:
        if (action := self._actions.get(job)) is None:
            return
        limit = action.limit()
        has_left = any(ends.has_succeeded(pod) for pod in action.pods.values())
        if (has_left or action.is_kept(_ENDING) or action.held_at) and action.history(self._store) is not None:
            yield from self._finish(action)
        elif action.final:
            yield from self._go_on(action, action.lose(self._store, action.final))
        elif limit is not None and limit[0] <= time.time() and not action.has_started:
            yield from self._wait_again(action, limit[1])
        else:
            yield from self._look(action)

    def _wait_again(self, action: Action, late: Failure) -> Iterator[Event]:
        """It has waited too long; as in another attempt it may do so again."""
        before = action.attempt
        yield from self._go_on(action, action.wait_again(self._store, late))
        if action.attempt > before:
            yield from self._tell(action, Phase.QUEUED, at=time.time(), failure=late)
            self._wait(action)
            yield from self._look(action)

    # --- what pods say ------------------------------------------------------------------------------------------------

    def _heard(self, heard: Heard) -> Iterator[Event]:
        action, news = self._actions.get(self._pods.get(heard.pod, "")), heard.news
        if action is None:
            return
        if news is None:  # that was all of it
            action.read.add(heard.pod)
            if heard.pod in action.lost:  # what it said of its attempts has come by now
                yield from self._go_on(action, action.lose(self._store, heard.pod))
            yield from self._look(action)
        elif isinstance(news, Piece):
            if (data := action.gather(heard.pod, news)) is not None:
                carriage.pour(self._store, action.request, news.key, data)
        elif isinstance(news, PodEvent):
            event = action.counted(heard.pod, news)
            if event.phase.is_terminal:
                action.end = None if action.was_cancelled(event, self._store) else event  # then its Job says when
            elif heard.pod not in action.lost:
                yield from self._pass(action, event)
        elif isinstance(news, Ended):  # sooner than the cluster says it
            if action.end is not None:
                yield from self._pass(action, action.end)
                self._close(action)
        elif isinstance(news, LogEvent | VitalsEvent):
            said = action.counted(heard.pod, news)
            if isinstance(said, VitalsEvent):
                action.uses(said)
            elif self._logs is not None:
                self._logs.add(said)
            yield said

    def _event(self, change: Change) -> Iterator[Event]:
        if not self._reasons.told.take(change.type, change.object):
            return
        about = change.object["involvedObject"]
        job = about.get("name", "") if about["kind"] == "Job" else self._pods.get(about.get("name", ""), "")
        if (action := self._actions.get(job)) is not None and not action.has_started:
            yield from self._look(action)

    # --- telling ------------------------------------------------------------------------------------------------------

    def _tell(self, action: Action, phase: Phase, *, at: float, **more: Any) -> Iterator[Event]:
        if phase is Phase.QUEUED:
            more = {"links": action.request.links, "notes": notes_of(action.job), **more}
        yield from self._pass(action, action.request.event(phase, at=at, attempt=action.attempt, **more))

    @staticmethod
    def _pass(action: Action, event: PodEvent) -> Iterator[Event]:
        if (news := action.news(event)) is not None:
            yield news

    def _finish(self, action: Action) -> Iterator[Event]:
        """It has ended: with what is in the store."""
        history = action.history(self._store)
        if history is None:
            yield from self._end(action, Phase.FAILED, ends.NOTHING_SAID)
            return
        if history[-1].phase is Phase.ABORTED and self._is_held(action):
            return
        missed = max(0, action.attempt - history[-1].attempt)
        for event in history:
            yield from self._pass(action, replace(event, attempt=event.attempt + missed))
        self._close(action)

    def _end(self, action: Action, phase: Phase, failure: Failure, **more: Any) -> Iterator[Event]:
        """End it from here, unless it has ended by itself."""
        event = action.request.event(phase, at=time.time(), attempt=action.attempt, failure=failure, **more)
        shelf.end(self._store, self._key, event)
        yield from self._finish(action)

    def _is_held(self, action: Action) -> bool:
        """Whether what it has called ends first: of a run whose first action has ended nobody hears any more."""
        if action.held_at is None:
            action.held_at = time.time()
            self._timers.at(action.held_at + _ENDING, Due(action.name))
        has_called = any(each.request.caller == action.request.name for each in self._actions.values())
        return has_called and time.time() < action.held_at + _ENDING

    def _close(self, action: Action) -> None:
        """All was told of it: what is left of it is its name, until its Job goes."""
        action.is_closed = True
        if any(ends.goes_on(pod) and len(pod["spec"]["containers"]) > 1 for pod in action.pods.values()):
            self._later.delete("jobs", action.name)
        self._actions.pop(action.name, None)
        if not action.is_gone:
            self._over.add(action.name)
        caller = self._actions.get(names.job_name(action.request.caller or ""))
        if caller is not None and caller.held_at is not None:
            self._freed.append(caller)
        for pod in {*action.pods, *action.lost, *action.ahead}:
            self._pods.pop(pod, None)
            self._follower.forget(pod)
        self._reasons.told.forget([action.job, *action.pods.values()])
