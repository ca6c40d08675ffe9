"""How pods end without an outcome, each way produced in a real cluster."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from flyte_jupyter.pods import Failure
from flyte_jupyter.runners.kubernetes import ends
from flyte_jupyter.runners.kubernetes.watch import Change, Watch

from ..conftest import eventually
from .conftest import Cluster
from .things import job, of_job

SLEEP = "import time; time.sleep(300)"


def the_pod(cluster: Cluster, holds: Callable[[dict[str, Any]], object], name: str = "lost") -> dict[str, Any]:
    """The pod of a Job once it is as it should be."""
    found: list[dict[str, Any]] = []

    def is_so() -> bool:
        pods = of_job(cluster.api, name)[0]
        found[:] = pods[-1:]
        return bool(found and holds(found[0]))

    eventually(is_so)
    return found[0]


def ended(cluster: Cluster) -> Failure:
    """Why the only pod of a Job has ended."""
    pod = the_pod(cluster, ends.has_ended)
    assert not ends.has_succeeded(pod)
    return ends.of(pod, of_job(cluster.api, "lost")[1])


def gone(
    cluster: Cluster,
    act: Callable[[str], object],
    code: str,
    *,
    after: Callable[[dict[str, Any]], object] = ends.has_started,
) -> Failure:
    """Why the pod of a Job has ended, which something deletes; as a watch tells it, and events that may come later."""
    name = the_pod(cluster, after)["metadata"]["name"]
    watch = Watch(cluster.api, "job-name=lost", kinds=["pods"])
    found: list[Failure] = []
    for item in watch:
        if isinstance(item, Change) and item.object["metadata"]["name"] == name:
            if item.type == "ADDED":
                act(name)
            if item.type == "DELETED":
                watch.close()
                last = item.object

    def is_told() -> bool:
        events = [each for each in cluster.api.list("events").items if each["involvedObject"].get("name") == name]
        found[:] = [ends.of(last, events, is_gone=True)]
        return found[0].code == code

    eventually(is_told)
    assert ("system", True) == (found[0].kind, found[0].recoverable)
    return found[0]


def test_memory_that_ran_out_is_told_with_its_limit_and_peak(cluster: Cluster, image: str) -> None:
    eats = "b = bytearray(10 ** 9)"
    cluster.api.create("jobs", job("lost", image, eats, resources={"limits": {"memory": "64Mi"}}))
    pod = the_pod(cluster, ends.has_ended)
    failure = ends.of(pod, peak_memory=60 << 20)
    assert "OOMError" == failure.code
    assert "the container needed more memory than its limit of 64 MiB; it had used 60 MiB." in failure.message


def test_an_exit_code_is_told(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("lost", image, "raise SystemExit(3)"))
    assert ("ContainerFailed", True) == (ended(cluster).code, ended(cluster).recoverable)
    assert "The container has ended with exit code 3 and without an outcome." == ended(cluster).message


def test_the_last_words_of_a_container_are_told_where_the_manifest_asks_for_them(cluster: Cluster, image: str) -> None:
    words = job("lost", image, "raise LookupError('so it is')", terminationMessagePolicy="FallbackToLogsOnError")
    cluster.api.create("jobs", words)
    assert ended(cluster).message.endswith("LookupError: so it is")


def test_a_program_that_is_not_there_is_told_and_another_pod_would_not_help(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("lost", image, command=["/not/there"]))
    failure = ended(cluster)
    assert ("ContainerCannotRun", "user", False) == (failure.code, failure.kind, failure.recoverable)
    assert 'exec: "/not/there": stat /not/there: no such file or directory' in failure.message


def test_a_pod_that_uses_too_much_disk_is_evicted(cluster: Cluster, image: str) -> None:
    fills = f"open('/scratch/big', 'wb').write(bytes(50 << 20)); {SLEEP}"
    volumes = [{"name": "scratch", "emptyDir": {"sizeLimit": "10Mi"}}]
    mounts = [{"name": "scratch", "mountPath": "/scratch"}]
    cluster.api.create("jobs", job("lost", image, fills, volumeMounts=mounts, pod={"volumes": volumes}))
    failure = ended(cluster)
    assert "PodEvicted" == failure.code
    assert failure.message.startswith("The pod was evicted by its node: Usage of EmptyDir volume")


def test_a_pod_that_somebody_deletes_is_told(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("lost", image, SLEEP))
    failure = gone(cluster, lambda name: cluster.api.delete("pods", name), "PodDeleted")
    assert "The pod was deleted by somebody or something in the cluster while it ran." == failure.message


def test_a_pod_that_makes_room_is_told_as_preempted(cluster: Cluster, image: str) -> None:
    node = cluster.api.list("nodes").items[0]["metadata"]["name"]
    key = f"flyte-jupyter.test/seat-{secrets.token_hex(3)}"
    at = f"/status/capacity/{key.replace('/', '~1')}"
    cluster.api.patch("nodes", node, [{"op": "add", "path": at, "value": "1"}], part="status")
    eventually(lambda: key in cluster.api.get("nodes", node)["status"]["allocatable"])
    kind, high = "scheduling.k8s.io/v1/priorityclasses", f"test-{secrets.token_hex(3)}"
    cluster.api.create(kind, {"metadata": {"name": high}, "value": 1000})
    try:
        seat = {"resources": {"requests": {key: "1"}, "limits": {key: "1"}}}
        cluster.api.create("jobs", job("lost", image, SLEEP, **seat))

        def push(_: str) -> None:
            cluster.api.create("jobs", job("first", image, SLEEP, pod={"priorityClassName": high}, **seat))

        failure = gone(cluster, push, "PodPreempted")
        assert failure.message.startswith("The pod made room for a pod of higher priority: Preempted by ")
    finally:
        cluster.api.delete(kind, high)
        for each in (at, at.replace("capacity", "allocatable")):
            cluster.api.patch("nodes", node, [{"op": "remove", "path": each}], part="status")


def test_a_pod_that_runs_too_long_for_the_cluster_is_told(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("lost", image, SLEEP, pod={"activeDeadlineSeconds": 2}))
    assert "MaxRuntimeExceededError" == ended(cluster).code


def test_a_job_that_runs_too_long_is_told_with_its_bound(cluster: Cluster, image: str) -> None:
    late = job("lost", image, SLEEP)
    late["spec"]["activeDeadlineSeconds"] = 2
    cluster.api.create("jobs", late)
    eventually(lambda: ends.has_failed(cluster.api.get("jobs", "lost")))
    failure = ends.of_job(cluster.api.get("jobs", "lost"), None)
    assert ("DeadlineExceededError", "user") == (failure.code, failure.kind)
    assert "after its deadline of 2 s" in failure.message


def test_a_job_that_has_lost_several_pods_tells_of_the_last(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("lost", image, "raise SystemExit(3)", retries=1))
    eventually(lambda: ends.has_failed(cluster.api.get("jobs", "lost")))
    pods, _, of = of_job(cluster.api, "lost")
    failure = ends.of_job(of, ends.of(pods[0]))
    assert (
        "2 pods were lost, one after the other; the last: The container has ended with exit code 3" in failure.message
    )
    assert not failure.recoverable


def test_a_pod_whose_node_goes_away_is_told(cluster: Cluster, image: str) -> None:
    """On a node that nobody has: it becomes unreachable, as one does whose machine has died."""
    ghost = f"test-{secrets.token_hex(3)}"
    room = {"cpu": "1", "memory": "1Gi", "pods": "10"}
    taint = {"key": "test", "effect": "NoSchedule"}
    cluster.api.create("nodes", {"metadata": {"name": ghost}, "spec": {"taints": [taint]}})
    try:
        cluster.api.patch("nodes", ghost, {"status": {"capacity": room, "allocatable": room}}, part="status")
        at_once = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}
        keys = [f"node.kubernetes.io/{each}" for each in ("unreachable", "not-ready")]
        tolerations = [{"key": "test", "operator": "Exists"}, *({"key": key, **at_once} for key in keys)]
        there = {"nodeName": ghost, "tolerations": tolerations}
        cluster.api.create("jobs", job("lost", image, SLEEP, pod=there))
        lost = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
        taints = {"spec": {"taints": [taint, lost]}}
        failure = gone(cluster, lambda _: cluster.api.patch("nodes", ghost, taints), "NodeLost", after=lambda pod: True)
        assert failure.message.startswith("The pod was on a node that was lost")
    finally:
        cluster.api.delete("nodes", ghost)


@pytest.mark.parametrize("code", ["print('well')", SLEEP])
def test_a_pod_that_runs_or_has_done_its_work_is_no_failure(cluster: Cluster, image: str, code: str) -> None:
    cluster.api.create("jobs", job("lost", image, code))
    pod = the_pod(cluster, ends.has_started)
    assert ends.started_at(pod) > 1e9
    assert ends.has_succeeded(pod) == ends.has_ended(pod)
    assert not ends.has_failed(cluster.api.get("jobs", "lost"))
