"""Pod templates: which specs are accepted, and what the grants make of them."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from kubernetes import client as k8s

from flyte_jupyter.config.plain import plain
from flyte_jupyter.config.values import pod_spec
from flyte_jupyter.config.values.pod_template import PodTemplate


@pytest.fixture
def _no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the client of Kubernetes is not installed."""
    monkeypatch.setitem(sys.modules, "kubernetes", None)


# --- specs

GOOD: list[dict[str, Any]] = [
    {},
    {"containers": None},
    {"containers": [{"name": "primary", "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}]},
    {"containers": [{"name": "a", "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}], "hostIPC": True},
    {"volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}], "nodeSelector": {"zone": "a"}},
    {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}},
    {"containers": [{"name": "a", "livenessProbe": {"httpGet": {"port": "http"}}, "ports": [{"containerPort": 80}]}]},
]

BAD: list[tuple[Any, list[str]]] = [
    ({"tolerationz": []}, ["pod_spec.tolerationz: PodSpec has no such field\n  did you mean 'tolerations'?"]),
    ({"node_selector": {}}, ["pod_spec.node_selector: PodSpec has no such field\n  did you mean 'nodeSelector'?"]),
    ({"containers": [{"nam": "x"}]}, ["pod_spec.containers[0].nam: Container has no such field"]),
    ({"containers": {"name": "x"}}, ["pod_spec.containers: {'name': 'x'} is not accepted\n  allowed: a list"]),
    ({"containers": ["x"]}, ["pod_spec.containers[0]: 'x' is not accepted\n  allowed: a Container or a dict"]),
    ({"nodeSelector": {"gpu": True}}, ["pod_spec.nodeSelector['gpu']: True is not accepted"]),
    ({"nodeSelector": []}, ["pod_spec.nodeSelector: [] is not accepted"]),
    ({"hostIPC": "yes"}, ["pod_spec.hostIPC: 'yes' is not accepted\n  allowed: True or False"]),
    ({"priority": True}, ["pod_spec.priority: True is not accepted\n  allowed: an int"]),
    (
        {"containers": [{"name": "primary", "env": [{"name": "A", "value": 1}]}]},
        ["pod_spec.containers[0].env[0].value: 1 is not accepted\n  allowed: a str\n  write '1'"],
    ),
    (3, ["pod_spec: 3 is not accepted\n  allowed: a V1PodSpec of the kubernetes client, or a dict"]),
    (
        {"containers": [{"name": "a", "env": [{"name": "A", "value": 1}, {"nme": "B"}]}], "volume": []},
        [
            "pod_spec.containers[0].env[0].value: 1",
            "pod_spec.containers[0].env[1].nme: EnvVar has",
            "pod_spec.volume: PodSpec",
        ],
    ),
]


@pytest.mark.usefixtures("_no_client")
@pytest.mark.parametrize("spec", GOOD)
def test_what_kubernetes_takes_is_accepted(spec: dict[str, Any]) -> None:
    assert PodTemplate(spec).pod_spec == spec


@pytest.mark.parametrize(("spec", "each"), BAD)
@pytest.mark.parametrize("installed", [True, False])
def test_other_fields_are_refused_with_their_path(
    spec: Any, each: list[str], installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "kubernetes", None)
    found = [str(problem) for problem in pod_spec.problems(spec, "pod_spec")]
    assert [True] * len(each) == [text.startswith(start) for text, start in zip(found, each, strict=True)]
    with pytest.raises(ValueError if "no such field" in found[0] else TypeError):
        PodTemplate(spec)


def test_a_model_is_checked_inside_too() -> None:
    spec = k8s.V1PodSpec(containers=[k8s.V1Container(name="primary")])
    assert [] == list(pod_spec.problems(spec, "pod_spec"))

    class Older:  # models before version 37 let any attribute be set
        openapi_types: ClassVar = {"containers": "list[V1Container]", "node_name": "str"}
        attribute_map: ClassVar = {"containers": "containers", "node_name": "nodeName"}

        def __init__(self) -> None:
            self.local_vars_configuration = self.discriminator = None

    older: Any = Older()
    older.containers, older.node_name, older.tolerationz = [], 3, []
    said = [str(problem).partition("\n")[0] for problem in pod_spec.problems(older, "pod_spec")]
    assert said == ["pod_spec.nodeName: 3 is not accepted", "pod_spec.tolerationz: PodSpec has no such field"]


def test_a_newer_client_may_know_more(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = SimpleNamespace(V1PodSpec=SimpleNamespace(attribute_map={"new_thing": "newThing"}))
    monkeypatch.setattr(pod_spec, "client", lambda: newer)
    assert PodTemplate({"newThing": 1}).pod_spec == {"newThing": 1}


def test_the_client_is_not_imported_to_check() -> None:
    import subprocess

    program = (
        "import sys; from flyte_jupyter import PodTemplate; PodTemplate({'containers': [{'name': 'a'}]});"
        "print('kubernetes' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_spec_is_copied() -> None:
    spec = {"containers": [{"name": "main"}]}
    model = k8s.V1PodSpec(containers=[k8s.V1Container(name="main")])
    templates = [PodTemplate(spec), PodTemplate.from_spec(spec), PodTemplate(model)]
    spec["containers"][0]["name"] = "other"
    model.containers[0].name = "other"
    assert [["main"]] * 3 == [template.container_names() for template in templates]


def test_as_plain_data_it_is_in_the_spelling_of_kubernetes() -> None:
    model = k8s.V1PodSpec(containers=[k8s.V1Container(name="main", image_pull_policy="Always")], host_ipc=True)
    assert plain(PodTemplate(model, "main", labels={"a": "b"})) == {
        "type": "PodTemplate",
        "pod_spec": {"containers": [{"name": "main", "imagePullPolicy": "Always"}], "hostIPC": True},
        "labels": {"a": "b"},
        "primary_container_name": "main",
    }


# --- the primary container


@pytest.mark.parametrize(
    ("names", "given", "expected"),
    [(["main"], None, "main"), (["a", "primary"], None, "primary"), (["a", "b"], "b", "b")],
)
def test_the_primary_container_is_found(names: list[str], given: str | None, expected: str) -> None:
    spec = {"containers": [{"name": name} for name in names]}
    assert PodTemplate.from_spec(spec, primary_container_name=given).primary_container_name == expected


@pytest.mark.parametrize(("names", "given"), [(["a", "b"], None), ([], None), (["main"], "mian")])
def test_or_refused(names: list[str], given: str | None) -> None:
    with pytest.raises(ValueError, match="No primary container"):
        PodTemplate.from_spec({"containers": [{"name": name} for name in names]}, primary_container_name=given)


# --- grants

SECURITY = {"capabilities": {"add": ["SYS_ADMIN"]}}


def both(spec: dict[str, Any] | None, name: str = "primary") -> list[PodTemplate]:
    """A template of a dict, and one of the client's model."""
    return [PodTemplate(spec, name), PodTemplate(pod_spec.like(None, spec or {"containers": []}), name)]


@pytest.mark.parametrize("template", both({"containers": [{"name": "side"}, {"name": "main"}]}, "main"))
def test_fuse_by_a_device_plugin(template: PodTemplate) -> None:
    granted = template.allow_fuse()
    side, main = pod_spec.as_dict(granted.pod_spec)["containers"]
    device = {"smarter-devices/fuse": "1"}
    assert side == {"name": "side"}
    assert main == {"name": "main", "resources": {"requests": device, "limits": device}, "securityContext": SECURITY}
    assert granted.annotations == {"flyte.org/capability-fuse": "true"}
    assert type(granted.pod_spec) is type(template.pod_spec)
    assert granted.allow_fuse() == granted


@pytest.mark.parametrize("template", both({"containers": [{"name": "primary"}]}))
def test_fuse_of_the_node(template: PodTemplate) -> None:
    granted = template.allow_fuse(privileged=True)
    spec = pod_spec.as_dict(granted.pod_spec)
    assert spec["volumes"] == [{"name": "fuse-device", "hostPath": {"path": "/dev/fuse", "type": "CharDevice"}}]
    assert spec["containers"] == [
        {
            "name": "primary",
            "securityContext": {**SECURITY, "privileged": True},
            "volumeMounts": [{"name": "fuse-device", "mountPath": "/dev/fuse"}],
        }
    ]
    assert granted.allow_fuse(privileged=True) == granted


def test_what_is_there_stays() -> None:
    resources = {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
    security = {"runAsUser": 1000, "capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}
    container = {"name": "primary", "resources": resources, "securityContext": security}
    template = PodTemplate({"containers": [container], "hostIPC": True}, annotations={"a": "b"}, labels={"c": "d"})
    granted = template.allow_fuse().allow_nested_sandboxing()
    spec = pod_spec.as_dict(granted.pod_spec)
    assert spec["hostIPC"] is True
    assert spec["containers"][0]["resources"]["limits"] == {"cpu": "1", "smarter-devices/fuse": "1"}
    assert spec["containers"][0]["securityContext"] == {
        "runAsUser": 1000,
        "capabilities": {"add": ["NET_ADMIN", "SYS_ADMIN"], "drop": ["ALL"]},
        "allowPrivilegeEscalation": False,
    }
    assert (granted.labels, (granted.annotations or {})["a"]) == ({"c": "d"}, "b")
    assert (template.pod_spec, template.annotations) == ({"containers": [container], "hostIPC": True}, {"a": "b"})


def test_nested_sandboxing() -> None:
    granted = PodTemplate(None, "main").allow_nested_sandboxing()
    assert granted.annotations == {
        "container.apparmor.security.beta.kubernetes.io/main": "unconfined",
        "flyte.org/capability-nested-sandboxing": "true",
    }
    assert granted.allow_nested_sandboxing() == granted


def with_security(**security: bool) -> PodTemplate:
    return PodTemplate({"containers": [{"name": "primary", "securityContext": security}]})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: with_security(privileged=False).allow_fuse(privileged=True), "privileged=False"),
        (lambda: PodTemplate().allow_nested_sandboxing().allow_fuse(privileged=True), "or allow_fuse()"),
        (lambda: with_security(privileged=True).allow_nested_sandboxing(), "privileged=True"),
        (lambda: with_security(allowPrivilegeEscalation=True).allow_nested_sandboxing(), "must not gain"),
        (
            lambda: PodTemplate(
                annotations={"container.apparmor.security.beta.kubernetes.io/primary": "runtime/default"}
            ).allow_nested_sandboxing(),
            "AppArmor",
        ),
        (lambda: PodTemplate().with_termination_grace_period(timedelta(-1)), "0 or more"),
    ],
)
def test_conflicts_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace(")", r"\)")):
        make()


@pytest.mark.parametrize("period", [90, timedelta(seconds=90.9)])
def test_the_time_to_end(period: Any) -> None:
    for template in both({"containers": [{"name": "primary"}], "hostIPC": True}):
        slower = template.with_termination_grace_period(period)
        assert pod_spec.as_dict(slower.pod_spec) == {
            "containers": [{"name": "primary"}],
            "hostIPC": True,
            "terminationGracePeriodSeconds": 90,
        }


def test_without_a_spec_it_is_a_model_where_the_client_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PodTemplate().with_termination_grace_period(5).pod_spec.termination_grace_period_seconds == 5
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    assert PodTemplate().with_termination_grace_period(5).pod_spec == {
        "containers": [{"name": "primary"}],
        "terminationGracePeriodSeconds": 5,
    }


# --- the list of fields


def test_our_list_has_all_that_the_client_knows() -> None:
    known = pod_spec.kinds()
    client = pod_spec.fields_of_client()
    missing = [f"{kind}.{name}" for kind, fields in client.items() for name in fields if name not in known[kind]]
    assert missing == []
    assert known["V1PodSpec"]["containers"] == "[V1Container]"
    assert known["V1PodSpec"]["nodeSelector"] == "{str}"
