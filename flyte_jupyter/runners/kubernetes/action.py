"""One action as its Job: what is known of it so far."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...host import lifecycle
from ...pods import Failure, Phase, PodEvent, PodRequest
from ...vitals import VitalsEvent
from . import primary
from .manifest import container


@dataclass
class Action:
    """One Job.

    Attributes:
        pods: the present ones, by name; lost: those that are gone, each of which was an attempt, and why.
        told: what was told of it: phase, attempt, step and reason; handed_on: pods of whose attempts the next knows.
        parts: of blobs that have not come whole, by key; followed: pods whose logs are read.
        is_closed: whether its end was told; last: what was told last.
        peak_memory: bytes that the present attempt has used at most, as far as its pod has told.
        due: when it has waited too long; again: when its place in a queue is looked at again.
    """

    request: PodRequest
    job: dict[str, Any]
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempt: int = 0
    lost: dict[str, Failure] = field(default_factory=dict)
    told: set[tuple[Phase, int, str, str]] = field(default_factory=set)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)
    handed_on: set[str] = field(default_factory=set)
    has_started: bool = False
    is_closed: bool = False
    last: PodEvent | None = None
    peak_memory: int | None = None
    due: threading.Timer | None = None
    again: threading.Timer | None = None

    @property
    def created(self) -> float:
        """When its Job was, in seconds since the epoch."""
        return primary.seconds(self.job["metadata"]["creationTimestamp"])

    def limit(self) -> tuple[float, Failure] | None:
        """Until when it may wait, and why no longer; None for no bound."""
        since = self.created
        return lifecycle.time_limit(lifecycle.Attempts(accepted_at=since, queued_at=since), self.request)

    def is_news(self, event: PodEvent) -> bool:
        """Whether that was not told before; from now on it was."""
        what = (event.phase, event.attempt, event.step, event.reason)
        if what in self.told or (not event.reason and any(what[:3] == told[:3] for told in self.told)):
            return False
        self.told.add(what)
        if event.attempt > self.attempt:
            self.attempt, self.peak_memory = event.attempt, None
        self.last = event
        return True

    def uses(self, event: VitalsEvent) -> None:
        """Take note of what its pod says that it uses."""
        most = max((int(sample.memory) for sample in event.samples), default=0)
        self.peak_memory = max(most, self.peak_memory or 0) or None

    def cancel_timers(self) -> None:
        """Nothing is waited for any more."""
        for timer in (self.due, self.again):
            if timer is not None:
                timer.cancel()


def request_of(job: Mapping[str, Any]) -> PodRequest:
    """What a Job was made for."""
    containers = job["spec"]["template"]["spec"]["containers"]
    return next(request for each in containers if (request := container.request_of(each)) is not None)
