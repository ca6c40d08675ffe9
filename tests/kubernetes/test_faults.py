"""What goes wrong in a cluster, and what users see of it: each fault is made for real, and afterwards nothing is lost,
nothing was done twice, and nothing is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.engine.run import Run
from flyte_jupyter.runners.kubernetes.watch import Change, Watch
from tests.conftest import PATIENCE, eventually, forget_session
from tests.contract.s3 import bucket
from tests.kubernetes.conftest import Cluster
from tests.kubernetes.gate import gate
from tests.kubernetes.jobs import secret

pytestmark = pytest.mark.usefixtures("remote")

env = flyte.TaskEnvironment(name="faults", resources=flyte.Resources(cpu="50m", memory="150Mi"))


@env.task
def third_time() -> str:
    attempt = flyte.ctx().attempt_number
    print("attempt", attempt, flush=True)
    while attempt == 0:
        time.sleep(0.05)
    if attempt == 1:
        time.sleep(5.0)  # for those who do something to it meanwhile
        raise ValueError("once more")
    return f"attempt {attempt}"


@env.task
def hoard() -> int:
    return len([bytes([1]) * (8 << 20) for _ in range(100)])


@env.task
def hoard_in_the_host() -> str:
    """The first attempt has the first process of its container killed when memory runs out."""
    print("attempt", flyte.ctx().attempt_number, flush=True)
    if flyte.ctx().attempt_number == 0:
        lowest = Path("/proc/1/oom_score_adj").read_text()
        Path("/proc/1/oom_score_adj").write_text("1000")
        Path("/proc/self/oom_score_adj").write_text(lowest)
        kept = [bytes([1]) * (8 << 20) for _ in range(100)]
        return f"{len(kept)} pieces"
    return "in the second pod"


@env.task
def number_of_attempt() -> int:
    return flyte.ctx().attempt_number


@env.task
def add(x: int) -> int:
    print("adding to", x)
    return x + 1


@env.task
def wait() -> int:
    print("waiting", flush=True)
    while flyte.ctx().attempt_number == 0:
        time.sleep(0.05)
    return 1


def until_printed(run: Run, text: str) -> Run:
    eventually(lambda: text in run.get_logs())
    return run


def root(run: Run) -> dict[str, Any]:
    """Its first action, as people are shown it."""
    return dict(run.view()["actions"][0])


def phases(run: Run) -> list[tuple[str, int]]:
    """Each phase of each attempt of the first action, once."""
    return list(dict.fromkeys((phase, attempt) for phase, _, attempt, _ in root(run)["history"]))


def codes(run: Run) -> dict[str, str]:
    """Why its attempts have failed."""
    return {attempt: failure["code"] for attempt, failure in root(run)["failures"].items()}


def failure(run: Run) -> str:
    """What is said of the end of its first action."""
    return str(list(root(run)["failures"].values())[-1]["message"])


def reason(run: Run) -> str:
    return str(root(run)["reason"])


def pods(cluster: Cluster, run: Run, action: str = "a0") -> list[str]:
    """The names of those that are there."""
    found = cluster.api.list("pods", labels=f"flyte-jupyter/run={run.name},flyte-jupyter/action={action}").items
    return [pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]]


def kill(cluster: Cluster, run: Run) -> None:
    """Have the pod of its first action go at once, as with its node."""
    (pod,) = pods(cluster, run)
    cluster.api.delete("pods", pod, grace=0)


def balanced(cluster: Cluster) -> bool:
    """Whether all Jobs that are left have finished, with no pod that still runs, and no Secret without its Job."""
    jobs = cluster.api.list("jobs").items
    over = all(each["status"].get("conditions") for each in jobs)
    ended = all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in cluster.api.list("pods").items)
    calls = {f"{each['metadata']['name']}-call" for each in jobs}
    there = {each["metadata"]["name"] for each in cluster.api.list("secrets").items}
    return over and ended and {name for name in there if name.endswith("-call")} <= calls


def emptied(cluster: Cluster) -> bool:
    """Whether no Job, no pod and no call is there."""
    return balanced(cluster) and not cluster.api.list("jobs").items + cluster.api.list("pods").items


@contextlib.contextmanager
def deletions(cluster: Cluster) -> Iterator[list[str]]:
    """The actions whose Jobs are asked to go, in that order."""
    asked: list[str] = []
    watch = Watch(cluster.api, "", kinds=("jobs",))

    def note() -> None:
        for item in watch:
            if isinstance(item, Change) and "deletionTimestamp" in (metadata := item.object["metadata"]):
                action = metadata["labels"]["flyte-jupyter/action"]
                asked.extend([action] if action not in asked else [])

    thread = threading.Thread(target=note)
    thread.start()
    try:
        yield asked
    finally:
        watch.close()
        thread.join()


@pytest.fixture(autouse=True)
def _books(cluster: Cluster) -> Iterator[None]:
    """They balance in the end."""
    yield
    eventually(lambda: balanced(cluster))


# --- pods that are lost -----------------------------------------------------------------------------------------------


def test_a_pod_that_is_deleted_by_force_is_replaced_and_no_retry_is_charged(cluster: Cluster) -> None:
    run = until_printed(flyte.run(third_time.override(retries=1)), "attempt 0")
    kill(cluster, run)
    run.wait(PATIENCE)
    assert "attempt 2" == run.result()
    assert {"0": "PodDeleted", "1": "ValueError"} == codes(run)
    of_each = [("queued", 0), ("initializing", 0), ("running", 0)]
    assert [*of_each, *((phase, n) for n in (1, 2) for phase, _ in of_each), ("succeeded", 2)] == phases(run)
    assert ["attempt 0", "attempt 1", "attempt 2"] == [line for n in range(3) for line in run.get_logs(attempt=n)]


def test_a_pod_that_is_deleted_in_good_order_is_replaced_too(cluster: Cluster) -> None:
    run = until_printed(flyte.run(wait), "waiting")
    (pod,) = pods(cluster, run)
    cluster.api.delete("pods", pod)
    run.wait(PATIENCE)
    assert (1, {"0": "PodDeleted"}) == (run.result(), codes(run))
    assert [("running", 0), ("running", 1)] == [each for each in phases(run) if each[0] == "running"]


def test_a_task_that_takes_too_much_memory_is_attempted_as_often_as_it_may() -> None:
    run = flyte.run(hoard.override(resources=flyte.Resources(memory=("100Mi", "150Mi")), retries=1))
    run.wait(PATIENCE)
    assert ({"0": "OOMError", "1": "OOMError"}, "failed") == (codes(run), run.phase.value)
    assert "needed more memory than its limit of 150 MiB; it had used" in failure(run)
    with pytest.raises(flyte.errors.OOMError):
        run.result()


guaranteed = flyte.Resources(cpu=("500m", "500m"), memory=("150Mi", "150Mi"))  # else a process dies by its size


@pytest.mark.parametrize("store", ["cluster", "bucket"])
def test_a_container_that_is_killed_for_its_memory_is_a_retry_of_the_user(
    store: str, request: pytest.FixtureRequest
) -> None:
    if store == "bucket":
        request.getfixturevalue("in_bucket")
    run = flyte.run(hoard_in_the_host.override(resources=guaranteed, retries=1))
    run.wait(PATIENCE)
    assert ("in the second pod", {"0": "OOMError"}) == (run.result(), codes(run))
    assert ["attempt 0", "attempt 1"] == [line for n in range(2) for line in run.get_logs(attempt=n)]
    forget_session()
    later = flyte.get_run(run.name)
    assert ("succeeded", {"0": "OOMError"}) == (later.phase.value, codes(later))  # as its pods have left it


def test_a_container_that_is_killed_for_its_memory_and_has_no_retry_has_failed(cluster: Cluster) -> None:
    run = flyte.run(hoard_in_the_host.override(resources=guaranteed))
    run.wait(PATIENCE)
    assert ("failed", {"0": "OOMError"}) == (run.phase.value, codes(run))
    assert "needed more memory than its limit of 150 MiB" in failure(run)
    with pytest.raises(flyte.errors.OOMError):
        run.result()
    assert ["attempt 0"] == list(run.get_logs())
    eventually(lambda: balanced(cluster), within=PATIENCE)
    (pod,) = cluster.api.list("pods").items
    assert "OOMKilled" == pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"]


# --- pods that do not start -------------------------------------------------------------------------------------------


def test_an_image_that_is_not_there_ends_it_at_once(cluster: Cluster, image: str) -> None:
    flyte.init(image=f"{image.rpartition(':')[0]}:nothing")
    run = flyte.run(add, 1)
    run.wait(PATIENCE)
    assert ("failed", "ImagePullError") == (run.phase.value, *codes(run).values())
    assert ":nothing cannot be pulled" in failure(run)
    eventually(lambda: emptied(cluster))


def test_a_secret_that_is_not_there_ends_it_and_says_which(cluster: Cluster) -> None:
    container = {"name": "primary", "envFrom": [{"secretRef": {"name": "password"}}]}
    run = flyte.run(add.override(pod_template=flyte.PodTemplate(pod_spec={"containers": [container]})), 1)
    eventually(lambda: "no Secret password" in reason(run) or run.done())
    run.wait(PATIENCE)
    assert ("failed", "SecretMissing") == (run.phase.value, *codes(run).values())
    assert "there is no Secret password in this namespace: create it" in failure(run)
    eventually(lambda: emptied(cluster))


def test_a_quota_that_is_used_up_is_waited_for(cluster: Cluster) -> None:
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}}
    cluster.api.create("resourcequotas", quota)
    eventually(lambda: cluster.api.get("resourcequotas", "small").get("status", {}).get("used"))
    first = until_printed(flyte.run(wait), "waiting")
    second = flyte.run(add, 1)
    eventually(lambda: "waits for others to end: of the quota small" in reason(second))
    impatient = flyte.run(add.override(timeout=flyte.Timeout(max_queued_time=3)), 1)
    impatient.wait(PATIENCE)
    assert ("timed_out", "MaxQueuedTimeExceededError") == (impatient.phase.value, *codes(impatient).values())
    first.cancel()
    second.wait(PATIENCE)
    assert (2, "aborted") == (second.result(), first.phase.value)


def test_what_waits_too_long_is_attempted_as_often_as_it_may(cluster: Cluster) -> None:
    patient = waits_for_a_node.override(timeout=flyte.Timeout(max_queued_time=2), retries=1)
    run = flyte.run(patient)
    run.wait(PATIENCE)
    assert "timed_out" == run.phase.value
    assert dict.fromkeys("01", "MaxQueuedTimeExceededError") == codes(run)
    with pytest.raises(flyte.errors.MaxQueuedTimeExceededError):
        run.result()
    eventually(lambda: emptied(cluster), within=PATIENCE)


@pytest.mark.parametrize("store", ["cluster", "bucket"])
def test_what_begins_in_its_second_attempt_knows_that_it_is_the_second(
    cluster: Cluster, store: str, request: pytest.FixtureRequest
) -> None:
    if store == "bucket":
        request.getfixturevalue("in_bucket")
    first = until_printed(flyte.run(wait), "waiting")
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}}
    cluster.api.create("resourcequotas", quota)
    eventually(lambda: cluster.api.get("resourcequotas", "small").get("status", {}).get("used"))
    run = flyte.run(number_of_attempt.override(timeout=flyte.Timeout(max_queued_time=5), retries=9))
    eventually(lambda: root(run)["attempt"] > 0, within=PATIENCE)
    first.cancel()
    run.wait(PATIENCE)
    assert set(codes(run).values()) == {"MaxQueuedTimeExceededError"}
    assert run.result() == root(run)["attempt"] == len(codes(run))


def test_what_no_node_has_ends_it_at_once(cluster: Cluster) -> None:
    run = flyte.run(add.override(resources=flyte.Resources(cpu=1000)), 1)
    run.wait(PATIENCE)
    assert ("failed", "Unschedulable") == (run.phase.value, *codes(run).values())
    assert "no node of the cluster has 1000 cores: the largest has" in failure(run)
    eventually(lambda: emptied(cluster))


# --- connections and kernels that are lost ----------------------------------------------------------------------------


def test_connections_that_break_lose_nothing(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_bucket: None
) -> None:
    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        monkeypatch.setenv("KUBECONFIG", kubeconfig)
        run = until_printed(flyte.run(third_time.override(retries=1)), "attempt 0")
        way.drop()
        kill(cluster, run)
        eventually(lambda: ("running", 1) in phases(run))
        way.refuse()
        (pod,) = pods(cluster, run)
        eventually(lambda: cluster.api.get("pods", pod)["status"]["phase"] == "Succeeded")
        assert not run.done()
        way.open()
        run.wait(PATIENCE)
        assert "attempt 2" == run.result()
        steps = [(phase, attempt, step) for phase, _, attempt, step in root(run)["history"]]
        assert len(set(steps)) == len(steps)
        assert ["attempt 1", "attempt 2"] == [line for n in (1, 2) for line in run.get_logs(attempt=n)]


def test_a_kernel_that_is_killed_leaves_its_run_to_the_next_one(
    cluster: Cluster, image: str, tmp_path: Path, in_bucket: None
) -> None:
    code = tmp_path / "kernel.py"
    code.write_text(_KERNEL)
    told = tmp_path / "told"
    store = flyte.session.cluster.store  # type: ignore[union-attr]
    with subprocess.Popen(
        [sys.executable, str(code), cluster.namespace, image, store, str(told)], env={**os.environ, "PYTHONPATH": ROOT}
    ) as kernel:
        eventually(lambda: told.exists() and told.read_text().endswith("\n"))
        kernel.send_signal(signal.SIGKILL)
    run = flyte.get_run(told.read_text().strip())
    eventually(lambda: phases(run)[-1:] == [("running", 0)])
    kill(cluster, run)
    run.wait(PATIENCE)
    assert (1, {"0": "PodDeleted"}, ["waiting"]) == (run.result(), codes(run), list(run.get_logs()))
    assert 1 == len(cluster.api.list("jobs").items)


ROOT = str(Path(flyte.__file__).parents[1])
_KERNEL = """
import sys, time
import flyte_jupyter as flyte
from tests.kubernetes.test_faults import wait

namespace, image, store, told = sys.argv[1:]
flyte.init(mode="remote", namespace=namespace, image=image, store=store, store_secret="bucket")
run = flyte.run(wait)
while run.phase.value != "running":
    time.sleep(0.05)
open(told, "w").write(run.name + "\\n")
time.sleep(600)
"""


@pytest.fixture
def in_bucket(cluster: Cluster) -> Iterator[None]:
    """Runs have a bucket, so that what pods leave does not depend on their logs."""
    with bucket() as url:
        known = {name: value.encode() for name, value in os.environ.items() if name.startswith("AWS_")}
        secret(cluster, "bucket", {name: value for name, value in known.items() if name != "AWS_CA_BUNDLE"})
        flyte.init(store=url, store_secret="bucket")
        yield


# --- by hand, and with children ---------------------------------------------------------------------------------------


def test_a_job_that_is_deleted_by_hand_ends_its_run(cluster: Cluster) -> None:
    run = until_printed(flyte.run(wait), "waiting")
    (job,) = cluster.api.list("jobs").items
    cluster.api.delete("jobs", job["metadata"]["name"])
    run.wait(PATIENCE)
    assert "aborted" == run.phase.value
    assert "Its Job was deleted in the cluster" in failure(run)
    eventually(lambda: emptied(cluster))


@env.task
def parent() -> int:
    found = add(1)
    print("added", flush=True)
    while flyte.ctx().attempt_number == 0:
        time.sleep(0.05)
    return found + add(2)


@env.task
def parent_alone() -> int:
    add(1)
    while flyte.ctx().attempt_number == 0:
        time.sleep(0.05)
    return flyte.ctx().attempt_number


def test_a_parent_that_is_lost_while_nobody_watches_counts_on(cluster: Cluster, caller: None) -> None:
    run = flyte.run(parent_alone)
    forget_session()

    def is_noted() -> bool:
        of_it = cluster.api.list("secrets", labels=f"flyte-jupyter/run={run.name},flyte-jupyter/action=a0").items
        return any(each["metadata"]["name"].endswith("-attempts") for each in of_it)

    eventually(is_noted, within=PATIENCE)
    (first,) = pods(cluster, run)
    cluster.api.delete("pods", first, grace=0)
    eventually(lambda: [name for name in pods(cluster, run) if name != first], within=PATIENCE)
    (second,) = pods(cluster, run)
    eventually(lambda: cluster.api.get("pods", second)["status"]["phase"] == "Succeeded", within=PATIENCE)
    later = flyte.get_run(run.name)
    later.wait(PATIENCE)
    assert 1 == later.result()


def test_a_parent_that_is_lost_finds_what_its_children_have_finished(
    cluster: Cluster, caller: None, in_bucket: None
) -> None:
    run = until_printed(flyte.run(parent), "added")
    kill(cluster, run)
    run.wait(PATIENCE)
    assert (5, {"0": "PodDeleted"}) == (run.result(), codes(run))
    assert 2 == len([each for each in run.view()["actions"] if each["title"] == "add"])
    assert 3 == len(cluster.api.list("jobs").items)
    assert [1, 1] == [len(pods(cluster, run, each["name"])) for each in run.view()["actions"][1:]]


@env.task
async def family() -> list[int]:
    return await asyncio.gather(wait.aio(), waits_for_a_node.aio())


waits_for_a_node = wait.override(
    pod_template=flyte.PodTemplate(pod_spec={"containers": [], "nodeSelector": {"flyte-jupyter.test/node": "none"}})
)


@env.task
def calls_what_cannot_start() -> str:
    try:
        needs_too_much()
    except flyte.errors.RuntimeUserError as error:
        return f"{error.code}: {error}"
    return "it has started"


needs_too_much = wait.override(resources=flyte.Resources(cpu=1000))


def test_who_calls_what_can_never_start_is_told_why(cluster: Cluster, caller: None) -> None:
    run = flyte.run(calls_what_cannot_start)
    run.wait(PATIENCE)
    assert run.result().startswith("Unschedulable: ")
    assert "no node of the cluster has 1000 cores" in run.result()


def test_a_parent_that_is_cancelled_takes_its_children_with_it(cluster: Cluster, caller: None) -> None:
    run = flyte.run(family)
    both = {"running": 1, "waiting_for_resources": 1}
    eventually(lambda: both == run.view()["tasks"].get("wait"))
    with deletions(cluster) as deleted:
        run.cancel("not wanted any more")
        run.wait(PATIENCE)
        eventually(lambda: {"aborted"} == {action["phase"] for action in run.view()["actions"]})
        assert {"not wanted any more"} == {
            failure["message"] for action in run.view()["actions"] for failure in action["failures"].values()
        }
        eventually(lambda: emptied(cluster))
        eventually(lambda: 3 == len(deleted))
    assert "a0" == deleted[-1]
