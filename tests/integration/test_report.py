"""`flyte.report` in real tasks: live, at the end, after failures, by attempt and of called tasks."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.errors import RunNotFoundError
from flyte_jupyter.home import Home
from flyte_jupyter.pods import Event
from flyte_jupyter.store.files import FileStore
from flyte_jupyter.vitals import VitalsEvent
from tests.conftest import eventually, forget_session

env = flyte.TaskEnvironment(name="reporting")
DURING = "<p>one</p>"


@env.task(report=True)
def waits(gate: Path) -> None:
    flyte.report.log("<p>one</p>")
    while not gate.exists():
        time.sleep(0.01)
    flyte.report.get_tab("more").log([1, 2])


@env.task(report=True)
async def fails(attempts: list[str]) -> None:
    await flyte.report.log.aio(f"<p>attempt {flyte.ctx().attempt_number}</p>")
    raise ValueError("after it was logged")


@env.task(report=True)
def hangs() -> None:
    flyte.report.log("<p>so far</p>")
    time.sleep(60)


@env.task
def logs_only(flushes: bool) -> None:
    flyte.report.replace("<p>only when it says so</p>", do_flush=flushes)


@env.task
def calls(gate: Path) -> None:
    waits(gate)


@env.task(report=True)
def crashes(gate: Path) -> None:
    flyte.report.log("<p>before</p>")
    while not gate.exists():
        time.sleep(0.01)
    os._exit(3)


@env.task(report=True)
def flushes_much() -> None:
    for n in range(2000):
        flyte.report.replace(str(n), do_flush=True)


@env.task(report=True)
async def many_at_once() -> None:
    await asyncio.gather(*(flyte.report.log.aio(f"<i>{n}</i>") for n in range(50)))


def told(run: flyte.Run) -> dict[str, Any]:
    found = run.view()["report"]
    return dict(found["html"] or {}) if found else {}


def test_it_is_seen_while_the_task_runs_and_later(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(waits, tmp_path / "gate")
    eventually(lambda: told(run) == {"main": DURING})
    assert {"main": DURING} == run.get_report().tabs
    (tmp_path / "gate").touch()
    run.wait()
    expected = {"main": DURING, "more": "<pre>[1, 2]</pre>"}
    assert expected == run.get_report().tabs == told(run)
    forget_session()
    again = flyte.get_run(run.name)
    assert expected == again.get_report().tabs == told(again)
    assert [] == list(Path(FileStore(home.store_url).root).rglob("*.new"))


def test_each_attempt_that_failed_has_its_own(home: Home) -> None:
    run = flyte.submit(fails.override(retries=1), [])
    run.wait()
    assert ["<p>attempt 0</p>", "<p>attempt 1</p>"] == [run.get_report(n).tabs["main"] for n in (0, 1)]
    assert run.get_report(1) == run.get_report()
    assert "fails, attempt 2" == run.get_report().heading


def test_what_ran_too_long_and_what_crashed_shows_what_it_had(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(hangs.override(timeout=1))
    crashed = flyte.submit(crashes, tmp_path / "gate")
    eventually(lambda: told(crashed) == {"main": "<p>before</p>"})
    (tmp_path / "gate").touch()
    run.wait()
    crashed.wait()
    assert ("<p>so far</p>", "<p>before</p>") == (run.get_report().tabs["main"], crashed.get_report().tabs["main"])


def test_without_report_it_is_written_when_the_task_says_so(home: Home) -> None:
    assert "<p>only when it says so</p>" in flyte.run(logs_only, True).get_report()
    silent = flyte.run(logs_only, False)
    assert silent.view()["report"] is None
    with pytest.raises(RunNotFoundError, match=r"has no report\.\nA task writes one with flyte\.report\.log"):
        silent.get_report()


def test_that_of_a_called_task(home: Home, tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    run = flyte.run(calls, tmp_path / "gate")
    called = run.view()["actions"][1]
    assert ["main", "more"] == called["vitals"]["0"]["report"]["tabs"]
    assert DURING == run.get_report(action=called["name"]).tabs["main"]


def test_very_many_flushes_are_little_news(home: Home) -> None:
    run = flyte.submit(flushes_much)
    heard: list[Event] = []
    run._engine.news.listen(run.name, heard.append)
    run.wait()
    assert "1999" == run.get_report().tabs["main"]
    assert 100 > sum(isinstance(event, VitalsEvent) for event in heard)


def test_coroutines_may_log_together(home: Home) -> None:
    assert 50 == flyte.run(many_at_once).get_report().tabs["main"].count("<i>")


def test_secrets_are_masked_also_those_of_other_tasks(home: Home) -> None:
    values = ["OWN-HORSE-BATTERY".lower(), "OTHER&HORSE-STAPLE".lower()]
    for key, value in zip(("own", "other"), values, strict=True):
        flyte.secrets.set(key, value=value)
    run = flyte.run(asks)
    assert "<p>***</p>\n<p>***</p>" == run.get_report().tabs["main"]
    stored = [path.read_bytes() for path in Path(FileStore(home.store_url).root).rglob("report*")]
    assert 1 == len(stored)
    assert not any(part in stored[0] for part in (b"horse", b"staple"))


@env.clone_with("has_own", secrets="own").task(report=True)
def asks() -> None:
    import html as h

    flyte.report.log(f"<p>{os.environ['OWN']}</p>")
    flyte.report.log(f"<p>{h.escape(has_other())}</p>")


@env.clone_with("has_other", secrets="other").task
def has_other() -> str:
    return os.environ["OTHER"]
