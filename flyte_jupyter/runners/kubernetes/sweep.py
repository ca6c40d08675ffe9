"""What of ours is left in a namespace and nobody needs: found by labels, of one user, and deleted.

Most goes by itself: Jobs by their ttl, with all that they own. What does not is what a kernel or a pod was about to do
when it died: a call whose Job was not made, a cancelled run whose Job was not deleted, what a task has called and could
not end. What is young is left alone, since somebody may be at it, and so is what this store knows nothing of.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ...host import shelf
from ...host.lifecycle import aborted
from ...pods import Phase, PodEvent, PodRequest
from ...store import Store
from . import carriage, ends
from .action import request_of
from .api import Api
from .error import ApiError
from .manifest import names
from .primary import seconds

_YOUNG = 600.0
"""Seconds that objects have to find their owners."""
_SETTLED = 120.0
"""Seconds that what has ended has, to be noticed by those who watch it and to end the rest."""
_BY_JOB = "job-name"
"""The label that the Job controller gives to pods."""
_UNSUCCESSFUL = "status.successful!=1"
_FORBIDDEN = 403
_EXISTS = Callable[[str], "dict[str, Any] | None"]


class Orphan(NamedTuple):
    """An object that nobody needs.

    Attributes:
        kind: plural; uid: of this very one; why: it is not needed, for people.
        request: of an action that goes on, and is to be ended.
    """

    kind: str
    name: str
    uid: str
    why: str
    request: PodRequest | None = None

    def __repr__(self) -> str:
        return f"{self.kind.removesuffix('s')}/{self.name}: {self.why}"


def orphans(api: Api, store: Store, who: str, now: float) -> list[Orphan]:
    """What a user has left behind in a namespace. What he may not list is not looked at.

    Args:
        store: where outcomes of this cluster are.

    Raises:
        ApiError: the cluster cannot be asked.
    """
    labels = names.selector({"user": who})
    known: dict[str, dict[str, Any] | None] = {}

    def find(job: str) -> dict[str, Any] | None:
        if job not in known:
            known[job] = _get(api, job)
        return known[job]

    loose = {kind: _bare(api, kind, labels) for kind in ("secrets", "pods")}  # before the Jobs, which come after them
    jobs = [each for each in api.list("jobs", labels=labels, fields=_UNSUCCESSFUL).items if not ends.has_finished(each)]
    known |= {each["metadata"]["name"]: each for each in jobs}
    found = [Orphan("jobs", *_which(job), why, request_of(job)) for job, why in _unneeded(jobs, store, find, now)]
    for kind, objects in loose.items():
        job_of = carriage.job_of if kind == "secrets" else _job_of
        for each in objects:
            job = job_of(each)
            if job and _is_loose(each, now) and find(job) is None:
                found.append(Orphan(kind, *_which(each), f"its Job {job} is not there"))
    return found


def sweep(api: Api, store: Store, key: bytes, who: str, now: float) -> list[Orphan]:
    """Delete it; what is deleted. What goes on is put down as aborted first, as when it is cancelled.

    Raises:
        ApiError: the cluster refuses, or cannot be asked.
    """
    found = orphans(api, store, who, now)
    return [orphan for orphan in found if _delete(api, store, key, orphan)]


def _delete(api: Api, store: Store, key: bytes, orphan: Orphan) -> bool:
    if orphan.request is not None:
        event = orphan.request.event(Phase.ABORTED, at=time.time(), failure=aborted(orphan.why))
        shelf.end(store, key, event)
    return api.delete(orphan.kind, orphan.name, uid=orphan.uid)


def _unneeded(
    jobs: list[dict[str, Any]], store: Store, find: _EXISTS, now: float
) -> Iterator[tuple[dict[str, Any], str]]:
    """Jobs that go on although they have ended, or who has called them; and why they need not."""
    for job in jobs:
        request = request_of(job)
        if (end := _ended(store, request.run, request.action, now)) is not None:
            yield job, f"{request.title} has ended: {end.phase.value}"
        elif request.parent is not None and request.caller is not None:
            caller = find(names.job_name(request.caller))
            is_over = caller is not None and _has_settled(caller, now)
            if is_over or _ended(store, request.run, request.parent, now) is not None:
                yield job, f"{request.caller}, which has called it, has ended"


def _ended(store: Store, run: str, action: str, now: float) -> PodEvent | None:
    """The end of an action, some time ago; None while it goes on, or is not known here."""
    history = shelf.ended(store, run, action)
    return history[-1] if history is not None and now - history[-1].at > _SETTLED else None


def _has_settled(job: Mapping[str, Any], now: float) -> bool:
    """Whether a Job has finished some time ago."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    times = [seconds(each["lastTransitionTime"]) for each in conditions if each.get("lastTransitionTime")]
    return ends.has_finished(job) and bool(times) and now - max(times) > _SETTLED


def _is_loose(found: Mapping[str, Any], now: float) -> bool:
    """Whether it belongs to nobody, for long enough."""
    metadata = found["metadata"]
    return not metadata.get("ownerReferences") and now - seconds(metadata["creationTimestamp"]) > _YOUNG


def _job_of(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["labels"].get(_BY_JOB, ""))


def _which(found: Mapping[str, Any]) -> tuple[str, str]:
    return found["metadata"]["name"], found["metadata"]["uid"]


def _get(api: Api, job: str) -> dict[str, Any] | None:
    try:
        return api.get("jobs", job)
    except ApiError as error:
        if not error.is_missing:
            raise
        return None


def _bare(api: Api, kind: str, labels: str) -> list[dict[str, Any]]:
    try:
        return api.list(kind, labels=labels, bare=True).items
    except ApiError as error:
        if error.status != _FORBIDDEN:
            raise
        return []
