"""What newer servers, clouds and Kueue say; what any server says is tried on a real one (tests/kubernetes)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.pods import Phase
from flyte_jupyter.runners.kubernetes import reasons
from flyte_jupyter.runners.kubernetes.kueue import Place
from flyte_jupyter.runners.kubernetes.reasons import Reason
from flyte_jupyter.runners.kubernetes.room import Room, rooms_of

GPU = "nvidia.com/gpu"
JOB: dict[str, Any] = {"metadata": {"name": "j"}, "spec": {}}


def event(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": reason}, "reason": reason, "message": message, **more}


def pod(asked: Mapping[str, str], message: str, reason: str = "Unschedulable", **spec: Any) -> dict[str, Any]:
    """One that has no node, with what the scheduler says of it."""
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    container = {"name": "task", "image": "i", "resources": {"requests": dict(asked)}}
    return {"metadata": {}, "spec": {"containers": [container], **spec}, "status": {"conditions": [condition]}}


def node(name: str, provider: str = "", **total: str) -> dict[str, Any]:
    plain = {key.replace("gpu", GPU): value for key, value in total.items()}
    return {"metadata": {"name": name}, "spec": {"providerID": provider}, "status": {"allocatable": plain}}


def used(name: str, **asked: str) -> dict[str, Any]:
    plain = {key.replace("gpu", GPU): value for key, value in asked.items()}
    container = {"name": "c", "resources": {"requests": plain}}
    return {"spec": {"nodeName": name, "containers": [container]}, "status": {"phase": "Running"}}


def refused(message: str) -> Reason:
    found = reasons.of(None, [event("FailedCreate", f"Error creating: {message}")], JOB)
    assert found is not None
    return found


def unscheduled(*events: Any, rooms: list[Room], asked: Mapping[str, str], message: str) -> Reason:
    found = reasons.of(pod(asked, message), events, JOB, rooms=lambda: rooms)
    assert found is not None
    return found


EIGHT = {
    "asked": {GPU: "8"},
    "message": f"0/2 nodes are available: 2 Insufficient {GPU}. preemption: 0/2 nodes are available: 2 No victims.",
}


def test_the_largest_and_what_is_free_of_it_are_named() -> None:
    rooms = rooms_of([node("a", gpu="4"), node("b", gpu="2"), node("c")], [used("a", gpu="3")])
    reason = unscheduled(rooms=rooms, **EIGHT)
    assert f"no node of the cluster has 8 {GPU}: the largest has 4 {GPU} (2 free)" == reason.text
    assert {"gpu": 4} == reason.instead
    assert reason.is_final


def test_nodes_that_take_no_pods_and_pods_that_have_ended_do_not_count() -> None:
    closed = node("a", gpu="8")
    closed["spec"]["unschedulable"] = True
    over = used("b", gpu="1")
    over["status"]["phase"] = "Succeeded"
    assert [("b", {GPU: Decimal(2)})] == [
        (room.node, room.free) for room in rooms_of([closed, node("b", gpu="2")], [over])
    ]


def test_who_may_not_see_nodes_is_told_what_was_asked_and_waits() -> None:
    reason = unscheduled(rooms=[], **EIGHT)
    assert f"no node has 8 {GPU} free (what nodes have in all is not known here)" == reason.text
    assert not reason.is_final


def test_a_cloud_that_may_add_nodes_is_waited_for_until_it_says_that_it_cannot() -> None:
    rooms = rooms_of([node("a", "gce://p/z/a", gpu="4")], None)
    assert not unscheduled(rooms=rooms, **EIGHT).is_final
    no_help = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 Insufficient nvidia.com/gpu")
    assert unscheduled(no_help, rooms=rooms, **EIGHT).is_final


def test_a_node_that_is_being_added_is_said() -> None:
    grows = event("TriggeredScaleUp", "pod triggered scale-up: [{gpu-pool 0->1 (max: 4)}]")
    reason = unscheduled(grows, rooms=rooms_of([node("a")], []), **EIGHT)
    assert ("the cluster adds a node for it", False) == (reason.text, reason.is_final)


def test_taints_are_said_without_the_schedulers_afterthoughts() -> None:
    said = "0/3 nodes are available: 3 node(s) had untolerated taint {gpu: yes}. preemption: 0/3 nodes are available."
    reason = unscheduled(rooms=[], asked={"cpu": "1"}, message=said)
    assert "no node takes it: 0/3 nodes are available: 3 node(s) had untolerated taint {gpu: yes}" == reason.text


def test_the_labels_that_a_model_of_gpus_stands_for_are_said_and_where_others_are_set() -> None:
    terms = [
        {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
        for key, value in (
            ("nvidia.com/gpu.product", "Tesla-T4"),
            ("cloud.google.com/gke-accelerator", "nvidia-tesla-t4"),
        )
    ]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    said = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity."
    found = reasons.of(pod({GPU: "1"}, said, affinity=affinity, nodeSelector={"pool": "a"}), [], JOB)
    assert found is not None
    assert (
        "no node takes it: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity (it asks for nodes with "
        "pool=a and one of nvidia.com/gpu.product=Tesla-T4, cloud.google.com/gke-accelerator=nvidia-tesla-t4; "
        "where nodes have others: [kubernetes.node_selectors] in the settings)"
    ) == found.text


def test_a_pod_that_a_gate_holds_back_is_said() -> None:
    gated = pod({}, "Scheduling is blocked due to non-empty scheduling gates", "SchedulingGated")
    assert "scheduling gate" in str(reasons.of(gated, [], JOB))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            'pods "j-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
            "the namespace does not admit such pods (Pod Security restricted:latest): runAsNonRoot != true",
        ),
        (
            'admission webhook "validate.kyverno.svc" denied the request: images have to come from our registry',
            "the cluster's validate.kyverno.svc has refused its pod: images have to come from our registry",
        ),
        (
            'pods "j-x" is forbidden: something new',
            'the cluster refuses its pod: pods "j-x" is forbidden: something new',
        ),
        (
            'pods "j-x" is forbidden: failed quota: team: must specify limits.cpu for: task; limits.memory for: task',
            (
                "the quota team wants every pod to say limits.cpu for: task; limits.memory for: task: "
                "give it Resources(...) with limits, as in cpu=(1, 2)"
            ),
        ),
    ],
)
def test_what_the_cluster_does_not_admit_is_final(message: str, text: str) -> None:
    assert (text, True) == (refused(message).text, refused(message).is_final)


def test_a_webhook_that_does_not_answer_is_waited_for() -> None:
    said = 'Internal error occurred: failed calling webhook "a.b.c": Post "https://x": context deadline exceeded'
    assert not refused(said).is_final


def test_a_quota_that_is_too_small_in_one_part_says_what_may_be_asked_for() -> None:
    said = (
        'pods "j-x" is forbidden: exceeded quota: team, requested: limits.memory=64Gi,requests.nvidia.com/gpu=4, '
        "used: limits.memory=0,requests.nvidia.com/gpu=0, limited: limits.memory=128Gi,requests.nvidia.com/gpu=2"
    )
    reason = refused(said)
    assert (
        "asks for more than the quota team of the namespace has at all: 4 requests.nvidia.com/gpu of 2" == reason.text
    )
    assert {"gpu": 2} == reason.instead


def kueue(suspend: bool = True) -> dict[str, Any]:
    return {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "team"}}, "spec": {"suspend": suspend}}


def test_a_job_in_kueue_says_its_queue_and_place() -> None:
    reason = reasons.of(None, [], kueue(), place=lambda: Place(2))
    assert reason is not None
    assert ("waits in the queue team of Kueue, 2 before it", Phase.QUEUED) == (reason.text, reason.phase)
    said = "couldn't assign flavors: insufficient unused quota for cpu"
    first = reasons.of(None, [], kueue(), place=lambda: Place(0, said))
    assert first is not None
    assert f"waits in the queue team of Kueue, as the first: {said}" == first.text
    assert "waits in the queue team of Kueue" == getattr(reasons.of(None, [], kueue()), "text", "")


def test_a_job_that_has_just_been_let_go_says_nothing() -> None:
    assert reasons.of(None, [], kueue(suspend=False)) is None


REGISTRIES = [
    (
        (
            'rpc error: code = NotFound desc = failed to pull and unpack image "r.io/x:1": failed to resolve reference '
            '"r.io/x:1": r.io/x:1: not found'
        ),
        True,
    ),
    (
        "rpc error: code = Unknown desc = manifest for r.io/x:1 not found: manifest unknown",
        True,
    ),
    (
        (
            'failed to pull and unpack image "r.io/x:1": failed to resolve reference "r.io/x:1": pull access denied, '
            "repository does not exist or may require authorization: authorization failed"
        ),
        True,
    ),
    (
        ('failed to resolve reference "r.io/x:1": failed to authorize: unexpected status: 401 Unauthorized'),
        True,
    ),
    (
        'failed to resolve reference "r.io/x:1": Head "https://r.io/v2/x": dial tcp: lookup r.io: no such host',
        False,
    ),
    (
        'failed to resolve reference "r.io/x:1": Head "https://r.io": net/http: TLS handshake timeout',
        False,
    ),
    ("failed to copy: httpReadSeeker: failed open: unexpected status code 503 Service Unavailable", False),
    ("toomanyrequests: You have reached your pull rate limit", False),
]


@pytest.mark.parametrize(("said", "is_final"), REGISTRIES)
def test_a_registry_that_refuses_is_told_from_one_that_fails(said: str, is_final: bool) -> None:
    state = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "r.io/x:1"'}}
    stuck = {
        "metadata": {},
        "spec": {"nodeName": "n", "containers": [{"name": "task", "image": "r.io/x:1"}]},
        "status": {"containerStatuses": [{"name": "task", "state": state}]},
    }
    events = [event("Failed", f'Failed to pull image "r.io/x:1": {said}'), event("Failed", "Error: ErrImagePull")]
    reason = reasons.of(stuck, events, JOB)
    assert reason is not None
    assert is_final == reason.is_final
    assert reason.text.startswith("the image r.io/x:1 cannot be pulled: ")


@given(st.text(max_size=200), st.sampled_from(["FailedCreate", "FailedMount", "Failed", "Pulling", "FailedScheduling"]))
def test_whatever_is_said_there_is_a_reason_or_none(text: str, kind: str) -> None:
    found = [
        reasons.of(None, [event(kind, text)], JOB),
        reasons.of(pod({"cpu": "1"}, text), [event(kind, text)], JOB),
    ]
    for state in ("ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError", "ContainerCreating", "new"):
        waiting = {"name": "task", "state": {"waiting": {"reason": state, "message": text}}}
        stuck = {
            "metadata": {},
            "spec": {"nodeName": "n", "containers": [{"name": "task"}]},
            "status": {"containerStatuses": [waiting]},
        }
        found.append(reasons.of(stuck, [event(kind, text)], JOB))
    assert all(each is None or isinstance(each.text, str) for each in found)
