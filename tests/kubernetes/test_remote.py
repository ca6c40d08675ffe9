"""Runs in a real cluster, without a bucket: what a user does, and sees."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.engine.run import Run
from flyte_jupyter.home import Home
from tests.conftest import PATIENCE, eventually, forget_session
from tests.kubernetes.conftest import Cluster

pytestmark = pytest.mark.usefixtures("remote")
env = flyte.TaskEnvironment(name="remote", resources=flyte.Resources(cpu="100m", memory="200Mi"))


@env.task
def add(x: int) -> int:
    print("adding to", x)
    if x < 0:
        raise ValueError("negative")
    return x + 1


@env.task
def add_up(n: int) -> int:
    return sum(add(x) for x in range(n))


@env.task
async def all_of(n: int) -> list[int]:
    return list(flyte.map(add, range(n)))


beside = flyte.TaskEnvironment(
    name="beside", resources=flyte.Resources(cpu="100m", memory="200Mi"), include=["data/birds.csv", "conf"]
)


@beside.task
def read() -> list[str]:
    return [Path("data/birds.csv").read_text(), *sorted(str(path) for path in Path().rglob("*") if path.is_file())]


@env.task
def read_there() -> list[str]:
    return read()


@env.task
def wait_once() -> int:
    print("waiting in attempt", flyte.ctx().attempt_number, flush=True)
    while not flyte.ctx().attempt_number:
        time.sleep(0.05)
    return int(flyte.ctx().attempt_number or 0)


def left(cluster: Cluster) -> list[str]:
    """The names of the Jobs and pods that are there."""
    return [each["metadata"]["name"] for kind in ("jobs", "pods") for each in cluster.api.list(kind).items]


def test_a_run_is_a_pod_and_gives_its_value_and_log() -> None:
    run = flyte.run(add, 1)
    assert not run.done()
    assert (2, ["adding to 1"], "remote") == (run.result(), list(run.get_logs()), run.mode)
    steps = [phase for phase, *_ in run.view()["actions"][0]["history"]]
    assert ["queued", "initializing", "running", "succeeded"] == list(dict.fromkeys(steps))


def test_an_error_is_the_error_of_the_task() -> None:
    with pytest.raises(ValueError, match="negative") as caught:
        flyte.run(add, -1).result()
    assert 'raise ValueError("negative")' in caught.value.remote_traceback  # type: ignore[attr-defined]


def test_tasks_that_call_tasks(caller: None) -> None:
    run = flyte.run(add_up, 2)
    assert 3 == run.result()
    assert {"add_up": 1, "add": 2} == count(run)
    assert [1, 2, 3] == flyte.run(all_of, 3).result()


def count(run: Run) -> dict[str, int]:
    titles = [action["title"] for action in run.view()["actions"]]
    return {title: titles.count(title) for title in dict.fromkeys(titles)}


@pytest.mark.parametrize("how", ["asked to end", "killed"])
def test_attempts_are_counted_on_when_a_pod_is_lost_and_none_is_charged(how: str, cluster: Cluster) -> None:
    run = flyte.run(wait_once)
    eventually(lambda: list(run.get_logs()) == ["waiting in attempt 0"])
    (pod,) = cluster.api.list("pods").items
    cluster.api.delete("pods", pod["metadata"]["name"], grace=None if how == "asked to end" else 0)
    assert 1 == run.result()
    assert ["waiting in attempt 1"] == list(run.get_logs())
    assert ["waiting in attempt 0"] == list(run.get_logs(attempt=0))
    (action,) = run.view()["actions"]
    assert ["0"] == list(action["failures"])


def folder_with_files(folder: Path) -> None:
    for name, text in (("data/birds.csv", "robin"), ("conf/a/b.toml", "x = 1"), ("conf/.env", "KEY=1"), ("other", "")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_files_go_along_to_the_same_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caller: None) -> None:
    folder_with_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    there = ["robin", "conf/a/b.toml", "data/birds.csv"]
    assert there == flyte.run(read).result()
    assert there == flyte.run(read_there).result()


def test_a_file_that_cannot_go_along_is_an_error_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(flyte.errors.ConfigValueError, match="include"):
        flyte.run(read)
    far = flyte.TaskEnvironment(name="far", include=["../secret"])
    with pytest.raises(flyte.errors.ConfigValueError, match="a pod has no other folder of yours"):
        flyte.run(far.task(add.func), 1)
    assert [] == left(cluster)


def test_a_map_of_the_notebook() -> None:
    assert [1, 2, 3] == list(flyte.map(add, range(3)))


def test_a_run_that_is_cancelled_leaves_nothing(cluster: Cluster) -> None:
    @env.task
    def wait() -> None:
        import time

        print("waiting", flush=True)
        time.sleep(600)

    run = flyte.run(wait)
    eventually(lambda: list(run.get_logs()))
    run.cancel("enough")
    run.wait(PATIENCE)
    assert "aborted" == run.phase.value
    eventually(lambda: not left(cluster))


def test_a_call_that_cannot_be_carried_leaves_no_job_that_waits_for_it(cluster: Cluster) -> None:
    run = flyte.run(add, 1)
    run.wait(PATIENCE)
    cluster.api.create("resourcequotas", {"metadata": {"name": "full"}, "spec": {"hard": {"count/secrets": "0"}}})
    eventually(lambda: cluster.api.get("resourcequotas", "full").get("status", {}).get("hard"))
    with pytest.raises(flyte.errors.HostError, match="exceeded quota"):
        list(flyte.map(add, [1]))
    jobs = [each["metadata"] for each in cluster.api.list("jobs").items]
    assert [f"{run.name}-a0"] == [each["name"] for each in jobs if "deletionTimestamp" not in each]


def test_another_kernel_attaches(remote: Home) -> None:
    run = flyte.run(add, 1)
    forget_session()
    assert 2 == flyte.attach(run.name)
    assert 2 == flyte.get_run(run.name).result()


def test_a_secret_that_is_not_there_is_named_before_anything_starts(cluster: Cluster) -> None:
    with pytest.raises(flyte.errors.MissingSecretError, match=r"kubectl .*create secret generic my-token"):
        flyte.run(add.override(secrets="MY_TOKEN"), 1)
    assert [] == left(cluster)


def test_nothing_secret_is_in_what_others_may_read(cluster: Cluster) -> None:
    flyte.run(add, 1).result()
    assert session.cluster is not None
    key = session.current().sites.at(session.cluster).key
    said = json.dumps([cluster.api.list(kind).items for kind in ("jobs", "pods", "events")])
    assert [] == [form for form in (key.hex(), base64.b64encode(key).decode()) if form in said]
