"""Why pods do not start, each way produced in a real cluster."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flyte_jupyter.pods import Phase
from flyte_jupyter.runners.kubernetes import reasons
from flyte_jupyter.runners.kubernetes.reasons import Reason
from flyte_jupyter.runners.kubernetes.room import Rooms

from ..conftest import eventually
from .conftest import Cluster
from .image import REGISTRY
from .things import job, of_job

GPU = "flyte-jupyter.test/gpu"


def why(cluster: Cluster, expected: Callable[[Reason], bool], name: str = "stuck", within: float = 60) -> Reason:
    """The reason that is told for a Job once it is what is expected, which it has to be in the end."""
    told: list[Reason | None] = [None]

    def is_expected() -> bool:
        pods, events, of = of_job(cluster.api, name)
        told.append(reasons.of(pods[0] if pods else None, events, of, rooms=Rooms(cluster.api)))
        return told[-1] is not None and expected(told[-1])

    try:
        eventually(is_expected, within=within)
    except AssertionError:
        pytest.fail(f"what was told at last: {told[-1]}")
    assert told[-1] is not None
    return told[-1]


def says(text: str) -> Callable[[Reason], bool]:
    return lambda reason: text in reason.text


def ends_it(reason: Reason) -> bool:
    return reason.is_final


@pytest.fixture
def device(cluster: Cluster) -> Iterator[str]:
    """Accelerators of a kind of their own: two on one node."""
    node = cluster.api.list("nodes").items[0]["metadata"]["name"]
    key = f"{GPU}-{secrets.token_hex(3)}"
    at = f"/status/capacity/{key.replace('/', '~1')}"
    cluster.api.patch("nodes", node, [{"op": "add", "path": at, "value": "2"}], part="status")
    eventually(lambda: key in cluster.api.get("nodes", node)["status"]["allocatable"])
    yield key
    for each in (at, at.replace("capacity", "allocatable")):
        cluster.api.patch("nodes", node, [{"op": "remove", "path": each}], part="status")


def asking(key: str, value: str) -> dict[str, Any]:
    return {"resources": {"requests": {key: value}, "limits": {key: value}}}


def test_more_than_any_node_has_is_final_and_names_the_largest(cluster: Cluster, image: str, device: str) -> None:
    cluster.api.create("jobs", job("stuck", image, **asking(device, "8")))
    reason = why(cluster, ends_it)
    assert f"no node of the cluster has 8 {device}: the largest has 2 {device} (2 free)" == reason.text
    assert {"gpu": 2} == reason.instead
    assert Phase.WAITING_FOR_RESOURCES is reason.phase
    assert reason.failure is not None
    assert ("Unschedulable", "user", False) == (reason.failure.code, reason.failure.kind, reason.failure.recoverable)


def test_what_others_use_is_waited_for(cluster: Cluster, image: str, device: str) -> None:
    cluster.api.create("jobs", job("first", image, "import time; time.sleep(100)", **asking(device, "1")))
    eventually(lambda: "nodeName" in str(cluster.api.list("pods", labels="job-name=first").items))
    cluster.api.create("jobs", job("stuck", image, **asking(device, "2")))
    reason = why(cluster, says("no node has"))
    eventually(lambda: "(1 free)" in why(cluster, says("no node has")).text)
    assert not reason.is_final
    assert {} == reason.instead


def test_cores_and_memory_are_said_as_people_say_them(cluster: Cluster, image: str) -> None:
    asked = {"requests": {"cpu": "1000", "memory": "900Gi"}}
    cluster.api.create("jobs", job("stuck", image, resources=asked))
    reason = why(cluster, ends_it)
    assert reason.text.startswith("no node of the cluster has 1000 cores and 900 GiB of memory: the largest has ")
    assert {"cpu", "memory"} == reason.instead.keys()


def test_labels_that_no_node_has_are_named(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("stuck", image, pod={"nodeSelector": {"zone": "moon"}}))
    reason = why(cluster, says("zone=moon"))
    assert not reason.is_final


def test_a_claim_that_is_not_there_is_named(cluster: Cluster, image: str) -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-of-mine"}}]
    cluster.api.create("jobs", job("stuck", image, pod={"volumes": volumes}))
    assert "there is no PersistentVolumeClaim data-of-mine in this namespace" in why(cluster, ends_it).text


def test_an_image_that_the_registry_does_not_have_is_final_with_the_registrys_word(cluster: Cluster) -> None:
    if not REGISTRY:
        pytest.skip("needs FLYTE_JUPYTER_TEST_REGISTRY: a registry that answers")
    cluster.api.create("jobs", job("stuck", f"{REGISTRY}/not-there:1"))
    reason = why(cluster, ends_it)
    assert f"the image {REGISTRY}/not-there:1 cannot be pulled: not found" == reason.text
    assert ("image", Phase.INITIALIZING) == (reason.step, reason.phase)


def test_a_registry_that_does_not_answer_is_waited_for(cluster: Cluster) -> None:
    cluster.api.create("jobs", job("stuck", "127.0.0.1:9/not-there:1"))
    reason = why(cluster, says("connection refused"))
    assert not reason.is_final
    assert "the image 127.0.0.1:9/not-there:1 cannot be pulled" in reason.text


def test_an_image_with_an_impossible_name_is_final(cluster: Cluster) -> None:
    cluster.api.create("jobs", job("stuck", "Not A Name"))
    assert "'Not A Name' is no name of an image" == why(cluster, ends_it).text


def test_an_image_that_is_never_pulled_is_final(cluster: Cluster) -> None:
    cluster.api.create("jobs", job("stuck", "not/there:1", imagePullPolicy="Never"))
    assert "the image not/there:1 is not on the node" in why(cluster, ends_it).text


def test_a_secret_that_stays_away_is_named_and_final_after_a_while(cluster: Cluster, image: str) -> None:
    variable = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "my-token", "key": "token"}}}
    cluster.api.create("jobs", job("stuck", image, env=[variable]))
    first = why(cluster, says("there is no Secret my-token in this namespace: create it"))
    assert not first.is_final
    last = why(cluster, ends_it)
    assert last.failure is not None
    assert "SecretMissing" == last.failure.code


def test_a_secret_that_comes_a_moment_later_is_fine(cluster: Cluster, image: str) -> None:
    variable = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "my-token", "key": "token"}}}
    cluster.api.create("jobs", job("stuck", image, env=[variable]))
    why(cluster, says("my-token"))
    cluster.api.create("secrets", {"metadata": {"name": "my-token"}, "stringData": {"token": "t"}})
    eventually(lambda: cluster.api.get("jobs", "stuck")["status"].get("succeeded") == 1)


def test_a_key_that_a_secret_does_not_have_is_named(cluster: Cluster, image: str) -> None:
    cluster.api.create("secrets", {"metadata": {"name": "my-token"}, "stringData": {"other": "t"}})
    variable = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "my-token", "key": "token"}}}
    cluster.api.create("jobs", job("stuck", image, env=[variable]))
    assert "the Secret my-token has no key token: add it" == why(cluster, says("key")).text


def test_a_mounted_secret_that_is_not_there_is_named(cluster: Cluster, image: str) -> None:
    volumes = [{"name": "token", "secret": {"secretName": "my-files"}}]
    mounts = [{"name": "token", "mountPath": "/token"}]
    cluster.api.create("jobs", job("stuck", image, volumeMounts=mounts, pod={"volumes": volumes}))
    reason = why(cluster, says("there is no Secret my-files in this namespace: create it"))
    assert "volumes" == reason.step
    assert ends_it(why(cluster, ends_it))


def test_a_service_account_that_is_not_there_is_final(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("stuck", image, pod={"serviceAccountName": "nobody"}))
    reason = why(cluster, ends_it)
    assert reason.text.startswith("there is no service account nobody in this namespace")
    assert Phase.QUEUED is reason.phase


def quota(**hard: str) -> dict[str, Any]:
    return {"metadata": {"name": "small"}, "spec": {"hard": {name.replace("_", "."): of for name, of in hard.items()}}}


def with_quota(cluster: Cluster, **hard: str) -> None:
    cluster.api.create("resourcequotas", quota(**hard))
    eventually(lambda: "hard" in cluster.api.get("resourcequotas", "small").get("status", {}))


def test_more_than_a_quota_has_is_final_with_what_may_be_asked_for(cluster: Cluster, image: str) -> None:
    with_quota(cluster, requests_cpu="1", limits_memory="1Gi")
    asked = {"requests": {"cpu": "4"}, "limits": {"memory": "512Mi"}}
    cluster.api.create("jobs", job("stuck", image, resources=asked))
    reason = why(cluster, ends_it)
    assert "asks for more than the quota small of the namespace has at all: 4 requests.cpu of 1" == reason.text
    assert {"cpu": 1.0} == reason.instead


def test_a_quota_that_others_use_is_waited_for(cluster: Cluster, image: str) -> None:
    with_quota(cluster, requests_cpu="100m")
    asked = {"requests": {"cpu": "60m"}}
    cluster.api.create("jobs", job("first", image, "import time; time.sleep(100)", resources=asked))
    eventually(lambda: cluster.api.list("pods", labels="job-name=first").items)
    cluster.api.create("jobs", job("stuck", image, resources=asked))
    reason = why(cluster, says("waits for others to end"))
    assert "of the quota small 60m of 100m requests.cpu are used, and it asks for 60m" in reason.text
    assert not reason.is_final


def test_a_quota_that_wants_limits_says_so(cluster: Cluster, image: str) -> None:
    with_quota(cluster, limits_cpu="1")
    cluster.api.create("jobs", job("stuck", image))
    assert "the quota small wants every pod to say limits.cpu" in why(cluster, ends_it).text


def test_what_a_limit_range_does_not_admit_is_final(cluster: Cluster, image: str) -> None:
    most = {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}
    cluster.api.create("limitranges", {"metadata": {"name": "range"}, "spec": most})
    cluster.api.create("jobs", job("stuck", image, resources={"limits": {"memory": "1Gi"}}))
    assert "the namespace's LimitRange admits a maximum of 64Mi memory, and this is 1Gi" == why(cluster, ends_it).text


def test_a_priority_class_that_is_not_there_is_final(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("stuck", image, pod={"priorityClassName": "none-such"}))
    assert "there is no PriorityClass none-such in this cluster" in why(cluster, ends_it).text


def test_an_image_that_runs_as_root_where_it_must_not_is_final(cluster: Cluster, image: str) -> None:
    security = {"runAsNonRoot": True, "runAsUser": 0}
    cluster.api.create("jobs", job("stuck", image, securityContext=security))
    assert "run_as_root" in why(cluster, ends_it).text


def test_a_program_that_the_image_does_not_have_is_told(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("stuck", image, command=["/not/there"]))
    eventually(lambda: "/not/there" in str(of_job(cluster.api, "stuck")[0]))


def test_a_pod_that_runs_has_no_reason(cluster: Cluster, image: str) -> None:
    cluster.api.create("jobs", job("runs", image, "import time; time.sleep(100)"))
    eventually(lambda: "running" in str(of_job(cluster.api, "runs")[0]))
    pods, events, of = of_job(cluster.api, "runs")
    assert reasons.of(pods[0], events, of) is None
