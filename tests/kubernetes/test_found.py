"""What a user has in a cluster: runs, also of other machines, and what is left over."""

from __future__ import annotations

import html
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.host import shelf
from flyte_jupyter.host.lifecycle import aborted
from flyte_jupyter.notebook.cards import card as cards
from flyte_jupyter.pods import Phase
from flyte_jupyter.runners.kubernetes import ends, role, sweep
from flyte_jupyter.runners.kubernetes.action import request_of
from flyte_jupyter.runners.kubernetes.signing import key_secret, user
from flyte_jupyter.sites import Site
from flyte_jupyter.store import keys
from tests.conftest import PATIENCE, clear, eventually, forget_session, new_folder
from tests.contract.s3 import bucket
from tests.kubernetes.conftest import Cluster, grant
from tests.kubernetes.waits import wait, wait_for_others

pytestmark = pytest.mark.usefixtures("remote")

LATER = 3600.0
"""Seconds after which nothing is young."""
env = flyte.TaskEnvironment(name="found", resources=flyte.Resources(cpu="100m", memory="200Mi"))


@env.task
def add(x: int) -> int:
    print("adding to", x)
    return x + 1


@pytest.fixture
def other_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Called, it makes this process one on another machine: nothing of what was written down here is there."""
    folder = new_folder()

    def move() -> Path:
        forget_session()
        monkeypatch.setenv("FLYTE_JUPYTER_HOME", str(folder))
        return folder

    yield move
    forget_session()
    clear(folder)


def site() -> Site:
    assert session.cluster is not None
    return session.current().sites.at(session.cluster)


# --- runs -------------------------------------------------------------------------------------------------------------


def test_runs_of_other_machines_are_found_and_attached_to(other_machine: Any) -> None:
    first, second = flyte.run(add, 1), flyte.run(wait, 600)
    first.wait(PATIENCE)
    names = [second.name, first.name]
    assert names == [run.name for run in flyte.runs(cluster=True)]
    other_machine()
    assert [] == flyte.runs()
    assert names == [run.name for run in flyte.runs(cluster=True)]
    assert [second.name] == [run.name for run in flyte.runs(1, cluster=True)]
    assert 2 == flyte.attach(first.name)
    [_, again] = flyte.runs(cluster=True)
    assert ("add", 2, ["adding to 1"]) == (again.title, again.result(), list(again.get_logs()))
    going = flyte.get_run(second.name)
    eventually(lambda: list(going.get_logs()))
    going.cancel()
    going.wait(PATIENCE)
    assert "aborted" == going.phase.value


def test_a_run_is_looked_for_where_it_is_whatever_the_current_context_is_now(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = flyte.run(add, 1)
    known = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    away = {"name": "away", "context": {**known["contexts"][0]["context"], "cluster": "away"}}
    file = tmp_path / "kubeconfig"
    nowhere = {"name": "away", "cluster": {"server": "https://127.0.0.1:9"}}
    file.write_text(
        json.dumps(  # JSON is YAML
            {
                **known,
                "clusters": [*known["clusters"], nowhere],
                "contexts": [*known["contexts"], away],
                "current-context": "away",
            }
        )
    )
    monkeypatch.setenv("KUBECONFIG", str(file))
    forget_session()
    assert 2 == flyte.attach(run.name)


def test_runs_of_a_bucket_are_found_by_its_records(
    cluster: Cluster, other_machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bucket() as url:
        known = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        cluster.api.create("secrets", {"metadata": {"name": "bucket"}, "stringData": known})
        flyte.init(store=url, store_secret="bucket")
        run = flyte.run(add, 1)
        assert 2 == run.result()
        cluster.api.delete("jobs", f"{run.name}-a0")  # as after its ttl
        other_machine()
        [found] = flyte.runs(cluster=True)
        assert (run.name, 2, {"x": "1"}) == (found.name, found.result(), found.inputs())
        forget_session()
        monkeypatch.setenv("JUPYTERHUB_USER", "somebody-else")
        assert [] == flyte.runs(cluster=True)


def test_runs_of_other_users_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = flyte.run(add, 1)
    run.wait(PATIENCE)
    forget_session()
    monkeypatch.setenv("JUPYTERHUB_USER", "somebody-else")
    assert [] == flyte.runs(cluster=True)


def test_a_name_that_is_nowhere_is_no_run() -> None:
    with pytest.raises(flyte.errors.RunNotFoundError):
        flyte.get_run("r0mdz0000aaaaaa")


def test_one_whose_job_has_gone_before_anybody_has_looked_says_so(cluster: Cluster) -> None:
    run = flyte.run(add, 1)
    store = session.current().store
    forget_session()  # the kernel ends before the pod does
    eventually(lambda: all(ends.has_finished(job) for job in cluster.api.list("jobs").items), within=PATIENCE)
    (job,) = cluster.api.list("jobs").items
    cluster.api.delete("jobs", job["metadata"]["name"])  # as after its ttl
    eventually(lambda: [] == cluster.api.list("jobs").items, within=PATIENCE)
    record = json.loads(bytes(store.get(keys.record(run.name))))
    store.put(keys.record(run.name), [json.dumps({**record, "created": time.time() - 3600}).encode()])
    later = flyte.get_run(run.name)
    card = html.unescape(cards.html(later.view(), now=time.time()))
    assert "aborted" == later.phase.value
    assert "Its Job is not in the cluster any more" in card
    assert "a finished Job stays for 1 d" in card
    with pytest.raises(flyte.errors.RunNotFoundError, match="what its pod has left was not fetched"):
        later.result()


# --- what is left over ------------------------------------------------------------------------------------------------


def left_over(cluster: Cluster, later: float = LATER) -> list[tuple[str, str]]:
    here = site()
    return [each[:2] for each in sweep.orphans(cluster.api, here.store, user(), time.time() + later)]


def swept(cluster: Cluster) -> list[tuple[str, str]]:
    here = site()
    found = sweep.sweep(cluster.api, here.store, here.key, user(), time.time() + LATER)
    return [each[:2] for each in found]


def test_nothing_that_is_needed_is_swept(cluster: Cluster) -> None:
    grant(cluster)
    done, going = flyte.run(add, 1), flyte.run(wait_for_others, 1)
    done.wait(PATIENCE)
    eventually(lambda: 2 == sum(action["phase"] == "running" for action in going.view()["actions"]))
    assert [] == left_over(cluster)
    assert [] == flyte.sweep(delete=False) == flyte.sweep()
    going.cancel()
    going.wait(PATIENCE)


def test_a_call_that_no_job_took_is_swept_when_it_is_old(cluster: Cluster) -> None:
    run = flyte.run(wait, 600)
    call = f"{run.name}-a0-call"
    eventually(lambda: cluster.api.get("secrets", call)["metadata"].get("ownerReferences"))
    cluster.api.patch("secrets", call, {"metadata": {"ownerReferences": None}})  # its kernel died before it said so
    assert [] == left_over(cluster)
    cluster.api.delete("jobs", f"{run.name}-a0")
    eventually(lambda: not cluster.api.list("jobs").items)
    assert ([], [("secrets", call)]) == (left_over(cluster, 0), left_over(cluster))
    assert ([("secrets", call)], []) == (swept(cluster), swept(cluster))
    assert key_secret(user()) in [each["metadata"]["name"] for each in cluster.api.list("secrets").items]


def test_what_belongs_to_others_is_left_alone(cluster: Cluster) -> None:
    ours = {"app.kubernetes.io/managed-by": "flyte-jupyter", "flyte-jupyter/run": "r", "flyte-jupyter/action": "a0"}
    theirs = {
        "of-another-user-call": {**ours, "flyte-jupyter/user": "somebody-else"},
        "of-another-program-call": {**ours, "flyte-jupyter/user": user(), "app.kubernetes.io/managed-by": "helm"},
        "not-a-secret-of-ours": {**ours, "flyte-jupyter/user": user()},
    }
    for name, labels in theirs.items():
        cluster.api.create("secrets", {"metadata": {"name": name, "labels": labels}})
    assert [] == swept(cluster)


def test_a_job_whose_run_was_cancelled_is_swept(cluster: Cluster) -> None:
    run = flyte.run(wait, 600)
    eventually(lambda: list(run.get_logs()))
    here, name = site(), f"{run.name}-a0"
    request = request_of(cluster.api.get("jobs", name))
    end = request.event(Phase.ABORTED, at=time.time(), failure=aborted("enough"))
    forget_session()  # before it could delete the Job
    shelf.end(here.store, here.key, end)
    assert ([], [("jobs", name)]) == (left_over(cluster, 0), swept(cluster))
    eventually(lambda: not [each for kind in ("jobs", "pods") for each in cluster.api.list(kind).items])
    assert "aborted" == flyte.get_run(run.name).phase.value


def test_what_was_called_by_one_that_has_ended_is_swept_and_has_an_end(cluster: Cluster) -> None:
    grant(cluster)
    run = flyte.run(wait_for_others, 1)
    eventually(lambda: 2 == sum(action["phase"] == "running" for action in run.view()["actions"]))
    here = site()
    [child] = cluster.api.list("jobs", labels=f"flyte-jupyter/parent={run.name}-a0").items
    parent = request_of(cluster.api.get("jobs", f"{run.name}-a0"))
    name = child["metadata"]["name"]
    cluster.api.patch("jobs", name, {"metadata": {"ownerReferences": None}})
    forget_session()
    cluster.api.delete("rbac.authorization.k8s.io/v1/rolebindings", role.NAME)  # so that it cannot end it itself
    cluster.api.delete("jobs", f"{run.name}-a0")
    shelf.end(here.store, here.key, parent.event(Phase.FAILED, at=time.time(), failure=aborted("killed")))
    assert ("jobs", name) in swept(cluster)
    assert here.store.get(f"runs/{run.name}/actions/{request_of(child).action}/status.json")


def test_a_pod_whose_job_was_taken_from_it_is_swept(cluster: Cluster) -> None:
    run = flyte.run(wait, 600)
    eventually(lambda: list(run.get_logs()))
    forget_session()
    cluster.api.ask(
        "DELETE",
        f"/apis/batch/v1/namespaces/{cluster.namespace}/jobs/{run.name}-a0",
        body={"propagationPolicy": "Orphan"},
    )
    eventually(lambda: not cluster.api.list("jobs").items)
    [pod] = cluster.api.list("pods").items
    assert [] == left_over(cluster, 0)
    assert ("pods", pod["metadata"]["name"]) in swept(cluster)
