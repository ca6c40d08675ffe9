"""`flyte.progress` in real tasks: what cards hear of it, live and later."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from flyte_jupyter.pods import Event
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore
from flyte_jupyter.vitals import VitalsEvent
from tests.conftest import eventually, forget_session

env = flyte.TaskEnvironment(name="progressing")


@env.task
def counts(number: int, gate: Path) -> int:
    for _ in flyte.progress(range(number), unit="rows", description="counting"):
        pass
    while not gate.exists():
        time.sleep(0.01)
    return number


@env.task
def stops(number: int) -> None:
    for n in flyte.progress(range(number)):
        if n == 7:
            raise ValueError("at seven")


@env.task
def calls(gate: Path) -> int:
    return counts(5, gate)


@env.task
def forks() -> list[int]:
    exits = []
    for _ in flyte.progress(range(10)):
        pid = os.fork()
        if pid == 0:
            list(flyte.progress(range(1000)))  # in a process of the task's own: nobody hears of it
            os._exit(3)
        exits.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return exits


def bars(run: flyte.Run, action: int = 0, attempt: str = "0") -> list[tuple[str, Any, Any, bool]]:
    of = run.view()["actions"]
    shown = of[action]["vitals"].get(attempt, {"bars": []}) if action < len(of) else {"bars": []}
    return [(bar["description"], bar["done"], bar["total"], bar["is_over"]) for bar in shown["bars"]]


def test_a_million_steps_are_a_few_messages(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(counts, 1_000_000, tmp_path / "gate")
    heard: list[Event] = []
    run._engine.news.listen(run.name, heard.append)
    eventually(lambda: bars(run) == [("counting", 1_000_000, 1_000_000, True)])
    (tmp_path / "gate").touch()
    run.wait()
    assert 60 > sum(isinstance(event, VitalsEvent) for event in heard)


def test_who_looks_later_or_elsewhere_sees_it_too(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(calls, tmp_path / "gate")
    eventually(lambda: bars(run, 1) == [("counting", 5, 5, True)])
    forget_session()
    found = flyte.get_run(run.name)
    eventually(lambda: bars(found, 1) == [("counting", 5, 5, True)])  # while it runs, as another kernel
    (tmp_path / "gate").touch()
    found.wait()
    forget_session()
    assert [("counting", 5, 5, True)] == bars(flyte.get_run(run.name), 1)  # and of the past


def test_what_failed_says_how_far_it_came_in_each_attempt(home: Home) -> None:
    run = flyte.submit(stops.override(retries=1), 10)
    run.wait()
    forget_session()
    again = flyte.get_run(run.name)
    assert ([("", 7, 10, False)],) * 2 == (bars(again), bars(again, attempt="1"))


def test_a_task_that_shows_nothing_leaves_nothing(home: Home, tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    run = flyte.run(counts, 3, tmp_path / "gate")
    assert Path(FileStore(home.store_url).path(keys.vitals(run.name, "a0", 0))).exists()
    run = flyte.run(quiet)
    assert not Path(FileStore(home.store_url).path(keys.vitals(run.name, "a0", 0))).exists()


@env.task
def quiet() -> int:
    return 1


def test_processes_of_the_task_do_not_get_in_the_way(home: Home) -> None:
    run = flyte.run(forks)
    assert [3] * 10 == run.outputs()[0]
    assert [("", 10, 10, True)] == bars(run)


def test_what_a_bar_says_is_masked(home: Home) -> None:
    flyte.secrets.set("token", value="CORRECT-HORSE-BATTERY".lower())
    run = flyte.run(tells)
    assert [("for ***", 1, 2, False)] == bars(run)
    stored = [path.read_bytes() for path in Path(FileStore(home.store_url).root).rglob("*") if path.is_file()]
    assert not any(b"correct-" + b"horse" in data for data in stored)


@env.clone_with("telling", secrets="token").task
def tells() -> None:
    flyte.progress(1, 2, description=f"for {os.environ['TOKEN']}")


warm = flyte.TaskEnvironment(
    name="progressing_warm", reusable=flyte.ReusePolicy(replicas=1, concurrency=4, idle_ttl=30)
)


@warm.task(report=True)
async def together(number: int, gate: Path) -> int:
    for _ in flyte.progress(range(number), description=f"number {number}"):
        await asyncio.sleep(0)
    await flyte.report.log.aio(f"<p>{number}</p>")
    while not gate.exists():  # noqa: ASYNC110, ASYNC240 - the test opens it
        await asyncio.sleep(0.01)
    return number


def test_calls_that_share_a_warm_process_have_bars_and_reports_of_their_own(home: Home, tmp_path: Path) -> None:
    runs = [flyte.submit(together, number, tmp_path / "gate") for number in (3, 4)]
    for run, number in zip(runs, (3, 4), strict=True):
        eventually(lambda run=run, n=number: bars(run) == [(f"number {n}", n, n, True)])  # type: ignore[misc]
    (tmp_path / "gate").touch()
    assert ["<p>3</p>", "<p>4</p>"] == [run.wait() or run.get_report().tabs["main"] for run in runs]
