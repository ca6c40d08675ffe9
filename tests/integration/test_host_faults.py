"""What goes wrong around a task is told to whoever waits for it, and harms no other task."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore
from tests.conftest import eventually, forget_session, host_processes

env = flyte.TaskEnvironment(name="faults")


@env.task
def double(x: int) -> int:
    return 2 * x


@env.task
def marks(folder: str) -> int:
    """Leaves a line each time it is begun, and waits until it may end."""
    with open(Path(folder, "begun"), "a") as file:
        file.write("begun\n")
    while not Path(folder, "go").exists():
        time.sleep(0.01)
    return 7


@env.task
def kills_its_host(folder: str, host: str) -> int:
    with open(Path(folder, "begun"), "a") as file:
        file.write("begun\n")
    os.kill(int(Path(host).read_text()), signal.SIGKILL)
    time.sleep(30)
    return 1


@env.task(timeout=1)
def closes_everything() -> int:
    os.closerange(3, 256)
    time.sleep(60)
    return 1


@env.task
def prints(megabytes: int) -> int:
    line = "x" * 99
    for _ in range(megabytes * 10_000):
        print(line)
    return megabytes


@env.task
def random_number(_: int) -> float:
    import numpy as np

    return float(np.random.rand())


@env.task
def local_hour() -> str:
    return time.strftime("%Z")


def begun(folder: Path) -> int:
    path = folder / "begun"
    return path.read_text().count("begun") if path.exists() else 0


def host_pid(home: Home) -> int:
    status = call(home, {"op": "status"})
    assert status is not None
    return int(status["pid"])


def test_an_interpreter_that_is_gone_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 4 == flyte.run(double, 2).outputs()[0]
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(errors.RuntimeSystemError, match="/nowhere/python cannot be started"):
        flyte.run(double, 2)


def test_what_cannot_be_noted_is_refused(home: Home) -> None:
    assert 4 == flyte.run(double, 2).outputs()[0]
    shutil.rmtree(home.open_pods)
    with pytest.raises(errors.HostError, match="cannot be accepted"):
        flyte.run(double, 2)
    home.open_pods.mkdir()
    assert 6 == flyte.run(double, 3).outputs()[0]


def test_a_request_is_noted_before_it_is_answered(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(marks, str(tmp_path))
    assert [f"{run.name}-a0"] == [note.name for note in home.open_pods.iterdir()]
    run.cancel()
    run.wait(10)
    eventually(lambda: [] == list(home.open_pods.iterdir()))


def test_time_limits_hold_for_a_task_that_hangs_up(home: Home) -> None:
    with pytest.raises(errors.MaxRuntimeExceededError):
        flyte.run(closes_everything)
    assert 4 == flyte.run(double, 2).outputs()[0]


def test_a_task_that_kills_its_hosts_is_not_run_for_ever(home: Home, tmp_path: Path) -> None:
    flyte.prepare()
    told = tmp_path / "host"
    told.write_text(str(host_pid(home)))
    run = flyte.submit(kills_its_host, str(tmp_path), str(told))

    def tell() -> bool:
        status = call(home, {"op": "status"})
        if status is not None and str(status["pid"]) != told.read_text():
            told.write_text(str(status["pid"]))
        return run.done()

    eventually(tell, within=60)
    with pytest.raises(errors.RuntimeSystemError):
        run.outputs()
    assert begun(tmp_path) <= 5


def test_a_note_that_cannot_be_read_is_left_alone(home: Home) -> None:
    home.open_pods.mkdir(parents=True)
    (home.open_pods / "empty").touch()
    (home.open_pods / "strange").write_text(json.dumps({"pod": {"new": 1}, "attempts": {}}))
    assert 4 == flyte.run(double, 2).outputs()[0]
    assert [".unreadable-empty", ".unreadable-strange"] == sorted(note.name for note in home.open_pods.iterdir())


def test_a_success_whose_news_was_lost_is_not_run_again(home: Home, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    run = flyte.submit(marks, str(tmp_path))
    assert 7 == run.outputs()[0]
    store = session.current().store
    assert isinstance(store, FileStore)
    record = json.loads(bytes(store.get(keys.record(run.name))))
    status = Path(store.path(keys.status(run.name, "a0")))
    forget_session()
    os.kill(host_pid(home), signal.SIGKILL)
    eventually(lambda: call(home, {"op": "status"}) is None)
    status.unlink()
    pod = {"env": {}, **record["pod"]}
    attempts = {"number": 0, "failed": 0, "lost": 0, "accepted_at": time.time()}
    (home.open_pods / f"{run.name}-a0").write_text(json.dumps({"pod": pod, "attempts": attempts}))
    flyte.prepare()
    eventually(status.exists)
    assert (1, "succeeded") == (begun(tmp_path), json.loads(status.read_text())[-1]["phase"])


def test_the_host_remembers_only_the_end_of_a_log(home: Home) -> None:
    assert 30 == flyte.run(prints, 30).outputs()[0]
    host = psutil.Process(host_pid(home))
    assert host.memory_info().rss < 80 * 2**20
    assert 300_000 == sum(1 for _ in flyte.runs()[0].get_logs())


def test_stopping_the_host_cancels_what_runs(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(marks, str(tmp_path))
    eventually(lambda: begun(tmp_path) == 1)
    processes = host_processes(home)
    call(home, {"op": "shutdown"})
    run.wait(20)
    assert "aborted" == run.phase
    with pytest.raises(errors.ActionAbortedError, match="The local Host was stopped"):
        run.outputs()
    psutil.wait_procs(processes, timeout=10)
    assert 4 == flyte.run(double, 2).outputs()[0]
    assert 1 == begun(tmp_path)


def test_random_numbers_differ(home: Home) -> None:
    pytest.importorskip("numpy")
    numbers: list[float] = []
    for _ in range(3):  # also when numpy is loaded before the fork, which takes a first use
        numbers += flyte.map(random_number, range(3))
    assert 9 == len(set(numbers))


def test_tasks_have_the_time_zone_of_the_kernel(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert "JST" == flyte.run(local_hour).outputs()[0]
