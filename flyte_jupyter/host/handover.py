"""How far an action is, as it is left in the store for the pod that goes on with it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from ..pods import Failure, PodRequest
from . import lifecycle
from .lifecycle import Attempts, Finish

_KEPT = ("number", "failed", "lost", "accepted_at")


@dataclass(frozen=True)
class Handover:
    """What one pod of an action leaves to the next.

    Attributes:
        attempts: how far it is.
        pod: which one is at that attempt; None when it has not begun: who has seen the one before end has counted it.
        why: why the one before has ended, where that is known.
    """

    attempts: Attempts
    pod: str | None = None
    why: Failure | None = None

    @classmethod
    def of(cls, data: bytes | memoryview, now: float) -> Handover:
        """What `to_bytes` gave, read back now, in seconds since the epoch."""
        found = json.loads(bytes(data))
        attempts = Attempts(**{name: found[name] for name in _KEPT}, queued_at=now)
        return cls(attempts, found.get("pod"), Failure.from_json(found["why"]) if "why" in found else None)

    def to_bytes(self) -> bytes:
        said = {name: getattr(self.attempts, name) for name in _KEPT}
        more = {"pod": self.pod, "why": self.why.to_json() if self.why is not None else None}
        return json.dumps({**said, **{name: value for name, value in more.items() if value is not None}}).encode()

    def coming(self, now: float) -> Handover:
        """The attempt that comes, for the pod that goes on; one that nobody has seen end was lost with its pod."""
        if self.pod is None:
            return replace(self, attempts=replace(self.attempts, queued_at=now))
        return Handover(self.attempts.next(now, charged=False), why=lifecycle.LOST_WITH_POD)

    def after(self, request: PodRequest, failure: Failure, now: float, *, is_late: bool = False) -> Handover | Finish:
        """What follows on the end of the present attempt, which the cluster tells of.

        What is the user's counts as it does within a pod; another loss is charged to nobody, and bounded by the Job.

        Args:
            is_late: whether a time limit has ended it.
        """
        is_charged = failure.kind == "user" or not failure.recoverable
        if is_charged:
            step = lifecycle.advance(self.attempts, request, failure, failure if is_late else None)
            if isinstance(step, Finish):
                return step
        return Handover(self.attempts.next(now, charged=is_charged), why=failure)
