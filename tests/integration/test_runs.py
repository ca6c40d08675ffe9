"""Runs as they are cancelled, as they outlive their kernel, and as they are listed."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.engine.engine import Engine
from flyte_jupyter.home import Home
from flyte_jupyter.host.machine.admission import SLOTS_VARIABLE
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore
from tests.conftest import eventually, forget_session
from tests.integration.processes import is_gone, pid_in, program

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="runs")


@env.task
async def adds(x: int, y: int = 1) -> int:
    print(f"adding {x} and {y}")
    return x + y


@env.task
def stays(place: str) -> None:
    Path(place).write_text(f"{os.getpid()}\n")
    time.sleep(60)


# --- cancelling


def test_cancel_what_runs(tmp_path: Path) -> None:
    run = flyte.submit(stays, str(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    run.cancel("enough")
    run.wait(10)
    assert "aborted" == run.phase.value
    with pytest.raises(errors.ActionAbortedError, match="enough"):
        run.raise_for_status()
    assert is_gone(pid)


def test_cancel_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SLOTS_VARIABLE, "1")
    first = flyte.submit(stays, str(tmp_path / "first"))
    pid_in(tmp_path / "first")
    second = flyte.submit(stays, str(tmp_path / "second"))
    second.cancel()
    second.wait(10)
    assert ("running", "aborted") == (first.phase.value, second.phase.value)
    assert not (tmp_path / "second").exists()
    first.cancel()
    first.wait(10)


def test_cancel_what_has_ended() -> None:
    run = flyte.run(adds, 1)
    run.cancel()
    assert ("succeeded", 2) == (run.phase.value, run.outputs()[0])


def test_abort_is_flytes_name_for_it(tmp_path: Path) -> None:
    run = flyte.submit(stays, str(tmp_path / "pid"))
    run.abort()
    run.wait(10)
    assert "aborted" == run.phase.value


_WAITS = """
import os, time
import flyte_jupyter as flyte
from pathlib import Path
from typing import NamedTuple

env = flyte.TaskEnvironment(name="script")

@env.task
def stays() -> None:
    Path("pid").write_text(f"{os.getpid()}\\n")
    time.sleep(60)

flyte.run(stays)
"""


def test_ctrl_c_cancels_the_run(tmp_path: Path) -> None:
    with program(tmp_path, _WAITS) as script:
        pid = pid_in(tmp_path / "pid")
        script.send_signal(signal.SIGINT)
        _, err = script.communicate(timeout=20)
    assert is_gone(pid)
    assert 0 != script.returncode
    assert "Interrupted: stays" in err
    assert "was cancelled and has ended: aborted" in err
    assert "aborted" == flyte.runs()[0].phase.value


# --- runs of other kernels


_SUBMITS = """
import time
import flyte_jupyter as flyte
from pathlib import Path
from typing import NamedTuple

env = flyte.TaskEnvironment(name="script")

@env.task
def slow() -> str:
    print("begun")
    while not Path("go").exists():
        time.sleep(0.01)
    print("ended")
    return "done"

run = flyte.submit(slow)
Path("submitted").write_text("0\\n")
time.sleep(60)
"""


def test_a_run_outlives_its_kernel(tmp_path: Path) -> None:
    with program(tmp_path, _SUBMITS) as script:
        pid_in(tmp_path / "submitted")
        script.kill()
        script.wait()
    (run,) = flyte.runs()
    eventually(lambda: ["begun"] == list(run.get_logs()))
    assert ("slow", "running") == (run.title, run.phase.value)
    assert run.view()["reattached"]
    (tmp_path / "go").touch()
    assert "done" == run.result()
    assert ["begun", "ended"] == list(run.get_logs())

    forget_session()
    (again,) = flyte.runs()
    assert ("succeeded", "done") == (again.phase.value, again.result())
    assert ["begun", "ended"] == list(again.get_logs())
    assert ["queued", "initializing", "running", "succeeded"] == [
        step[0] for step in again.view()["actions"][0]["history"]
    ]


def test_a_run_that_is_about_to_start_is_looked_for_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look lists what a cluster has."""
    here = session.current()
    task = adds.override(short_name="soon")
    pod = here.plan(task, (1,), {}).pod
    here.record(task, here.sites.local, pod.run, {}, pod)
    forget_session()
    looks = []
    snapshot = Engine.snapshot
    monkeypatch.setattr(Engine, "snapshot", lambda *which: looks.append(which) or snapshot(*which))
    run = flyte.get_run(pod.run)
    with pytest.raises(TimeoutError):
        run.wait(1.0)
    assert 1 < len(looks) < 10


def test_runs_are_listed_newest_first() -> None:
    names = [flyte.run(adds, x).name for x in range(3)]
    assert names[::-1] == [run.name for run in flyte.runs()]
    assert names[:0:-1] == [run.name for run in flyte.runs(limit=2)]
    assert 3 == flyte.get_run(names[2]).result()


def test_there_is_no_such_run() -> None:
    with pytest.raises(errors.RunNotFoundError, match="no run 'r0'"):
        flyte.get_run("r0")


class Fit(NamedTuple):
    slope: float
    name: str


@env.task
def fits() -> Fit:
    return Fit(2.0, "a")


def test_a_result_is_what_the_task_returned() -> None:
    run = flyte.run(fits)
    assert (Fit, Fit(2.0, "a")) == (type(run.result()), run.result())
    assert (2.0, "a") == (run.outputs().slope, run.outputs()[1])


def test_a_damaged_outcome_spoils_no_list() -> None:
    name = flyte.run(fits).name
    store = session.current().store
    assert isinstance(store, FileStore)
    path = Path(store.path(keys.outcome(name, "a0")))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    forget_session()
    [run] = flyte.runs()
    assert ("succeeded", None) == (run.phase, run.view()["result"])
    with pytest.raises(errors.RuntimeSystemError, match="is damaged"):
        run.result()


def test_a_run_that_is_just_being_written_down_is_not_listed_yet(home: Home) -> None:
    done = flyte.run(adds, 1)
    folder = home.path / "store" / "runs" / "rzzzzzzzzzzzzzz"
    folder.mkdir()
    (folder / ".record.json.draft").write_text("{")
    assert [done.name] == [run.name for run in flyte.runs()]
    assert [done.name] == [run.name for run in flyte.runs(1)]


def test_runs_of_a_cluster_that_is_not_reached_are_left_out(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    run = flyte.run(adds, 1)
    here = session.current()
    record = here.find(run.name)
    assert record is not None
    there = {**record, "run": f"{run.name}x", "mode": "remote", "site": "far/away", "cluster": {"context": "nowhere"}}
    here.store.put(keys.record(there["run"]), [json.dumps(there).encode()])
    monkeypatch.setenv("KUBECONFIG", str(home.path / "none"))
    with pytest.warns(UserWarning, match="far/away are left out"):
        assert [run.name] == [each.name for each in flyte.runs()]
