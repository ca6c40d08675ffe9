"""The engine when something goes wrong: news that fail, runs of others, what is damaged or gone."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.engine.run import Run
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.pods import PodRequest, Synced
from flyte_jupyter.store import keys
from tests.conftest import eventually, forget_session, host_processes
from tests.integration.processes import is_gone, pid_in, program

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="engine")


@env.task
def adds(x: int) -> int:
    return x + 1


@env.task
def says(x: int) -> int:
    print(x)
    return x + 1


@env.task
def waits_for(place: str) -> int:
    Path(place + ".pid").write_text(f"{os.getpid()}\n")
    while not Path(place).exists():
        time.sleep(0.01)
    return 7


def lose_host(home: Home) -> None:
    processes = host_processes(home)
    processes[0].kill()
    psutil.wait_procs(processes, timeout=10)


def news_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "flyte-jupyter-news"]


# --- news


def test_a_subscriber_that_fails_is_told_of_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> None:
        raise ValueError("in the subscriber")

    heard: list[str] = []
    run = flyte.submit(waits_for, str(tmp_path / "go"))
    run.subscribe(fails)
    run.subscribe(lambda: heard.append(run.phase.value))
    with caplog.at_level(logging.ERROR, "flyte_jupyter"):
        (tmp_path / "go").touch()
        run.wait(10)
        eventually(lambda: "succeeded" in heard)
    assert "in the subscriber" in caplog.text
    assert 2 == flyte.run(adds, 1).result()


def test_a_listener_that_fails_is_told_of_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    engine = session.current().engine

    def start(run: Run) -> None:
        engine.news.listen(run.name, lambda _: {}["no such key"])

    flyte.context.observers.append(start)
    try:
        assert 2 == flyte.run(adds, 1).result()
    finally:
        flyte.context.observers.remove(start)
    assert "no such key" in caplog.text


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), ValueError("a message of 9 bytes")])
def test_a_watch_that_breaks_begins_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    runner = session.current().runner
    watch = runner.watch
    broken: list[Exception] = []

    def breaks(labels: Any) -> Any:
        if len(broken) < 2:
            broken.append(error)
            raise error
        return watch(labels)

    monkeypatch.setattr(runner, "watch", breaks)
    run = flyte.submit(adds, 1)
    run.wait(10)
    assert (2, 2) == (run.result(), len(broken))
    assert str(error) in caplog.text


def test_what_ended_before_the_watch_began_is_in_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    here = session.current()
    watch, places = here.runner.watch, {keys.actions(run.name) for run in flyte.runs()}

    def have_ended() -> bool:
        (folder,) = {keys.actions(run.name) for run in flyte.runs()} - places
        run = folder.split("/")[1]
        return 2 == len([name for name in here.store.list(folder) if is_there(keys.status(run, name))])

    def is_there(key: str) -> bool:
        try:
            return bool(here.store.get(key))
        except KeyError:
            return False

    def is_late(labels: Any) -> Any:
        eventually(have_ended)
        return watch(labels)

    monkeypatch.setattr(here.runner, "watch", is_late)
    assert [2, 3] == list(flyte.map(says, [1, 2]))
    view = flyte.runs()[0].view()
    called = [action for action in view["actions"] if action["name"] != "a0"]
    assert ["succeeded", "succeeded"] == [action["phase"] for action in called]
    assert {"1", "2"} == {view["logs"][action["name"]]["lines"][0][3] for action in called}


def test_a_watch_that_stays_broken_is_the_error_of_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    here = session.current()
    watch = here.runner.watch

    def breaks(labels: Any) -> Any:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("flyte_jupyter.engine.news._RETRY_WATCH", (0.0, 0.0))
    monkeypatch.setattr(here.runner, "watch", breaks)
    run = flyte.submit(adds, 1)
    with pytest.raises(OSError, match="Too many open files"):
        run.wait(10)
    monkeypatch.setattr(here.runner, "watch", watch)
    assert 3 == flyte.run(adds, 2).result()


def test_a_damaged_status_is_the_error_of_its_run_alone(home: Home, tmp_path: Path) -> None:
    here = session.current()
    damaged, other = (flyte.submit(waits_for, str(tmp_path / name)) for name in ("damaged", "other"))
    pid_in(tmp_path / "damaged.pid")
    pid_in(tmp_path / "other.pid")
    here.store.put(keys.status(damaged.name, "a0"), [b"[{"])
    lose_host(home)
    (tmp_path / "other").touch()
    with pytest.raises(errors.StoreError, match="cannot be read"):
        damaged.wait(15)
    other.wait(15)
    assert 7 == other.result()


def test_without_an_outcome_the_last_event_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flyte_jupyter.engine.kept.outcome", lambda *_: None)
    failed, succeeded = flyte.submit(fails_with, "this"), flyte.submit(adds, 1)
    failed.wait(10)
    succeeded.wait(10)
    with pytest.raises(errors.RuntimeUserError, match="this"):
        failed.raise_for_status()
    with pytest.raises(errors.RuntimeSystemError, match="has left no outcome"):
        succeeded.result()


@env.task
def fails_with(text: str) -> None:
    raise LookupError(text)


# --- cancelling without a Host


def test_cancel_while_there_is_no_host(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(waits_for, str(tmp_path / "go"))
    pid = pid_in(tmp_path / "go.pid")
    forget_session()  # nobody else starts another Host
    lose_host(home)
    eventually(lambda: is_gone(pid))
    again = flyte.get_run(run.name)
    session.current().runner.stop(f"{run.name}-a0", reason="not wanted")
    again.wait(10)
    assert "aborted" == again.phase.value
    with pytest.raises(errors.ActionAbortedError, match="not wanted"):
        again.result()


def test_cancel_of_what_is_over_starts_no_host(home: Home) -> None:
    run = flyte.run(adds, 1)
    forget_session()
    lose_host(home)
    session.current().runner.stop(f"{run.name}-a0")
    assert call(home, {"op": "status"}) is None


def test_items_of_a_map_that_are_cancelled_while_there_is_no_host_stay_so(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flyte_jupyter.engine.news._RETRY_WATCH", (1.0, 1.0))  # the cancel is faster
    values = flyte.map(waits_for, [str(tmp_path / "first"), str(tmp_path / "second")])
    (tmp_path / "first").touch()
    assert 7 == next(values)
    pid = pid_in(tmp_path / "second.pid")
    lose_host(home)
    eventually(lambda: is_gone(pid))
    (tmp_path / "second.pid").unlink()
    values.close()  # type: ignore[attr-defined]
    assert 2 == flyte.run(adds, 1).result()
    eventually(lambda: call(home, {"op": "status"})["pods"] == [])  # type: ignore[index]
    pids = tmp_path / "second.pid"
    assert not pids.exists() or is_gone(pid_in(pids))


# --- starting


def test_what_is_just_being_launched_is_launched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch that has told what is open must not take it for lost."""
    here = session.current()
    watch, launch = here.runner.watch, here.runner.launch
    asked: list[str] = []
    is_launching, has_caught_up = threading.Event(), threading.Event()

    def watches(labels: Any) -> Any:
        for event in watch(labels):
            if isinstance(event, Synced):
                is_launching.wait(10)
            yield event
            if isinstance(event, Synced):
                has_caught_up.set()

    def launches(pod: PodRequest) -> None:
        asked.append(pod.name)
        is_launching.set()
        has_caught_up.wait(10)
        launch(pod)

    monkeypatch.setattr(here.runner, "watch", watches)
    monkeypatch.setattr(here.runner, "launch", launches)
    run = flyte.run(adds, 1)
    assert (2, [f"{run.name}-a0"]) == (run.result(), asked)


@pytest.mark.parametrize("error", [errors.HostError("no Host today"), KeyboardInterrupt()])
def test_a_run_that_could_not_be_launched_has_ended(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    here = session.current()

    def fails(pod: PodRequest) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(here.runner, "launch", fails)
        with pytest.raises(type(error)):
            flyte.submit(adds, 1)
    assert {} == here.engine.news._listeners
    forget_session()
    (run,) = flyte.runs()
    expected = "failed" if isinstance(error, Exception) else "aborted"
    assert (expected, True) == (run.phase.value, run.done())
    with pytest.raises(errors.BaseRuntimeError, match="no Host today" if expected == "failed" else "interrupted"):
        run.result()
    assert {} == here.engine.news._waiting


def test_a_run_that_was_not_handed_over_is_cancelled(tmp_path: Path) -> None:
    def interrupts(run: Run) -> None:
        pid_in(tmp_path / "go.pid")
        raise KeyboardInterrupt

    flyte.context.observers.append(interrupts)
    try:
        with pytest.raises(KeyboardInterrupt):
            flyte.submit(waits_for, str(tmp_path / "go"))
    finally:
        flyte.context.observers.remove(interrupts)
    eventually(lambda: is_gone(pid_in(tmp_path / "go.pid")))
    assert {} == session.current().engine.news._listeners
    forget_session()
    assert "aborted" == flyte.runs()[0].phase.value


def test_an_interrupted_question_gets_nobody_elses_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = session.current().runner
    runner.prepare()
    channel: Any = runner._channel

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(channel, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner.prepare()
    assert runner._channel is None
    assert 2 == flyte.run(adds, 1).result()


def test_damaged_code_is_sent_again(home: Home) -> None:
    assert 2 == flyte.run(adds, 1).result()
    for blob in (home.path / "store" / "code").iterdir():
        blob.write_bytes(b"")
    with pytest.raises(errors.RuntimeSystemError) as caught:
        flyte.run(adds, 1)
    assert "PayloadDamaged" == caught.value.code
    assert 2 == flyte.run(adds, 1).result()
    for blob in (home.path / "store" / "code").iterdir():
        blob.write_bytes(b"")
    forget_session()
    assert 2 == flyte.run(adds, 1).result()


def test_inputs_of_another_call_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    here = session.current()
    first = flyte.run(adds, 1)
    launch = here.runner.launch

    def exchange(pod: PodRequest) -> None:
        here.store.put(keys.inputs(pod.run, pod.action), [here.store.get(keys.inputs(first.name, "a0"))])
        launch(pod)

    monkeypatch.setattr(here.runner, "launch", exchange)
    with pytest.raises(errors.RuntimeSystemError, match=f"made for inputs {first.name}-a0") as caught:
        flyte.run(adds, 2)
    assert "PayloadMisplaced" == caught.value.code


def test_code_of_another_task_is_refused(home: Home) -> None:
    @env.task
    def other(x: int) -> int:
        return -x

    flyte.run(other, 1)
    (wrong,) = [path.read_bytes() for path in (home.path / "store" / "code").iterdir()]
    flyte.run(adds, 1)
    for path in (home.path / "store" / "code").iterdir():
        path.write_bytes(wrong)
    with pytest.raises(errors.RuntimeSystemError, match="made for code"):
        flyte.run(adds, 2)


# --- runs of others


_SUBMITS = """
import time
import flyte_jupyter as flyte
from pathlib import Path

env = flyte.TaskEnvironment(name="script")

@env.task
def slow(x: int) -> int:
    while not Path(f"go").exists():
        time.sleep(0.01)
    return x

runs = [flyte.submit(slow, x) for x in range(3)]
Path("submitted").write_text("0\\n")
time.sleep(60)
"""


def test_attached_runs_leave_nothing_behind(tmp_path: Path) -> None:
    with program(tmp_path, _SUBMITS):
        pid_in(tmp_path / "submitted")
        flyte.prepare()
        process = psutil.Process()
        before, threads = process.num_fds(), len(news_threads())
        runs = flyte.runs()
        assert [False] * 3 == [run.done() for run in runs]
        assert threads + 3 == len(news_threads())
        (tmp_path / "go").touch()
        assert [2, 1, 0] == [run.result() for run in runs]
        eventually(lambda: (threads, before) == (len(news_threads()), process.num_fds()))


def forged(name: str, created: float) -> None:
    """A record without anything else, as of a kernel that died before it had launched the run."""
    here = session.current()
    run = flyte.run(adds, 1)
    record = json.loads(bytes(here.store.get(keys.record(run.name))))
    record.update(run=name, created=created)
    record["pod"]["run"] = name
    here.store.put(keys.inputs(name, "a0"), [here.store.get(keys.inputs(run.name, "a0"))])
    here.store.put(keys.record(name), [json.dumps(record).encode()])


def test_attaching_never_launches(home: Home) -> None:
    forged("rzzzzzzzzz1", time.time() - 3600)
    run = flyte.get_run("rzzzzzzzzz1")
    assert "aborted" == run.phase.value
    with pytest.raises(errors.RunNotFoundError):
        run.result()
    forged("rzzzzzzzzz2", time.time())
    assert "queued" == flyte.get_run("rzzzzzzzzz2").phase.value
    assert [] == session.current().store.list("runs/rzzzzzzzzz1/actions/a0/log.")
    assert ["inputs"] == session.current().store.list("runs/rzzzzzzzzz2/actions/a0/")


def test_an_attached_map_ends_with_its_kernel(tmp_path: Path) -> None:
    values = flyte.map(waits_for, [str(tmp_path / "first"), str(tmp_path / "second")])
    (tmp_path / "first").touch()
    assert 7 == next(values)
    here, session._current = session._current, None
    try:
        run = flyte.runs()[0]
        assert "running" == run.phase.value
        (tmp_path / "second").touch()
        assert [7] == list(values)
        assert "succeeded" == run.phase.value
        assert "all items succeeded" == run.result()
        eventually(lambda: 1 == len(news_threads()))
    finally:
        assert here is not None
        here.close()


# --- what is written down


def test_credentials_are_in_no_record(home: Home) -> None:
    task = adds.override(env_vars={"API_TOKEN": "hunter2", "MODE": "fast", "Db_Password": "hunter3"})
    run = flyte.run(task, 1)
    record = (home.path / "store" / keys.record(run.name)).read_text()
    assert "hunter" not in record
    shown = json.dumps(run.view()["config"], ensure_ascii=False)
    assert "hunter" not in shown
    for word in ("API_TOKEN", "Db_Password", "MODE=fast", "…"):
        assert word in shown
