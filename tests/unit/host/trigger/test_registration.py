"""What is kept of a trigger, and the runs that come of it."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.config.values.trigger import Automation, Cron, FixedRate, OnArtifact
from flyte_jupyter.host.trigger import registration
from flyte_jupyter.host.trigger.due import Standing
from flyte_jupyter.host.trigger.registration import Registration
from flyte_jupyter.pods import PodRequest

AT = 1_780_000_000.5
POD = PodRequest(
    run="rTEMPLATE",
    action="a0",
    task="my_env.work",
    title="work",
    store="file:///s",
    python="/bin/python",
    labels={"session": "deploy-1", "run": "rTEMPLATE"},
    links=({"name": "Logs", "uri": "https://logs.example/rTEMPLATE"},),
)


def made(**more: Any) -> Registration:
    record = {"run": "rTEMPLATE", "task": "my_env.work", "inputs": {"x": "1", "when": "TriggerTime"}, "created": 0.0}
    given: dict[str, Any] = {
        "task": "my_env.work",
        "name": "nightly",
        "automation": Cron("0 6 * * *", "Europe/Berlin"),
        "host": "here",
        "deployed": AT,
        "version": "1",
        "template": "rTEMPLATE",
        "pod": POD.to_json(),
        "record": record,
        "time_inputs": ("when",),
    }
    return Registration(**{**given, **more})


@pytest.mark.parametrize(
    "automation",
    [
        Cron("0 6 * * *"),
        Cron("0 6 * * *", "Europe/Berlin"),
        FixedRate(7),
        FixedRate(7, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc)),
        FixedRate(7, datetime(2026, 1, 2)),  # noqa: DTZ001 - it may be given without a zone
        OnArtifact("model"),
        OnArtifact("model", "v1", region="eu"),
        None,
    ],
)
def test_it_is_json_and_back(automation: Automation | None) -> None:
    it = made(automation=automation, standing=Standing().activate(AT).has_fired(AT, "r1"))
    again = Registration.from_json(json.loads(json.dumps(it.to_json())))
    assert (it.automation, it.standing, it.id) == (again.automation, again.standing, again.id)
    assert json.dumps(it.to_json()) == json.dumps(again.to_json())


def test_a_run_has_its_own_name_everywhere() -> None:
    record, pod = made().started("r0001", AT, by_hand=False)
    assert "rTEMPLATE" not in json.dumps([record, pod.to_json()])
    assert ("r0001", "r0001", "https://logs.example/r0001") == (record["run"], pod.run, pod.links[0]["uri"])
    assert {"session": "deploy-1", "run": "r0001", "trigger": made().id} == pod.labels


def test_a_run_knows_its_time() -> None:
    record, pod = made().started("r0001", AT, by_hand=True)
    assert {"x": "1", "when": "2026-05-28 20:26:40+00:00"} == record["inputs"]
    assert ({"name": "nightly", "at": AT, "by_hand": True}, AT) == (record["trigger"], pod.trigger_time)


def test_names_of_runs_are_computed() -> None:
    it = made()
    assert it.run_at(AT) == replace(it, deployed=AT + 1).run_at(AT)
    assert 4 == len({it.run_at(AT), it.run_at(AT + 60), made(name="other").run_at(AT), made(task="e.f").run_at(AT)})
    assert it.run_at(AT) < it.run_at(AT + 60)
    assert it.run_at(AT).isalnum()


def test_it_is_written_for_this_user_alone(tmp_path: Path) -> None:
    it = made()
    registration.save(tmp_path / "triggers", it)
    (path,) = (tmp_path / "triggers").iterdir()
    assert (0o600, 0o700) == (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
    assert [it.id] == [each.id for each in registration.saved(tmp_path / "triggers")]
    assert registration.is_deployed(tmp_path / "triggers", "my_env.work", "nightly")
    assert not registration.is_deployed(tmp_path / "triggers", "my_env.work", "other")


def test_what_cannot_be_read_hides_nothing_else(tmp_path: Path) -> None:
    registration.save(tmp_path, made())
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "newer.json").write_text(json.dumps({**made().to_json(), "unknown": 1}))
    assert ["nightly"] == [each.name for each in registration.saved(tmp_path)]
    assert [] == list(registration.saved(tmp_path / "not there"))
