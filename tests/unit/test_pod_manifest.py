"""`task.pod_manifest()`, where no cluster is asked."""

from __future__ import annotations

import pytest
import yaml
from IPython.core.formatters import PlainTextFormatter

from flyte_jupyter import PodTemplate, Resources, ReusePolicy, Secret, TaskEnvironment, init, session
from flyte_jupyter.engine.options import RunOptions
from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.task import Task

IMAGE = "registry.example.com/birds:1"
env = TaskEnvironment("birds", image=IMAGE, env_vars={"MY_TOKEN": "hush-hush", "LEVEL": "debug"})


@env.task
def train(n: int) -> int:
    return n


@env.task
async def outer(n: int) -> int:
    return await train.aio(n)


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "defaults", RunOptions())
    monkeypatch.setattr(session, "cluster", None)


def test_it_is_the_job_as_text() -> None:
    made = train.pod_manifest()
    (container,) = made.job["spec"]["template"]["spec"]["containers"]
    assert IMAGE == container["image"]
    shown = yaml.safe_load(str(made))
    assert shown.pop("metadata") == made.job["metadata"]
    assert ["apiVersion", "kind", "spec"] == list(shown)
    assert PlainTextFormatter()(made) == repr(made)
    assert "# fields as for Kubernetes 1.33; pod_manifest(validate=True) asks the cluster" == repr(made).splitlines()[0]
    assert "<pre>apiVersion: batch/v1\n" in made._repr_html_()


def test_what_looks_like_a_credential_is_data_and_not_shown() -> None:
    made = train.pod_manifest()
    assert {"name": "MY_TOKEN", "value": "hush-hush"} in made.job["spec"]["template"]["spec"]["containers"][0]["env"]
    for shown in (str(made), repr(made), made._repr_html_()):
        assert "hush-hush" not in shown
        assert "/flyte/key/key" in shown


def test_only_a_task_that_calls_tasks_gets_a_token() -> None:
    def has_token(task: Task[..., object]) -> object:
        return task.pod_manifest().job["spec"]["template"]["spec"]["automountServiceAccountToken"]

    assert (False, True) == (has_token(train), has_token(outer))


def test_it_is_of_the_cluster_that_was_set() -> None:
    init(namespace="research", queue="a100", service_account="caller")
    made = outer.pod_manifest().job
    assert ("research", True) == (made["metadata"]["namespace"], made["spec"]["suspend"])
    assert "caller" == made["spec"]["template"]["spec"]["serviceAccountName"]


def test_it_says_what_does_not_hold() -> None:
    template = PodTemplate({"containers": [{"name": "primary", "resources": {"limits": {"cpu": "1"}}}]})
    task = train.override(pod_template=template, resources=Resources(cpu=4))
    raised = "resources: the pod template's limit of 1 cpu is raised to the 4 asked for"
    assert raised in task.pod_manifest().notes
    said = train.override(reusable=ReusePolicy(2)).pod_manifest().notes
    assert any(note.startswith("reusable: each call starts cold") for note in said)
    (note,) = train.override(pod_template="gpu-nodes").pod_manifest().notes[1:]
    assert "'gpu-nodes'" in note


def test_an_image_that_cannot_be_made_is_said() -> None:
    @TaskEnvironment("plain").task
    def work() -> None: ...

    assert work.pod_manifest().notes[0].startswith("image: there is no registry")


def test_what_no_cluster_can_do_is_refused() -> None:
    with pytest.raises(ConfigValueError, match=r"Secret\.key"):
        train.override(secrets=[Secret("a key", as_env_var="A")]).pod_manifest()
