from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from tests.conftest import eventually
from tests.server.conftest import Server

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="plain")
warm = flyte.TaskEnvironment(
    name="warm", reusable=flyte.ReusePolicy(replicas=2, idle_ttl=timedelta(hours=1), scaledown_ttl=timedelta(hours=1))
)


@env.task
def one() -> int:
    return 1


@env.task(queue="narrow")
def waits(path: str) -> None:
    eventually(Path(path).exists)


@warm.task
def quick(x: int) -> int:
    return x


nightly = flyte.Trigger(name="nightly", automation=flyte.Cron("0 3 * * *"))


@env.task(triggers=[nightly])
def fired(x: int = 1) -> int:
    return x


def test_environments_are_those_that_runs_were_of(server: Server) -> None:
    flyte.run(quick, 1)
    flyte.run(one)

    def found() -> dict[str, tuple[list[str], bool, int]]:
        return {each["name"]: (each["tasks"], each["runs"] > 0, each["pools"]) for each in server.get("environments")}

    eventually(lambda: found().get("warm") == (["warm.quick"], True, 1))  # the pool comes with the first call
    eventually(lambda: "plain.one" in found().get("plain", ([], False, 0))[0])


def test_pools_are_listed_and_shut_down(server: Server) -> None:
    flyte.run(quick, 2)

    *_, pool = [each for each in server.get("pools") if each["environment"] == "warm"]
    assert (2, 1) == (pool["most"], len(pool["replicas"]))
    assert pool["replicas"][0]["pid"] > 0
    assert pool["about"].startswith("1 of at most 2 replicas")

    assert {} == server.post(f"pools/{pool['id']}/shutdown", {})
    eventually(lambda: pool["id"] not in [each["id"] for each in server.get("pools")])
    status, answer = server.ask(f"pools/{pool['id']}/shutdown", {})
    assert (404, "That pool has ended.") == (status, answer["message"])


def test_queues_tell_who_runs_and_who_waits(server: Server, tmp_path: Path, home: Home) -> None:
    home.settings.write_text('[queues.narrow]\nconcurrency = 1\n\n[queues.far]\ncontext = "nowhere"\n')
    flag = tmp_path / "flag"
    runs = [flyte.submit(waits, str(flag)) for _ in range(3)]

    def narrow() -> dict[str, object]:
        return next(each for each in server.get("queues") if each["name"] == "narrow")

    eventually(lambda: narrow()["waiting"] == 2)
    assert {"name": "narrow", "concurrency": 1, "running": 1, "waiting": 2, "cluster": ""} == narrow()
    [far] = [each for each in server.get("queues") if each["name"] == "far"]
    assert (None, "nowhere/its namespace") == (far["concurrency"], far["cluster"])
    flag.touch()
    for run in runs:
        run.wait()


def test_a_cluster_that_is_not_there_holds_up_nobody(server: Server, home: Home) -> None:
    home.settings.write_text('[queues.far]\ncontext = "nowhere"\n')

    [told] = server.get("clusters")
    assert ("far", "nowhere", "cluster") == (told["queue"], told["context"], told["store"])
    eventually(lambda: server.get("clusters")[0]["is_reached"] is False)
    assert server.get("clusters")[0]["said"]


def test_triggers_are_listed_and_changed(server: Server) -> None:
    flyte.deploy(env)

    [told] = server.get("triggers")
    assert ("nightly", "plain.fired", "every day at 03:00 (UTC)", True, "") == tuple(
        told[of] for of in ("name", "task", "about", "is_active", "why_not")
    )
    assert told["next"] > 0

    assert {} == server.post(f"triggers/{told['id']}", {"do": "deactivate"})
    assert [(False, None, "It is not active.")] == [
        (each["is_active"], each["next"], each["why_not"]) for each in server.get("triggers")
    ]
    assert {} == server.post(f"triggers/{told['id']}", {"do": "activate"})
    assert [True] == [each["is_active"] for each in server.get("triggers")]

    status, answer = server.ask(f"triggers/{told['id']}", {"do": "explode"})
    assert (400, "the body.do: 'explode' is none of activate, deactivate, delete.") == (status, answer["message"])
    assert {} == server.post(f"triggers/{told['id']}", {"do": "delete"})
    assert [] == server.get("triggers")


def test_what_ended_long_ago_is_deleted(server: Server, tmp_path: Path) -> None:
    run = flyte.run(one)
    going = flyte.submit(waits, str(tmp_path / "never"))
    eventually(lambda: going.phase.value == "running")

    assert run.name not in server.post("prune", {"days": 30, "dry_run": True})["runs"]
    would = server.post("prune", {"days": 0, "dry_run": True})
    assert run.name in would["runs"]
    assert would["bytes"] > 0
    assert 200 == server.ask(f"runs/{run.name}")[0]

    done = server.post("prune", {"days": 0})
    assert run.name in done["runs"]
    assert going.name not in done["runs"]
    eventually(lambda: server.ask(f"runs/{run.name}")[0] == 404)
    eventually(lambda: [going.name] == [each["name"] for each in server.get("runs")["runs"]])
    going.cancel()
    going.wait()
