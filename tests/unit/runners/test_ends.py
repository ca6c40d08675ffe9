"""What newer servers say of pods that end; what any server says is tried on a real one (tests/kubernetes)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flyte_jupyter.host.given import HOPELESS
from flyte_jupyter.pods import PodRequest
from flyte_jupyter.runners.kubernetes import ends


def pod(*conditions: dict[str, Any], reason: str = "", message: str = "", **state: Any) -> dict[str, Any]:
    status = {"phase": "Failed", "conditions": list(conditions), "reason": reason, "message": message}
    container = {"name": "task", "state": state}
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "task", "resources": {"limits": {"memory": "1Gi"}}}]},
        "status": {**status, "containerStatuses": [container]},
    }


@pytest.mark.parametrize(
    ("reason", "code", "begins"),
    [
        ("PreemptionByScheduler", "PodPreempted", "The pod made room for a pod of higher priority: as told"),
        ("DeletionByTaintManager", "NodeLost", "The pod was on a node that was lost"),
        ("DeletionByPodGC", "NodeLost", "The pod was on a node that is gone"),
        ("EvictionByEvictionAPI", "PodEvicted", "The pod was evicted, as when its node is drained"),
        ("TerminationByKubelet", "PodEvicted", "The pod was ended by its node"),
    ],
)
def test_a_disruption_is_told_by_its_name(reason: str, code: str, begins: str) -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "as told"}
    failure = ends.of(pod(condition, terminated={"exitCode": 143, "reason": "Error"}), is_gone=True)
    assert code == failure.code
    assert failure.message.startswith(begins)
    assert failure.recoverable


def test_an_eviction_says_what_the_node_was_short_of() -> None:
    said = "The node was low on resource: memory. Container task was using 3Gi, which exceeds its request of 1Gi. "
    failure = ends.of(pod(reason="Evicted", message=said))
    assert f"The pod was evicted by its node: {said.strip()}" == failure.message


def test_a_node_that_shuts_down_is_told() -> None:
    failure = ends.of(pod(reason="Terminated", message="Pod was terminated in response to imminent node shutdown."))
    assert "NodeLost" == failure.code


def test_a_pod_that_its_node_has_refused_is_told() -> None:
    failure = ends.of(pod(reason="OutOfcpu", message="Pod was rejected: Node didn't have enough resource: cpu"))
    assert ("PodRejected", True) == (failure.code, failure.recoverable)
    assert "Node didn't have enough resource: cpu" in failure.message


def test_memory_that_ran_out_is_told_by_the_name_of_the_task() -> None:
    request = PodRequest(run="r", action="a0", task="t", title="train", store="s", python="p")
    lost = pod(terminated={"exitCode": 137, "reason": "OOMKilled"})
    lost["spec"]["containers"][0]["env"] = [{"name": "FLYTE_JUPYTER_REQUEST", "value": json.dumps(request.to_json())}]
    message = ends.of(lost, peak_memory=1000 << 20).message
    assert (
        "train was killed: the container needed more memory than its limit of 1 GiB; it had used 1000 MiB." in message
    )
    assert "train.override(resources=flyte.Resources(memory=...))" in message


def test_a_pod_that_was_told_to_end_after_a_process_in_it_was_killed_for_memory_was_told_to_end() -> None:
    assert "PodDeleted" == ends.of(pod(terminated={"exitCode": 143, "reason": "OOMKilled"})).code


def test_a_container_beside_the_task_does_not_count() -> None:
    both = pod(running={"startedAt": "2026-01-01T00:00:00Z"})
    both["spec"]["containers"].insert(0, {"name": "beside"})
    both["spec"]["containers"][1]["env"] = [{"name": "FLYTE_JUPYTER_REQUEST", "value": "{}"}]
    both["status"] |= {"phase": "Running"}
    both["status"]["containerStatuses"].insert(0, {"name": "beside", "state": {"terminated": {"exitCode": 1}}})
    assert not ends.has_ended(both)
    both["status"]["containerStatuses"][1]["state"] = {"terminated": {"exitCode": 0}}
    assert ends.has_succeeded(both)


def test_a_job_says_what_the_cluster_says_when_nothing_else_is_known() -> None:
    condition = {"type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": "exit code 42"}
    job = {"spec": {}, "status": {"conditions": [condition]}}
    assert "The cluster has given it up: exit code 42" == ends.of_job(job, None).message


def test_what_the_container_has_left_as_its_last_word_is_told() -> None:
    failure = ends.of(pod(terminated={"exitCode": 1, "reason": "Error", "message": "the bucket does not answer\n"}))
    assert (
        "The container has ended with exit code 1 and without an outcome.\nthe bucket does not answer"
        == failure.message
    )
    assert failure.recoverable


def test_a_container_that_was_given_something_wrong_is_not_replaced() -> None:
    failure = ends.of(pod(terminated={"exitCode": HOPELESS, "reason": "Error", "message": "there is no bucket"}))
    assert ("there is no bucket", False) == (failure.message, failure.recoverable)


def test_an_image_without_the_package_is_told_at_once() -> None:
    words = "python3: Error while finding module specification (ModuleNotFoundError: No module named 'flyte_jupyter')"
    lost = pod(terminated={"exitCode": 1, "message": words})
    lost["spec"]["containers"][0]["image"] = "python:3.11"
    failure = ends.of(lost)
    assert ("ModuleNotFoundError", "user", False) == (failure.code, failure.kind, failure.recoverable)
    assert "The image 'python:3.11' has no flyte_jupyter in it" in failure.message
    assert "Image.from_base('python:3.11').clone(name=" in failure.message


def test_news_at_the_end_of_a_log_are_no_words() -> None:
    failure = ends.of(pod(terminated={"exitCode": 1, "message": '\x1e{"op": "event"}\n'}))
    assert "The container has ended with exit code 1 and without an outcome." == failure.message
