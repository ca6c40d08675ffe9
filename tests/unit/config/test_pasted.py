"""The text of a value makes an equal value again."""

from __future__ import annotations

import copy
import datetime
import pickle
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as k8s

import flyte_jupyter as flyte
from flyte_jupyter import (
    AMD_GPU,
    APPLE_SILICON,
    GPU,
    HABANA_GAUDI,
    TPU,
    Backoff,
    Cache,
    Cron,
    Device,
    Documentation,
    FixedRate,
    Image,
    Neuron,
    OnArtifact,
    PodTemplate,
    Resources,
    RetryStrategy,
    ReusePolicy,
    Secret,
    Timeout,
    Trigger,
    TriggeredArtifact,
    TriggeredPartition,
    TriggerTime,
)

DEBIAN = Image.from_debian_base()
CUSTOM = Image.from_base("x:1").clone(name="n", extendable=True)
SPEC = k8s.V1PodSpec(
    containers=[
        k8s.V1Container(
            name="primary",
            env=[k8s.V1EnvVar(name="A", value="1")],
            resources=k8s.V1ResourceRequirements(limits={"nvidia.com/gpu": "1"}),
        )
    ],
    node_selector={"zone": "a"},
)

VALUES: list[Any] = [
    Resources(),
    Resources(cpu=1, memory="512Mi"),
    Resources(cpu=("500m", 2), memory=("1Gi", "2Gi"), gpu="T4:1", disk="1Gi", shm="auto"),
    Resources(gpu=0),
    Resources(gpu=GPU("A100", 1, "1g.5gb")),
    GPU("T4", 2),
    TPU("V5P", "2x2x1"),
    Neuron("Trn1"),
    AMD_GPU("MI300X"),
    HABANA_GAUDI("Gaudi1"),
    APPLE_SILICON(),
    Device(1, "GPU", "mine"),
    Cache("auto"),
    Cache("enable", "v1", True, "a", "salt", None, 60),  # type: ignore[arg-type]
    Cache("disable", ignored_inputs=("a", "b"), max_age=timedelta(days=1)),
    Secret("a"),
    Secret("a", "b", as_env_var="C"),
    Secret("a", mount=Path("/etc/flyte/secrets")),
    RetryStrategy(3),
    RetryStrategy(3, Backoff(timedelta(seconds=1), 2.0, timedelta(minutes=1))),
    Backoff(timedelta(0)),
    Timeout(),
    Timeout(60),
    Timeout(timedelta(minutes=1), deadline=3600.5),
    ReusePolicy(),
    ReusePolicy((1, 2), 60, 3, 45, "run"),
    Documentation('it\'s "this"\n'),
    Cron("0 0 * * *"),
    Cron("0 6 * * 1-5", "Europe/Berlin"),
    FixedRate(5),
    FixedRate(5, datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)),
    OnArtifact("a", "v1", {"x": "1"}),
    OnArtifact("a"),
    TriggeredPartition("day"),
    Trigger("a"),
    Trigger.daily("t", queue="q", inputs={"n": [1, {"a": (2,)}]}, env_vars={"A": "b"}),
    Trigger("a", OnArtifact("m"), inputs={"x": TriggeredArtifact, "y": TriggeredPartition("day")}),
    Trigger("a", FixedRate(5), "text", False, {"t": TriggerTime}, None, True, True, "q", 2, {"a": "b"}, {"c": "d"}),
    PodTemplate(),
    PodTemplate({"containers": [{"name": "main"}]}, "main", {"a": "b"}, {"c": "d"}),
    PodTemplate(SPEC),
    PodTemplate(SPEC).allow_fuse().allow_nested_sandboxing().with_termination_grace_period(5),
]

IMAGES: list[Image] = [
    Image.from_base("x:1"),
    CUSTOM,
    CUSTOM.clone(extendable=False),
    CUSTOM.clone(registry="r", registry_secret="token", platform=("linux/amd64", "linux/arm64")),
    DEBIAN,
    Image.from_debian_base((3, 12), "1.2", registry="r", registry_secret="s", name="n", platform="linux/arm64"),
    Image.from_debian_base(install_flyte=False),
    Image.from_debian_base(install_flyte=False, name="n", python_version=(3, 10)),
    DEBIAN.clone(base_image="other:1", python_version=(3, 13)),
    Image.from_base("x").clone(registry="r"),
    Image.from_ref_name("gpu"),
    Image.from_ref_name("gpu").clone(name="other"),
    Image.from_dockerfile("Dockerfile", "r", "n"),
    Image.from_dockerfile(Path("a/Dockerfile"), "r", "n", ("linux/arm64",)).clone(name="m"),
    Image.from_uv_script("a.py", name="n"),
    Image.from_uv_script("a.py", name="n", registry="r", python_version=(3, 12), pre=True, secret_mounts="t"),
    Image.from_uv_script("a.py", name="n").with_pip_packages("b").clone(python_version=(3, 13), name="m"),
    Image.from_pixi_script("a.py", name="n", environment="gpu", platform="linux/amd64"),
    Image.from_pixi_script("a.py", name="n").clone(base_image="y").with_workdir("w"),
    DEBIAN.with_pip_packages("a", "b>=1", index_url="u", extra_index_urls=["v", "w"], pre=True, extra_args="-q"),
    DEBIAN.with_requirements("r.txt", secret_mounts=["a", Secret("b", "c")]),
    DEBIAN.with_uv_project("pyproject.toml", "uv.lock", project_install_mode="install_project"),
    DEBIAN.with_poetry_project("p/pyproject.toml", extra_args="--no-root"),
    DEBIAN.with_pixi_project("pixi.toml", environment="gpu"),
    DEBIAN.with_apt_packages("git", "curl", secret_mounts="t").with_commands(["a", "b"]).with_commands("c"),
    DEBIAN.with_env_vars({"A": "1", "B": "'\"2"}).with_workdir("/app"),
    DEBIAN.with_source_folder("src", "/app", True).with_source_file(["a.py", "b.py"]).with_source_file("c.py", "/x/"),
    DEBIAN.with_code_bundle("all", "/app").with_code_bundle().with_dockerignore(".dockerignore"),
    CUSTOM.with_pip_packages("a").clone(extendable=False),
]


def pasted(value: Any) -> Any:
    names = {name: getattr(flyte, name) for name in dir(flyte)} | {name: getattr(k8s, name) for name in dir(k8s)}
    return eval(repr(value), {**names, "datetime": datetime})


@pytest.mark.parametrize("value", [*VALUES, *IMAGES], ids=repr)
def test_a_value_is_pasted_back_pickled_and_copied(value: Any) -> None:
    for made in (pasted(value), pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert value == made
        assert type(value) is type(made)
        assert repr(value) == repr(made)


@pytest.mark.parametrize("value", [*VALUES, *IMAGES], ids=repr)
def test_equal_values_have_one_hash(value: Any) -> None:
    has_list = isinstance(value, Trigger) and "n" in (value.inputs or {})
    if has_list or (isinstance(value, PodTemplate) and value.pod_spec is not None):
        with pytest.raises(TypeError):
            hash(value)  # lists and the client's models have none
    else:
        assert hash(value) == hash(pasted(value))


def test_the_dicts_of_a_value_cannot_be_changed() -> None:
    trigger = Trigger("t", inputs={"x": 1}, env_vars={"A": "1"}, labels={"a": "b"})
    changes: list[Callable[[Any], Any]] = [
        lambda held: held.update(a="2"),
        lambda held: held.__setitem__("a", "2"),
        lambda held: held.clear(),
    ]
    for held in (trigger.inputs, trigger.env_vars, trigger.labels, OnArtifact("a", x="1").partitions):
        for change in changes:
            with pytest.raises(TypeError, match="cannot be changed in place"):
                change(held)
    assert trigger == Trigger("t", inputs={"x": 1}, env_vars={"A": "1"}, labels={"a": "b"})


def test_every_value_type_is_here() -> None:
    from flyte_jupyter.config.values.value import Value

    public = {getattr(flyte, name) for name in dir(flyte)}
    types = {thing for thing in public if isinstance(thing, type) and issubclass(thing, Value)} | {Image}
    assert types == {type(value) for value in [*VALUES, *IMAGES]}


def test_the_text_is_what_one_would_write() -> None:
    assert repr(ReusePolicy()) == "ReusePolicy()"
    assert repr(DEBIAN.with_pip_packages("a", pre=True).with_env_vars({"A": "1"})) == (
        f"Image.from_debian_base(python_version={sys.version_info[:2]})"  # which another Python would not have
        ".with_pip_packages('a', pre=True).with_env_vars({'A': '1'})"
    )
    assert repr(CUSTOM) == "Image.from_base('x:1').clone(name='n', extendable=True)"
    assert repr(PodTemplate(SPEC)) == (
        "PodTemplate(pod_spec=V1PodSpec(containers=[V1Container(env=[V1EnvVar(name='A', value='1')], name='primary', "
        "resources=V1ResourceRequirements(limits={'nvidia.com/gpu': '1'}))], node_selector={'zone': 'a'}))"
    )
    assert repr(Secret("a", mount=Path("/etc/flyte/secrets"))) == "Secret('a', mount='/etc/flyte/secrets')"


def test_credentials_of_an_index_are_in_no_text() -> None:
    image = DEBIAN.with_pip_packages("a", index_url="https://me:hunter2@host/simple")
    assert "hunter2" not in repr(image)
    assert "with_pip_packages('a', index_url='https://***@host/simple')" in repr(image)
