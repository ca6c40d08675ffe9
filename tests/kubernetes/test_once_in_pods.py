"""The Host of one request, in real pods."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import flyte_jupyter as flyte
from flyte_jupyter import TaskEnvironment
from flyte_jupyter.config.values.secret import MOUNT
from flyte_jupyter.home import Home
from flyte_jupyter.host.logs import parse
from flyte_jupyter.pods import Phase
from tests.contract.s3 import bucket
from tests.integration.containers import Call
from tests.kubernetes.conftest import Cluster
from tests.kubernetes.jobs import Job, secret

env = TaskEnvironment("pods")


@env.task
def look() -> dict[str, Any]:
    print("looking")
    context = flyte.ctx()
    Path("here").write_text("a folder to write to")
    return {
        "cwd": os.getcwd(),
        "home": str(Path.home()),
        "user": os.getuid(),
        "is_in_cluster": context.is_in_cluster(),
        "names": (os.environ["RUN_NAME"], os.environ["ACTION_NAME"]),
        "told": sorted(name for name in os.environ if name.startswith("FLYTE_JUPYTER_")),
        "can_write_to_the_image": os.access(os.path.dirname(sys.executable), os.W_OK),
    }


def test_a_pod_runs_one_call_and_tells_of_it(cluster: Cluster, image: str, tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, look)
    pod = Job(cluster, image, call).create().pod()
    assert 0 == pod.ended(), pod.text.decode()
    call.pour(pod)
    assert [Phase.QUEUED, Phase.INITIALIZING, Phase.RUNNING, Phase.SUCCEEDED] == pod.phases()
    assert (["looking"], True) == (pod.lines(), pod.has_said_all)
    assert {
        "cwd": "/flyte/work",
        "home": "/flyte/work",
        "user": 1000,
        "is_in_cluster": True,
        "names": ("r1", "a0"),
        "told": ["FLYTE_JUPYTER_HOME", "FLYTE_JUPYTER_NAMESPACE", "FLYTE_JUPYTER_POD"],
        "can_write_to_the_image": False,
    } == call.value()


@env.task
def wait() -> int:
    print("waiting", flush=True)
    try:
        while flyte.ctx().attempt_number == 0:
            time.sleep(0.05)
    finally:
        print("cleaned up", flush=True)
    return int(flyte.ctx().attempt_number or 0)


@env.task
def hoard() -> int:
    print("hoarding", flush=True)
    kept = [bytes([1]) * (8 << 20) for _ in range(100)]
    return len(kept)


@TaskEnvironment(
    "secretive",
    secrets=[flyte.Secret("token", as_env_var="TOKEN"), flyte.Secret("file", group="team", mount=MOUNT)],
).task
def spend() -> str:
    path = Path(os.environ["FLYTE_SECRETS_DIR"]) / "team" / "file"
    print(f"{os.environ['TOKEN']} and {path.read_text()}")
    return str(path)


def test_a_pod_that_is_deleted_ends_its_task_and_another_one_goes_on(
    cluster: Cluster, image: str, tmp_path: Path, home: Home
) -> None:
    with bucket() as url:
        call = Call(tmp_path, home, wait, url=url)
        job = Job(cluster, image, call).create()
        first = job.pod()
        first.until_printed("waiting")
        cluster.api.delete("pods", first.name)
        first.until_printed("cleaned up")
        second = job.pod(but=first.name)
        assert 0 == second.ended(), second.text.decode()
        assert 1 == call.value()
        logs = [parse(bytes(call.store.get(call.key(f"log.{attempt}")))) for attempt in (0, 1)]
    assert not any(phase.is_terminal for phase in first.phases())
    assert second.events[0].failure is not None
    assert (1, "AttemptLost") == (second.events[0].attempt, second.events[0].failure.code)
    assert [["waiting", "cleaned up"]] * 2 == [[text for _, _, text in lines] for lines in logs]


def test_a_task_that_takes_too_much_memory_is_told_its_peak_and_its_limit(
    cluster: Cluster, image: str, tmp_path: Path, home: Home
) -> None:
    call = Call(tmp_path, home, hoard.override(resources=flyte.Resources(memory=("100Mi", "200Mi"))))
    pod = Job(cluster, image, call).create().pod()
    assert 0 == pod.ended(), pod.text.decode()
    call.pour(pod)
    failure = call.outcome().failure
    assert failure is not None
    assert "OOMError" == failure.code
    assert "needed more memory than its limit of 200 MiB; it had used" in failure.message
    assert ["hoarding"] == pod.lines()


def test_secrets_come_from_those_of_the_cluster(cluster: Cluster, image: str, tmp_path: Path, home: Home) -> None:
    secret(cluster, "token", {"token": b"value one"})
    secret(cluster, "team", {"file": b"value two"})
    call = Call(tmp_path, home, spend)
    pod = Job(cluster, image, call).create().pod()
    assert 0 == pod.ended(), pod.text.decode()
    call.pour(pod)
    assert ("/etc/flyte/secrets/team/file", ["*** and ***"]) == (call.value(), pod.lines())
    assert b"value" not in pod.text
