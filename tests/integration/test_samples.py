"""What attempts use, sampled by the Host: live, later, of each attempt and of called tasks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from flyte_jupyter.host.machine.cgroups import CGROUPS_VARIABLE
from flyte_jupyter.notebook.cards import card
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore
from tests.conftest import eventually, forget_session

env = flyte.TaskEnvironment(name="sampled")
ASKED = flyte.Resources(cpu=1, memory="512Mi")


@env.task
def computes(seconds: float, megabytes: int) -> int:
    ballast = bytearray(os.urandom(1)) * (megabytes << 20)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return len(ballast)


@env.task
def fails_late(seconds: float) -> None:
    time.sleep(seconds)
    raise ValueError("late")


@env.task
def calls(seconds: float) -> int:
    return computes(seconds, 50)


@env.task
def waits(gate: Path) -> None:
    while not gate.exists():
        time.sleep(0.05)


def samples(run: flyte.Run, action: int = 0, attempt: str = "0") -> list[Any]:
    of = run.view()["actions"]
    return list(of[action]["vitals"].get(attempt, {}).get("samples", ())) if action < len(of) else []


@pytest.mark.parametrize("groups", ["yes", "no"])
def test_a_task_that_computes(home: Home, monkeypatch: pytest.MonkeyPatch, groups: str) -> None:
    monkeypatch.setenv(CGROUPS_VARIABLE, groups)
    run = flyte.submit(computes.override(resources=ASKED), 3.5, 100)
    eventually(lambda: len(samples(run)) >= 2)
    assert not run.done()
    run.wait()
    forget_session()
    again = flyte.get_run(run.name)
    found = samples(again)
    assert 2 <= len(found) <= 5
    assert all(0.05 < cores < 1.3 for _, cores, _ in found)  # of a machine that does other things too
    assert all(100 << 20 < memory < 512 << 20 for _, _, memory in found)
    said = card.text(again.view(), now=time.time()) + card.html(again.view(), now=time.time())
    assert 2 == said.count("<polyline")
    assert "of 1 asked for" in said


def test_what_is_over_within_a_second_has_none(home: Home) -> None:
    run = flyte.run(computes, 0.05, 1)
    assert [] == samples(run)
    assert not os.path.exists(FileStore(home.store_url).path(keys.vitals(run.name, "a0", 0)))


def test_each_attempt_and_each_called_task_has_its_own(home: Home) -> None:
    failed, called = flyte.submit(fails_late.override(retries=1), 1.4), flyte.submit(calls, 2.5)
    failed.wait()
    called.wait()
    assert samples(failed)
    assert samples(failed, attempt="1")
    assert samples(failed)[-1][0] < samples(failed, attempt="1")[0][0]
    assert max(memory for _, _, memory in samples(called, 1)) > 50 << 20
    assert samples(called)


def test_a_card_is_not_drawn_for_samples_alone(home: Home, tmp_path: Path) -> None:
    run = flyte.submit(waits, tmp_path / "gate")
    eventually(lambda: run.phase.value == "running")
    drawn: list[int] = []
    run.subscribe(lambda: drawn.append(1))
    eventually(lambda: len(samples(run)) >= 2)
    assert [] == drawn
    (tmp_path / "gate").touch()
    run.wait()
