"""Queues: lanes of tasks with a concurrency of their own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.engine.run import Run
from flyte_jupyter.home import Home
from flyte_jupyter.pods import Phase
from tests.conftest import eventually

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="queues")
ONE = "[queues.gpu]\nconcurrency = 1\n"


@env.task
def until(gate: str) -> int:
    print("began", flush=True)
    while not Path(gate).exists():
        time.sleep(0.01)
    return 1


@env.task
def double(x: int) -> int:
    return 2 * x


@env.task(queue="gpu")
def nested(depth: int) -> int:
    return 1 if depth == 0 else nested(depth - 1) + nested(depth - 1)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


def say(home: Home, text: str) -> None:
    home.settings.write_text(text)


def holding(gate: Path) -> Run:
    """A run that has the place in the queue until the gate is there."""
    run = flyte.submit(until.override(queue="gpu"), str(gate))
    eventually(lambda: "began" in run.get_logs())
    return run


def root(run: Run) -> dict[str, Any]:
    return next(action for action in run.view()["actions"] if action["name"] == "a0")


def rows() -> list[tuple[str, int, int, int]]:
    return [(queue.name, queue.concurrency, queue.running, queue.waiting) for queue in flyte.queues()]


def test_one_at_a_time(home: Home, gate: Path) -> None:
    say(home, ONE)
    first = holding(gate)
    second, third = (flyte.submit(double.override(queue="gpu"), n) for n in (1, 2))
    eventually(lambda: "waits in queue 'gpu': 1 of 1 running, 0 before it" == root(second)["reason"])
    eventually(lambda: "waits in queue 'gpu': 1 of 1 running, 1 before it" == root(third)["reason"])
    assert Phase.QUEUED is third.phase
    assert [("gpu", 1, 1, 2)] == rows()
    assert 42 == flyte.run(double, 21).result()  # it is in no queue
    assert 42 == flyte.run(double.override(queue="other"), 21).result()
    gate.touch()
    assert [1, 2, 4] == [run.result() for run in (first, second, third)]
    assert ["queued", "initializing", "running", "succeeded"] == [step[0] for step in root(third)["history"]]
    eventually(lambda: [("gpu", 1, 0, 0)] == [row for row in rows() if row[0] == "gpu"])


def test_a_run_may_name_the_queue_of_tasks_that_name_none(home: Home, gate: Path) -> None:
    say(home, ONE)
    first = holding(gate)
    in_queue = flyte.with_runcontext(queue="gpu")
    second = in_queue.submit(double, 1)
    eventually(lambda: root(second)["reason"].startswith("waits in queue 'gpu'"))
    assert 2 == in_queue.run(double.override(queue="other"), 1).result()
    gate.touch()
    assert (1, 2) == (first.result(), second.result())


def test_tasks_of_a_queue_may_call_each_other(home: Home) -> None:
    say(home, ONE)
    assert 8 == flyte.run(nested, 3).result()


def test_queues_that_nobody_has_listed_are_as_wide_as_the_settings_say(home: Home, gate: Path) -> None:
    say(home, "[queues]\nconcurrency = 2\n")
    runs = [flyte.submit(until.override(queue="any"), str(gate)) for _ in range(3)]
    eventually(lambda: [("any", 2, 2, 1)] == rows())
    gate.touch()
    assert [1, 1, 1] == [run.result() for run in runs]


def test_settings_may_change_while_somebody_waits(home: Home, gate: Path) -> None:
    say(home, ONE)
    first = holding(gate)
    second = flyte.submit(double.override(queue="gpu"), 1)
    eventually(lambda: root(second)["reason"])
    say(home, "[queues.gpu]\nconcurrency = 2\n")
    assert 2 == second.result()
    assert [("gpu", 2, 1, 0)] == rows()
    gate.touch()
    first.wait()


def test_wrong_settings_are_told_to_who_wrote_them(home: Home) -> None:
    say(home, "[queues.gpu]\nconcurency = 1\n")
    expected = r"settings.toml, line 2: queues.gpu.concurency: 'concurency' is not accepted"
    with pytest.raises(errors.ConfigValueError, match=expected):
        flyte.run(double.override(queue="gpu"), 1)
    with pytest.raises(errors.ConfigValueError, match=expected):
        flyte.queues()
    say(home, "[queues]\ngpu = 1\n[queues.cpu]\nconcurrency = 0\n")  # a wrong type, and a wrong value
    with pytest.raises(
        errors.ConfigValueError, match=r"(?s)^2 problems.*line 2: queues.gpu: 1.*queues.cpu.concurrency: 0"
    ):
        flyte.queues()
    assert [] == flyte.runs()
    assert 2 == flyte.run(double, 1).result()
    say(home, ONE)
    assert 2 == flyte.run(double.override(queue="gpu"), 1).result()


def test_queues_as_a_table(home: Home) -> None:
    assert "no queues; they are set up in" in repr(flyte.queues())
    assert str(home.settings) in repr(flyte.queues())
    say(home, "[queues.'<b>']\nconcurrency = 3\n")
    shown = flyte.queues()
    assert ["queue", "at", "a", "time", "running", "waiting"] == repr(shown).splitlines()[0].split()
    assert ["<b>", "3", "0", "0"] == repr(shown).splitlines()[1].split()
    assert "&lt;b&gt;" in shown._repr_html_()
    assert "<b>" not in shown._repr_html_()
