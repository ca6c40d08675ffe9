"""One action as its Job: what is known of it so far."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ...host import lifecycle, shelf
from ...host.handover import Handover
from ...host.lifecycle import Attempts, Finish
from ...host.spoken import Piece
from ...pods import Failure, LogEvent, Phase, PodEvent, PodRequest
from ...store import Store, keys
from ...vitals import VitalsEvent
from . import primary
from .manifest import container

_Said = TypeVar("_Said", bound=PodEvent | LogEvent | VitalsEvent)


@dataclass
class Action:
    """One Job and what has become of it.

    Attributes:
        pods: those that were told, by name; lost: why those have ended that left no outcome: each was an attempt.
        attempt: the present one; requeued_at: since when it waits, None for since its Job was made.
        ahead: by pod, how many attempts it does not know of: it adds them to the numbers that the pod says.
        told: since when it is in a phase, by (phase, attempt, step); last: what was told last.
        parts: of blobs that have not come whole, by pod and key; end: the end, as its pod has said it.
        read: pods of whose logs all was heard; final: the one whose loss ends it, when that was.
        peak_memory: bytes that the present attempt has used at most, as far as its pod has told.
        has_started: whether the task's container runs; is_closed: whether its end was told.
        is_gone: whether its Job was deleted; held_at: since when its end waits for those that it has
            called.
        again_at: when it is looked at again, because it waits in a queue of which no news come.
    """

    request: PodRequest
    job: dict[str, Any]
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: dict[str, Failure] = field(default_factory=dict)
    attempt: int = 0
    requeued_at: float | None = None
    ahead: dict[str, int] = field(default_factory=dict)
    told: dict[tuple[Phase, int, str], float] = field(default_factory=dict)
    last: PodEvent | None = None
    parts: dict[str, dict[str, dict[int, bytes]]] = field(default_factory=dict)
    end: PodEvent | None = None
    read: set[str] = field(default_factory=set)
    final: str = ""
    peak_memory: int | None = None
    has_started: bool = False
    is_closed: bool = False
    is_gone: bool = False
    held_at: float | None = None
    again_at: float = 0.0

    @property
    def name(self) -> str:
        """Of its Job."""
        return str(self.job["metadata"]["name"])

    @property
    def created(self) -> float:
        """When its Job was, in seconds since the epoch."""
        return primary.seconds(self.job["metadata"]["creationTimestamp"])

    @property
    def is_deleted(self) -> bool:
        """Whether its Job goes, and starts no pods any more."""
        return "deletionTimestamp" in self.job["metadata"]

    def is_kept(self, patience: float) -> bool:
        """Whether its Job is still there so many seconds after it was to be deleted."""
        since = self.job["metadata"].get("deletionTimestamp")
        return since is not None and time.time() >= primary.seconds(since) + patience

    def limit(self) -> tuple[float, Failure] | None:
        """Until when it may wait, and why no longer; None for no bound."""
        queued_at = self.created if self.requeued_at is None else self.requeued_at
        return lifecycle.time_limit(Attempts(self.created, queued_at), self.request)

    def lose(self, store: Store, pod: str, *, is_read: bool = True) -> Finish | None:
        """Leave word for the next pod that the attempt of one is lost, why, and at whose cost; its end if it has none.

        Another one who watches may have done so, and the next pod may have begun: it is counted once.

        Args:
            is_read: whether all that the pod has said is known; else it does not end yet.
        """
        now, failure, handover = time.time(), self.lost[pod], self._handover(store)
        is_known = handover is not None and handover.pod == pod
        if handover is None or not is_known:
            handover = Handover(Attempts(self.created, None))
        after = handover.after(self.request, failure, now)
        if isinstance(after, Finish):
            self.final = pod
            return after if is_read else None
        if is_known:
            store.put(self._key, [after.to_bytes()])
        return None

    def wait_again(self, store: Store, late: Failure) -> Finish | None:
        """The same of an attempt that has waited too long for its pod to begin, which goes on waiting as the next."""
        now, handover = time.time(), self._handover(store) or Handover(Attempts(self.created, None))
        if handover.pod in self.pods and handover.pod not in self.lost:  # it has begun, which is not told yet
            return None
        waiting = handover.coming(now)
        if waiting.attempts.number <= self.attempt:  # else somebody else who watches has done so
            after = waiting.after(self.request, late, now, is_late=True)
            if isinstance(after, Finish):
                return after
            store.put(self._key, [after.to_bytes()])
        self.begin_again(now)
        return None

    def begin_again(self, now: float) -> None:
        """It waits for its next attempt."""
        self.attempt += 1
        self.requeued_at = now

    def _handover(self, store: Store) -> Handover | None:
        """How far it is, as far as its pods have told."""
        try:
            return Handover.of(store.get(self._key), time.time())
        except KeyError:
            return None

    @property
    def _key(self) -> str:
        return keys.attempts(self.request.run, self.request.action)

    def history(self, store: Store) -> list[PodEvent] | None:
        """What its pod, or who has cancelled it, has left in the store; None when it has not ended."""
        return shelf.ended(store, self.request.run, self.request.action)

    def was_cancelled(self, end: PodEvent, store: Store) -> bool:
        """Whether somebody was first who has cancelled it: the pod does not know that, of whatever it says then."""
        if end.phase in (Phase.ABORTED, Phase.SUCCEEDED):  # a task fails because of what it has called
            return False
        history = self.history(store)
        return history is not None and history[-1].phase is Phase.ABORTED

    def news(self, event: PodEvent) -> PodEvent | None:
        """What is to be told of what the cluster or a pod says; None for nothing: both tell of the same phases.

        A phase is told once, and again with other words; and nothing of an attempt that another one has followed.
        """
        what, last = (event.phase, event.attempt, event.step), self.last
        if not event.phase.is_terminal:
            before = (last.reason, last.notes) if last is not None else ("", ())
            is_said = event.reason not in ("", before[0]) or event.notes not in ((), before[1])
            if event.attempt < self.attempt or (what in self.told and not is_said):
                return None
        if event.attempt > self.attempt:
            self.attempt, self.peak_memory = event.attempt, None
        self.last = replace(event, at=self.told.setdefault(what, event.at))
        return self.last

    def counted(self, pod: str, said: _Said) -> _Said:
        """What a pod says, with the number of the attempt as it is known here."""
        if pod not in self.ahead:
            self.ahead[pod] = max(0, self.attempt - said.attempt) if pod not in self.lost else 0
        ahead = self.ahead[pod]
        return replace(said, attempt=said.attempt + ahead) if ahead else said

    def gather(self, pod: str, piece: Piece) -> bytes | None:
        """The blob that a pod tells in pieces, with the last of them."""
        blobs = self.parts.setdefault(pod, {})
        parts = blobs.setdefault(piece.key, {})
        parts[piece.part] = piece.data
        if len(parts) < piece.of:
            return None
        return b"".join(part for _, part in sorted(blobs.pop(piece.key).items()))

    def uses(self, event: VitalsEvent) -> None:
        """Take note of what its pod says that it uses."""
        most = max((int(sample.memory) for sample in event.samples), default=0)
        self.peak_memory = max(most, self.peak_memory or 0) or None


def request_of(job: Mapping[str, Any]) -> PodRequest:
    """What a Job was made for."""
    containers = job["spec"]["template"]["spec"]["containers"]
    return next(request for each in containers if (request := container.request_of(each)) is not None)
