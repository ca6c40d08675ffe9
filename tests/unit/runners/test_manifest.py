"""A request as a Job. What newer servers take is checked against the typed models of the official client."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.config.cluster import Cluster
from flyte_jupyter.config.values.pod_spec import problems
from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.host.given import HOPELESS, NOTES
from flyte_jupyter.pods import PodRequest, Requirements, SecretRef
from flyte_jupyter.runners.kubernetes import role
from flyte_jupyter.runners.kubernetes.features import Features
from flyte_jupyter.runners.kubernetes.manifest import job as jobs
from flyte_jupyter.runners.kubernetes.manifest.container import request_of
from flyte_jupyter.runners.kubernetes.manifest.names import job_name, label_value, selector

OLD, NEW = Features((1, 20)), Features((1, 35), kueue="v1beta1")
REQUEST = PodRequest(
    run="r0abc",
    action="a0",
    parent=None,
    task="birds.train",
    title="train",
    store="file:///nowhere",
    python="/usr/bin/python3",
    labels={"session": "5e55", "team": "birds"},
)


def job(request: PodRequest = REQUEST, cluster: Cluster | None = None, features: Features = NEW) -> dict[str, Any]:
    made = jobs.job(
        request,
        cluster or Cluster(),
        features,
        image="team/task:1",
        call_secret="r0abc-a0",
        key_secret="flyte-jupyter-key-ada",
    )
    assert made == typed(made)
    assert [] == list(problems(made["spec"]["template"]["spec"], "spec"))
    return made


def typed(manifest: dict[str, Any]) -> Any:
    """The same, after it was a model of the client, which drops what Kubernetes does not know."""
    from kubernetes import client

    api = client.ApiClient()
    model = api.deserialize(json.dumps(manifest), "V1Job", "application/json")
    return api.sanitize_for_serialization(model)


def pod_spec(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["spec"]["template"]["spec"]
    return found


def container(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod_spec(made)["containers"][0]
    return found


def env(made: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container(made)["env"]}


def asking(**resources: Any) -> PodRequest:
    return replace(REQUEST, resources=Requirements(**resources))


# --- names and labels -------------------------------------------------------------------------------------------------


def test_the_name_is_computed_so_that_asking_again_finds_it() -> None:
    assert "r0abc-a0" == job()["metadata"]["name"]


@given(st.text(), st.text())
def test_every_name_is_one_that_kubernetes_takes_and_different_ones_stay_different(first: str, second: str) -> None:
    import re

    names = [job_name(first), job_name(second)]
    assert all(re.fullmatch(r"(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) for name in names)
    values = [label_value(first), label_value(second)]
    assert all(
        re.fullmatch(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", value) and len(value) <= 63 for value in values
    )
    assert (first == second) == (names[0] == names[1]) == (values[0] == values[1])


def test_labels_say_what_it_is_and_find_it_again() -> None:
    labels = job(replace(REQUEST, parent="a9", labels={**REQUEST.labels, "parent": "r0abc-a9"}))["metadata"]["labels"]
    assert {
        "app.kubernetes.io/managed-by": "flyte-jupyter",
        "flyte-jupyter/run": "r0abc",
        "flyte-jupyter/action": "a0",
        "flyte-jupyter/parent": "r0abc-a9",
        "flyte-jupyter/task": "birds.train",
        "flyte-jupyter/environment": "birds",
        "flyte-jupyter/session": "5e55",
        "team": "birds",
    } == labels
    wanted = selector({"run": "r0abc", "team": "birds"}).split(",")
    assert set() == set(wanted) - {f"{name}={value}" for name, value in labels.items()}


def test_a_long_or_strange_name_of_a_task_is_found_by_the_same_words() -> None:
    request = replace(REQUEST, task="birds." + "ä" * 80, labels={"note": "two words"})
    labels = job(request)["metadata"]["labels"]
    assert f"note={labels['note']}" in selector({"note": "two words"})
    assert request.task == job(request)["metadata"]["annotations"]["flyte-jupyter/task"]


@pytest.mark.parametrize("key", ["a b", "flyte-jupyter/run", "app.kubernetes.io/managed-by", "x\n", "-", "a/b/c"])
def test_a_key_that_is_no_key_or_ours_is_refused(key: str) -> None:
    with pytest.raises(ConfigValueError, match="labels: "):
        job(replace(REQUEST, labels={key: "value"}))


# --- what the container is told ---------------------------------------------------------------------------------------


def test_the_host_in_the_pod_is_told_the_request_without_values_and_templates() -> None:
    request = replace(
        REQUEST, env={"LEVEL": "debug"}, template={"podSpec": {}}, cwd="/home/ada", path=("/lib",), retries=2
    )
    told = PodRequest.from_json(json.loads(env(job(request))["FLYTE_JUPYTER_REQUEST"]))
    assert replace(request, env={}, template=None, python="python3", cwd="", path=()) == told


@given(st.dictionaries(st.text(), st.text(alphabet='$()aä"\\')))
def test_a_container_says_for_which_request_it_was_made(words: dict[str, str]) -> None:
    request = replace(REQUEST, options={"custom_context": words})
    assert replace(request, python="python3") == request_of(container(job(request)))
    assert request_of({"name": "proxy", "env": [{"name": "A", "valueFrom": {}}]}) is None


def test_a_variable_is_what_was_given_whatever_kubernetes_reads_in_it() -> None:
    values = {"A": "$(HOME)", "B": "$$(HOME)", "C": "cost: 5$", "D": "$HOME"}
    seen = env(job(replace(REQUEST, env=values)))
    assert {"A": "$$(HOME)", "B": "$$$$(HOME)", "C": "cost: 5$", "D": "$HOME"} == {name: seen[name] for name in values}


def test_a_request_that_no_variable_holds_is_refused_with_what_is_so_long() -> None:
    with pytest.raises(ConfigValueError, match=r"options: .*\n.*120000 bytes"):
        job(replace(REQUEST, options={"custom_context": {"x": "y" * 130_000}}))


def test_the_host_in_the_pod_knows_its_times() -> None:
    patient = replace(REQUEST, template={"podSpec": {"terminationGracePeriodSeconds": 7}})
    assert ("30", "7") == (env(job())["FLYTE_JUPYTER_GRACE"], env(job(patient))["FLYTE_JUPYTER_GRACE"])
    made = jobs.job(REQUEST, Cluster(), NEW, image="a:1", call_secret="c", key_secret="k", accepted_at=1790000000.25)
    assert 1790000000.25 == float(env(made)["FLYTE_JUPYTER_ACCEPTED_AT"])
    assert "FLYTE_JUPYTER_ACCEPTED_AT" not in env(job())


def test_only_a_call_without_a_bucket_is_mounted() -> None:
    with_call, without = job(), job(cluster=Cluster(store="s3://bucket/runs", store_secret="bucket"))
    assert "/flyte/call" == env(with_call)["FLYTE_JUPYTER_CALL"]
    volumes = {volume["name"]: volume for volume in pod_spec(with_call)["volumes"]}
    assert "flyte-jupyter-key-ada" == volumes["flyte-key"]["secret"]["secretName"]
    assert [
        {"secret": {"name": "r0abc-a0"}},
        {"secret": {"name": "r0abc-a0-attempts", "optional": True}},
    ] == volumes["flyte-call"]["projected"]["sources"]
    assert "FLYTE_JUPYTER_CALL" not in env(without)
    assert "flyte-call" not in [volume["name"] for volume in pod_spec(without)["volumes"]]
    assert [{"secretRef": {"name": "bucket"}}] == container(without)["envFrom"]


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_secrets_are_references() -> None:
    secrets = (
        SecretRef("api-key", "db", "DB_API_KEY", False),
        SecretRef("OPENAI_API_KEY", None, "OPENAI_API_KEY", True),
        SecretRef("pem", "db", None, True),
    )
    made = job(replace(REQUEST, secrets=secrets))
    seen = env(made)
    assert {"secretKeyRef": {"name": "db", "key": "api-key"}} == seen["DB_API_KEY"]
    assert {"secretKeyRef": {"name": "openai-api-key", "key": "OPENAI_API_KEY"}} == seen["OPENAI_API_KEY"]
    places = {mount["name"]: mount["mountPath"] for mount in container(made)["volumeMounts"]}
    assert "/etc/flyte/secrets" == places["flyte-secrets"]
    volumes = {volume["name"]: volume for volume in pod_spec(made)["volumes"]}
    sources = volumes["flyte-secrets"]["projected"]["sources"]
    assert [
        {"secret": {"name": "openai-api-key", "items": [{"key": "OPENAI_API_KEY", "path": "OPENAI_API_KEY"}]}},
        {"secret": {"name": "db", "items": [{"key": "pem", "path": "db/pem"}]}},
    ] == sources


@pytest.mark.parametrize(("key", "group"), [("a b", None), ("a/b", "db"), ("key", "///"), ("x\n", None)])
def test_a_secret_that_no_cluster_can_have_is_refused(key: str, group: str | None) -> None:
    with pytest.raises(ConfigValueError, match=r"Secret\.(key|group)"):
        job(replace(REQUEST, secrets=(SecretRef(key, group, "X", False),)))


# --- resources --------------------------------------------------------------------------------------------------------


def test_what_is_given_alone_is_a_request_and_two_are_request_and_limit() -> None:
    alone = asking(cpu=0.5, memory=512 << 20, disk=10 << 30)
    assert {"requests": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "10Gi"}} == container(job(alone))[
        "resources"
    ]
    both = asking(cpu=1.0, cpu_limit=2.0, memory=1 << 30, memory_limit=2 << 30)
    expected = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    assert expected == container(job(both))["resources"]
    assert "resources" not in container(job())


@pytest.mark.parametrize(
    ("device", "model", "partition", "key", "count"),
    [
        ("GPU", "", "", "nvidia.com/gpu", 2),
        ("GPU", "A100", "1g.5gb", "nvidia.com/mig-1g.5gb", 2),
        ("AMD_GPU", "MI300X", "", "amd.com/gpu", 2),
        ("NEURON", "Trn1", "", "aws.amazon.com/neuron", 2),
        ("HABANA_GAUDI", "Gaudi1", "", "habana.ai/gaudi", 2),
        ("TPU", "V5E", "2x4", "google.com/tpu", 8),
        ("TPU", "V5E", "", "google.com/tpu", 1),
        ("TPU", "V5P", "2x2x1", "google.com/tpu", 4),
    ],
)
def test_devices_have_the_names_of_their_plugins(device: str, model: str, partition: str, key: str, count: int) -> None:
    made = job(asking(gpu=2, device=device, model=model, partition=partition))
    assert {"requests": {key: str(count)}, "limits": {key: str(count)}} == container(made)["resources"]
    assert {"key": key, "operator": "Exists", "effect": "NoSchedule"} in pod_spec(made)["tolerations"]


def test_a_model_is_looked_for_by_any_label_that_a_cluster_may_have() -> None:
    terms = pod_spec(job(asking(gpu=1, model="T4")))["affinity"]["nodeAffinity"]
    (required,) = terms.values()
    keys = [expression["key"] for term in required["nodeSelectorTerms"] for expression in term["matchExpressions"]]
    assert {"nvidia.com/gpu.product", "cloud.google.com/gke-accelerator"} < set(keys)


def test_the_settings_say_which_nodes_have_a_model() -> None:
    cluster = Cluster(node_selectors={"T4": {"gpu": "t4"}, "L4": {}})
    assert {"gpu": "t4"} == pod_spec(job(asking(gpu=1, model="T4"), cluster))["nodeSelector"]
    assert not {"nodeSelector", "affinity"} & pod_spec(job(asking(gpu=1, model="L4"), cluster)).keys()


def test_a_slice_of_several_machines_is_told_to_be_one_machine() -> None:
    request = asking(gpu=1, device="TPU", model="V5E", partition="4x4")
    (note,) = jobs.notes(request, Cluster(), NEW)
    assert "16 chips on 4 machines" in note
    assert "4x4" == pod_spec(job(request))["nodeSelector"]["cloud.google.com/gke-tpu-topology"]


def test_calls_that_do_not_wait_for_equal_ones_say_so() -> None:
    (note,) = jobs.notes(replace(REQUEST, cache_since=1.0), Cluster(), NEW)
    assert note.startswith("cache: pods do not wait for one another, so serialize is of no effect")


def test_a_device_that_no_cluster_has_is_refused() -> None:
    with pytest.raises(ConfigValueError, match="APPLE_SILICON"):
        job(asking(gpu=1, device="APPLE_SILICON", model="AppleSilicon"))


def test_no_gpu_means_that_none_is_seen() -> None:
    assert "void" == env(job(asking(gpu=0)))["NVIDIA_VISIBLE_DEVICES"]


def test_shared_memory_is_a_volume_in_memory() -> None:
    volumes = pod_spec(job(asking(shm=1 << 30)))["volumes"]
    assert {"name": "flyte-shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}} in volumes
    assert {"name": "flyte-shm", "mountPath": "/dev/shm"} in container(job(asking(shm=1 << 30)))["volumeMounts"]
    assert {"name": "flyte-shm", "emptyDir": {"medium": "Memory"}} in pod_spec(job(asking(shm=0)))["volumes"]


# --- security ---------------------------------------------------------------------------------------------------------


def test_a_pod_may_do_as_little_as_possible() -> None:
    made = job()
    assert {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsGroup": 1000,
        "runAsNonRoot": True,
        "runAsUser": 1000,
    } == container(made)["securityContext"]
    assert {"type": "RuntimeDefault"} == pod_spec(made)["securityContext"]["seccompProfile"]
    assert pod_spec(made)["automountServiceAccountToken"] is False
    assert pod_spec(made)["enableServiceLinks"] is False


def test_only_a_task_that_calls_tasks_has_a_token() -> None:
    cluster = Cluster(service_account="caller")
    made = pod_spec(job(replace(REQUEST, calls=True), cluster))
    assert (True, "caller") == (made["automountServiceAccountToken"], made["serviceAccountName"])
    assert "serviceAccountName" not in pod_spec(job(cluster=cluster))
    assert role.NAME == pod_spec(job(replace(REQUEST, calls=True)))["serviceAccountName"]
    assert "mine" == pod_spec(job(replace(REQUEST, calls=True, service_account="mine"), cluster))["serviceAccountName"]


def test_the_settings_may_leave_the_user_to_the_image() -> None:
    made = job(cluster=Cluster(run_as_root=True))
    assert not {"runAsUser", "runAsNonRoot"} & container(made)["securityContext"].keys()
    assert "fsGroup" not in pod_spec(made)["securityContext"]


def test_a_volume_with_the_store_is_mounted_and_belongs_to_others() -> None:
    made = job(cluster=Cluster(store="file:///mnt/shared/a", store_claim="shared:/mnt/shared", run_as_user=1234))
    claim = {"name": "flyte-store", "persistentVolumeClaim": {"claimName": "shared"}}
    assert claim in pod_spec(made)["volumes"]
    assert {"name": "flyte-store", "mountPath": "/mnt/shared"} in container(made)["volumeMounts"]
    assert (True, 1234) == tuple(container(made)["securityContext"][name] for name in ("runAsNonRoot", "runAsUser"))
    assert "fsGroup" not in pod_spec(made)["securityContext"]


def test_a_template_may_ask_for_more() -> None:
    primary = {"name": "primary", "securityContext": {"runAsUser": 0, "readOnlyRootFilesystem": False}}
    seen = container(job(replace(REQUEST, template={"podSpec": {"containers": [primary]}})))["securityContext"]
    assert (0, False) == (seen["runAsUser"], seen["readOnlyRootFilesystem"])
    assert "runAsNonRoot" not in seen
    primary["securityContext"] = {"privileged": True}
    seen = container(job(replace(REQUEST, template={"podSpec": {"containers": [primary]}})))["securityContext"]
    assert {"privileged": True, "readOnlyRootFilesystem": True} == seen


@pytest.mark.parametrize("name", ["a b", "A", "x/../y", "", "a\n"])
def test_names_that_no_object_has_are_refused(name: str) -> None:
    if name:
        with pytest.raises(ConfigValueError, match="service_account"):
            job(replace(REQUEST, service_account=name))
    with pytest.raises(ConfigValueError, match="pull_secrets"):
        job(cluster=Cluster(pull_secrets=(name,)))


# --- what newer servers have ------------------------------------------------------------------------------------------


def test_an_old_server_is_asked_for_nothing_that_it_would_drop() -> None:
    made = job(replace(REQUEST, interruptible=True), Cluster(queue="team"), OLD)
    assert {"backoffLimit", "completions", "parallelism", "template", "ttlSecondsAfterFinished"} == made["spec"].keys()
    said = ["queue: the cluster has no Kueue, so that nothing waits in its queue 'team'"]
    assert said == jobs.notes(REQUEST, Cluster(queue="team"), OLD) == list(jobs.notes_of(made))
    assert said == [env(made)[NOTES]]
    assert NOTES not in env(job())


def test_kueue_lets_a_job_go() -> None:
    made = job(cluster=Cluster(queue="team"))
    assert "team" == made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]
    assert made["spec"]["suspend"] is True
    assert "suspend" not in job()["spec"]


def test_an_interruptible_task_is_taken_away_more_often_and_not_without_end() -> None:
    both = [job(replace(REQUEST, interruptible=each), Cluster(backoff_limit=2)) for each in (False, True)]
    assert [2, 20] == [made["spec"]["backoffLimit"] for made in both]
    often = job(replace(REQUEST, interruptible=True), Cluster(interruptions=100))
    assert 100 == often["spec"]["backoffLimit"]
    assert "Failed" == often["spec"]["podReplacementPolicy"]


def test_each_retry_may_be_a_pod_that_was_killed_for_its_memory() -> None:
    assert 3 + 5 == job(replace(REQUEST, retries=5))["spec"]["backoffLimit"]


def test_a_container_that_was_given_something_wrong_is_not_replaced_even_when_nobody_watches() -> None:
    named = {"podSpec": {"containers": [{"name": "main"}]}, "primary": "main"}
    made = job(replace(REQUEST, template=named))
    (rule,) = made["spec"]["podFailurePolicy"]["rules"]
    assert ("FailJob", "main", [HOPELESS]) == (
        rule["action"],
        rule["onExitCodes"]["containerName"],
        rule["onExitCodes"]["values"],
    )


def test_what_a_container_says_at_last_is_told_where_it_leaves_no_word() -> None:
    assert "FallbackToLogsOnError" == container(job())["terminationMessagePolicy"]
    own = {"podSpec": {"containers": [{"name": "main", "terminationMessagePolicy": "File"}]}, "primary": "main"}
    assert "File" == container(job(replace(REQUEST, template=own)))["terminationMessagePolicy"]


# --- where it may go --------------------------------------------------------------------------------------------------


def test_an_interruptible_task_may_go_where_machines_are_taken_away() -> None:
    usual = pod_spec(job(replace(REQUEST, interruptible=True)))
    assert "kubernetes.azure.com/scalesetpriority" in [each["key"] for each in usual["tolerations"]]
    own = {"tolerations": [{"key": "spot", "operator": "Exists"}], "nodeSelector": {"spot": "yes"}}
    seen = pod_spec(job(replace(REQUEST, interruptible=True), Cluster(interruptible=own)))
    assert own == {name: seen[name] for name in own}
    assert "affinity" not in seen
    assert "tolerations" not in pod_spec(job(cluster=Cluster(interruptible=own)))


def test_all_of_several_affinities_hold() -> None:
    def zones(*names: str) -> dict[str, Any]:
        terms = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [name]}]} for name in names]
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}

    template = {"podSpec": {"affinity": zones("a", "b")}}
    cluster = Cluster(interruptible={"affinity": zones("c")})
    seen = pod_spec(job(replace(REQUEST, template=template, interruptible=True), cluster))["affinity"]["nodeAffinity"]
    terms = seen["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    values = [[each["values"][0] for each in term["matchExpressions"]] for term in terms]
    assert [["a", "c"], ["b", "c"]] == values


# --- time limits ------------------------------------------------------------------------------------------------------


def test_the_cluster_ends_what_its_host_does_not() -> None:
    request = replace(REQUEST, max_runtime=60.0, retries=2, backoff=(10.0, 2.0, 15.0), deadline=600.0)
    made = job(request)
    assert 3 * 60 + 10 + 15 + 3600 == pod_spec(made)["activeDeadlineSeconds"]
    assert 660 == made["spec"]["activeDeadlineSeconds"]
    assert "activeDeadlineSeconds" not in {**job()["spec"], **pod_spec(job())}
