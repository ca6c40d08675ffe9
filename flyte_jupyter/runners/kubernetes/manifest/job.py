"""A request as a Job: one pod at a time, replaced by the cluster when it is lost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ....config.cluster import Cluster
from ....host.given import HOPELESS, NOTES
from ....pods import PodRequest
from ..features import Features
from . import names
from .container import literal
from .pod import Pod, pod

KUEUE = "kueue.x-k8s.io/queue-name"
_NET, _LATE = 3600.0, 60.0
"""Seconds beyond its time limits after which the cluster itself ends a pod that does not: more than the pull of an
image takes, which counts there; and a Job, where it counts in the limit itself.
"""


def job(
    request: PodRequest,
    cluster: Cluster,
    features: Features,
    *,
    image: str,
    call_secret: str,
    key_secret: str,
    accepted_at: float | None = None,
    owner: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The Job of a request, for the API.

    Args:
        cluster: whose settings hold; features: what its server knows: no other field is used.
        image: the reference of what it runs in, unless its template names one.
        call_secret: the Secret with the call's blobs, for the store "cluster"; key_secret: with the signing key.
        accepted_at: when its time limits begin, in seconds since the epoch; None for the start of its first pod.
        owner: the object with which the Job goes away, as an owner reference: the caller's Job; None for none.

    Raises:
        ConfigValueError: something that no cluster can do, or names that it does not take; before anything is asked.
    """
    secrets = {"call_secret": call_secret, "key_secret": key_secret}
    made = pod(request, cluster, features, image=image, accepted_at=accepted_at, **secrets)
    metadata: dict[str, Any] = {
        "name": names.job_name(request.name),
        "labels": dict(made.template["metadata"]["labels"]),
        "annotations": {f"{names.PREFIX}task": request.task, f"{names.PREFIX}title": request.title},
    }
    if said := _notes(made, cluster, features):
        metadata["annotations"][names.NOTES] = "\n".join(said)
        made.template["spec"]["containers"][0]["env"].append({"name": NOTES, "value": literal("\n".join(said))})
    if cluster.namespace:
        metadata["namespace"] = cluster.namespace
    if owner is not None:
        metadata["ownerReferences"] = [dict(owner)]
    spec = _spec(request, cluster, features, primary=made.template["spec"]["containers"][0]["name"])
    if cluster.queue:
        metadata["labels"][KUEUE] = names.checked(cluster.queue, "queue")
        if features.kueue:
            spec["suspend"] = True  # until Kueue lets it go
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {**spec, "template": _net(made, request)},
    }


def notes(request: PodRequest, cluster: Cluster, features: Features) -> list[str]:
    """What of a request's configuration does not hold as it was given, one line each. Raises what `job` raises."""
    made = pod(request, cluster, features, image="", call_secret="", key_secret="", accepted_at=None)
    return _notes(made, cluster, features)


def notes_of(job: Mapping[str, Any]) -> tuple[str, ...]:
    """The same of a Job that is there."""
    said = job["metadata"].get("annotations", {}).get(names.NOTES, "")
    return tuple(said.splitlines())


def _notes(made: Pod, cluster: Cluster, features: Features) -> list[str]:
    said = list(made.notes)
    if cluster.queue and not features.kueue:
        said.append(f"queue: the cluster has no Kueue, so that nothing waits in its queue {cluster.queue!r}")
    return said


def _spec(request: PodRequest, cluster: Cluster, features: Features, *, primary: str) -> dict[str, Any]:
    lost = cluster.interruptions if request.interruptible else cluster.backoff_limit
    spec: dict[str, Any] = {
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": lost + request.retries,  # a container whose Host is killed for memory is a retry of the user's
        "ttlSecondsAfterFinished": cluster.ttl,
    }
    if request.deadline:
        spec["activeDeadlineSeconds"] = math.ceil(request.deadline + _LATE)
    if features.pod_failure_policy:  # else whoever watches deletes it, if somebody does
        hopeless = {"containerName": primary, "operator": "In", "values": [HOPELESS]}
        spec["podFailurePolicy"] = {"rules": [{"action": "FailJob", "onExitCodes": hopeless}]}
    if features.pod_replacement_policy:  # no second pod beside one that still ends
        spec["podReplacementPolicy"] = "Failed"
    return spec


def _net(made: Pod, request: PodRequest) -> dict[str, Any]:
    """The pod's template with the time after which it is stuck."""
    if not request.max_runtime:
        return made.template
    seconds = request.max_runtime * (request.retries + 1) + _waits(request) + _NET
    return {**made.template, "spec": {"activeDeadlineSeconds": math.ceil(seconds), **made.template["spec"]}}


def _waits(request: PodRequest) -> float:
    """Seconds of backoff between all attempts."""
    if request.backoff is None:
        return 0.0
    base, factor, cap = request.backoff
    waits, delay = 0.0, base
    for _ in range(request.retries):
        waits += min(delay, cap)
        delay = min(delay * factor, cap)
    return waits
