"""Manifests of every parameter, checked by a real API server: it takes them, and drops nothing of them."""

from __future__ import annotations

import base64
import shlex
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from flyte_jupyter import PodTemplate, Resources, Secret, TaskEnvironment, init, session
from flyte_jupyter.config.cluster import Cluster as Settings
from flyte_jupyter.config.values.device import AMD_GPU, GPU, HABANA_GAUDI, TPU, Neuron
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.engine.options import RunOptions
from flyte_jupyter.errors import ConfigError, ConfigValueError, MissingSecretError
from flyte_jupyter.home import Home
from flyte_jupyter.runners.kubernetes.error import ApiError
from flyte_jupyter.runners.kubernetes.manifest.resources import amount
from tests.kernel.front import START, Front
from tests.kubernetes.conftest import Cluster, lacking

env = TaskEnvironment("birds", image="registry.example.com/birds:1")


@env.task
def train(n: int) -> int:
    return n


@env.task
async def outer(n: int) -> int:
    return await train.aio(n)


CONTAINER = {"name": "primary", "resources": {"limits": {"cpu": "1"}}, "env": [{"name": "A", "value": "1"}]}
PARAMETERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "resources": {"resources": Resources(cpu=("500m", 2), memory=("1Gi", "2Gi"), disk="10Gi", shm="1Gi")},
    "odd quantities": {"resources": Resources(cpu="1e-1", memory="1.5G", disk="0.5Gi", shm="auto")},
    "a GPU": {"resources": Resources(gpu="T4:2")},
    "a part of a GPU": {"resources": Resources(gpu=GPU("A100", 1, "1g.5gb"))},
    "a shared GPU": {"resources": Resources(gpu="L4 shared:1")},
    "a TPU": {"resources": Resources(gpu=TPU("V5P", "2x2x2"))},
    "Neuron": {"resources": Resources(gpu=Neuron("Trn1"))},
    "an AMD GPU": {"resources": Resources(gpu=AMD_GPU("MI300X"))},
    "Gaudi": {"resources": Resources(gpu=HABANA_GAUDI("Gaudi1"))},
    "no GPU": {"resources": Resources(gpu=0)},
    "variables": {"env_vars": {"A": "$(B)", "B": "ä\n", "c.d-e": ""}},
    "secrets": {"secrets": [Secret("api-key", "db"), Secret("API_KEY", mount="/etc/flyte/secrets")]},  # type: ignore[arg-type]
    "interruptible": {"interruptible": True},
    "a service account": {"service_account": "some-one.else"},
    "time limits": {"timeout": Timeout(max_runtime=60, max_queued_time=60, deadline=600), "retries": 3},
    "a template": {"pod_template": PodTemplate({"containers": [CONTAINER], "nodeSelector": {"a": "b"}})},
    "a template with others": {
        "pod_template": PodTemplate({"containers": [CONTAINER, {"name": "proxy", "image": "proxy:1"}]})
    },
    "FUSE": {"pod_template": PodTemplate().allow_fuse()},
    "FUSE of the node": {"pod_template": PodTemplate().allow_fuse(privileged=True)},
    "sandboxes": {"pod_template": PodTemplate().allow_nested_sandboxing()},
    "labels": {"pod_template": PodTemplate(labels={"team": "birds"}, annotations={"a.b/c": "two words"})},
}


@pytest.fixture
def ready(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The namespace as that of this process, with the secrets of these tests."""
    monkeypatch.setattr(session, "defaults", RunOptions())
    monkeypatch.setattr(session, "cluster", Settings(namespace=cluster.namespace))
    value = base64.b64encode(b"hush").decode()
    for name, key in (("db", "api-key"), ("api-key", "API_KEY")):
        cluster.api.create("secrets", {"metadata": {"name": name}, "data": {key: value}})
    return cluster


def test_the_server_takes_every_parameter_and_drops_nothing(ready: Cluster) -> None:
    for what, given in PARAMETERS.items():
        for task in (train, outer):
            job = task.override(**given).pod_manifest(validate=True).job
            made = ready.api.create("jobs", job, dry_run=True)
            assert [] == [f"{what}: {lost}" for lost in dropped(dict(job), made)]
    assert [] == ready.api.list("jobs").items


def dropped(given: Any, made: Any, where: str = "") -> list[str]:
    """What a server has not kept of what it was given."""
    if isinstance(given, dict):
        missing = [f"{where}.{name}" for name in given if name not in made and given[name] != ""]
        kept = [lost for name in given if name in made for lost in dropped(given[name], made[name], f"{where}.{name}")]
        return missing + kept
    if isinstance(given, list) and len(given) == len(made):
        return [lost for a, b in zip(given, made, strict=True) for lost in dropped(a, b, f"{where}[]")]
    is_same = given == made or 0 != amount(str(given)) == amount(str(made))  # quantities are written in another way
    return [] if is_same else [f"{where}: {given!r} became {made!r}"]


def test_settings_of_the_cluster_are_taken(ready: Cluster) -> None:
    init(
        pull_secrets=["registry"],
        store="s3://bucket/runs",
        store_secret="bucket",
        run_as_root=True,
        queue="team",
        interruptible={"nodeSelector": {"spot": "yes"}, "tolerations": [{"key": "spot", "operator": "Exists"}]},
        node_selectors={"T4": {"gpu": "t4"}},
    )
    task = train.override(interruptible=True, resources=Resources(gpu="T4:1"))
    made = task.pod_manifest(validate=True)
    assert [] == dropped(dict(made.job), ready.api.create("jobs", made.job, dry_run=True))


def test_a_template_is_looked_up_by_its_name(ready: Cluster) -> None:
    spec = {"containers": [{"name": "primary", "image": "own:2"}], "nodeSelector": {"gpu": "t4"}}
    template = {"metadata": {"name": "gpu-nodes"}, "template": {"metadata": {"labels": {"team": "a"}}, "spec": spec}}
    ready.api.create("podtemplates", template)
    found = train.override(pod_template="gpu-nodes").pod_manifest(validate=True).job["spec"]["template"]
    assert ({"gpu": "t4"}, "registry.example.com/birds:1", "a") == (
        found["spec"]["nodeSelector"],
        found["spec"]["containers"][0]["image"],
        found["metadata"]["labels"]["team"],
    )
    with pytest.raises(ConfigValueError, match=r"'gpu-node'[\s\S]*did you mean 'gpu-nodes'"):
        train.override(pod_template="gpu-node").pod_manifest(validate=True)


def test_secrets_that_are_missing_are_named_with_what_makes_them(ready: Cluster) -> None:
    secrets = ["token", Secret("other", "db", as_env_var="OTHER"), Secret("api-key", "db")]
    with pytest.raises(MissingSecretError) as error:
        train.override(secrets=secrets).pod_manifest(validate=True)
    kubectl = f"kubectl --context {ready.api.place.partition('/')[0]} -n {ready.namespace}"
    assert [
        f"secrets: the namespace {ready.namespace!r} does not have all those of birds.train",
        "  'token': there is no Secret 'token'",
        f"    make it: {kubectl} create secret generic token --from-literal=token=...",
        "  'db/other': the Secret 'db' has no such key",
        f'    add what is missing: {kubectl} patch secret db -p \'{{"stringData": {{"other": "..."}}}}\'',
    ] == str(error.value).splitlines()[:-1]


def test_what_is_said_to_make_missing_secrets_makes_them(ready: Cluster) -> None:
    if shutil.which("kubectl") is None:
        lacking("kubectl")
    needy = train.override(secrets=[Secret("one", "new"), Secret("the-other", "new"), Secret("more", "db")])
    with pytest.raises(MissingSecretError) as error:
        needy.pod_manifest(validate=True)
    for line in str(error.value).splitlines():
        what, _, command = line.partition(": kubectl ")
        if what.strip() in ("make it", "add what is missing"):
            subprocess.run(["kubectl", *shlex.split(command)], check=True, capture_output=True)
    assert "Job" == needy.pod_manifest(validate=True).job["kind"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pod_template": PodTemplate({"dnsPolicy": "Nobody"})}, r"spec\.dnsPolicy: Unsupported value"),
        (
            {"pod_template": PodTemplate({"containers": [{"name": "primary", "ports": [{"containerPort": 99999}]}]})},
            r"containerPort.*between 1 and 65535",
        ),
        (
            {"pod_template": PodTemplate({"containers": [{"name": "primary", "env": [{"value": "a"}]}]})},
            r"env\[0\]\.name: Required value",
        ),
        ({"pod_template": PodTemplate({"volumes": [{"name": "Bad_Name"}]})}, r"volumes\[\d+\].name"),
    ],
)
def test_what_the_server_refuses_is_our_error(ready: Cluster, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        train.override(**given).pod_manifest(validate=True)
    assert isinstance(error.value, ApiError)


def test_a_namespace_that_is_not_there_is_told(ready: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "cluster", replace(session.cluster or Settings(), namespace="nowhere-at-all"))
    with pytest.raises(ConfigError, match="nowhere-at-all"):
        train.pod_manifest(validate=True)


def test_a_dry_run_in_a_notebook_shows_the_job_and_starts_nothing(ready: Cluster, home: Home) -> None:
    init = f'flyte.init(mode="remote", namespace={ready.namespace!r}, image="registry.example.com/birds:1")'
    with Front(home, START, init) as front:
        cell = front.run("%%flyte_task counted --dry-run --memory 512Mi -o total\ntotal = sum(range(3))")
        assert "ok" == cell.status, cell.traceback
        text, html = cell.displays[0]["data"]["text/plain"], cell.displays[0]["data"]["text/html"]
        shown = front.run("env.task(lambda: 1).pod_manifest()").result
    for expected in ("apiVersion: batch/v1\nkind: Job", "image: registry.example.com/birds:1", "memory: 512Mi"):
        assert expected in text
        assert expected in html
    assert "kind: Job" in shown
    assert [] == ready.api.list("jobs").items
