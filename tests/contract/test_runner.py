"""What every `Runner` promises. A new runner is one more `Lab` in `LABS`."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import Backoff, RetryStrategy
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.engine.request import pod_request
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.home import Home
from flyte_jupyter.pack.call import pack_inputs, seal_code, seal_inputs
from flyte_jupyter.pack.outcome import unseal_outcome
from flyte_jupyter.pods import Event, Failure, LogEvent, Phase, PodEvent, PodRequest, Reuse, Synced
from flyte_jupyter.runners import Runner
from flyte_jupyter.store import keys
from flyte_jupyter.task import Task
from tests.conftest import eventually
from tests.contract.in_cluster import in_cluster, require_shared, shared
from tests.contract.labs import Lab, local

SHARED = Path(tempfile.gettempdir()) / f"fj-contract-{secrets.token_hex(4)}"
"""A folder that tests and tasks see; pods do, where nodes see this machine."""
plain = TaskEnvironment(name="plain")
env = plain.clone_with(name="contract", pod_template=PodTemplate(pod_spec=shared(SHARED)))


def enter(log: Path, word: str) -> None:
    """Leave a line, and a lock that only goes with this process and all that it has forked."""
    name = secrets.token_hex(4)
    lock = os.open(log.with_name(name), os.O_CREAT | os.O_RDWR, 0o666)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with log.open("a") as file:
        file.write(f"{word} {name}\n")


@env.task
def announce(log: Path, gate: Path) -> str:
    """Leave a line, wait for the gate, leave another."""
    enter(log, "began")
    print("began")
    while not gate.exists():
        time.sleep(0.01)
    with log.open("a") as file:
        file.write("ended\n")
    print("ended")
    return "value"


@env.task
def call_another(log: Path, gate: Path) -> str:
    enter(log, "calls")
    return announce(log, gate)


@env.task
def will_not_stop(log: Path) -> None:
    enter(log, "began")
    while True:
        try:
            time.sleep(60)
        except BaseException as asked:  # that is what it is about
            print("asked to stop:", type(asked).__name__)


@plain.task
def fail() -> None:
    raise KeyError("missing")


@plain.task
def hoard() -> int:
    return len([b"x" * 1_000_000 for _ in range(100_000)])


@plain.task
def sleep() -> None:
    time.sleep(60)


Open = Callable[[pytest.FixtureRequest, Home], contextlib.AbstractContextManager[Lab]]


def _cluster(
    request: pytest.FixtureRequest, home: Home, *, with_bucket: bool
) -> contextlib.AbstractContextManager[Lab]:
    request.getfixturevalue("nodes")
    cluster, image = request.getfixturevalue("cluster"), request.getfixturevalue("image")
    return in_cluster(cluster, image, home, with_bucket=with_bucket)


LABS: dict[str, Open] = {
    "local": lambda _, home: local(home),
    "replicas": lambda _, home: local(home, Reuse(environment="contract", least=1, most=3)),
    "cluster": functools.partial(_cluster, with_bucket=False),
    "bucket": functools.partial(_cluster, with_bucket=True),
}
leaves_something = pytest.mark.parametrize("lab", LABS, indirect=True)
"""What a pod leaves for whoever comes goes another way where there is a bucket; all else is the same there."""


@pytest.fixture(params=[name for name in LABS if name != "bucket"])
def lab(request: pytest.FixtureRequest, home: Home) -> Iterator[Lab]:
    with LABS[request.param](request, home) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def _shared() -> Iterator[None]:
    SHARED.mkdir()
    SHARED.chmod(0o777)  # pods are somebody else
    yield
    shutil.rmtree(SHARED)


@pytest.fixture(scope="module")
def nodes(_shared: None, kubeconfig: str, image: str) -> None:
    """They see the files of this machine."""
    require_shared(kubeconfig, image, SHARED)


@pytest.fixture
def folder() -> Path:
    """Of one test, that its tasks see."""
    made = SHARED / secrets.token_hex(4)
    made.mkdir()
    made.chmod(0o777)
    return made


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
        """Of the actions of that name, in their order; a phase that is told again in other words counts once."""
        return phases_of(e for e in list(self.told) if isinstance(e, PodEvent) and e.action == action)

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


def phases_of(events: Iterable[PodEvent]) -> list[Phase]:
    return [
        phase for _, group in itertools.groupby(events, key=lambda e: (e.run, e.phase)) for phase in [next(group).phase]
    ]


def pod_for(lab: Lab, task: Task[..., Any], run: str, **inputs: Any) -> PodRequest:
    """Store a call, as a session does, and ask for its pod."""
    code = seal_code(lab.key, task)
    given = pack_inputs(task, code.digest, inputs)
    lab.store.put_if_absent(keys.code(code.digest), code.payload)
    lab.store.put(keys.inputs(run, "a0"), seal_inputs(lab.key, given, name=f"{run}-a0"))
    pod = pod_request(task, lab.place, run=run, action="a0", parent=None, work=(code, given))
    return replace(pod, reuse=lab.reuse or pod.reuse)


def value_of(lab: Lab, run: str) -> Any:
    data = lab.store.get(keys.outcome(run, "a0"))
    return unseal_outcome(lab.key, data, worker=f"{run}-a0").outputs()[0]


def said(log: Path) -> list[str]:
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def alive(log: Path) -> list[bool]:
    """Of the processes that have entered there, whether they run."""
    names = [line.split()[1] for line in log.read_text().splitlines() if " " in line]
    return [is_locked(log.with_name(name)) for name in names]


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


SUCCESS = [Phase.QUEUED, Phase.INITIALIZING, Phase.RUNNING, Phase.SUCCEEDED]


# --- launch -----------------------------------------------------------------------------------------------------------


@leaves_something
def test_a_launched_pod_leaves_its_outcome(lab: Lab, folder: Path) -> None:
    log, gate = folder / "log", folder / "gate"
    gate.touch()
    runner = lab.runner()
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, announce, "r1", log=log, gate=gate))
    watch.until(Phase.SUCCEEDED)
    assert SUCCESS == watch.phases()
    assert ["began", "ended"] == watch.lines()
    assert "value" == value_of(lab, "r1")


@leaves_something
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


def test_launching_twice_is_harmless(lab: Lab, folder: Path) -> None:
    log, gate = folder / "log", folder / "gate"
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


@leaves_something
def test_a_launched_pod_ends_although_its_launcher_closes(lab: Lab, folder: Path) -> None:
    log, gate = folder / "log", folder / "gate"
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
    patient = fail.override(
        retries=RetryStrategy(count=3, backoff=backoff), timeout=Timeout(deadline=lab.starts_within)
    )
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
    lab.runner().launch(pod_for(lab, hoard.override(resources=Resources(memory=("200Mi", "200Mi"))), "r1"))
    watch.until(Phase.FAILED)
    failure = failure_of(watch)
    assert ("OOMError", True) == (failure.code, failure.recoverable)
    assert "limit of 200 MiB" in failure.message


def test_what_is_not_there_is_told_before_anything_starts(lab: Lab) -> None:
    runner = lab.runner()
    watch = Watch(lab.runner(), {"run": "r1"}).until_synced()
    assert [] == runner.missing(pod_for(lab, fail, "r1"))
    settings, what = lab.lacks
    (said,) = runner.missing(pod_for(lab, fail.override(**settings), "r1"))
    assert what in said
    assert [Synced()] == watch.told


# --- watch ------------------------------------------------------------------------------------------------------------


def test_a_watch_tells_all_so_far_then_synced_then_news(lab: Lab, folder: Path) -> None:
    log, gate = folder / "log", folder / "gate"
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
    assert (SUCCESS, ["began", "ended"]) == (late.phases(), late.lines())
    before, _ = late.parts()
    known = phases_of(e for e in before if isinstance(e, PodEvent))
    assert known
    assert SUCCESS[:3][: len(known)] == known


def test_a_watch_tells_of_its_labels_only(lab: Lab, folder: Path) -> None:
    gate = folder / "gate"
    gate.touch()
    runner = lab.runner()
    mine = Watch(lab.runner(), {"run": "r1", "session": "session"}).until_synced()
    both = Watch(lab.runner(), {"session": "session"}).until_synced()
    nobodys = Watch(lab.runner(), {"run": "r1", "session": "another"}).until_synced()
    for run in ("r2", "r1"):
        runner.launch(pod_for(lab, announce, run, log=folder / run, gate=gate))
    eventually(lambda: 2 == both.phases().count(Phase.SUCCEEDED))
    mine.until(Phase.SUCCEEDED)
    assert {"r1"} == {e.run for e in mine.told if not isinstance(e, Synced)}
    assert {"r1", "r2"} == {e.run for e in both.told if not isinstance(e, Synced)}
    assert [Synced()] == nobodys.told


def test_a_pod_that_has_ended_is_not_told_again(lab: Lab, folder: Path) -> None:
    gate = folder / "gate"
    gate.touch()
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, announce, "r1", log=folder / "log", gate=gate))
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


@leaves_something
def test_stop_ends_a_pod_and_what_it_has_called(lab: Lab, folder: Path) -> None:
    log, gate = folder / "log", folder / "gate"
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, call_another, "r1", log=log, gate=gate))
    eventually(lambda: 2 == sum(isinstance(e, PodEvent) and e.phase is Phase.RUNNING for e in list(watch.told)))
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
    assert [is_reused, False] == alive(log)
    runner.stop("r1-a0")  # once more is harmless


def test_what_does_not_stop_is_killed_after_the_grace(lab: Lab, folder: Path) -> None:
    log = folder / "log"
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, will_not_stop, "r1", log=log))
    watch.until(Phase.RUNNING)
    eventually(lambda: ["began"] == said(log))
    runner.stop("r1-a0", grace=0.3)
    watch.until(Phase.ABORTED)
    assert 1 == len(watch.lines())  # it was asked first
    assert [False] == alive(log)


# --- when the other side goes away ------------------------------------------------------------------------------------


@leaves_something
def test_watching_again_brings_what_is_open_and_it_succeeds_once(lab: Lab, folder: Path) -> None:
    gate, done = folder / "gate", folder / "done"
    done.touch()
    runner = lab.runner()
    watch = Watch(runner, {"session": "session"}).until_synced()
    runner.launch(pod_for(lab, announce, "ended", log=folder / "ended", gate=done))
    watch.until(Phase.SUCCEEDED)
    for run in ("r1", "r2"):
        runner.launch(pod_for(lab, announce, run, log=folder / run, gate=gate))
    eventually(lambda: {("ended", 0), ("r1", 0), ("r2", 0)} == running(watch.told))
    eventually(lambda: [["began"], ["began"]] == [said(folder / run) for run in ("r1", "r2")])
    lab.lose()
    again = Watch(runner, {"session": "session"}).until_synced()
    before, _ = again.parts()
    assert {"r1", "r2"} == {e.run for e in before if isinstance(e, PodEvent)}
    eventually(lambda: [2, 2] == [said(folder / run).count("began") for run in ("r1", "r2")])
    gate.touch()
    eventually(lambda: 2 == again.phases().count(Phase.SUCCEEDED))
    assert ["value", "value"] == [value_of(lab, run) for run in ("r1", "r2")]
    assert [1, 1] == [said(folder / run).count("ended") for run in ("r1", "r2")]
    assert ["began", "ended"] == said(folder / "ended")
    assert ["r1", "r2"] == sorted(ends(again.told))

    def heard() -> list[Event | Synced]:
        """By who watches again when a watch has ended."""
        return [*watch.told, *(again.told if watch.over else ())]

    eventually(lambda: ["ended", "r1", "r2"] == sorted(ends(heard())))
    assert {("ended", 0), ("r1", 0), ("r1", 1), ("r2", 0), ("r2", 1)} == running(heard())


def running(told: list[Event | Synced]) -> set[tuple[str, int]]:
    """The attempts of first actions of which it tells that they run, by their runs."""
    return {(e.run, e.attempt) for e in list(told) if isinstance(e, PodEvent) and e.phase is Phase.RUNNING}


def ends(told: list[Event | Synced]) -> list[str]:
    """The runs of whose end it tells."""
    return [e.run for e in list(told) if isinstance(e, PodEvent) and e.phase.is_terminal]


def test_launching_again_after_a_loss_is_harmless(lab: Lab, folder: Path) -> None:
    log, gate = folder / "log", folder / "gate"
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


@leaves_something
def test_a_stop_outlives_the_loss(lab: Lab, folder: Path) -> None:
    """A pod that was stopped is not taken up again by whoever comes next."""
    log, gate = folder / "log", folder / "gate"
    runner = lab.runner()
    watch = Watch(runner, {"run": "r1"}).until_synced()
    runner.launch(pod_for(lab, announce, "r1", log=log, gate=gate))
    eventually(lambda: ["began"] == said(log))
    runner.stop("r1-a0")
    watch.until(Phase.ABORTED)
    lab.lose()
    assert [Synced()] == Watch(runner, {"run": "r1"}).until_synced().told
    assert ["began"] == said(log)
