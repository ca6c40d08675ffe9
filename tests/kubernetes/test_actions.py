"""What the objects of a cluster and the news of its pods come to, in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flyte_jupyter import TaskEnvironment
from flyte_jupyter.home import Home
from flyte_jupyter.pods import Event, Phase, PodEvent, Synced
from flyte_jupyter.runners.kubernetes import ends
from flyte_jupyter.runners.kubernetes.actions import Actions
from flyte_jupyter.runners.kubernetes.follow import Follower, Heard
from flyte_jupyter.runners.kubernetes.watch import Change
from tests.conftest import eventually
from tests.integration.containers import Call
from tests.kubernetes.conftest import Cluster
from tests.kubernetes.jobs import Job

env = TaskEnvironment("folded")


@env.task
def add(x: int) -> int:
    return x + 1


def phases(events: Iterator[Event | Synced]) -> list[Phase]:
    return [event.phase for event in events if isinstance(event, PodEvent)]


def test_an_action_has_not_ended_before_all_was_taken_that_its_pod_has_said(
    cluster: Cluster, image: str, tmp_path: Path, home: Home
) -> None:
    call = Call(tmp_path, home, add, 1)
    job = Job(cluster, image, call).create()
    eventually(lambda: any(map(ends.has_succeeded, job.pods())))
    heard: list[Any] = []
    follower = Follower(cluster.api, heard.append)
    actions = Actions(cluster.api, call.store, home.key(), follower, heard.append, carried=True)
    pod = Change("pods", "ADDED", job.pods()[0])
    for item in (Change("jobs", "ADDED", cluster.api.get("jobs", job.name)), pod, Synced()):
        list(actions.take(item))
    eventually(lambda: any(isinstance(item, Heard) and item.news is None for item in heard))
    assert [] == phases(actions.take(pod._replace(type="MODIFIED")))
    told = [phase for item in list(heard) for phase in phases(actions.take(item))]
    assert [Phase.SUCCEEDED] == told[-1:]
    assert 2 == call.value()
    actions.close()
    follower.close()
