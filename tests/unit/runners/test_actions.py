"""What the fold of a cluster's news asks the store for, and what it tells, when it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flyte_jupyter.config.cluster import Cluster
from flyte_jupyter.pods import Phase, PodEvent, PodRequest, Synced, history_as_bytes
from flyte_jupyter.runners.kubernetes.actions import Actions
from flyte_jupyter.runners.kubernetes.api import Api
from flyte_jupyter.runners.kubernetes.features import Features
from flyte_jupyter.runners.kubernetes.follow import Follower
from flyte_jupyter.runners.kubernetes.manifest import job as jobs
from flyte_jupyter.runners.kubernetes.watch import Change
from flyte_jupyter.store import keys
from flyte_jupyter.store.memory import MemoryStore

FIRST = PodRequest(run="r0abc", action="a0", task="birds.train", title="train", store="memory://", python="python3")


class Asked(MemoryStore):
    """A store that remembers what it was asked for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.keys: list[str] = []

    def get(self, key: str) -> memoryview:
        self.keys.append(key)
        return super().get(key)


def told(request: PodRequest, *conditions: str) -> Change:
    """Its Job, as it is listed."""
    made = jobs.job(request, Cluster(), Features((1, 35)), image="i", call_secret="c", key_secret="k")
    made["metadata"] |= {"uid": request.action, "creationTimestamp": "2026-01-01T00:00:00Z"}
    status = {"conditions": [{"type": each, "status": "True"} for each in conditions]}
    return Change("jobs", "ADDED", {**made, "status": status})


def test_of_jobs_that_are_listed_the_store_is_asked_for_those_that_have_finished() -> None:
    store = Asked("memory://asked")
    ended = [replace(FIRST, action=f"a{number}", parent="a0") for number in range(1, 4)]
    for each in ended:
        event = each.event(Phase.SUCCEEDED, at=1.0)
        store.put(keys.status(each.run, each.action), [history_as_bytes([event])])
    heard: list[Any] = []
    api = Api(kubeconfig="/no/such")  # nothing is asked of it
    follower = Follower(api, heard.append)
    actions = Actions(api, store, b"key", follower, heard.append, carried=False)
    early = {"metadata": {"name": "pod", "labels": {"job-name": "r0abc-a1"}}}
    items = [Change("pods", "ADDED", early), *(told(each, "Complete") for each in ended), told(FIRST), Synced()]
    events = [event for item in items for event in actions.take(item)]
    phases = [(event.action, event.phase) for event in events if isinstance(event, PodEvent)]
    assert [("a0", Phase.QUEUED)] == phases
    assert sorted(keys.status(each.run, each.action) for each in ended) == sorted(store.keys)
    assert {} == actions._early
    actions.close()
    follower.close()
