"""The runner in a pod: what a task starts goes away with the task's own Job."""

from __future__ import annotations

import asyncio

from ...config.cluster import Cluster
from ...home import Home
from ...pods import PodRequest
from ...store import Store, open_store
from .api import Api
from .manifest import names
from .runner import KubernetesRunner


def runner_of(pod: PodRequest, cluster: Cluster, store: Store, key: bytes) -> KubernetesRunner:
    """The runner of an action that calls others, in its own pod.

    Raises:
        HostError: the pod's service account may not do what that takes.
    """
    api = Api()
    owner = names.owner_reference(api.get("jobs", names.job_name(pod.name)))
    return KubernetesRunner(api, cluster, store, key, pod.labels["user"], owner)


async def end_children(pod: PodRequest, home: Home) -> None:
    """End what an action has called and not waited for."""

    def end() -> None:
        runner = runner_of(pod, Cluster.from_json(pod.cluster or {}), open_store(pod.store), home.key())
        runner.stop_children(pod.name, reason=f"{pod.title}, which called it, has ended.")

    await asyncio.to_thread(end)
