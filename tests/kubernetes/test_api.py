from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from flyte_jupyter.errors import HostError
from flyte_jupyter.runners.kubernetes.api import Api
from flyte_jupyter.runners.kubernetes.error import ApiError
from flyte_jupyter.runners.kubernetes.features import features_of

from ..conftest import eventually
from .conftest import Cluster
from .gate import gate


def secret(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "stringData": {"a": "b"}}


def talker(image: str, code: str) -> dict[str, Any]:
    """A pod that runs Python code."""
    container = {"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["python3", "-uc", code]}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"metadata": {"name": "talker"}, "spec": spec}


def test_objects_are_created_found_changed_and_deleted(cluster: Cluster) -> None:
    cluster.api.create("secrets", secret("s1", of="test"))
    cluster.api.patch("secrets", "s1", {"metadata": {"annotations": {"seen": "yes"}}})
    assert {"seen": "yes"} == cluster.api.get("secrets", "s1")["metadata"]["annotations"]
    assert ["s1"] == [each["metadata"]["name"] for each in cluster.api.list("secrets", labels="of=test").items]
    assert cluster.api.delete("secrets", "s1")
    assert not cluster.api.delete("secrets", "s1")
    with pytest.raises(ApiError, match='get the secret s1: secrets "s1" not found') as caught:
        cluster.api.get("secrets", "s1")
    assert caught.value.is_missing


def test_what_was_created_before_is_told_as_such(cluster: Cluster) -> None:
    cluster.api.create("secrets", secret("s1"))
    with pytest.raises(ApiError, match="already exists") as caught:
        cluster.api.create("secrets", secret("s1"))
    assert caught.value.is_there_already


def test_another_object_of_the_same_name_is_not_deleted(cluster: Cluster) -> None:
    first = cluster.api.create("secrets", secret("s1"))["metadata"]["uid"]
    cluster.api.delete("secrets", "s1")
    cluster.api.create("secrets", secret("s1"))
    assert not cluster.api.delete("secrets", "s1", uid=first)
    assert "s1" == cluster.api.get("secrets", "s1")["metadata"]["name"]


def test_many_objects_are_listed_page_by_page(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flyte_jupyter.runners.kubernetes.api._PAGE", 3)
    for number in range(10):
        cluster.api.create("secrets", secret(f"s{number}", of="test"))
    assert 10 == len(cluster.api.list("secrets", labels="of=test").items)
    cluster.api.delete_all("secrets", labels="of=test")
    assert [] == cluster.api.list("secrets", labels="of=test").items


def test_all_of_a_namespace_are_not_deleted_by_mistake(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="selector"):
        cluster.api.delete_all("secrets", labels="")


def test_a_dry_run_creates_nothing_and_says_what_is_wrong(cluster: Cluster) -> None:
    cluster.api.create("secrets", secret("s1"), dry_run=True)
    with pytest.raises(ApiError):
        cluster.api.get("secrets", "s1")
    with pytest.raises(ApiError, match=r"metadata\.name: Invalid value") as caught:
        cluster.api.create("secrets", secret("No_Name"), dry_run=True)
    assert "Invalid" == caught.value.reason


def test_names_cannot_leave_their_place(cluster: Cluster) -> None:
    with pytest.raises(ApiError):
        cluster.api.get("secrets", "../../../nodes")


def test_a_namespace_that_is_not_there_is_named_with_the_setting(cluster: Cluster) -> None:
    with pytest.raises(ApiError, match=r"\[kubernetes\] namespace"):
        Api(namespace="not-there", kubeconfig=cluster.kubeconfig).create("secrets", secret("s1"))


def test_a_context_that_is_not_there_is_told_with_those_that_are(cluster: Cluster) -> None:
    with pytest.raises(HostError, match="no context 'nowhere'; it has '"):
        Api("nowhere", kubeconfig=cluster.kubeconfig).list("pods")


def test_a_kubeconfig_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="There is no kubeconfig at"):
        Api(kubeconfig=str(tmp_path / "none")).list("pods")


def test_the_version_of_the_server_is_known(cluster: Cluster) -> None:
    assert (1, 20) <= features_of(cluster.api).version < (2, 0)


def test_a_connection_that_was_broken_is_not_noticed(cluster: Cluster, tmp_path: Path) -> None:
    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        api = Api(namespace=cluster.namespace, kubeconfig=kubeconfig)
        api.list("pods")
        way.drop()
        assert [] == api.list("pods").items
        way.refuse()
        threading.Timer(0.5, way.open).start()
        assert [] == api.list("pods").items


def test_a_cluster_that_is_gone_is_told_with_its_address(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flyte_jupyter.runners.kubernetes.api._PATIENCE", 0.2)
    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        api = Api(namespace=cluster.namespace, kubeconfig=kubeconfig)
        way.close()
        with pytest.raises(ApiError, match=rf"https://127.0.0.1:{way.port}.* cannot be reached to list pods") as caught:
            api.list("pods")
        assert caught.value.is_passing


def test_a_log_is_followed_to_its_end(cluster: Cluster, image: str) -> None:
    code = "import time\nfor n in range(3): print('line', n); time.sleep(1)"
    cluster.api.create("pods", talker(image, code))
    eventually(lambda: cluster.api.get("pods", "talker")["status"]["phase"] == "Running")
    lines = [line.split(b" ", 1)[1] for line in cluster.api.log("talker", follow=True)]
    assert [b"line 0", b"line 1", b"line 2"] == lines


def test_a_stream_is_closed_by_another_thread(cluster: Cluster, image: str) -> None:
    cluster.api.create("pods", talker(image, "print('here'); import time; time.sleep(100)"))
    eventually(lambda: cluster.api.get("pods", "talker")["status"]["phase"] == "Running")
    log = cluster.api.log("talker", follow=True)
    lines = []
    for line in log:
        lines.append(line)
        threading.Timer(0.1, log.close).start()
    assert 1 == len(lines)


def test_a_stream_that_says_nothing_is_an_error_when_that_is_asked(cluster: Cluster) -> None:
    watch = cluster.api.watch("pods", cluster.api.list("pods").version, seconds=60, silence=0.3)
    with pytest.raises(ApiError, match="says nothing any more") as caught:
        list(watch)
    assert caught.value.is_silence


PLUGIN = """
import json, pathlib, sys
tokens = pathlib.Path(sys.argv[1])
first, *rest = tokens.read_text().split()
tokens.write_text(" ".join(rest or [first]))
print(json.dumps({"apiVersion": sys.argv[2], "kind": "ExecCredential", "status": {"token": first}}))
"""


def with_plugin(cluster: Cluster, folder: Path, *tokens: str) -> Api:
    """As somebody whose kubeconfig has a plugin that gives these tokens, one after the other."""
    (folder / "plugin.py").write_text(PLUGIN)
    (folder / "tokens").write_text(" ".join(tokens))
    version = "client.authentication.k8s.io/v1beta1"
    arguments = [str(folder / "plugin.py"), str(folder / "tokens"), version]
    plugin = {"apiVersion": version, "command": sys.executable, "args": arguments, "interactiveMode": "Never"}
    config = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    config["users"] = [{**each, "user": {"exec": plugin}} for each in config["users"]]
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    return Api(namespace=cluster.namespace, kubeconfig=str(folder / "kubeconfig"))


def token(cluster: Cluster) -> str:
    """Of the namespace's default service account."""
    path = f"/api/v1/namespaces/{cluster.namespace}/serviceaccounts/default/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {}, "spec": {}}
    return str(cluster.api.ask("POST", path, body=asked)["status"]["token"])


def may_list_pods(api: Api) -> bool:
    asked = {"resourceAttributes": {"namespace": api.namespace, "verb": "list", "resource": "pods"}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {}, "spec": asked}
    return bool(api.create("selfsubjectaccessreviews", review)["status"]["allowed"])


def test_a_plugin_of_the_kubeconfig_says_who_one_is(cluster: Cluster, tmp_path: Path) -> None:
    api = with_plugin(cluster, tmp_path, token(cluster))
    assert not may_list_pods(api)
    with pytest.raises(ApiError, match=r"list pods: .*system:serviceaccount:") as caught:
        api.list("pods")
    assert "%flyte_doctor" in str(caught.value)


def test_a_stream_whose_credentials_have_expired_is_asked_for_with_others(cluster: Cluster, tmp_path: Path) -> None:
    api = with_plugin(cluster, tmp_path, "expired", token(cluster))
    strangers = []
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            api.log("talker")
        strangers.append(caught.value.is_of_a_stranger)
    assert [True, False] == strangers


def test_credentials_that_have_expired_are_asked_for_again(cluster: Cluster, tmp_path: Path) -> None:
    api = with_plugin(cluster, tmp_path, "expired", token(cluster))
    assert not may_list_pods(api)


def test_credentials_that_are_wrong_are_told_with_what_to_do(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="log in again as you do for kubectl") as caught:
        with_plugin(cluster, tmp_path, "wrong").list("pods")
    assert caught.value.is_of_a_stranger
