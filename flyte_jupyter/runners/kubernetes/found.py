"""The runs of a user that are in a cluster, by the labels of their Jobs; whichever machine has started them."""

from __future__ import annotations

from typing import NamedTuple

from ...pods import PodRequest
from .action import request_of
from .api import Api
from .error import ApiError
from .manifest import names
from .primary import seconds

_RUN, _PARENT = names.label_key("run"), names.label_key("parent")


class Found(NamedTuple):
    """A run.

    Attributes:
        request: of its first action, or of one that this has called, when it is no pod itself.
        created: since when there is something of it, in seconds since the epoch.
    """

    request: PodRequest
    created: float


def runs(api: Api, who: str, limit: int, run: str = "") -> list[Found]:
    """The newest runs, the newest first; or only a certain one. Raises `ApiError`."""
    labels = names.selector({"user": who, **({"run": run} if run else {})})
    jobs: dict[str, str] = {}
    created: dict[str, float] = {}
    for each in api.list("jobs", labels=labels, bare=True).items:  # there may be thousands
        metadata = each["metadata"]
        name = metadata["labels"][_RUN]
        at = seconds(metadata["creationTimestamp"])
        if name not in jobs or _PARENT not in metadata["labels"]:
            jobs[name] = metadata["name"]
        created[name] = min(at, created.get(name, at))
    found = []
    for name in sorted(jobs, reverse=True)[:limit]:
        try:
            found.append(Found(request_of(api.get("jobs", jobs[name])), created[name]))
        except ApiError as error:  # deleted meanwhile
            if not error.is_missing:
                raise
    return found
