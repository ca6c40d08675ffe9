"""The pod of a request: its template, with the task's container and all that the parameters ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....config.cluster import Cluster
from ....pods import PodRequest
from .. import role
from ..features import Features
from . import container, names, template
from .accelerators import accelerators
from .placement import place
from .resources import resources

_GRACE = 30
"""Seconds that a pod has to end, as Kubernetes has it."""
_OF_GROUP = {"fsGroup": container.USER, "fsGroupChangePolicy": "OnRootMismatch"}
_STAYS = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
"""A node is not given up for saving while such a pod runs on it."""


@dataclass(frozen=True)
class Pod:
    """What a Job makes its pods of.

    Attributes:
        template: {"metadata", "spec"}; notes: what of the configuration does not hold as it was given, for people.
    """

    template: dict[str, Any]
    notes: tuple[str, ...]


def pod(
    request: PodRequest,
    cluster: Cluster,
    features: Features,
    *,
    image: str,
    call_secret: str,
    key_secret: str,
    accepted_at: float | None,
) -> Pod:
    """The pod of a request. The arguments, and what it raises, are those of `job`."""
    labels = names.labels_of(request)
    base = template.opened(request, features)
    notes, spec, primary = [*base.notes], base.spec, base.primary
    if request.cache_since is not None:
        notes.append("cache: pods do not wait for one another, so serialize is of no effect: equal calls may each run")
    own_image = primary.get("image")
    if own_image and request.image_uri and own_image != request.image_uri:
        notes.append(f"image: the pod template's is used, {own_image}")
    devices = accelerators(request.resources, cluster)
    asked, said = resources(request.resources, devices, primary.get("resources") or {})
    mounted = container.volumes(request, cluster, call_secret=call_secret, key_secret=key_secret)
    grace = spec.setdefault("terminationGracePeriodSeconds", _GRACE)
    primary |= {
        "image": own_image or image,
        "command": list(container.COMMAND),
        "env": container.variables(request, cluster, primary.get("env") or (), grace=grace, accepted_at=accepted_at),
        "securityContext": container.security(
            primary.get("securityContext") or {}, spec.get("securityContext") or {}, cluster
        ),
    }
    primary.setdefault("workingDir", container.WORK)
    primary.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")  # what Python says when it has no package
    if asked:
        primary["resources"] = asked
    if cluster.store_secret:
        secret = names.checked(cluster.store_secret, "store_secret")
        primary["envFrom"] = [*(primary.get("envFrom") or ()), {"secretRef": {"name": secret}}]
    primary["volumeMounts"], spec["volumes"] = _mounted(primary, spec, mounted)
    spec["restartPolicy"] = "Never"
    spec["securityContext"] = {
        "seccompProfile": {"type": "RuntimeDefault"},
        **({} if cluster.run_as_root or cluster.store_claim else _OF_GROUP),  # the files of others are theirs
        **(spec.get("securityContext") or {}),
    }
    spec.setdefault("automountServiceAccountToken", request.calls)
    spec.setdefault("enableServiceLinks", False)
    account = request.service_account or spec.get("serviceAccountName")
    account = account or (cluster.service_account or role.NAME if request.calls else None)
    if account:
        spec["serviceAccountName"] = names.checked(account, "service_account")
    pulls = [{"name": names.checked(each, "pull_secrets")} for each in cluster.pull_secrets]
    if pulls or spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = _once([*pulls, *(spec.get("imagePullSecrets") or ())])
    place(spec, cluster, devices, is_interruptible=request.interruptible)
    annotations = {} if request.interruptible else dict(_STAYS)
    metadata = {"labels": {**base.labels, **labels}, "annotations": {**annotations, **base.annotations}}
    metadata = {name: texts for name, texts in metadata.items() if texts}
    containers = [primary, *spec.pop("containers", ())]
    return Pod({"metadata": metadata, "spec": {"containers": containers, **spec}}, (*notes, *said))


def _mounted(
    primary: Mapping[str, Any],
    spec: Mapping[str, Any],
    ours: Sequence[tuple[dict[str, Any], dict[str, Any], bool]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The mounts of the primary container and the volumes of the pod, with ours.

    Where the template mounts something in a place that only has to be writable, its own stays there.
    """
    mounts = list(primary.get("volumeMounts") or ())
    volumes = list(spec.get("volumes") or ())
    for volume, mount, is_fixed in ours:
        path = mount["mountPath"]
        taken = [each for each in mounts if each.get("mountPath", "").rstrip("/") == path]
        if taken and not is_fixed:
            continue
        mounts = [*(each for each in mounts if each not in taken), mount]
        volumes = [*(each for each in volumes if each.get("name") != volume["name"]), volume]
    return mounts, volumes


def _once(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for number, item in enumerate(items) if item not in items[:number]]
