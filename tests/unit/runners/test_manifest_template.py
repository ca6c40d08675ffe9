"""What becomes of a pod template: what Flyte does, and where we do better."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flyte_jupyter.config.cluster import Cluster
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.pods import PodRequest, Requirements
from flyte_jupyter.runners.kubernetes.features import Features
from flyte_jupyter.runners.kubernetes.manifest import job as jobs
from flyte_jupyter.runners.kubernetes.manifest.resources import amount
from flyte_jupyter.runners.kubernetes.manifest.template import of_object

from .test_manifest import NEW, OLD, REQUEST, container, env, job, pod_spec


def based_on(*containers: dict[str, Any], request: PodRequest = REQUEST, **pod: Any) -> PodRequest:
    """A request with a template of these containers, and what else the pod has."""
    return replace(request, template={"podSpec": {"containers": list(containers), **pod}, "primary": "main"})


def noted(request: PodRequest) -> list[str]:
    return jobs.notes(request, Cluster(), NEW)


def test_an_empty_template_gets_the_container_of_the_task() -> None:
    seen = container(job(replace(REQUEST, template=PodTemplate(primary_container_name="main").as_request())))
    assert ("main", "team/task:1") == (seen["name"], seen["image"])


def test_containers_without_the_primary_one_are_refused() -> None:
    with pytest.raises(ConfigValueError, match=r"No primary container: 'main'[\s\S]*: other"):
        job(based_on({"name": "other"}))


def test_the_image_of_the_template_is_used_and_said() -> None:
    request = based_on({"name": "main", "image": "own:2"}, request=replace(REQUEST, image_uri="team/task:1"))
    assert "own:2" == container(job(request))["image"]
    assert ["image: the pod template's is used, own:2"] == noted(request)


def test_command_and_arguments_are_always_the_tasks() -> None:
    request = based_on({"name": "main", "command": ["sleep"], "args": ["9"]})
    seen = container(job(request))
    assert (["python3", "-m", "flyte_jupyter.runners.kubernetes.entry"], False) == (seen["command"], "args" in seen)
    assert ["pod_template: command and args of its primary container: the task runs there"] == noted(request)


def test_variables_of_the_task_win_over_the_templates() -> None:
    listed = [{"name": "LEVEL", "value": "info"}, {"name": "ZONE", "value": "a"}, {"name": "HOME", "value": "/mine"}]
    request = based_on({"name": "main", "env": listed}, request=replace(REQUEST, env={"LEVEL": "debug"}))
    made = job(request)
    names = [each["name"] for each in container(made)["env"]]
    assert len(names) == len(set(names))
    assert ("debug", "a", "/mine") == (env(made)["LEVEL"], env(made)["ZONE"], env(made)["HOME"])


def test_what_the_host_is_told_is_not_the_templates() -> None:
    listed = [{"name": "FLYTE_JUPYTER_REQUEST", "value": "{}"}, {"name": "RUN_NAME", "value": "other"}]
    seen = env(job(based_on({"name": "main", "env": listed})))
    assert ("r0abc", True) == (seen["RUN_NAME"], len(seen["FLYTE_JUPYTER_REQUEST"]) > 2)


def test_resources_are_merged_key_by_key() -> None:
    given = {"requests": {"cpu": "9", "hugepages-2Mi": "4Mi"}, "limits": {"vendor.com/card": "1", "memory": "8Gi"}}
    request = based_on({"name": "main", "resources": given}, request=replace(REQUEST, resources=Requirements(cpu=2.0)))
    expected = {
        "requests": {"cpu": "2", "hugepages-2Mi": "4Mi"},
        "limits": {"vendor.com/card": "1", "memory": "8Gi"},
    }
    assert expected == container(job(request))["resources"]
    assert [] == noted(request)


def test_a_limit_below_what_the_task_asks_for_is_raised_and_said() -> None:
    given = {"limits": {"cpu": "9", "memory": "512Mi"}}
    asked = replace(REQUEST, resources=Requirements(cpu=16.0, memory=1 << 30))
    request = based_on({"name": "main", "resources": given}, request=asked)
    assert {"cpu": "16", "memory": "1Gi"} == container(job(request))["resources"]["limits"]
    assert [
        "resources: the pod template's limit of 9 cpu is raised to the 16 asked for",
        "resources: the pod template's limit of 512Mi memory is raised to the 1Gi asked for",
    ] == noted(request)


def test_both_bounds_of_the_task_replace_the_templates() -> None:
    given = {"requests": {"cpu": "9"}, "limits": {"cpu": "9"}}
    asked = replace(REQUEST, resources=Requirements(cpu=1.0, cpu_limit=2.0))
    seen = container(job(based_on({"name": "main", "resources": given}, request=asked)))["resources"]
    assert {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}} == seen


@pytest.mark.parametrize(
    ("less", "more"),
    [("100m", "0.2"), ("1", "1100m"), ("1023Mi", "1Gi"), ("1G", "1Gi"), ("1e3", "1Ki"), ("5", 6), ("0.5Gi", "513Mi")],
)
def test_quantities_are_compared_as_kubernetes_does(less: Any, more: Any) -> None:
    assert amount(less) < amount(more)


def test_all_the_rest_passes_through() -> None:
    pod = {
        "initContainers": [{"name": "first", "image": "init:1"}],
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "mine", "operator": "Exists"}],
        "terminationGracePeriodSeconds": 7,
        "imagePullSecrets": [{"name": "mine"}],
        "serviceAccountName": "mine",
        "priorityClassName": "low",
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
        "automountServiceAccountToken": True,
    }
    seen = pod_spec(job(based_on({"name": "main", "workingDir": "/data", "tty": True}, **pod)))
    assert pod == {name: seen[name] for name in pod}
    assert ("/data", True) == (seen["containers"][0]["workingDir"], seen["containers"][0]["tty"])


def test_labels_and_annotations_are_the_pods_and_ours_stay() -> None:
    given = {"labels": {"team": "cats", "own": "yes"}, "annotations": {"sidecar.istio.io/inject": "false"}}
    metadata = job(replace(REQUEST, template=given))["spec"]["template"]["metadata"]
    assert ("birds", "yes") == (metadata["labels"]["team"], metadata["labels"]["own"])
    assert "false" == metadata["annotations"]["sidecar.istio.io/inject"]


@pytest.mark.parametrize("labels", [{"flyte-jupyter/run": "other"}, {"a b": "c"}, {"team": "two words"}])
def test_labels_that_kubernetes_or_we_do_not_take_are_refused(labels: dict[str, str]) -> None:
    with pytest.raises(ConfigValueError, match="pod_template: labels"):
        job(replace(REQUEST, template={"labels": labels}))


def test_a_volume_of_the_template_may_be_the_working_directory() -> None:
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "birds"}}
    mounts = [{"name": "data", "mountPath": "/flyte/work/"}, {"name": "data", "mountPath": "/flyte/key"}]
    seen = pod_spec(job(based_on({"name": "main", "volumeMounts": mounts}, volumes=[data])))
    places = {mount["mountPath"]: mount["name"] for mount in seen["containers"][0]["volumeMounts"]}
    assert ("data", "flyte-key") == (places["/flyte/work/"], places["/flyte/key"])
    assert data in seen["volumes"]
    assert "flyte-work" not in [volume["name"] for volume in seen["volumes"]]


def test_the_template_itself_stays_as_it_is() -> None:
    spec: dict[str, Any] = {"containers": [{"name": "main", "resources": {"limits": {"cpu": "1"}}}], "volumes": []}
    request = replace(REQUEST, template={"podSpec": spec, "primary": "main"}, resources=Requirements(cpu=4.0))
    assert job(request) == job(request)
    assert {"containers": [{"name": "main", "resources": {"limits": {"cpu": "1"}}}], "volumes": []} == spec


def test_sidecars_end_with_the_task_where_the_cluster_can_end_them() -> None:
    request = based_on({"name": "proxy", "image": "proxy:1"}, {"name": "main"}, initContainers=[{"name": "first"}])
    seen = pod_spec(job(request))
    assert ["main"] == [each["name"] for each in seen["containers"]]
    assert [{"name": "first"}, {"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}] == seen[
        "initContainers"
    ]
    seen = pod_spec(job(request, features=OLD))
    assert ["main", "proxy"] == [each["name"] for each in seen["containers"]]
    (note,) = jobs.notes(request, Cluster(), OLD)
    assert note.startswith("pod_template: proxy does not end with the task on Kubernetes 1.20")


def test_what_was_granted_holds() -> None:
    fuse = pod_spec(job(replace(REQUEST, template=PodTemplate().allow_fuse(privileged=True).as_request())))
    security = fuse["containers"][0]["securityContext"]
    assert {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}, "readOnlyRootFilesystem": True} == security
    nested = job(replace(REQUEST, template=PodTemplate().allow_nested_sandboxing().as_request()))
    assert ["SYS_ADMIN"] == container(nested)["securityContext"]["capabilities"]["add"]
    assert container(nested)["securityContext"]["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize(
    ("containers", "primary"),
    [(["primary", "proxy"], "primary"), (["default", "proxy"], "default"), (["job"], "job"), ([], "primary")],
)
def test_a_template_of_the_cluster_has_its_primary_container(containers: list[str], primary: str) -> None:
    spec = {"containers": [{"name": name, "image": f"{name}:1"} for name in containers]}
    found = {"metadata": {"name": "gpu"}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}
    template = of_object(found)
    assert (primary, {"a": "b"}) == (template["primary"], template["labels"])
    images = {each["name"]: each.get("image") for each in template["podSpec"]["containers"]}
    assert {name: None if name == primary else f"{name}:1" for name in containers} == images


def test_a_template_that_was_not_looked_up_is_no_template() -> None:
    with pytest.raises(ConfigValueError, match=r"'gpu-nodes'[\s\S]*kubectl get podtemplates"):
        job(replace(REQUEST, template={"name": "gpu-nodes"}))


@pytest.mark.parametrize("features", [OLD, NEW])
def test_what_has_no_name_is_left_to_the_server_to_refuse(features: Features) -> None:
    request = based_on({"name": "main", "env": [{"value": "a"}]}, {"image": "proxy:1"})
    made = jobs.job(request, Cluster(), features, image="a:1", call_secret="c", key_secret="k")
    assert {"value": "a"} == container(made)["env"][0]
