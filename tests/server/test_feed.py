"""What a server knows of the runs of other processes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.pods import Phase, PodEvent, history_as_bytes, run_name
from flyte_jupyter.server.feed import past
from flyte_jupyter.server.feed.feed import Feed
from flyte_jupyter.server.feed.open_runs import recall
from flyte_jupyter.sites import Sites
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore
from tests.conftest import PATIENCE, eventually, forget_session, host_processes, stop_host

ROOT = Path(__file__).parents[2]
env = flyte.TaskEnvironment(name="fed")


@env.task
def square(x: int) -> int:
    return x * x


@env.task(cache="auto")
def kept(x: int) -> int:
    return x + 1


@env.task
def waits(folder: str) -> str:
    while not (Path(folder) / "go").exists():
        pass
    return "went"


@env.task
def calls(n: int) -> int:
    return sum(flyte.map(square, range(n)))


@pytest.fixture
def feed(home: Home, tmp_path: Path) -> Iterator[Feed]:
    made = feed_of(home, tmp_path)
    yield made
    made.close()


def feed_of(home: Home, root: Path) -> Feed:
    return Feed(Sites(home, "a server"), home, root)


def phase(feed: Feed, run: str) -> str:
    try:
        return feed.summary(run)["phase"]
    except flyte.errors.RunNotFoundError:
        return ""


def test_a_run_is_followed_from_its_start_to_its_end(feed: Feed, tmp_path: Path) -> None:
    told: list[Any] = []
    feed.subscribe(lambda changed, _: told.extend(changed))
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: phase(feed, run.name) == "running")
    eventually(lambda: [run.name] == [found["name"] for found in feed.page(phases=["running"])["runs"]])
    (tmp_path / "go").touch()
    eventually(lambda: phase(feed, run.name) == "succeeded")
    eventually(lambda: {"running", "succeeded"} <= {each["phase"] for each in told if each["name"] == run.name})
    assert [("a0", "succeeded")] == [(each["name"], each["phase"]) for each in feed.actions(run.name)]


def test_a_run_is_cancelled_and_whoever_has_started_it_sees_that(feed: Feed, tmp_path: Path) -> None:
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: phase(feed, run.name) == "running")
    feed.run(run.name).cancel("not wanted")
    with pytest.raises(flyte.errors.ActionAbortedError, match="not wanted"):
        run.result()
    eventually(lambda: phase(feed, run.name) == "aborted")
    assert "not wanted" == feed.summary(run.name)["reason"]


def test_what_the_cache_has_is_a_run_although_no_host_hears_of_it(feed: Feed) -> None:
    first, second = flyte.run(kept, 1), flyte.run(kept, 1)
    eventually(lambda: [phase(feed, run.name) for run in (first, second)] == ["succeeded"] * 2)
    assert [False, True] == [feed.summary(run.name)["is_cached"] for run in (first, second)]


def test_called_actions_are_counted_and_listed(feed: Feed) -> None:
    run = flyte.run(calls, 4)
    eventually(lambda: phase(feed, run.name) == "succeeded")
    assert {"succeeded": 4} == feed.summary(run.name)["actions"]
    assert ["a0", *["a0"] * 4] == ["a0", *(row["parent"] for row in feed.actions(run.name)[1:])]


def test_a_map_ends_with_the_process_that_goes_through_it(feed: Feed, home: Home) -> None:
    program = (
        "import flyte_jupyter as flyte\n"
        "from tests.server.test_feed import square\n"
        "items = flyte.map(square, [1, 2, 3], concurrency=1)\n"
        "print(next(items), flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert b"1\n" == process.stdout.readline()
        eventually(lambda: feed.page()["total"] == 1)
        (run,) = feed.page()["runs"]
        assert "running" == run["phase"]
        process.kill()
    eventually(lambda: phase(feed, run["name"]) == "aborted")
    assert "The process that went through" in feed.summary(run["name"])["reason"]
    assert "aborted" == feed.run(run["name"]).phase.value


def test_a_map_that_is_cancelled_starts_no_more_items(feed: Feed, tmp_path: Path) -> None:
    items = flyte.map(waits, [str(tmp_path)] * 50, concurrency=2)
    found: list[Any] = []
    going = threading.Thread(target=lambda: found.extend(items))
    going.start()
    eventually(lambda: [run["actions"].get("running") for run in feed.page()["runs"]] == [2])
    (run,) = feed.page()["runs"]
    feed.run(run["name"]).cancel("enough of it")
    going.join(60)
    assert [flyte.errors.ActionAbortedError] * 2 == [type(each) for each in found]
    eventually(lambda: phase(feed, run["name"]) == "aborted")
    assert "enough of it" == feed.summary(run["name"])["reason"]
    eventually(lambda: feed.summary(run["name"])["actions"] == {"aborted": 2})  # which end a moment later


def test_the_index_is_made_anew_from_the_store(feed: Feed, home: Home, tmp_path: Path) -> None:
    runs = [flyte.run(square, number) for number in range(3)]
    eventually(lambda: feed.page(phases=["succeeded"])["total"] == len(runs))
    before = feed.page()
    feed.close()
    for path in home.path.glob("journal-*"):
        path.unlink()
    (home.path / "store" / "runs" / "r00000000000000" / "record.json").parent.mkdir()
    (home.path / "store" / "runs" / "r00000000000000" / "record.json").write_text('{"run": 7}')
    again = feed_of(home, tmp_path)
    try:
        eventually(lambda: again.page() == before)
        assert 1 == len(again.actions(runs[0].name))
    finally:
        again.close()


@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted", "damaged"])
def test_an_index_that_is_lost_while_it_is_used_is_made_anew(
    feed: Feed, home: Home, is_deleted: bool, tmp_path: Path
) -> None:
    going = flyte.submit(waits, str(tmp_path))
    eventually(lambda: phase(feed, going.name) == "running")
    runs = [flyte.run(square, number) for number in range(3)]
    eventually(lambda: feed.page(phases=["succeeded"])["total"] == len(runs))
    before = feed.page()
    for path in home.path.glob("journal-*"):
        path.unlink() if is_deleted else path.write_bytes(b"no index" * 10_000)

    def is_told_again() -> bool:
        try:
            return feed.page() == before
        except flyte.errors.StoreError:  # those who ask when it is noticed
            return False

    eventually(is_told_again)
    later = flyte.run(square, 3)
    eventually(lambda: phase(feed, later.name) == "succeeded")


def test_a_state_folder_that_is_removed_meanwhile_is_made_again(feed: Feed, home: Home) -> None:
    run = flyte.run(square, 1)
    eventually(lambda: phase(feed, run.name) == "succeeded")
    forget_session()
    stop_host(home)
    shutil.rmtree(home.path)

    def is_empty() -> bool:
        try:
            return feed.page()["total"] == 0
        except flyte.errors.StoreError:  # those who ask when it is noticed
            return False

    eventually(is_empty)
    assert 0o700 == stat.S_IMODE(home.path.stat().st_mode)
    later = flyte.run(square, 3)
    eventually(lambda: phase(feed, later.name) == "succeeded")


def test_nothing_is_left_of_what_looked_on(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: run.phase.value == "running")
    threads, files = set(threading.enumerate()), psutil.Process().num_fds()
    for _ in range(2):
        feed = feed_of(home, tmp_path)
        eventually(lambda feed=feed: phase(feed, run.name) == "running")  # type: ignore[misc]
        assert "running" == feed.run(run.name).view()["phase"]
        feed.close()
    eventually(lambda: not set(threading.enumerate()) - threads)
    assert files >= psutil.Process().num_fds()
    (tmp_path / "go").touch()
    run.wait()


def test_a_run_that_is_deleted_is_gone(feed: Feed, home: Home) -> None:
    gone: list[str] = []
    feed.subscribe(lambda _, names: gone.extend(names))
    run = flyte.run(square, 2)
    eventually(lambda: phase(feed, run.name) == "succeeded")
    shutil.rmtree(home.path / "store" / "runs" / run.name)
    eventually(lambda: gone == [run.name])
    assert 0 == feed.page()["total"]


def test_runs_that_are_seen_before_their_records_are_listed_when_these_are_written(feed: Feed, home: Home) -> None:
    run = flyte.run(square, 2)
    runs = home.path / "store" / "runs"
    record = json.loads((runs / run.name / "record.json").read_bytes())
    names = [run_name(int(record["created"] * 1000) - number, f"{number:05}") for number in range(1, 31)]
    for name in names:  # more than are read at once
        shutil.copytree(runs / run.name / "actions", runs / name / "actions")
    for name in names:
        assert feed.page()["total"] <= len(names)
        (runs / name / "record.json").write_text(json.dumps({**record, "run": name}))
    eventually(lambda: feed.page()["total"] == 1 + len(names))


def test_a_host_with_a_long_way_to_its_socket_is_found(
    monkeypatch: pytest.MonkeyPatch, home: Home, tmp_path: Path
) -> None:
    far = home.path / ("far" * 40)
    monkeypatch.setenv("FLYTE_JUPYTER_HOME", str(far))
    feed = feed_of(Home(far), tmp_path)
    try:
        run = flyte.run(square, 3)
        eventually(lambda: phase(feed, run.name) == "succeeded")
        assert 1 == len(Home(far).hosts())
        assert not list(far.glob("*.sock"))
    finally:
        feed.close()
        flyte.session.current().close()
        stop_host(Home(far))


def test_no_host_is_started_by_looking(feed: Feed, home: Home) -> None:
    run = flyte.run(square, 3)
    eventually(lambda: phase(feed, run.name) == "succeeded")
    flyte.session.current().close()
    stop_host(home)
    assert "succeeded" == feed.run(run.name).view()["phase"]
    assert [] == Home(home.path).hosts()


def remote_record(home: Home, name: str) -> None:
    """What a kernel writes down of a run in a cluster, before it asks the cluster for anything."""
    cluster = {"context": "away", "namespace": "somewhere", "store": "s3://nowhere/flyte"}
    record = {
        "run": name,
        "task": "fed.far",
        "title": "far",
        "mode": "remote",
        "site": "the cluster away",
        "cluster": cluster,
        "created": time.time(),
        "session": "another kernel",
        "pod": {},
        "inputs": {},
    }
    FileStore(home.store_url).put(keys.record(name), [json.dumps(record).encode()])


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster that takes connections and never says a word."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(100)
        kubeconfig = tmp_path / "kubeconfig"
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "away", "cluster": {"server": address}}],
                    "contexts": [{"name": "away", "context": {"cluster": "away", "user": "me"}}],
                    "users": [{"name": "me", "user": {"token": "none"}}],
                }
            )
        )
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        yield


@pytest.mark.usefixtures("silent")
def test_a_cluster_that_does_not_answer_holds_up_nothing(home: Home, tmp_path: Path) -> None:
    for number in range(3):
        remote_record(home, f"r{number:014}")
    feed = feed_of(home, tmp_path)
    try:
        eventually(lambda: feed.page()["total"] == 3)
        said = ("the cluster away is asked where it stands", "it may go on: ")  # when it was waited for in vain
        assert all(run["reason"].startswith(said) for run in feed.page()["runs"])
        run = flyte.run(square, 3)
        eventually(lambda: phase(feed, run.name) == "succeeded")
        assert {"queued"} == {run["phase"] for run in feed.page(task="far")["runs"]}
    finally:
        feed.close()


def test_a_cluster_that_is_not_there_is_named(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    remote_record(home, "r00000000000001")
    feed = feed_of(home, tmp_path)
    try:
        eventually(lambda: feed.summary("r00000000000001")["reason"].startswith("it may go on: "))
        with pytest.raises(flyte.errors.ConfigError):
            feed.run("r00000000000001")
    finally:
        feed.close()


@pytest.mark.usefixtures("silent")
def test_how_a_run_in_a_cluster_has_ended_is_known_without_asking_the_cluster(home: Home, tmp_path: Path) -> None:
    name = "r00000000000001"
    remote_record(home, name)
    end = PodEvent(run=name, action="a0", parent=None, task="fed.far", title="far", phase=Phase.FAILED, at=5.0)
    FileStore(home.store_url).put(keys.status(name, "a0"), [history_as_bytes([end])])
    feed = feed_of(home, tmp_path)
    try:
        eventually(lambda: phase(feed, name) == "failed")
    finally:
        feed.close()


def test_a_run_whose_host_was_killed_waits_for_the_next_one(feed: Feed, home: Home, tmp_path: Path) -> None:
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: phase(feed, run.name) == "running")
    flyte.session.current().close()  # nobody asks for another Host
    for process in host_processes(home):
        process.kill()
    eventually(lambda: "its Host has died" in feed.summary(run.name)["reason"])
    assert "queued" == phase(feed, run.name)
    assert "queued" == feed.run(run.name).view()["phase"]
    feed.run(run.name).cancel("no more")
    eventually(lambda: phase(feed, run.name) == "aborted")
    assert "no more" == feed.summary(run.name)["reason"]
    assert not is_up(home)


def test_the_next_host_goes_on_with_a_run_and_is_followed(feed: Feed, home: Home, tmp_path: Path) -> None:
    with kernel(tmp_path) as (run, process):
        eventually(lambda: phase(feed, run) == "running")
        looked_at = feed.run(run)
        assert "running" == looked_at.view()["phase"]
        process.kill()
        process.wait()
        for each in host_processes(home):
            each.kill()
        eventually(lambda: "its Host has died" in feed.summary(run)["reason"])
        flyte.run(square, 1)
        eventually(lambda: phase(feed, run) == "running")
        (tmp_path / "go").touch()
        eventually(lambda: phase(feed, run) == "succeeded")
        eventually(lambda: looked_at.view()["phase"] == "succeeded")
    assert 1 == feed.summary(run)["attempt"]


def is_up(home: Home) -> bool:
    return any(home.is_served(host.host) for host in home.hosts())


def test_two_servers_tell_the_same(feed: Feed, home: Home, tmp_path: Path) -> None:
    other = feed_of(home, tmp_path)
    try:
        runs = [flyte.run(square, number) for number in range(3)]
        for each in (feed, other):
            eventually(lambda each=each: [phase(each, run.name) for run in runs] == ["succeeded"] * 3)  # type: ignore[misc]
        assert feed.page() == other.page()
    finally:
        other.close()


PROGRAM = """
import sys, time
from pathlib import Path
import flyte_jupyter as flyte
from flyte_jupyter import context

env = flyte.TaskEnvironment(name="elsewhere")

@env.task
def waits(folder: str) -> str:
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    return "went"

context.notebook["path"] = "/somewhere/notebook.ipynb"
print(flyte.submit(waits, sys.argv[1]).name, flush=True)
input()
"""


@contextmanager
def kernel(folder: Path, package: Path = ROOT) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Another process with a run, which waits for a file in a folder, and the run's name."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, program, str(folder)],
        env={**os.environ, "PYTHONPATH": str(package)},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip(), process
        process.kill()


def test_a_run_of_another_copy_of_the_package_is_followed_and_cancelled(feed: Feed, home: Home, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "flyte_jupyter", tmp_path / "copy" / "flyte_jupyter")
    with kernel(tmp_path, tmp_path / "copy") as (run, _):
        eventually(lambda: phase(feed, run) == "running")
        (other,) = home.hosts()
        assert home.host != other.host
        assert "running" == feed.run(run).view()["phase"]
        feed.run(run).cancel("not wanted")
        eventually(lambda: phase(feed, run) == "aborted")
    call(other, {"op": "shutdown"})
    eventually(lambda: not home.hosts())


def test_a_server_that_starts_later_knows_what_runs(home: Home, tmp_path: Path) -> None:
    with kernel(tmp_path) as (run, _):
        eventually((home.open_pods / f"{run}-a0").exists)
        feed = feed_of(home, tmp_path)
        try:
            eventually(lambda: phase(feed, run) == "running")
            (tmp_path / "go").touch()
            eventually(lambda: phase(feed, run) == "succeeded")
            assert "/somewhere/notebook.ipynb" == feed.summary(run)["notebook"]
        finally:
            feed.close()


def test_what_a_host_tells_before_the_store_was_read_stays(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: run.phase.value == "running")
    is_told, is_read = threading.Event(), threading.Event()

    def late(*args: Any) -> bool:
        assert is_told.wait(PATIENCE)
        is_read.set()
        return recall(*args)

    monkeypatch.setattr(past, "recall", late)
    feed = feed_of(home, tmp_path)
    try:
        feed.subscribe(lambda changed, _: is_told.set() if "running" in {each["phase"] for each in changed} else None)
        assert is_read.wait(PATIENCE)
        eventually(lambda: "0 runs" in repr(feed._past) and feed._past._thread is None)
        assert "running" == phase(feed, run.name)
    finally:
        feed.close()
    (tmp_path / "go").touch()
    run.wait()


def test_a_notebook_hears_of_what_has_ended_while_only_a_server_looked_on(
    feed: Feed, home: Home, tmp_path: Path
) -> None:
    with kernel(tmp_path) as (run, process):
        eventually(lambda: phase(feed, run) == "running")
        assert "running" == feed.run(run).view()["phase"]  # somebody looks at its card
        process.kill()
        process.wait()
        (tmp_path / "go").touch()
        eventually(lambda: phase(feed, run) == "succeeded")
    eventually(lambda: home.unseen_runs() == [run])


def test_a_run_that_was_asked_for_is_kept_for_a_while(feed: Feed, tmp_path: Path) -> None:
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: phase(feed, run.name) == "running")
    asked = feed.run(run.name)
    feed._looked_at.tidy()
    assert asked is feed.run(run.name)
    (tmp_path / "go").touch()
    eventually(asked.done)
