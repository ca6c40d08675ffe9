"""Every parameter in a live pod: as the cluster has it, and as the task sees it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.engine.run import Run
from flyte_jupyter.home import Home
from tests.conftest import PATIENCE, eventually, forget_session
from tests.kubernetes.conftest import Cluster

pytestmark = pytest.mark.usefixtures("remote")

SMALL = flyte.Resources(cpu="100m", memory="200Mi")
env = flyte.TaskEnvironment(name="birds", resources=SMALL)


@env.task
def look(names: list[str]) -> dict[str, Any]:
    """What a task sees of its container."""
    import getpass
    import os
    import tempfile
    from pathlib import Path

    def can_write(folder: str) -> bool:
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            return False
        return True

    def read(path: str) -> str:
        return Path(path).read_text().strip() if Path(path).exists() else ""

    status = dict(line.split(":\t", 1) for line in read("/proc/self/status").splitlines())
    shm = os.statvfs("/dev/shm")
    return {
        "environ": {name: os.environ.get(name) for name in names},
        "files": {name: read(f"/etc/flyte/secrets/{name}") for name in names},
        "user": (os.getuid(), os.getgid(), getpass.getuser(), os.path.expanduser("~")),
        "folder": os.getcwd(),
        "writable": {folder: can_write(folder) for folder in ("/", "/usr", "/tmp", os.getcwd(), "/dev/shm")},
        "shm": shm.f_frsize * shm.f_blocks,
        "memory": read("/sys/fs/cgroup/memory.max") or read("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        "cpu": read("/sys/fs/cgroup/cpu.max").split()[:1] or [read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")],
        "token": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        "capabilities": int(status["CapEff"], 16),
        "more_privileges": status["NoNewPrivs"].strip() == "0",
        "mounted": os.path.ismount("/data"),
    }


def pods(cluster: Cluster, run: Run) -> list[dict[str, Any]]:
    """The pods of a run as the cluster has them."""
    return cluster.api.list("pods", labels=f"flyte-jupyter/run={run.name}").items


def spec(cluster: Cluster, run: Run) -> dict[str, Any]:
    (pod,) = pods(cluster, run)
    found: dict[str, Any] = pod["spec"]
    return found


def secret(cluster: Cluster, name: str, **values: str) -> None:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    cluster.api.create("secrets", {"metadata": {"name": name}, "data": data})


def test_a_task_that_says_nothing_may_do_little(cluster: Cluster) -> None:
    run = flyte.run(look, ["HOME", "USER", "FLYTE_JUPYTER_NAMESPACE", "KUBERNETES_SERVICE_HOST"])
    seen = run.result()
    assert (1000, 1000, "flyte", "/flyte/work") == seen["user"]
    assert cluster.namespace == seen["environ"]["FLYTE_JUPYTER_NAMESPACE"]
    assert {"/": False, "/usr": False, "/tmp": True, seen["folder"]: True, "/dev/shm": True} == seen["writable"]
    assert (False, 0, False) == (seen["token"], seen["capabilities"], seen["more_privileges"])
    labels = pods(cluster, run)[0]["metadata"]["labels"]
    words = ("run", "action", "task", "environment")
    assert [run.name, "a0", "birds.look", "birds"] == [labels[f"flyte-jupyter/{word}"] for word in words]


def test_variables_secrets_and_resources(cluster: Cluster) -> None:
    secret(cluster, "db", **{"api-key": "s3cret-value", "pem": "certificate-text"})
    secret(cluster, "hf-token", HF_TOKEN="hugging-face-token")
    task = look.override(
        env_vars={"LEVEL": "debug", "PLAIN": "$(HOME) $$"},
        secrets=[
            flyte.Secret("api-key", "db"),
            flyte.Secret("pem", "db", mount="/etc/flyte/secrets"),  # type: ignore[arg-type]
            "HF_TOKEN",
        ],
        resources=flyte.Resources(cpu=("100m", "500m"), memory=("200Mi", "300Mi"), disk="10Mi", shm="32Mi"),
    )
    run = flyte.run(task, ["LEVEL", "PLAIN", "DB_API_KEY", "HF_TOKEN", "db/pem"])
    seen = run.result()
    environ = {"LEVEL": "debug", "PLAIN": "$(HOME) $$", "DB_API_KEY": "s3cret-value", "HF_TOKEN": "hugging-face-token"}
    assert environ | {"db/pem": None} == seen["environ"]
    assert "certificate-text" == seen["files"]["db/pem"]
    assert (32 << 20, str(300 << 20), ["50000"]) == (seen["shm"], seen["memory"], seen["cpu"])
    resources = spec(cluster, run)["containers"][0]["resources"]
    assert {"cpu": "100m", "memory": "200Mi", "ephemeral-storage": "10Mi"} == resources["requests"]
    assert {"cpu": "500m", "memory": "300Mi"} == resources["limits"]
    said = str([cluster.api.list(kind).items for kind in ("jobs", "pods", "events")])
    assert [] == [value for value in ("s3cret-value", "certificate-text", "hugging-face-token") if value in said]


def test_a_pod_template_and_a_service_account(cluster: Cluster) -> None:
    cluster.api.create("serviceaccounts", {"metadata": {"name": "birdwatcher"}})
    container = {
        "name": "main",
        "env": [{"name": "FROM_TEMPLATE", "value": "1"}, {"name": "LEVEL", "value": "info"}],
        "resources": {"limits": {"memory": "100Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    template = flyte.PodTemplate(
        {
            "containers": [container],
            "initContainers": [{**container, "name": "first", "image": session.cluster.image, "command": ["true"]}],  # type: ignore[union-attr]
            "volumes": [{"name": "data", "emptyDir": {}}],
            "terminationGracePeriodSeconds": 7,
            "securityContext": {"runAsUser": 1234, "runAsNonRoot": True},
        },
        "main",
        labels={"team": "birds"},
        annotations={"note": "two words"},
    )
    task = look.override(pod_template=template, env_vars={"LEVEL": "debug"}, service_account="birdwatcher")
    run = flyte.run(task, ["LEVEL", "FROM_TEMPLATE"])
    seen = run.result()
    assert {"LEVEL": "debug", "FROM_TEMPLATE": "1"} == seen["environ"]
    assert (1234, True) == (seen["user"][0], seen["mounted"])
    (pod,) = pods(cluster, run)
    assert ("birdwatcher", 7) == (pod["spec"]["serviceAccountName"], pod["spec"]["terminationGracePeriodSeconds"])
    assert ("birds", "two words") == (pod["metadata"]["labels"]["team"], pod["metadata"]["annotations"]["note"])
    expected = {"limits": {"memory": "200Mi"}, "requests": {"cpu": "100m", "memory": "200Mi"}}
    assert expected == pod["spec"]["containers"][0]["resources"]


def test_a_template_of_the_namespace(cluster: Cluster) -> None:
    container = {"name": "default", "image": "nothing:1", "env": [{"name": "FROM_TEMPLATE", "value": "named"}]}
    template = {"metadata": {"labels": {"team": "birds"}}, "spec": {"containers": [container]}}
    cluster.api.create("podtemplates", {"metadata": {"name": "birds"}, "template": template})
    run = flyte.run(look.override(pod_template="birds"), ["FROM_TEMPLATE"])
    assert {"FROM_TEMPLATE": "named"} == run.result()["environ"]
    assert "birds" == pods(cluster, run)[0]["metadata"]["labels"]["team"]


def test_other_containers_end_with_the_task(cluster: Cluster) -> None:
    assert session.cluster is not None
    proxy = {
        "name": "proxy",
        "image": session.cluster.image,
        "command": ["python3", "-c", "import time; time.sleep(3600)"],
    }
    template = flyte.PodTemplate({"containers": [proxy, {"name": "primary"}], "terminationGracePeriodSeconds": 1})
    run = flyte.run(look.override(pod_template=template), [])
    run.result()
    eventually(lambda: not [pod for pod in pods(cluster, run) if pod["status"]["phase"] == "Running"])
    assert "succeeded" == run.phase.value


def test_a_pod_that_is_lost_beside_another_container_is_replaced(cluster: Cluster) -> None:
    @env.task
    def taken_away_once() -> str:
        """The first attempt's container is ended, as by its node; the other one beside it is not."""
        import os
        import signal
        import time

        if flyte.ctx().attempt_number == 0:
            os.kill(1, signal.SIGTERM)
            time.sleep(60)
        return os.environ["FLYTE_JUPYTER_POD"]

    assert session.cluster is not None
    sleep = ["python3", "-c", "import time; time.sleep(3600)"]
    proxy = {"name": "proxy", "image": session.cluster.image, "command": sleep}
    spec = {"containers": [proxy, {"name": "primary"}], "terminationGracePeriodSeconds": 1}
    run = flyte.run(taken_away_once.override(pod_template=flyte.PodTemplate(spec)))
    eventually(lambda: pods(cluster, run))
    first = pods(cluster, run)[0]["metadata"]["name"]
    assert first != run.result()


def test_a_part_of_a_gpu_is_the_resource_of_its_plugin(cluster: Cluster) -> None:
    flyte.init(node_selectors={"A100": {}})
    key, node = "nvidia.com/mig-1g.5gb", cluster.api.list("nodes").items[0]["metadata"]["name"]
    path = f"/status/capacity/{key.replace('/', '~1')}"
    cluster.api.patch("nodes", node, [{"op": "add", "path": path, "value": "2"}], part="status")
    try:
        eventually(lambda: key in cluster.api.get("nodes", node)["status"]["allocatable"])
        resources = flyte.Resources(cpu="100m", memory="200Mi", gpu=flyte.GPU("A100", 2, "1g.5gb"))
        run = flyte.run(look.override(resources=resources), [])
        run.result()
        assert node == spec(cluster, run)["nodeName"]
        assert "2" == spec(cluster, run)["containers"][0]["resources"]["limits"][key]
    finally:
        cluster.api.patch("nodes", node, [{"op": "remove", "path": path}], part="status")


def test_an_interruptible_task_goes_where_machines_may_be_taken_away(cluster: Cluster) -> None:
    toleration = {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}
    flyte.init(interruptible={"tolerations": [toleration]})
    run = flyte.run(look.override(interruptible=True), [])
    run.result()
    assert toleration in spec(cluster, run)["tolerations"]


def test_a_queue_is_a_namespace(cluster: Cluster, remote: Home, image: str) -> None:
    forget_session()
    remote.settings.parent.mkdir(parents=True, exist_ok=True)
    remote.settings.write_text(
        f'[kubernetes]\nnamespace = "nowhere"\nimage = "{image}"\n[queues.birds]\nnamespace = "{cluster.namespace}"\n'
    )
    session.cluster, session.defaults = None, flyte.engine.options.RunOptions()  # type: ignore[attr-defined]
    run = flyte.run(look.override(queue="birds"), ["FLYTE_JUPYTER_NAMESPACE"])
    assert ("remote", cluster.namespace) == (run.mode, run.result()["environ"]["FLYTE_JUPYTER_NAMESPACE"])


def test_retries_are_attempts_in_one_pod(cluster: Cluster) -> None:
    @env.task(retries=2)
    def third_time() -> int:
        number = flyte.ctx().attempt_number
        if number < 2:
            raise ValueError(f"attempt {number}")
        return number

    run = flyte.run(third_time)
    assert 2 == run.result()
    assert 1 == len(pods(cluster, run))


def test_a_time_limit_ends_an_attempt(cluster: Cluster) -> None:
    @env.task(timeout=1)
    def sleeper() -> None:
        import time

        time.sleep(600)

    run = flyte.run(sleeper)
    with pytest.raises(flyte.errors.MaxRuntimeExceededError):
        run.result()
    assert 3601 == spec(cluster, run)["activeDeadlineSeconds"]


def test_what_is_shown_with_a_run() -> None:
    class Console:
        name, icon_uri = "console", ""

        def get_link(self, run_name: str, action_name: str, **more: Any) -> str:
            return f"https://console.example.com/{run_name}/{action_name}"

    @env.task(report=True, short_name="Shown", links=[Console()])
    def shown() -> int:
        flyte.report.log("<b>a report</b>")
        return 1

    run = flyte.run(shown)
    assert 1 == run.result()
    eventually(lambda: "a report" in str(run.get_report()))
    assert "Shown" == run.view()["actions"][0]["title"]
    (link,) = run.view()["links"]
    assert {"name": "console", "uri": f"https://console.example.com/{run.name}/a0"} == link


def test_results_are_kept_and_limits_of_inputs_hold() -> None:
    task = look.override(cache="auto")
    first = flyte.run(task, [])
    value = first.result()
    second = flyte.run(task, [])
    assert value == second.result()
    assert second.view()["actions"][0]["is_cached"]
    kept = flyte.cache.list(task)
    assert [first.name] == [each.run for each in kept]
    assert "in cluster " in kept._repr_html_()
    assert 1 == flyte.cache.clear()
    assert repr(flyte.cache.list()).startswith("nothing is stored in cluster ")
    with pytest.raises(flyte.errors.InlineIOMaxBytesBreached):
        flyte.run(look.override(max_inline_io_bytes=100), ["x" * 1000])


def test_runs_may_end_with_the_pod_of_their_notebook(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    @env.task
    def waits() -> None:
        import time

        time.sleep(600)

    assert session.cluster is not None
    image = session.cluster.image
    notebook = {"name": "notebook", "image": image, "command": ["python3", "-c", "import time; time.sleep(600)"]}
    spec = {"containers": [notebook], "terminationGracePeriodSeconds": 0}
    cluster.api.create("pods", {"metadata": {"name": "notebook"}, "spec": spec})
    monkeypatch.setattr("socket.gethostname", lambda: "notebook")
    flyte.init(owned_by_notebook=True)
    run = flyte.run(waits)
    eventually(lambda: run.phase.value == "running")
    cluster.api.delete("pods", "notebook")
    run.wait(PATIENCE)
    assert "aborted" == run.phase.value
    eventually(lambda: not pods(cluster, run))
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    session.current().sites.close()
    forget_session()
    with pytest.raises(flyte.errors.ConfigValueError, match="there is no pod 'elsewhere'"):
        flyte.run(waits)
