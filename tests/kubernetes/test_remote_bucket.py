"""Runs in a real cluster whose pods reach a bucket."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from flyte_jupyter.store import keys, open_store
from tests.conftest import PATIENCE, clear, forget_session, new_folder
from tests.contract.s3 import bucket, credentials
from tests.kubernetes.conftest import Cluster
from tests.kubernetes.test_server import is_told
from tests.server.conftest import served

env = flyte.TaskEnvironment(name="bucket", resources=flyte.Resources(cpu="100m", memory="400Mi"))
CREDENTIALS = "credentials-of-the-bucket"


@env.task(max_inline_io_bytes=0)
def reverse(data: bytes) -> bytes:
    print("reversing", len(data))
    return data[::-1]


@env.task(cache="auto")
def size(data: bytes) -> int:
    return len(data)


@env.task
def both(data: bytes) -> int:
    return size(data) + size(data + b"d")


@env.task
def broken(data: bytes) -> int:
    raise ValueError(f"{len(data)} bytes are wrong")


@pytest.fixture(autouse=True)
def place(kernel: Home, cluster: Cluster, image: str) -> Iterator[str]:
    """The URL of the bucket of remote runs; their pods get its credentials from a Secret."""
    with bucket() as url:
        cluster.api.create("secrets", {"metadata": {"name": CREDENTIALS}, "stringData": credentials()})
        flyte.init(mode="remote", namespace=cluster.namespace, image=image, store=url, store_secret=CREDENTIALS)
        yield url
        forget_session()  # before the bucket goes


def test_what_is_too_large_for_a_secret_goes_through_the_bucket_both_ways() -> None:
    data = os.urandom(20_000_000)
    run = flyte.run(reverse, data)
    assert data[::-1] == run.result()
    assert ["reversing 20000000"] == list(run.get_logs())


def test_who_may_not_ask_the_bucket_still_has_a_list_of_runs(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = flyte.run(size, b"abc")
    assert 3 == there.result()
    here = flyte.with_runcontext(mode="local").run(size, b"abc")
    forget_session()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of somebody else")
    with pytest.warns(UserWarning, match=rf"are left out: {place}[\s\S]* refuses the credentials"):
        found = flyte.runs()
    assert [here.name] == [run.name for run in found]
    assert "succeeded" in repr(found)


def test_everything_of_a_run_is_in_the_bucket(place: str) -> None:
    run = flyte.run(reverse, b"abc")
    run.wait(PATIENCE)
    store = open_store(place)
    assert {"inputs", "log.0", "outcome", "status.json"} <= set(store.list(f"{keys.actions(run.name)}a0/"))


def test_an_error_comes_through_the_bucket() -> None:
    with pytest.raises(ValueError, match="3 bytes are wrong") as caught:
        flyte.run(broken, b"abc").result()
    assert "broken" in caught.value.remote_traceback  # type: ignore[attr-defined]


def test_results_are_kept_in_the_bucket() -> None:
    first = flyte.run(size, b"abc")
    assert 3 == first.result()
    second = flyte.run(size, b"abc")
    assert 3 == second.result()
    assert [False, True] == [run.view()["actions"][0].get("is_cached", False) for run in (first, second)]


def test_a_run_of_another_machine_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = flyte.run(size, b"abc")
    run.wait(PATIENCE)
    forget_session()
    folder = new_folder()
    monkeypatch.setenv("FLYTE_JUPYTER_HOME", str(folder))
    again = flyte.rerun(run.name, data=b"abcd")
    assert ("remote", 4) == (again.mode, again.result())
    forget_session()
    clear(folder)


@pytest.mark.usefixtures("caller")
def test_what_a_task_has_called_and_was_kept_is_on_the_card() -> None:
    assert 7 == flyte.run(both, b"abc").result()
    again = flyte.run(both, b"abc")
    assert 7 == again.result()
    kept = [action for action in again.view()["actions"] if action["title"] == "size"]
    assert [(True, "succeeded")] * 2 == [(action["is_cached"], action["phase"]) for action in kept]


@pytest.mark.usefixtures("caller")
def test_a_server_tells_all_of_a_run_and_no_credentials(kernel: Home, tmp_path: Path) -> None:
    with served(tmp_path, home=kernel.path) as server:
        run = is_told(server)
        told = [server.get(path) for path in ("runs", "clusters", f"runs/{run}", f"runs/{run}/card")]
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in json.dumps(told) + (tmp_path / "log").read_text()


def test_credentials_of_the_bucket_are_in_no_job_and_no_pod(cluster: Cluster) -> None:
    flyte.run(reverse, b"abc").wait(PATIENCE)
    said = json.dumps([cluster.api.list(kind).items for kind in ("jobs", "pods", "events")])
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    assert [] == [form for form in (secret, base64.b64encode(secret.encode()).decode()) if form in said]
    assert CREDENTIALS in said


def test_a_pod_that_may_not_use_the_bucket_says_so_and_is_not_replaced(
    cluster: Cluster, image: str, place: str
) -> None:
    wrong = {**credentials(), "AWS_SECRET_ACCESS_KEY": "wrong"}
    cluster.api.create("secrets", {"metadata": {"name": "wrong"}, "stringData": wrong})
    flyte.init(mode="remote", namespace=cluster.namespace, image=image, store=place, store_secret="wrong")
    run = flyte.run(reverse, b"abc")
    with pytest.raises(flyte.errors.BaseRuntimeError, match="refuses the credentials") as caught:
        run.result()
    assert place in str(caught.value)
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)
    assert "pods were lost" not in str(caught.value)
