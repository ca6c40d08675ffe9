"""What Kueue says of a Job that waits in one of its queues.

Source: Kueue's Workloads, one for each Job, and its visibility API (from 0.6 on), which knows their order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .api import Api
from .error import ApiError
from .manifest.job import KUEUE

_WORKLOADS = ("kueue.x-k8s.io/v1beta2/workloads", "kueue.x-k8s.io/v1beta1/workloads")
_QUEUES = (
    "visibility.kueue.x-k8s.io/v1beta2/localqueues",
    "visibility.kueue.x-k8s.io/v1beta1/localqueues",
)
"""The newest first; who may not ask, or whose Kueue is older, goes without."""
_STALE = 5.0
"""Seconds after which it is asked again."""


class Place(NamedTuple):
    """Where a Job stands in its queue.

    Attributes:
        before: how many are before it, None when that is not known; said: why it is not admitted, "" likewise.
    """

    before: int | None = None
    said: str = ""


class Places:
    """Where suspended Jobs stand; for one thread. All of a queue are asked for at once, and not again for a while."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._asked: dict[str, tuple[float, list[dict[str, Any]]]] = {}

    def __call__(self, job: Mapping[str, Any]) -> Place:
        queue, uid = (job["metadata"].get("labels") or {}).get(KUEUE), job["metadata"]["uid"]
        if not queue:
            return Place()
        return place(uid, self._pending(queue), self._workloads())

    def _pending(self, queue: str) -> list[dict[str, Any]]:
        return self._kept(queue, lambda kind: self._api.get(kind, queue, part="pendingworkloads")["items"], _QUEUES)

    def _workloads(self) -> list[dict[str, Any]]:
        return self._kept("", lambda kind: self._api.list(kind).items, _WORKLOADS)

    def _kept(self, of: str, ask: Callable[[str], Any], kinds: Iterable[str]) -> list[dict[str, Any]]:
        """What the first of some kinds has that is served."""
        at, known = self._asked.get(of, (float("-inf"), []))
        if time.monotonic() - at > _STALE:
            known = []
            for kind in kinds:
                try:
                    known = ask(kind) or []
                    break
                except ApiError:
                    continue
            self._asked[of] = (time.monotonic(), known)
        return known


def place(uid: str, pending: Iterable[Mapping[str, Any]], workloads: Iterable[Mapping[str, Any]]) -> Place:
    """Where the Job of that uid stands among what Kueue says of all."""
    ours = (each for each in pending if uid in _owners(each))
    before = next((int(each.get("positionInLocalQueue") or 0) for each in ours), None)
    found = (each for each in workloads if uid in _owners(each))
    conditions = (each for of in found for each in (of.get("status") or {}).get("conditions") or ())
    waits = (each for each in conditions if each["type"] == "QuotaReserved" and each["status"] == "False")
    return Place(before, next((str(each.get("message", "")) for each in waits), ""))


def _owners(workload: Mapping[str, Any]) -> list[str]:
    return [each.get("uid", "") for each in workload["metadata"].get("ownerReferences") or ()]
