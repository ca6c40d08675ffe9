"""What every `Runner` promises. A new runner is one more `Lab` in `LABS`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest

from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import Backoff, RetryStrategy
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.engine.request import Place, pod_request
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.pack.call import pack_inputs, seal_code, seal_inputs
from flyte_jupyter.pack.outcome import unseal_outcome
from flyte_jupyter.pods import Event, Failure, LogEvent, Phase, PodEvent, PodRequest, Reuse, Synced
from flyte_jupyter.runners import Runner
from flyte_jupyter.runners.local import LocalRunner
from flyte_jupyter.store import Store, keys, open_store
from flyte_jupyter.task import Task
from tests.conftest import eventually, stop_host

env = TaskEnvironment(name="contract")


@env.task
def announce(log: Path, gate: Path) -> str:
    """Leave a line, wait for the gate, leave another."""
    with log.open("a") as file:
        file.write(f"began {os.getpid()}\n")
    print("began")
    while not gate.exists():
        time.sleep(0.01)
    with log.open("a") as file:
        file.write("ended\n")
    print("ended")
    return "value"


@env.task
def call_another(log: Path, gate: Path) -> str:
    with log.open("a") as file:
        file.write(f"calls {os.getpid()}\n")
    return announce(log, gate)


@env.task
def will_not_stop(log: Path) -> None:
    with log.open("a") as file:
        file.write(f"began {os.getpid()}\n")
    while True:
        try:
            time.sleep(60)
        except BaseException as asked:  # that is what it is about
            print("asked to stop:", type(asked).__name__)


@env.task
def fail() -> None:
    raise KeyError("missing")


@env.task
def hoard() -> int:
    return len([b"x" * 1_000_000 for _ in range(100_000)])


@env.task
def sleep() -> None:
    time.sleep(60)


class Lab(Protocol):
    """A place where pods run for the tests.

    Attributes:
        home: with the key; store: that its pods can reach; reuse: the pool of all pods, if any.
    """

    home: Home
    store: Store
    reuse: Reuse | None

    def runner(self) -> Runner:
        """Another client; closed at the end."""
        ...

    def lose(self) -> None:
        """Whatever serves the clients dies without a word."""
        ...


class LocalLab:
    reuse: Reuse | None = None

    def __init__(self, home: Home) -> None:
        self.home = home.make()
        self.store = open_store(home.store_url)
        self._runners: list[Runner] = []

    def runner(self) -> Runner:
        self._runners.append(LocalRunner(self.home, "session"))
        return self._runners[-1]

    def lose(self) -> None:
        status = call(self.home, {"op": "status"})
        assert status is not None
        host = psutil.Process(status["pid"])
        family = [host, *host.children(recursive=True)]
        host.send_signal(signal.SIGKILL)
        _, left = psutil.wait_procs(family, timeout=10)
        assert [] == left

    def close(self) -> None:
        for runner in self._runners:
            runner.close()
        stop_host(self.home)


class ReplicaLab(LocalLab):
    """All pods of a test in one pool of warm processes."""

    reuse = Reuse(environment="contract", least=1, most=3)


LABS: dict[str, Callable[[Home], LocalLab]] = {"local": LocalLab, "replicas": ReplicaLab}


@pytest.fixture(params=LABS)
def lab(request: pytest.FixtureRequest, home: Home) -> Iterator[Lab]:
    made = LABS[request.param](home)
    yield made
    made.close()


class Watch:
    """Everything a watch tells, collected by a thread."""

    def __init__(self, runner: Runner, labels: Mapping[str, str]) -> None:
        self.told: list[Event | Synced] = []
        self._runner = runner
        self._labels = labels
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        for event in self._runner.watch(self._labels):
            self.told.append(event)

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def phases(self, action: str = "a0") -> list[Phase]:
        return [e.phase for e in list(self.told) if isinstance(e, PodEvent) and e.action == action]

    def lines(self, action: str = "a0") -> list[str]:
        logs = [e for e in list(self.told) if isinstance(e, LogEvent) and e.action == action]
        return [text for log in logs for _, _, text in log.lines]

    def until_synced(self) -> Watch:
        eventually(lambda: Synced() in self.told)
        return self

    def until(self, phase: Phase, action: str = "a0") -> Watch:
        eventually(lambda: phase in self.phases(action))
        return self

    def parts(self) -> tuple[list[Event | Synced], list[Event | Synced]]:
        """What was told before and after it was in sync."""
        at = self.told.index(Synced())
        return self.told[:at], self.told[at + 1 :]


def pod_for(lab: Lab, task: Task[..., Any], run: str, **inputs: Any) -> PodRequest:
    """Store a call, as a session does, and ask for its pod."""
    key = lab.home.key()
    code = seal_code(key, task)
    given = pack_inputs(task, code.digest, inputs)
    lab.store.put_if_absent(keys.code(code.digest), code.payload)
    lab.store.put(keys.inputs(run, "a0"), seal_inputs(key, given, name=f"{run}-a0"))
    place = Place(
        store=lab.store.url, python=sys.executable, cwd=os.getcwd(), path=tuple(sys.path), labels={"session": "session"}
    )
    pod = pod_request(task, place, run=run, action="a0", parent=None, work=(code, given))
    return replace(pod, reuse=lab.reuse)


def value_of(lab: Lab, run: str) -> Any:
    data = lab.store.get(keys.outcome(run, "a0"))
    return unseal_outcome(lab.home.key(), data, worker=f"{run}-a0").outputs()[0]


def said(log: Path) -> list[str]:
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def processes(log: Path) -> list[int]:
    return [int(line.split()[1]) for line in log.read_text().splitlines() if " " in line]


SUCCESS = [Phase.QUEUED, Phase.INITIALIZING, Phase.RUNNING, Phase.SUCCEEDED]


# --- launch -----------------------------------------------------------------------------------------------------------


def test_a_launched_pod_leaves_its_outcome(lab: Lab, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    gate.touch()
    runner = lab.runner()
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, announce, "r1", log=log, gate=gate))
    watch.until(Phase.SUCCEEDED)
    assert SUCCESS == watch.phases()
    assert ["began", "ended"] == watch.lines()
    assert "value" == value_of(lab, "r1")


def test_a_pod_that_fails_says_why(lab: Lab) -> None:
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    lab.runner().launch(pod_for(lab, fail, "r1"))
    watch.until(Phase.FAILED)
    last = watch.told[-1]
    assert isinstance(last, PodEvent)
    assert last.failure is not None
    assert ("KeyError", "user", "'missing'") == (last.failure.code, last.failure.kind, last.failure.message)
    with pytest.raises(KeyError, match="missing"):
        value_of(lab, "r1")


def test_launching_twice_is_harmless(lab: Lab, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    runner, other = lab.runner(), lab.runner()
    pod = pod_for(lab, announce, "r1", log=log, gate=gate)
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod)
    runner.launch(pod)
    watch.until(Phase.RUNNING)
    other.launch(pod)
    gate.touch()
    watch.until(Phase.SUCCEEDED)
    assert SUCCESS == watch.phases()
    assert ["began", "ended"] == said(log)


def test_a_launched_pod_ends_although_its_launcher_closes(lab: Lab, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    launcher = lab.runner()
    launcher.launch(pod_for(lab, announce, "r1", log=log, gate=gate))
    launcher.close()
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    gate.touch()
    watch.until(Phase.SUCCEEDED)
    assert SUCCESS == watch.phases()
    assert "value" == value_of(lab, "r1")


def test_a_deadline_also_ends_the_wait_before_another_attempt(lab: Lab) -> None:
    backoff = Backoff(base=timedelta(hours=1))
    patient = fail.override(retries=RetryStrategy(count=3, backoff=backoff), timeout=Timeout(deadline=3))
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    lab.runner().launch(pod_for(lab, patient, "r1"))
    watch.until(Phase.TIMED_OUT)
    assert [*SUCCESS[:3], Phase.QUEUED, Phase.TIMED_OUT] == watch.phases()
    assert "DeadlineExceededError" == failure_of(watch).code


def failure_of(watch: Watch) -> Failure:
    last = watch.told[-1]
    assert isinstance(last, PodEvent)
    assert last.failure is not None
    return last.failure


def test_a_pod_that_runs_too_long_says_where_it_was(lab: Lab) -> None:
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    lab.runner().launch(pod_for(lab, sleep.override(timeout=0.7), "r1"))
    watch.until(Phase.TIMED_OUT)
    failure = failure_of(watch)
    assert "MaxRuntimeExceededError" == failure.code
    assert ["sleep"] == [frame.function for frame in failure.frames]
    assert "in sleep\n    time.sleep(60)\n" in failure.traceback


@pytest.mark.skipif(sys.platform != "linux", reason="macOS ignores limits of memory")
def test_a_pod_that_needs_too_much_memory_is_ended(lab: Lab) -> None:
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    lab.runner().launch(pod_for(lab, hoard.override(resources=Resources(memory="200Mi")), "r1"))
    watch.until(Phase.FAILED)
    failure = failure_of(watch)
    assert ("OOMError", True) == (failure.code, failure.recoverable)
    assert "limit of 200 MiB" in failure.message


def test_what_is_not_there_is_told_before_anything_starts(lab: Lab) -> None:
    runner = lab.runner()
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    assert [] == runner.missing(pod_for(lab, fail, "r1"))
    (said,) = runner.missing(pod_for(lab, fail.override(resources=Resources(cpu=100_000)), "r1"))
    assert "100000 cores" in said
    assert [Synced()] == watch.told


# --- watch ------------------------------------------------------------------------------------------------------------


def test_a_watch_tells_all_so_far_then_synced_then_news(lab: Lab, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    runner = lab.runner()
    first = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, announce, "r1", log=log, gate=gate))
    first.until(Phase.RUNNING)
    eventually(lambda: ["began"] == first.lines())
    late = Watch(lab.runner(), {"run": "r1"}).until_synced()
    gate.touch()
    for watch in (first, late):
        watch.until(Phase.SUCCEEDED)
    assert [Synced()] == [e for e in late.told if isinstance(e, Synced)]
    before, after = late.parts()
    assert first.told[1:] == before + after
    assert SUCCESS[:3] == [e.phase for e in before if isinstance(e, PodEvent)]
    assert SUCCESS[3:] == [e.phase for e in after if isinstance(e, PodEvent)]
    assert [["began"], ["ended"]] == [
        [text for e in part if isinstance(e, LogEvent) for _, _, text in e.lines] for part in (before, after)
    ]


def test_a_watch_tells_of_its_labels_only(lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    runner = lab.runner()
    mine = Watch(lab.runner(), {"run": "r1", "session": "session"}).until_synced()
    both = Watch(lab.runner(), {"session": "session"}).until_synced()
    nobodys = Watch(lab.runner(), {"run": "r1", "session": "another"}).until_synced()
    for run in ("r2", "r1"):
        runner.launch(pod_for(lab, announce, run, log=tmp_path / run, gate=gate))
    eventually(lambda: 2 == both.phases().count(Phase.SUCCEEDED))
    mine.until(Phase.SUCCEEDED)
    assert {"r1"} == {e.run for e in mine.told if not isinstance(e, Synced)}
    assert {"r1", "r2"} == {e.run for e in both.told if not isinstance(e, Synced)}
    assert [Synced()] == nobodys.told


def test_a_pod_that_has_ended_is_not_told_again(lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, announce, "r1", log=tmp_path / "log", gate=gate))
    watch.until(Phase.SUCCEEDED)
    another = lab.runner()

    def told() -> list[Event | Synced]:
        return Watch(another, {"run": "r1"}).until_synced().told

    eventually(lambda: [Synced()] == told())


def test_close_ends_the_watches(lab: Lab) -> None:
    runner, other = lab.runner(), lab.runner()
    watches = [Watch(runner, {"run": "r1"}).until_synced() for _ in range(2)]
    stays = Watch(other, {"run": "r1"}).until_synced()
    runner.close()
    eventually(lambda: all(watch.over for watch in watches))
    assert not stays.over
    runner.close()  # once more is harmless


# --- stop -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("served", [False, True])
def test_stopping_an_unknown_pod_is_fine(lab: Lab, served: bool) -> None:
    runner = lab.runner()
    if served:
        Watch(runner, {}).until_synced()
    runner.stop("r0-a0", reason="Not wanted.")


def test_stop_ends_a_pod_and_what_it_has_called(lab: Lab, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, call_another, "r1", log=log, gate=gate))
    eventually(lambda: ["calls", "began"] == said(log))
    runner.stop("r1-a0", reason="Not wanted any more.")
    watch.until(Phase.ABORTED)
    last = {e.action: e for e in watch.told if isinstance(e, PodEvent)}
    assert 2 == len(last)
    assert {Phase.ABORTED} == {e.phase for e in last.values()}
    assert {("ActionAbortedError", "Not wanted any more.")} == {
        (e.failure.code, e.failure.message) for e in last.values() if e.failure is not None
    }
    is_reused = lab.reuse is not None  # then the first process goes on
    assert [is_reused, False] == [psutil.pid_exists(pid) for pid in processes(log)]
    runner.stop("r1-a0")  # once more is harmless


def test_what_does_not_stop_is_killed_after_the_grace(lab: Lab, tmp_path: Path) -> None:
    log = tmp_path / "log"
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, will_not_stop, "r1", log=log))
    eventually(lambda: ["began"] == said(log))
    runner.stop("r1-a0", grace=0.3)
    watch.until(Phase.ABORTED)
    assert 1 == len(watch.lines())  # it was asked first
    assert [False] == [psutil.pid_exists(pid) for pid in processes(log)]


# --- when the other side goes away ------------------------------------------------------------------------------------


def test_watching_again_brings_what_is_open_and_it_succeeds_once(lab: Lab, tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    done.touch()
    runner = lab.runner()
    watch = Watch(runner, {"session": "session"}).until_synced()
    runner.launch(pod_for(lab, announce, "ended", log=tmp_path / "ended", gate=done))
    watch.until(Phase.SUCCEEDED)
    for run in ("r1", "r2"):
        runner.launch(pod_for(lab, announce, run, log=tmp_path / run, gate=gate))
    eventually(lambda: [["began"], ["began"]] == [said(tmp_path / run) for run in ("r1", "r2")])
    lab.lose()
    eventually(lambda: watch.over)
    again = Watch(runner, {"session": "session"}).until_synced()
    before, _ = again.parts()
    assert {"r1", "r2"} == {e.run for e in before if isinstance(e, PodEvent)}
    eventually(lambda: [2, 2] == [said(tmp_path / run).count("began") for run in ("r1", "r2")])
    gate.touch()
    eventually(lambda: 2 == again.phases().count(Phase.SUCCEEDED))
    assert ["value", "value"] == [value_of(lab, run) for run in ("r1", "r2")]
    assert [1, 1] == [said(tmp_path / run).count("ended") for run in ("r1", "r2")]
    assert ["began", "ended"] == said(tmp_path / "ended")
    ended = [e.run for w in (watch, again) for e in w.told if isinstance(e, PodEvent) and e.phase.is_terminal]
    assert ["ended", "r1", "r2"] == sorted(ended)
    assert {1} == {e.attempt for e in again.told if isinstance(e, PodEvent)}


def test_launching_again_after_a_loss_is_harmless(lab: Lab, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    runner = lab.runner()
    pod = pod_for(lab, announce, "r1", log=log, gate=gate)
    runner.launch(pod)
    eventually(lambda: ["began"] == said(log))
    lab.lose()
    runner.launch(pod)
    watch = Watch(runner, {"run": "r1"}).until_synced()
    eventually(lambda: ["began", "began"] == said(log))
    gate.touch()
    watch.until(Phase.SUCCEEDED)
    assert ["began", "began", "ended"] == said(log)
    assert 1 == watch.phases().count(Phase.SUCCEEDED)


def test_a_stop_outlives_the_loss(lab: Lab, tmp_path: Path) -> None:
    """A pod that was stopped is not taken up again by whoever comes next."""
    log, gate = tmp_path / "log", tmp_path / "gate"
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, announce, "r1", log=log, gate=gate))
    eventually(lambda: ["began"] == said(log))
    runner.stop("r1-a0")
    watch.until(Phase.ABORTED)
    lab.lose()
    assert [Synced()] == Watch(runner, {"run": "r1"}).until_synced().told
    assert ["began"] == said(log)
