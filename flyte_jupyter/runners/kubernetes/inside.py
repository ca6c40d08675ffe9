"""What is known in a pod: what a task starts goes away with the task's own Job, and what a notebook starts may go away
with the notebook's pod.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

from ...config.cluster import Cluster
from ...errors import ConfigValueError
from ...home import Home
from ...host.given import POD
from ...pods import PodEvent, PodRequest
from ...store import Store, open_store
from . import carriage
from .api import Api
from .manifest import names
from .runner import KubernetesRunner


def runner_of(
    pod: PodRequest,
    cluster: Cluster,
    store: Store,
    key: bytes,
    recalled: Callable[[PodEvent], None] | None = None,
) -> KubernetesRunner:
    """The runner of an action that calls others, in its own pod.

    Args:
        recalled: tells whoever follows that pod of an action that no pod runs.

    Raises:
        HostError: the pod's service account may not do what that takes.
    """
    api = Api()
    owner = names.owner_reference(api.get("jobs", names.job_name(pod.name)))
    return KubernetesRunner(api, cluster, store, key, pod.labels["user"], owner, recalled=recalled)


def own_pod(api: Api) -> dict[str, Any]:
    """What says that something goes away with the pod that this process is in.

    Raises:
        ConfigValueError: it is in none, or in one of another namespace.
    """
    name = os.environ.get(POD) or socket.gethostname()
    found = api.list("pods", fields=f"metadata.name={name}").items
    if not found:
        what = f"owned_by_notebook: there is no pod {name!r} in the namespace {api.namespace!r}"
        raise ConfigValueError(
            f"{what}\n  it is for notebooks that run in the cluster, in the namespace of their tasks"
        )
    return {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": found[0]["metadata"]["uid"]}


async def hand_on(pod: PodRequest) -> None:
    """Have the next pod of an action find how far it is, also when it is made while nobody watches.

    Raises:
        HostError: the pod's service account may not do that.
    """

    def put() -> None:
        api = Api()
        carriage.hand_on(api, open_store(pod.store), pod, api.get("jobs", names.job_name(pod.name)))

    await asyncio.to_thread(put)


async def end_children(pod: PodRequest, home: Home) -> None:
    """End what an action has called and not waited for."""

    def end() -> None:
        runner = runner_of(pod, Cluster.from_json(pod.cluster or {}), open_store(pod.store), home.key())
        runner.stop_children(pod.name, reason=f"{pod.title}, which called it, has ended.")

    await asyncio.to_thread(end)
