"""The local Host: what it survives, when it begins and ends."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.host.server import IDLE_VARIABLE
from flyte_jupyter.pods import LogEvent, PodEvent, Synced
from flyte_jupyter.runners.local import LocalRunner
from tests.conftest import eventually, host_processes
from tests.integration.processes import is_gone, pid_in, program

env = flyte.TaskEnvironment(name="host")


@env.task
def double(x: int) -> int:
    return 2 * x


@env.task
def waits_for(folder: str) -> int:
    """Leaves the ids of its processes, one file per attempt, and counts how often it got to its end."""
    number = flyte.ctx().attempt_number
    Path(folder, f"pid{number}").write_text(f"{os.getpid()}\n")
    print(f"attempt {number}")
    while not Path(folder, "go").exists():
        time.sleep(0.01)
    Path(folder, f"end{number}").touch()
    return 7


@env.task
async def parent(folder: str) -> int:
    return await waits_for.aio(folder) + 1


def host_pid(home: Home) -> int:
    status = call(home, {"op": "status"})
    assert status is not None
    return int(status["pid"])


def zygotes(home: Home) -> list[psutil.Process]:
    return psutil.Process(host_pid(home)).children()


@pytest.fixture
def host(home: Home) -> Home:
    """A state folder whose Host runs."""
    flyte.prepare()
    eventually(lambda: call(home, {"op": "status"}) is not None)
    return home


# --- kill -9


@pytest.mark.parametrize("task", [waits_for, parent], ids=["task", "nested"])
def test_killed_host(host: Home, tmp_path: Path, task: Any) -> None:
    run = flyte.submit(task, str(tmp_path))
    first = pid_in(tmp_path / "pid0")
    before = host_processes(host)
    os.kill(host_pid(host), signal.SIGKILL)
    eventually(lambda: all(is_gone(process.pid) for process in before))
    assert is_gone(first)
    again = "pid1" if task is waits_for else "pid0"
    eventually(lambda: (tmp_path / again).exists() and (tmp_path / again).read_text() not in ("", f"{first}\n"))
    (tmp_path / "go").touch()
    run.wait(20)
    assert {waits_for: 7, parent: 8}[task] == run.result()
    assert 1 == len(list(tmp_path.glob("end*")))
    assert before[0].pid != host_pid(host)
    history = run.view()["actions"][0]["history"]
    assert 1 == sum(phase == "succeeded" for phase, *_ in history)
    assert {0, 1} == {attempt for _, _, attempt, *_ in history}


def test_killed_host_does_not_use_up_retries(host: Home, tmp_path: Path) -> None:
    @env.task(retries=0)
    def fails_at_the_second(folder: str) -> None:
        waits_for.func(folder)
        raise LookupError("of the task")

    run = flyte.submit(fails_at_the_second, str(tmp_path))
    pid_in(tmp_path / "pid0")
    os.kill(host_pid(host), signal.SIGKILL)
    pid_in(tmp_path / "pid1")
    (tmp_path / "go").touch()
    run.wait(20)
    with pytest.raises(LookupError, match="of the task"):
        run.raise_for_status()


def test_killed_host_and_kernel(host: Home, tmp_path: Path) -> None:
    source = _SUBMITS.format(folder=str(tmp_path))
    with program(tmp_path, source) as script:
        pid_in(tmp_path / "pid0")
        os.kill(host_pid(host), signal.SIGKILL)
        script.kill()
    (run,) = flyte.runs()
    (tmp_path / "go").touch()
    assert 7 == run.result()


_SUBMITS = """
import time
from pathlib import Path
import flyte_jupyter as flyte
from tests.integration.test_host import waits_for

flyte.submit(waits_for, {folder!r})
time.sleep(60)
"""


def test_killed_zygote(host: Home, tmp_path: Path) -> None:
    run = flyte.submit(waits_for, str(tmp_path))
    first = pid_in(tmp_path / "pid0")
    before = host_pid(host)
    for zygote in zygotes(host):
        zygote.kill()
    pid_in(tmp_path / "pid1")
    assert is_gone(first)
    (tmp_path / "go").touch()
    run.wait(20)
    assert 7 == run.result()
    assert ["end1"] == [path.name for path in tmp_path.glob("end*")]
    assert before == host_pid(host)
    assert 4 == flyte.run(double, 2).outputs()[0]


def test_killed_zygote_while_nothing_runs(host: Home) -> None:
    assert 2 == flyte.run(double, 1).outputs()[0]
    for zygote in zygotes(host):
        zygote.kill()
    assert 4 == flyte.run(double, 2).outputs()[0]


def test_killed_host_while_nothing_runs(host: Home) -> None:
    assert 2 == flyte.run(double, 1).outputs()[0]
    os.kill(host_pid(host), signal.SIGKILL)
    assert 4 == flyte.run(double, 2).outputs()[0]


def test_what_has_ended_is_not_run_again(host: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = session.current().runner
    launch, asked = runner.launch, []

    def remember(pod: Any) -> None:
        asked.append(pod)
        launch(pod)

    monkeypatch.setattr(runner, "launch", remember)
    flyte.run(double, 1)
    eventually(lambda: [] == (call(host, {"op": "status"}) or {})["pods"])
    launch(asked[0])
    assert [] == (call(host, {"op": "status"}) or {})["pods"]


# --- beginning and end


def test_idle_host_ends_and_begins_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IDLE_VARIABLE, "0.3")
    assert 2 == flyte.run(double, 1).outputs()[0]
    processes = host_processes(home)
    eventually(lambda: not home.socket.exists())
    eventually(lambda: all(is_gone(process.pid) for process in processes))
    assert 4 == flyte.run(double, 2).outputs()[0]


def test_host_is_not_idle_while_a_task_runs(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @env.task
    def longer_than_that() -> int:
        time.sleep(1)
        return 1

    monkeypatch.setenv(IDLE_VARIABLE, "0.2")
    run = flyte.run(longer_than_that)
    assert {0} == {attempt for _, _, attempt, *_ in run.view()["actions"][0]["history"]}


def test_who_comes_late_is_told_first_what_was_printed_so_far(host: Home, tmp_path: Path) -> None:
    """Other runners tell it right after `Synced`."""
    run = flyte.submit(waits_for, str(tmp_path))
    eventually(lambda: ["attempt 0"] == list(run.get_logs()))
    runner = LocalRunner(host, None)
    told = list(itertools.takewhile(lambda event: event != Synced(), runner.watch({"run": run.name})))
    runner.close()
    (tmp_path / "go").touch()
    run.wait()
    assert ["queued", "initializing", "running"] == [e.phase.value for e in told if isinstance(e, PodEvent)]
    assert ["attempt 0"] == [text for e in told if isinstance(e, LogEvent) for _, _, text in e.lines]


_STARTS = """
import time
import flyte_jupyter as flyte
from pathlib import Path

env = flyte.TaskEnvironment(name="script")

@env.task
def one() -> int:
    return 1

while not Path("go").exists():
    time.sleep(0.001)
print(flyte.run(one).outputs()[0])
"""


def test_two_that_start_at_once_share_a_host(home: Home, tmp_path: Path) -> None:
    with program(tmp_path, _STARTS, "a.py") as first, program(tmp_path, _STARTS, "b.py") as second:
        (tmp_path / "go").touch()
        assert [("1\n", ""), ("1\n", "")] == [first.communicate(timeout=30), second.communicate(timeout=30)]
    hosts = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if str(home.path) in (process.info["cmdline"] or ()) and "--ready-fd" in process.info["cmdline"]
    ]
    assert [host_pid(home)] == hosts


@env.task
def imports_numpy() -> bool:
    """Whether it was there before."""
    import sys

    was_there = "numpy" in sys.modules
    import numpy as np

    return was_there and bool(np.ones(1)[0])


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are loaded before the fork on Linux only")
def test_what_a_task_has_imported_is_loaded_before_the_next_fork(home: Home) -> None:
    pytest.importorskip("numpy")
    assert not flyte.run(imports_numpy).outputs()[0]
    eventually(lambda: flyte.run(imports_numpy).outputs()[0])
    override = imports_numpy.override(env_vars={"OMP_NUM_THREADS": "1"})
    assert not flyte.run(override).outputs()[0]  # it may load otherwise with that
