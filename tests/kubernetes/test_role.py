"""A kernel and its pods with exactly the printed Role, and nothing more."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import doctor, session
from flyte_jupyter.home import Home
from flyte_jupyter.runners.kubernetes import role
from flyte_jupyter.runners.kubernetes.api import Api
from flyte_jupyter.runners.kubernetes.error import ApiError
from tests.conftest import eventually, forget_session
from tests.kubernetes.conftest import Cluster, grant

env = flyte.TaskEnvironment(name="granted", resources=flyte.Resources(cpu="100m", memory="200Mi"))


@env.task
def double(x: int) -> int:
    return 2 * x


@env.task
async def all_doubled(n: int) -> list[int]:
    return list(flyte.map(double, range(n)))


@env.task
def wait(seconds: float) -> None:
    print("waiting", flush=True)
    time.sleep(seconds)


@env.task
async def wait_for_others(n: int) -> None:
    list(flyte.map(wait, [600.0] * n))


@pytest.fixture
def granted(
    home: Home, cluster: Cluster, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """A kernel that is the service account of the Role, as its pods are."""
    grant(cluster)
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(as_account(cluster, role.NAME)))  # JSON is YAML
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.setattr(session, "defaults", session.defaults)
    monkeypatch.setattr(session, "cluster", None)
    flyte.init(mode="remote", namespace=cluster.namespace, image=image)
    yield cluster
    forget_session()


def as_account(cluster: Cluster, account: str) -> dict[str, Any]:
    """A kubeconfig of the cluster for a service account."""
    path = f"/api/v1/namespaces/{cluster.namespace}/serviceaccounts/{account}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    token = cluster.api.ask("POST", path, body=asked)["status"]["token"]
    import yaml

    known: dict[str, Any] = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    user = {"name": account, "user": {"token": token}}
    contexts = [{"name": each["name"], "context": {**each["context"], "user": account}} for each in known["contexts"]]
    return {**known, "users": [user], "contexts": contexts}


def test_a_nested_run_needs_no_more(granted: Cluster) -> None:
    with pytest.raises(ApiError, match="is forbidden"):
        Api(namespace=granted.namespace).list("configmaps")
    run = flyte.run(all_doubled, 3)
    assert [0, 2, 4] == run.result()
    assert 4 == len(run.view()["actions"])


def test_a_nested_run_is_cancelled_and_leaves_nothing(granted: Cluster) -> None:
    run = flyte.run(wait_for_others, 2)
    eventually(lambda: sum(action["phase"] == "running" for action in run.view()["actions"]) == 3, within=60)
    run.cancel("enough")
    run.wait(60)
    assert "aborted" == run.phase.value
    eventually(lambda: [] == left(granted), within=60)


def left(cluster: Cluster) -> list[str]:
    """What of ours is in the namespace, but the key."""
    found = [
        f"{kind}/{each['metadata']['name']}" for kind in ("jobs", "pods", "secrets") for each in ours(cluster, kind)
    ]
    return [each for each in found if not each.startswith("secrets/flyte-jupyter-key-")]


def ours(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    return cluster.api.list(kind, labels="app.kubernetes.io/managed-by=flyte-jupyter").items


def test_the_doctor_is_content(granted: Cluster) -> None:
    found = {each.name: each for each in doctor.results()}
    assert [] == [each for each in found.values() if not each.is_fine]
    assert "not granted, and not needed: a card does not say how much is free" in found["rights"].text
    assert {"cluster", "rights", "namespace", "data", "images"} <= found.keys()


def test_the_doctor_names_what_is_missing_and_prints_the_role(granted: Cluster) -> None:
    rules = next(each["rules"] for each in role.manifests("") if each["kind"] == "Role")
    less = [rule for rule in rules if rule["resources"] != ["pods/log"]]
    granted.api.patch("rbac.authorization.k8s.io/v1/roles", role.NAME, {"rules": less})
    own = Api(namespace=granted.namespace)
    wanted = {"get pods/log", "list nodes of the whole cluster", "list pods of the whole cluster"}
    eventually(lambda: wanted == set(map(str, role.missing(own))))
    [rights] = [each for each in doctor.results() if each.name == "rights"]
    assert (False, role.page(granted.namespace)) == (rights.is_fine, rights.page)
    assert "missing: get pods/log. " in rights.text
