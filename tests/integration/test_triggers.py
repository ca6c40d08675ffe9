"""Triggers: deployed from a kernel, fired by the Host, with the kernel or without it."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import stat
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.deployment.triggers import DeployedTrigger
from flyte_jupyter.engine.request import new_run_name
from flyte_jupyter.engine.run import Run
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.host.server import IDLE_VARIABLE
from flyte_jupyter.host.trigger import registration
from flyte_jupyter.host.trigger.due import Standing
from flyte_jupyter.host.trigger.registration import Registration
from flyte_jupyter.store import keys
from tests.conftest import eventually, forget_session, host_processes, stop_host
from tests.integration.images import built, image
from tests.integration.processes import is_gone, program

DAILY = flyte.Cron("0 6 * * *", "Europe/Berlin")


def deploy_soon(
    home: Home, make: Callable[[flyte.FixedRate], flyte.TaskEnvironment], then: Callable[[], object] = lambda: None
) -> datetime:
    """Deploy what fires in a moment, and not again within the test; do something `then`, before it fires.

    Returns:
        When it fires.
    """
    flyte.prepare()
    for seconds in (1, 4, 16, 64):  # a busy machine may take longer
        start = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        flyte.deploy(make(flyte.FixedRate(600, start)))
        then()
        if datetime.now(timezone.utc) < start:
            return start
        for run in flyte.runs():
            run.wait(20)
        shutil.rmtree(home.path / "store" / "runs", ignore_errors=True)
    raise AssertionError("it took too long")


def environment(*triggers: flyte.Trigger, name: str = "nights", **settings: Any) -> flyte.TaskEnvironment:
    """An environment with one task, `work`, that tells what it was given and what it sees."""
    env = flyte.TaskEnvironment(name)

    @env.task(triggers=triggers, **settings)
    def work(when: datetime | None = None, x: int = 1) -> dict[str, Any]:
        print(f"x={x}")
        seen = {variable: os.environ.get(variable) for variable in ("KERNEL", "OF_TRIGGER")}
        return {"when": when, "x": x, "context": flyte.ctx().custom_context, **seen}

    return env


def only() -> DeployedTrigger:
    (found,) = flyte.triggers()
    return found


def runs_of(trigger: str) -> list[Run]:
    return [run for run in flyte.runs() if (run.view()["trigger"] or {}).get("name") == trigger]


def host_pid(home: Home) -> int:
    status = call(home, {"op": "status"})
    assert status is not None
    return int(status["pid"])


def stand(home: Home, **changes: Any) -> None:
    """Write down another standing of the only trigger, while there is no Host."""
    (it,) = registration.saved(home.triggers)
    registration.save(home.triggers, replace(it, standing=replace(it.standing, **changes)))


# --- firing


def test_a_trigger_fires_at_its_time(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNEL", "as deployed")

    def make(automation: flyte.FixedRate) -> flyte.TaskEnvironment:
        trigger = flyte.Trigger(
            "nightly",
            automation,
            inputs={"when": flyte.TriggerTime, "x": 5},
            env_vars={"OF_TRIGGER": "yes"},
            custom_context={"who": "the clock"},
            labels={"team": "night"},
            overwrite_cache=True,
            queue="slow",
            interruptible=True,
        )
        return environment(trigger, short_name="Night work")

    start = deploy_soon(home, make)
    monkeypatch.setenv("KERNEL", "changed since")
    eventually(lambda: runs_of("nightly"))
    (run,) = runs_of("nightly")
    run.wait(20)
    expected = {
        "when": start,
        "x": 5,
        "context": {"who": "the clock"},
        "KERNEL": "as deployed",
        "OF_TRIGGER": "yes",
    }
    assert expected == run.result()
    assert timedelta(0) == run.result()["when"].utcoffset()
    view = run.view()
    assert ("Night work", "nights.work") == (view["title"], view["task"])
    assert {"name": "nightly", "at": start.timestamp(), "by_hand": False} == view["trigger"]
    assert start.isoformat(" ", "seconds") == run.inputs()["when"]
    assert [[0, "x=5"]] == [[line[0], line[3]] for line in view["logs"]["a0"]["lines"]]
    after = only()
    assert (start, run.name) == (after.last_fire, after.last_run.name if after.last_run else None)
    assert start + timedelta(minutes=600) == after.next_fire
    options = json.loads(bytes(session.current().store.get(keys.record(run.name))))["pod"]
    assert (True, "night") == (options["interruptible"], options["labels"]["team"])
    (it,) = registration.saved(home.triggers)
    assert ("slow", True) == (it.pod["options"]["queue"], it.pod["options"]["overwrite_cache"])


_DEPLOYS = """
import flyte_jupyter as flyte
from datetime import datetime, timedelta, timezone
flyte.prepare()
env = flyte.TaskEnvironment("script")

@env.task
async def inner(x: int) -> int:
    return x + 1

for seconds in (2, 6, 18):  # a busy machine may take longer to deploy it
    start = datetime.now(timezone.utc) + timedelta(seconds=seconds)

    @env.task(triggers=flyte.Trigger("later", flyte.FixedRate(600, start)))
    async def outer() -> int:
        return await inner(41)

    flyte.deploy(env)
    if flyte.triggers()[0].next_fire == start:
        break
"""


def test_a_trigger_fires_when_its_kernel_is_gone(home: Home, tmp_path: Path) -> None:
    with program(tmp_path, _DEPLOYS) as script:
        assert ("", "") == script.communicate(timeout=30)
    assert [] == flyte.runs()
    eventually(lambda: runs_of("later"))
    (run,) = runs_of("later")
    run.wait(20)
    assert 42 == run.result()


def test_a_run_of_a_trigger_has_links_with_its_own_name(home: Home) -> None:
    class Logs:
        name = "Logs"
        icon_uri = None

        def get_link(self, run_name: str, action_name: str, **_: Any) -> str:
            return f"https://logs.example/{run_name}/{action_name}"

    flyte.deploy(environment(flyte.Trigger("by_hand"), links=Logs()))
    run = only().fire()
    assert [{"name": "Logs", "uri": f"https://logs.example/{run.name}/a0"}] == run.view()["links"]


def test_large_inputs_arrive_as_they_were(home: Home) -> None:
    env = flyte.TaskEnvironment("large")
    rows = np.arange(300_000, dtype=float)

    @env.task(triggers=flyte.Trigger("by_hand", inputs={"rows": rows}))
    def total(rows: np.ndarray) -> float:
        return float(rows.sum())

    flyte.deploy(env)
    assert float(rows.sum()) == only().fire().result()


def test_declaring_alone_fires_nothing_and_says_so(home: Home) -> None:
    env = environment(flyte.Trigger("nightly", DAILY))
    assert "no triggers" == repr(flyte.triggers())
    run = flyte.run(env.tasks["nights.work"])
    said = "triggers: nightly of nights.work start nothing until nights is deployed."
    assert [said] == [note for note in run.view()["notes"] if "trigger" in note]
    assert "deploy the environment to activate it" in env.tasks["nights.work"].getdoc()
    flyte.deploy(env)
    assert [] == [note for note in flyte.run(env.tasks["nights.work"]).view()["notes"] if "trigger" in note]


# --- the Host


def test_the_host_stays_as_long_as_a_trigger_is_active(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IDLE_VARIABLE, "0.5")
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY)))
    processes = host_processes(home)
    log = home.log.read_text()
    begin = time.monotonic()
    eventually(lambda: time.monotonic() > begin + 1.5)  # three times as long as it waits otherwise
    assert [] == [process for process in processes if is_gone(process.pid)]
    assert log == home.log.read_text()
    only().deactivate()
    eventually(lambda: all(is_gone(process.pid) for process in processes))
    assert not only().is_active  # asked of the next Host


def test_what_was_missed_while_no_host_ran_is_counted_and_not_made_up(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERNEL", "as deployed")
    flyte.deploy(environment(flyte.Trigger("often", flyte.Cron("0 * * * *"))))
    stop_host(home)
    monkeypatch.setenv("KERNEL", "another one")
    forget_session()
    begin = datetime.now(timezone.utc).replace(minute=30, second=0, microsecond=0) - timedelta(hours=5)
    stand(home, activated=begin.timestamp(), until=begin.timestamp())
    found = only()
    first = begin + timedelta(minutes=30)
    passed = (datetime.now(timezone.utc) - first) // timedelta(hours=1) + 1
    assert passed in (found.missed, found.missed + 1)  # at a full hour the last one is in time
    assert f"{found.missed} since {first:%Y-%m-%d %H:%M UTC}" in repr(flyte.triggers())
    assert len(runs_of("often")) == passed - found.missed
    assert "as deployed" == found.fire().result()["KERNEL"]  # what the kernel's environment was, is kept


def test_what_a_host_has_started_before_it_died_is_not_started_again(home: Home) -> None:
    start = deploy_soon(home, lambda automation: environment(flyte.Trigger("once", automation)))
    eventually(lambda: runs_of("once"))
    (run,) = runs_of("once")
    run.wait(20)
    processes = host_processes(home)
    os.kill(processes[0].pid, signal.SIGKILL)
    eventually(lambda: all(is_gone(process.pid) for process in processes))
    forget_session()
    before = start.timestamp() - 10
    stand(home, activated=before, until=before, fired=None, run="")  # as if it had died before it wrote that down
    found = only()
    assert (start, run.name, 0) == (
        found.last_fire,
        found.last_run and found.last_run.name,
        found.missed,
    )
    assert [run.name] == [each.name for each in flyte.runs()]


def test_a_trigger_that_cannot_be_fired_says_why_and_the_others_go_on(home: Home) -> None:
    now = datetime.now(timezone.utc)
    automation = flyte.FixedRate(600, now)
    flyte.deploy(environment(flyte.Trigger("broken", automation), flyte.Trigger("good", automation)))
    stop_host(home)
    forget_session()
    for it in registration.saved(home.triggers):  # as if the Host had been away when their time came
        standing = Standing().activate(now.timestamp() - 10)
        registration.save(home.triggers, replace(it, standing=standing))
        if it.name == "broken":
            path = home.path / "store" / keys.trigger(it.template)
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    flyte.triggers()
    eventually(lambda: runs_of("good") and flyte.triggers()[0].problem)
    broken, good = flyte.triggers()
    assert "PayloadError: The payload of the trigger is damaged" in broken.problem
    assert "could not be fired" in repr(flyte.triggers())
    assert ("", now, []) == (good.problem, good.last_fire, runs_of("broken"))


# --- deploying


def test_deploying_again_replaces_and_takes_away(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("one", DAILY, inputs={"x": 1}), flyte.Trigger("two", DAILY)))
    flyte.deploy(environment(flyte.Trigger("elsewhere", DAILY), name="others"))
    assert ["one", "two", "elsewhere"] == [found.name for found in flyte.triggers()]
    flyte.deploy(environment(flyte.Trigger("one", DAILY, inputs={"x": 2}), flyte.Trigger("three")))
    assert ["one", "three", "elsewhere"] == [found.name for found in flyte.triggers()]
    assert 2 == flyte.triggers("nights.work")[0].fire().result()["x"]
    assert 3 == len(session.current().store.list("triggers/"))
    assert 2 == len(list(home.environs.iterdir()))
    flyte.deploy(environment())
    assert ["elsewhere"] == [found.name for found in flyte.triggers()]
    only().delete()
    assert ([], []) == (flyte.triggers(), list(home.environs.iterdir()))


def test_deploying_again_keeps_the_times_when_they_are_the_same(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("often", flyte.FixedRate(30))))
    before = only().next_fire
    flyte.deploy(environment(flyte.Trigger("often", flyte.FixedRate(30), inputs={"x": 2})))
    assert before == only().next_fire
    flyte.deploy(environment(flyte.Trigger("often", flyte.FixedRate(31))))
    assert before != only().next_fire


def test_environments_that_it_depends_on_go_along(home: Home) -> None:
    below = environment(flyte.Trigger("below", DAILY), name="below")
    above = flyte.TaskEnvironment("above", depends_on=[below])

    @above.task
    def plain() -> None: ...

    (deployment,) = flyte.deploy(above, below)
    assert ["above", "below"] == list(deployment.envs)
    assert "below" == only().name
    (task,) = deployment.envs["below"].deployed_entities
    assert ("below.work", ["below"]) == (task.get_name(), [each.name for each in task.deployed_triggers])
    expected = [("type", "task"), ("name", "below.work"), ("version", task.version), ("triggers", "below")]
    assert expected in deployment.table_repr()


def test_tables_are_escaped_and_hide_nothing(home: Home) -> None:
    shown = flyte.deploy(environment(flyte.Trigger("<b>nightly</b>", DAILY)))
    for html in (shown._repr_html_(), flyte.triggers()._repr_html_()):
        assert "&lt;b&gt;nightly&lt;/b&gt;" in html
        assert "every day at 06:00 (Europe/Berlin)" in html
        assert "<b>" not in html


def test_a_dry_run_checks_and_registers_nothing(home: Home) -> None:
    shown = flyte.deploy(environment(flyte.Trigger("nightly", DAILY)), dry_run=True)
    assert "Would be deployed" in repr(shown)
    assert "every day at 06:00 (Europe/Berlin)" in repr(shown)
    assert [] == flyte.triggers()
    with pytest.raises(errors.ConfigTypeError):
        flyte.deploy(environment(flyte.Trigger("nightly", DAILY, inputs={"x": "one"})), dry_run=True)


def test_all_that_is_wrong_is_said_and_nothing_is_deployed(home: Home) -> None:
    env = flyte.TaskEnvironment("wrong")

    @env.task(triggers=flyte.Trigger("bare", DAILY))
    def needs(x: int) -> int:
        return x

    @env.task(triggers=[flyte.Trigger("good", DAILY), flyte.Trigger("typed", DAILY, inputs={"x": "one"})])
    def takes(x: int = 1) -> int:
        return x

    @env.task(triggers=flyte.Trigger("timed", DAILY, inputs={"x": flyte.TriggerTime}))
    def counts(x: int) -> int:
        return x

    with pytest.raises((errors.ConfigTypeError, errors.ConfigValueError)) as caught:
        flyte.deploy(env)
    said = str(caught.value)
    assert "Trigger 'bare' of wrong.needs: Missing required inputs: x" in said
    assert "Trigger 'typed' of wrong.takes" in said
    assert "Trigger 'timed' of wrong.counts" in said
    assert [] == flyte.triggers()


def test_a_time_becomes_what_the_input_says(home: Home) -> None:
    env = flyte.TaskEnvironment("dates")

    @env.task(triggers=flyte.Trigger("daily", DAILY, inputs={"day": flyte.TriggerTime}))
    def weekday(day: date) -> str:
        return type(day).__name__

    flyte.deploy(env)
    assert "date" == only().fire().result()


def test_what_is_no_environment_is_refused(home: Home) -> None:
    env = environment()
    given: Mapping[str, Any] = {"nights.work": env.tasks["nights.work"], "nights": "nights"}
    for each in given.values():
        with pytest.raises(errors.ConfigTypeError, match="environments"):
            flyte.deploy(each)
    assert [] == flyte.deploy()


def test_what_has_no_effect_here_is_said(home: Home) -> None:
    trigger = flyte.Trigger("nightly", DAILY, max_action_concurrency=4, annotations={"a": "b"})
    env = environment(trigger, flyte.Trigger("on_model", flyte.OnArtifact("model")))
    shown = flyte.deploy(env)
    first = "trigger nightly: max_action_concurrency and annotations have no effect on this machine yet."
    second = "trigger on_model: nothing tells of artifacts yet, so it is started by hand: .fire(...)."
    assert f"nights.work: {first}\nnights.work: {second}" in repr(shown)
    assert first in flyte.triggers()[0].fire().view()["notes"]
    flyte.init(strict=True)
    try:
        with pytest.raises(
            errors.ConfigValueError, match=r"strict, and not all of it can be done here\n.*\n  leave strict=True out"
        ):
            flyte.deploy(env)
    finally:
        flyte.init(strict=False)


def test_what_cannot_go_along_is_refused_before_anything_is_deployed(home: Home) -> None:
    env = flyte.TaskEnvironment("captures")
    lock = __import__("threading").Lock()

    @env.task(triggers=flyte.Trigger("nightly", DAILY))
    def holds() -> str:
        return repr(lock)

    with pytest.raises(errors.CaptureError, match="lock"):
        flyte.deploy(environment(flyte.Trigger("good", DAILY)), env)
    assert [] == flyte.triggers()


# --- changing them


def test_from_another_kernel(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY, auto_activate=False)))
    forget_session()
    found = only()
    assert (False, None) == (found.is_active, found.next_fire)
    assert found.activate().is_active
    assert found.next_fire is not None
    assert ("06:00", "CE") == (f"{found.next_fire:%H:%M}", f"{found.next_fire:%Z}"[:2])
    forget_session()
    assert only().is_active
    assert not only().deactivate().is_active
    only().delete()
    assert [] == flyte.triggers()
    with pytest.raises(errors.HostError, match="does not fire that trigger"):
        found.activate()


def test_fire_now_with_other_inputs(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY, inputs={"when": flyte.TriggerTime, "x": 5})))
    before = datetime.now(timezone.utc)
    run = only().fire(x=6)
    value = run.result()
    assert 6 == value["x"]
    assert before <= value["when"] <= datetime.now(timezone.utc)
    assert ("6", True) == (run.inputs()["x"], run.view()["trigger"]["by_hand"])
    fixed = datetime(2020, 1, 1, tzinfo=timezone.utc)
    assert fixed == flyte.run(only(), when=fixed).result()["when"]
    with pytest.raises(errors.ConfigValueError, match="did you mean 'when'"):
        only().fire(whem=fixed)
    with pytest.raises(errors.ConfigValueError, match="by name"):
        flyte.run(only(), fixed)
    assert run.name != only().last_run


def test_a_trigger_of_an_artifact_is_fired_with_one(home: Home) -> None:
    env = flyte.TaskEnvironment("models")

    @env.task(triggers=flyte.Trigger("on_model", flyte.OnArtifact("model"), inputs={"model": flyte.TriggeredArtifact}))
    def load(model: str) -> str:
        return model

    flyte.deploy(env)
    assert only().next_fire is None
    with pytest.raises(errors.ConfigValueError, match="Missing required inputs: model"):
        only().fire()
    assert "m1" == only().fire(model="m1").result()


def test_a_fired_run_is_one_like_any_other(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY)))
    first, second = only().fire(), only().fire()  # also while the one before is open
    assert {first.name, second.name} == {run.name for run in flyte.runs()}
    shown: list[str] = []
    flyte.context.observers.append(lambda run: shown.append(run.name))
    try:
        third = only().fire()
    finally:
        flyte.context.observers.pop()
    assert [third.name] == shown
    for run in (first, second, third):
        run.wait(20)
    assert not third.view()["reattached"]


def test_a_run_that_is_just_about_to_start_is_waited_for(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY)))
    (it,) = registration.saved(home.triggers)
    here, now = session.current(), time.time()
    for wait in (Run.result, lambda run: asyncio.run(awaited(run))):
        pod = it.start(here.store, home.key(), new_run_name(), now, now=now)  # what the Host does first
        run = flyte.get_run(pod.run)
        with pytest.raises(TimeoutError):
            run.wait(0.1)
        later = threading.Timer(0.2, here.runner.launch, [pod])
        later.start()
        assert 1 == wait(run)["x"]
        later.join()


async def awaited(run: Run) -> Any:
    return await run


# --- several installations


def other(it: Registration) -> Registration:
    return replace(it, host="another", template="rOTHER", standing=Standing().activate(time.time()))


def test_what_another_installation_fires_is_listed_and_left_alone(home: Home) -> None:
    def taken_over() -> None:
        (it,) = registration.saved(home.triggers)
        registration.save(home.triggers, other(it))

    deploy_soon(home, lambda automation: environment(flyte.Trigger("nightly", automation)), taken_over)
    found = only()
    assert not found.is_ours
    assert (None, "no: its installation does not run, deploy again") == (found.next_fire, found.row()[3])
    with open(home.path / "host-another.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as its Host does
        assert "yes, by another installation" == found.row()[3]
        assert found.next_fire is not None
    for change in (found.activate, found.deactivate, found.fire):
        with pytest.raises(errors.HostError, match="Deploy it from here"):
            change()
    eventually(lambda: "0 known" in (call(home, {"op": "status"}) or {})["triggers"], within=80)
    assert [] == flyte.runs()
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY)))
    assert only().is_ours
    taken_over()
    only().delete()
    assert [] == flyte.triggers()


def test_what_the_host_keeps_is_for_this_user_alone(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY)))
    for folder in (home.triggers, home.environs):
        (path,) = folder.iterdir()
        assert (0o700, 0o600) == (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(path.stat().st_mode))


def test_a_registration_that_cannot_be_read_is_told_of(home: Home) -> None:
    home.triggers.mkdir()
    (home.triggers / "broken.json").write_text("{")
    flyte.prepare()
    eventually(lambda: "broken.json cannot be read" in home.log.read_text())
    assert host_pid(home)


# --- cached tasks


def counted(folder: Path, *triggers: flyte.Trigger, cache: str | flyte.Cache = "auto") -> flyte.TaskEnvironment:
    """An environment with one task, `count`, that leaves a file each time it runs."""
    env = flyte.TaskEnvironment("counts")
    place = str(folder)

    @env.task(triggers=triggers, cache=cache)
    def count(x: int = 1, day: date = date(2020, 1, 1)) -> str:
        Path(place, secrets.token_hex(4)).touch()
        return f"{x} {day}"

    return env


def test_a_cached_task_runs_once_for_the_same_inputs(home: Home, tmp_path: Path) -> None:
    env = counted(tmp_path, flyte.Trigger("same", DAILY, inputs={"x": 2}))
    flyte.deploy(env)
    first, second = only().fire(), only().fire()  # at once: the second waits for the first
    assert ["2 2020-01-01"] * 2 == [first.result(), second.result()]
    assert [False, True] == sorted(run.is_cached for run in (first, second))
    kept = flyte.run(env.tasks["counts.count"], 2)  # called otherwise, it is the same result
    assert (True, 1) == (kept.is_cached, len(list(tmp_path.iterdir())))
    other = only().fire(x=3)
    assert ("3 2020-01-01", False, 2) == (other.result(), other.is_cached, len(list(tmp_path.iterdir())))
    again = only().fire(x=3)
    assert ("3 2020-01-01", True) == (again.result(), again.is_cached)
    assert again.cache.endswith(f" ago by run {other.name}")
    forget_session()
    view = flyte.get_run(again.name).view()
    assert view["actions"][0]["cache"].endswith(f" ago by run {other.name}")


def test_a_trigger_can_overwrite_what_is_cached(home: Home, tmp_path: Path) -> None:
    flyte.deploy(counted(tmp_path, flyte.Trigger("anew", DAILY, overwrite_cache=True)))
    for number in (1, 2):
        run = only().fire()
        assert ("1 2020-01-01", False, number) == (run.result(), run.is_cached, len(list(tmp_path.iterdir())))


def test_what_is_too_old_is_computed_again(home: Home, tmp_path: Path) -> None:
    cache = flyte.Cache("auto", max_age=timedelta(microseconds=1))
    flyte.deploy(counted(tmp_path, flyte.Trigger("aged", DAILY), cache=cache))
    for number in (1, 2):
        only().fire().result()
        assert number == len(list(tmp_path.iterdir()))


def test_a_time_is_a_new_input_each_time_unless_it_is_ignored(home: Home, tmp_path: Path) -> None:
    trigger = flyte.Trigger("timed", DAILY, inputs={"day": flyte.TriggerTime})
    flyte.deploy(counted(tmp_path, trigger))
    for number in (1, 2):
        days = [f"1 {datetime.now(timezone.utc):%Y-%m-%d}", only().fire().result()]
        assert days[1] in (days[0], f"1 {datetime.now(timezone.utc):%Y-%m-%d}")  # at midnight
        assert number == len(list(tmp_path.iterdir()))
    flyte.deploy(counted(tmp_path, trigger, cache=flyte.Cache("auto", ignored_inputs=("day",))))
    for _ in range(2):
        only().fire().result()
    assert 3 == len(list(tmp_path.iterdir()))


# --- tasks with images


def test_images_are_built_before_anything_is_deployed(home: Home) -> None:
    def environment_in(laid: flyte.Image) -> flyte.TaskEnvironment:
        env = flyte.TaskEnvironment("laid", image=laid)

        @env.task(triggers=flyte.Trigger("nightly", DAILY))
        def looks() -> str:
            return metadata.version("iniconfig")

        return env

    with pytest.raises(errors.ImageBuildError, match="iniconfig"):
        flyte.deploy(environment_in(image("iniconfig==0.0.0.1")))
    assert [] == flyte.triggers()
    flyte.deploy(environment_in(image("iniconfig==2.0.0")))
    assert 1 == len(built(home))
    assert "2.0.0" == only().fire().result()


# --- secrets and queues


def test_secrets_are_there_when_a_trigger_fires_also_with_the_next_host(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = secrets.token_hex(8)
    monkeypatch.setenv("NIGHT_TOKEN", value)
    env = flyte.TaskEnvironment("secretive", secrets=[flyte.Secret("night_token", as_env_var="TOKEN")])

    @env.task(triggers=flyte.Trigger("nightly", DAILY))
    def reads() -> str:
        print(os.environ["TOKEN"])
        return hashlib.sha256(os.environ["TOKEN"].encode()).hexdigest()

    flyte.deploy(env)
    stop_host(home)
    monkeypatch.delenv("NIGHT_TOKEN")
    forget_session()
    run = only().fire()
    assert hashlib.sha256(value.encode()).hexdigest() == run.result()
    assert value not in repr(run.view())
    for path in [*home.triggers.iterdir(), home.path / "store" / keys.record(run.name)]:
        assert value not in path.read_text()


def test_runs_of_a_trigger_wait_in_its_queue(home: Home) -> None:
    flyte.deploy(environment(flyte.Trigger("nightly", DAILY, queue="slow")))
    run = only().fire()
    run.wait(20)
    (it,) = registration.saved(home.triggers)
    assert "slow" == it.pod["queue"]
