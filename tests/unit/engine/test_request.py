"""From a task's configuration to the pod that is asked for."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from flyte_jupyter.config.spec import PARAMS
from flyte_jupyter.config.values.device import AMD_GPU, GPU
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import Backoff, RetryStrategy
from flyte_jupyter.config.values.secret import MOUNT, Secret
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.engine.options import RunOptions
from flyte_jupyter.engine.request import Place, new_run_name, notes, pod_request, settings
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.pack.call import Packed, Sealed
from flyte_jupyter.pods import PodRequest, Requirements
from flyte_jupyter.task import Task

PLACE = Place(store="file:///s", python="/bin/python", cwd="/work", path=("/work", "/lib"), labels={"session": "s"})


def task_of(**given: Any) -> Task[..., Any]:
    levels = {
        name: value for name, value in given.items() if name in ("resources", "env_vars", "secrets", "cache", "include")
    }

    def work(x: int) -> int:
        return x

    env = TaskEnvironment(name="my_env", **levels)
    return env.task(work, **{name: value for name, value in given.items() if name not in levels})


def request(task: Task[..., Any], **more: Any) -> PodRequest:
    given: dict[str, Any] = {"run": "r1", "action": "a0", "parent": None}
    place = replace(PLACE, options=more.pop("options", RunOptions()))
    return pod_request(task, place, **{**given, **more})


def work(referenced: frozenset[str] = frozenset(), *, calls: bool = False) -> tuple[Sealed, Packed]:
    """Code and inputs that refer to these modules."""
    return Sealed([], "code", referenced, calls=calls), Packed([], "inputs", "code", frozenset())


# --- the pod ----------------------------------------------------------------------------------------------------------


def test_what_is_asked_for_without_configuration() -> None:
    expected = PodRequest(
        run="r1",
        action="a0",
        task="my_env.work",
        title="work",
        store="file:///s",
        python="/bin/python",
        cwd="/work",
        path=("/work", "/lib"),
        labels={"session": "s", "run": "r1"},
        inline_limit=10 * 1024 * 1024,
    )
    assert expected == request(task_of())
    assert "r1-a0" == expected.name


def test_a_called_task_is_known_by_its_parent() -> None:
    pod = request(task_of(), action="a1", parent="a0")
    assert ("r1-a1", "a0", {"session": "s", "run": "r1", "parent": "r1-a0"}) == (pod.name, pod.parent, pod.labels)


def test_the_title_is_the_short_name() -> None:
    pod = request(task_of(short_name="Training"))
    assert ("Training", "my_env.work") == (pod.title, pod.task)


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"env_vars": {"A": "1"}}, "env", {"A": "1"}),
        ({"retries": 3}, "retries", 3),
        ({"retries": RetryStrategy(count=2)}, "retries", 2),
        ({"retries": 3}, "backoff", None),
        (
            {
                "retries": RetryStrategy(
                    count=2, backoff=Backoff(base=timedelta(seconds=2), factor=3, cap=timedelta(minutes=1))
                )
            },
            "backoff",
            (2.0, 3.0, 60.0),
        ),
        ({"retries": RetryStrategy(count=2, backoff=Backoff(base=timedelta(seconds=2)))}, "backoff", (2.0, 1.0, 1e9)),
        ({"pod_template": "gpu-nodes"}, "template", {"name": "gpu-nodes"}),
        (
            {"pod_template": PodTemplate({"hostIPC": True}, "main", labels={"team": "birds"})},
            "template",
            {"podSpec": {"hostIPC": True}, "primary": "main", "labels": {"team": "birds"}},
        ),
        ({"timeout": 60}, "max_runtime", 60.0),
        ({"timeout": timedelta(minutes=2)}, "max_runtime", 120.0),
        ({"timeout": Timeout(max_queued_time=5)}, "max_queued_time", 5.0),
        ({"timeout": Timeout(max_queued_time=5)}, "max_runtime", None),
        ({"timeout": Timeout(deadline=timedelta(hours=1))}, "deadline", 3600.0),
        ({"timeout": 0}, "max_runtime", None),
    ],
)
def test_configuration(given: dict[str, Any], field: str, expected: Any) -> None:
    assert expected == getattr(request(task_of(**given)), field)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Requirements()),
        (Resources(), Requirements()),
        (Resources(cpu="500m"), Requirements(cpu=0.5)),
        (Resources(cpu=(1, 2)), Requirements(cpu=1.0, cpu_limit=2.0)),
        (Resources(memory="1Gi"), Requirements(memory=2**30)),
        (Resources(memory=("1Gi", "2Gi")), Requirements(memory=2**30, memory_limit=2**31)),
        (Resources(gpu=0), Requirements(gpu=0)),
        (Resources(gpu=2), Requirements(gpu=2)),
        (Resources(gpu="T4:2"), Requirements(gpu=2, model="T4")),
        (Resources(gpu=GPU("A100", 1, "1g.5gb")), Requirements(gpu=1, model="A100", partition="1g.5gb")),
        (Resources(gpu=AMD_GPU("MI300X")), Requirements(gpu=1, device="AMD_GPU", model="MI300X")),
        (Resources(disk="1Gi", shm="64Mi"), Requirements(disk=2**30, shm=2**26)),
        (Resources(shm="auto"), Requirements(shm=0)),
    ],
)
def test_resources_are_asked_for_in_plain_numbers(given: Resources | None, expected: Requirements) -> None:
    assert expected == request(task_of(resources=given)).resources


@pytest.mark.parametrize(
    ("asked", "cores", "memory"),
    [
        (Requirements(), None, None),
        (Requirements(cpu=2.0, memory=100), 2.0, 100),
        (Requirements(cpu=1.0, cpu_limit=2.0, memory=100, memory_limit=200), 2.0, 200),
        (Requirements(cpu=0.0, memory=0), None, None),
    ],
)
def test_what_is_asked_for_is_also_the_limit(asked: Requirements, cores: float | None, memory: int | None) -> None:
    assert (cores, memory) == (asked.most_cores, asked.most_memory)


def test_an_override_counts() -> None:
    task = task_of(retries=3, env_vars={"A": "1"}).override(retries=0, env_vars={})
    assert (0, {}) == (request(task).retries, request(task).env)


def test_what_is_preloaded() -> None:
    referenced = frozenset(
        {np.__name__, pytest.__name__, "json", "flyte_jupyter", "cloudpickle", "builtins", "IPython", "not_here"}
    )
    assert ("numpy", "pytest") == request(task_of(), work=work(referenced)).preload
    assert "json" in sys.modules


def test_whether_it_reaches_tasks() -> None:
    assert [True, False] == [request(task_of(), work=work(calls=calls)).calls for calls in (True, False)]


def test_a_request_is_json_and_back() -> None:
    backoff = RetryStrategy(count=2, backoff=Backoff(base=timedelta(seconds=2), factor=2, cap=timedelta(minutes=1)))
    task = task_of(retries=backoff, timeout=60, env_vars={"A": "1"}, resources=Resources(memory="1Gi", gpu=0))
    for pod in (request(task, parent="a0", work=work(frozenset({"numpy"}))), request(task_of())):
        assert pod == PodRequest.from_json(json.loads(json.dumps(pod.to_json())))


def test_a_secret_is_not_in_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hush-hush")
    pod = request(task_of(secrets=Secret("my_token", as_env_var="MY_TOKEN")))
    assert "hush-hush" not in json.dumps(pod.to_json())


def test_a_request_names_secrets_as_the_host_hands_them_out() -> None:
    secrets = [Secret("api-key", "db"), Secret("cert", mount=MOUNT), Secret("a", mount=MOUNT, as_env_var="A")]  # type: ignore[arg-type]
    pod = request(task_of(secrets=secrets))
    expected = [("api-key", "db", "DB_API_KEY", False), ("cert", None, None, True), ("a", None, "A", True)]
    assert expected == [tuple(ref) for ref in pod.secrets]
    assert pod == PodRequest.from_json(json.loads(json.dumps(pod.to_json())))


def test_a_secret_and_an_open_value_for_one_variable_are_refused() -> None:
    task = task_of(secrets=Secret("token"))
    with pytest.raises(ConfigValueError, match="TOKEN is in the run's env_vars too"):
        request(task, options=RunOptions(env_vars={"TOKEN": "1"}))


# --- what is said about it --------------------------------------------------------------------------------------------


def test_what_is_applied_needs_no_note() -> None:
    given = {"retries": 3, "timeout": 60, "env_vars": {"A": "1"}, "short_name": "Work", "queue": "gpu"}
    assert [] == notes(task_of(**given, resources=Resources(cpu=2, memory="1Gi", gpu=1, disk="1Gi")), "local")
    assert [] == notes(task_of(), "local")


def test_what_is_applied_in_part_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    param = replace(PARAMS["retries"], honoured={"local": "the first one"})
    monkeypatch.setitem(PARAMS, "retries", param)
    assert ["retries: this machine applies the first one."] == notes(task_of(retries=3), "local")


@pytest.mark.parametrize(("user", "count"), [(0, 0), (1000, 1)])
def test_where_the_files_of_secrets_are_is_noted_for_those_who_are_not_root(
    monkeypatch: pytest.MonkeyPatch, user: int, count: int
) -> None:
    monkeypatch.setattr("os.getuid", lambda: user)
    expected = [
        "secrets: only root can make /etc/flyte/secrets here; FLYTE_SECRETS_DIR names the folder that they are in."
    ]
    assert expected[:count] == notes(task_of(secrets=Secret("cert", mount=MOUNT)), "local")  # type: ignore[arg-type]
    assert [] == notes(task_of(secrets=Secret("cert")), "local")


def test_what_needs_a_cluster_is_said_in_one_sentence() -> None:
    expected = "interruptible needs a cluster: this machine only keeps and shows it."
    assert [expected] == notes(task_of(interruptible=True), "local")
    expected = "service_account and interruptible need a cluster: this machine only keeps and shows them."
    assert [expected] == notes(task_of(interruptible=True, service_account="me"), "local")


def test_what_is_for_a_cluster_is_in_the_request() -> None:
    pod = request(task_of(interruptible=True, service_account="me"))
    assert (True, "me") == (pod.interruptible, pod.service_account)
    assert pod == PodRequest.from_json(json.loads(json.dumps(pod.to_json())))


def test_a_run_may_be_interruptible_or_not_whatever_its_tasks_say() -> None:
    spot, not_spot = RunOptions(interruptible=True), RunOptions(interruptible=False)
    assert request(task_of(), options=spot).interruptible
    assert not request(task_of(interruptible=True), options=not_spot).interruptible


def test_every_parameter_is_applied_or_noted() -> None:
    """Nothing is dropped in silence: what a runner does not know is noted for every parameter that differs."""
    given: dict[str, Any] = {
        "interruptible": True, "service_account": "me", "produces_artifacts": True, "include": ["a.txt"],
    }  # fmt: skip
    assert set(given) == {name for name in given if PARAMS[name].honoured.get("nobody's") is None}
    told = " ".join(notes(task_of(**given), "nobody's"))
    assert set(given) == {name for name in given if name in told}


def test_a_default_that_is_given_needs_no_note() -> None:
    assert [] == notes(task_of(interruptible=PARAMS["interruptible"].default, cache="disable"), "local")


def test_settings_say_where_they_came_from() -> None:
    task = task_of(env_vars={"A": "1"}, retries=3).override(timeout=60)
    told = {setting["name"]: setting["level"] for setting in settings(task)}
    assert {"env_vars", "retries", "timeout"} == set(told)
    assert [task.effective_config().level(name) for name in told] == list(told.values())
    assert 3 == len(set(told.values()))


def test_what_containers_of_a_pod_template_are_given_is_not_shown() -> None:
    variable = {"name": "MY_TOKEN", "value": "hush-hush"}
    containers = [{"name": "primary", "env": [variable]}, {"name": "sidecar"}]
    (setting,) = settings(task_of(pod_template=PodTemplate(pod_spec={"containers": containers})))
    assert "containers primary, sidecar" == setting["value"]
    (setting,) = settings(task_of(pod_template=PodTemplate(primary_container_name="main")))
    assert "containers main" == setting["value"]


def test_settings_are_bounded() -> None:
    (setting,) = settings(task_of(env_vars={"A": "x" * 1000}))
    assert (300, "…") == (len(setting["value"]), setting["value"][-1])


# --- names of runs ----------------------------------------------------------------------------------------------------


def at(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> str:
    monkeypatch.setattr("time.time_ns", lambda: milliseconds * 1_000_000)
    return new_run_name()


def test_later_runs_have_later_names(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1970, 2001, around now, each with its next milliseconds, and the last one that fits
    moments = [0, 1, 35, 36, 10**12, 10**12 + 1, 1_790_000_000_000, 1_790_000_000_001, 36**9 - 1]
    names = [at(monkeypatch, moment) for moment in moments]
    assert sorted(names) == names


def test_names_are_good_names_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {at(monkeypatch, 1_790_000_000_000) for _ in range(200)}
    assert 200 == len(names)
    assert {15} == {len(name) for name in names}
    assert {"r"} == {name[0] for name in names}
    assert {True} == {name.isalnum() and name == name.lower() for name in names}
    assert 1 == len({name[:10] for name in names})
