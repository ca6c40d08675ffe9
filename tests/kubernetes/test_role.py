"""A kernel and its pods with exactly the printed Role, and nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import doctor
from flyte_jupyter.home import Home
from flyte_jupyter.runners.kubernetes import role
from flyte_jupyter.runners.kubernetes.api import Api
from flyte_jupyter.runners.kubernetes.error import ApiError
from flyte_jupyter.runners.kubernetes.signing import key_secret, user
from tests.conftest import PATIENCE, eventually
from tests.kubernetes.conftest import Cluster, grant
from tests.kubernetes.waits import wait, wait_for_others

env = flyte.TaskEnvironment(name="granted", resources=flyte.Resources(cpu="100m", memory="200Mi"))


@env.task
def double(x: int) -> int:
    return 2 * x


@env.task
def fail() -> None:
    raise ValueError("as it is told to")


@env.task
async def all_doubled(n: int) -> list[int]:
    return list(flyte.map(double, range(n)))


@pytest.fixture
def granted(
    kernel: Home,
    cluster: Cluster,
    image: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Cluster:
    """A kernel that is the service account of the Role, as its pods are."""
    grant(cluster)
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(as_account(cluster, role.NAME)))  # JSON is YAML
    monkeypatch.setenv("KUBECONFIG", str(file))
    flyte.init(mode="remote", namespace=cluster.namespace, image=image)
    return cluster


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
    eventually(lambda: sum(action["phase"] == "running" for action in run.view()["actions"]) == 3)
    run.cancel("enough")
    run.wait(PATIENCE)
    assert "aborted" == run.phase.value
    eventually(lambda: [] == left(granted))


def left(cluster: Cluster) -> list[str]:
    """What of ours is in the namespace, but the key."""
    found = [
        f"{kind}/{each['metadata']['name']}" for kind in ("jobs", "pods", "secrets") for each in ours(cluster, kind)
    ]
    return [each for each in found if not each.startswith("secrets/flyte-jupyter-key-")]


def ours(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    return cluster.api.list(kind, labels="app.kubernetes.io/managed-by=flyte-jupyter").items


def test_the_books_balance(granted: Cluster) -> None:
    """Of runs that have ended all that is left are their Jobs with what these own, and after their ttl nothing is."""
    flyte.init(ttl=5)
    runs = [flyte.run(all_doubled, 3), *(flyte.run(double, x) for x in range(3)), flyte.run(fail)]
    cancelled = [flyte.run(wait_for_others, 2), flyte.run(wait, 600.0)]
    eventually(lambda: list(cancelled[1].get_logs()))
    for run in cancelled:
        run.cancel()
    for run in [*runs, *cancelled]:
        run.wait(90)
    assert [0, 2, 4] == runs[0].result()
    eventually(lambda: [] == left(granted))
    assert [key_secret(user())] == [each["metadata"]["name"] for each in ours(granted, "secrets")]
    assert [] == flyte.sweep(delete=False)


def test_a_job_that_stays_owns_all_that_stays_with_it(granted: Cluster) -> None:
    run = flyte.run(all_doubled, 2)
    run.wait(PATIENCE)
    jobs = {each["metadata"]["name"]: each for each in ours(granted, "jobs")}
    children = [each for each in jobs.values() if each["metadata"].get("ownerReferences")]
    counted = {kind: len(ours(granted, kind)) for kind in ("jobs", "pods", "secrets")}
    assert ({"jobs": 3, "pods": 3, "secrets": 3 + 1 + 1}, 2) == (counted, len(children))
    assert {86400} == {job["spec"]["ttlSecondsAfterFinished"] for job in jobs.values()}
    granted.api.delete("jobs", f"{run.name}-a0")
    eventually(lambda: [] == left(granted))


def test_each_needed_right_is_used_and_no_other_one(granted: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[tuple[str, str]] = set()
    send = Api._send

    def note(self: Api, method: str, path: str, query: dict[str, Any], *rest: Any, **more: Any) -> Any:
        asked.add((kind_of(path), verb_of(method, path, query)))
        return send(self, method, path, query, *rest, **more)

    monkeypatch.setattr(Api, "_send", note)
    assert 2 == flyte.run(double, 1).result()
    run = flyte.run(wait, 600.0)
    eventually(lambda: list(run.get_logs()))
    run.cancel()
    run.wait(PATIENCE)
    quota = {"metadata": {"name": "no-jobs"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    granted.api.create("resourcequotas", quota)
    eventually(lambda: granted.api.get("resourcequotas", "no-jobs").get("status", {}).get("hard"))
    with pytest.raises(ApiError, match="exceeded quota"):
        flyte.run(double, 2)
    known = {(each.right.kind, each.verb) for each in role.questions()}
    needed = {(each.right.kind, each.verb) for each in role.questions() if each.right.is_needed}
    own = {("resourcequotas", "create"), ("resourcequotas", "get")}  # of this test
    assert (set(), set()) == (needed - asked, {each for each in asked - known - own if not each[0].startswith("/")})


def kind_of(path: str) -> str:
    """The plural in the URL of objects in a namespace, with the part; "" for others."""
    _, _, rest = path.partition("/namespaces/")
    _, kind, _, part = [*rest.split("/"), "", "", ""][:4]
    return f"{kind}/{part}".rstrip("/") if rest else path


def verb_of(method: str, path: str, query: dict[str, Any]) -> str:
    has_name = len(path.partition("/namespaces/")[2].split("/")) > 2
    return {
        "POST": "create",
        "PATCH": "patch",
        "DELETE": "delete" if has_name else "deletecollection",
        "GET": "watch" if query.get("watch") else "get" if has_name else "list",
    }[method]


def test_the_doctor_is_content(granted: Cluster) -> None:
    found = {each.name: each for each in doctor.results()}
    assert [] == [each for each in found.values() if not each.is_fine]
    assert (
        "not granted, and not needed: what is too large for every node waits instead of failing at once"
        in found["rights"].text
    )
    assert {"cluster", "rights", "namespace", "left over", "data", "images"} <= found.keys()


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


def test_the_doctor_says_once_that_a_namespace_may_not_be_used(granted: Cluster) -> None:
    flyte.init(namespace=f"{granted.namespace}-typo")
    found = {each.name: each for each in doctor.results()}
    rights = found["rights"]
    assert "missing: get, list, watch, create, delete jobs; list, watch pods; get pods/log; " in rights.text
    assert f"If '{granted.namespace}-typo' is the namespace you mean" in rights.text
    assert {"namespace", "left over"}.isdisjoint(found)
