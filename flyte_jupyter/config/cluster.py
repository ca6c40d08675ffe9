"""A cluster as a place for tasks: which one it is, where its data go, and what all of its pods have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

IN_CLUSTER = "cluster"
"""The store without a bucket: inputs travel in a Secret, outputs come back with the log."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Settings of one place; comparable, so that each place has one engine.

    Attributes:
        context: of the kubeconfig, None for its current one, or for the service account when in a pod.
        namespace: None for that of the context.
        store: URL of a bucket or folder that kernel and pods reach (s3://, gs://, az://, file://), or "cluster".
        store_secret: name of a Secret whose keys become variables of every pod, such as AWS_ACCESS_KEY_ID; None where
            pods have an identity of their own.
        image: reference of the image of tasks that name none, "" for one that is built from this installation.
        registry: where images are pushed to, such as "registry.example.com/team", "" for none.
        builder: "docker", "docker:NAME" for a builder of docker buildx (also one in the cluster), "podman", "buildah",
            or "" for the first that is there.
        base_image: what Debian images are built from instead of python:X.Y-slim-bookworm, such as the same on a mirror;
            "{python}" in it is X.Y.
        images: references by the names of `Image.from_ref_name`.
        platform: the architecture of the nodes, "linux/amd64" or "linux/arm64".
        pull_secrets: names of Secrets for pulling images.
        service_account: of tasks that call tasks and name none, None for the namespace's default one.
        queue: the LocalQueue of Kueue, None for none.
        interruptible: fields of the pod spec for tasks that may be interrupted: "tolerations", "affinity",
            "nodeSelector", in Kubernetes' own spelling.
        node_selectors: labels of the nodes that have an accelerator, by its name in `Resources(gpu=...)`.
        run_as_root: whether containers may run as the user that their image says, root included.
        ttl: seconds that a finished Job stays, for its log; backoff_limit: lost pods that are replaced.
    """

    context: str | None = None
    namespace: str | None = None
    store: str = IN_CLUSTER
    store_secret: str | None = None
    image: str = ""
    registry: str = ""
    builder: str = ""
    base_image: str = ""
    images: Mapping[str, str] | None = None
    platform: str = "linux/amd64"
    pull_secrets: tuple[str, ...] = ()
    service_account: str | None = None
    queue: str | None = None
    interruptible: Mapping[str, Any] | None = None
    node_selectors: Mapping[str, Mapping[str, str]] | None = None
    run_as_root: bool = False
    ttl: int = 86400
    backoff_limit: int = 3
