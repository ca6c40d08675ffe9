"""What a server knows of the runs of other processes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from flyte_jupyter.server.feed import Feed
from flyte_jupyter.sites import Sites
from tests.conftest import eventually, stop_host

ROOT = Path(__file__).parents[2]
env = flyte.TaskEnvironment(name="fed")


@env.task
def square(x: int) -> int:
    return x * x


@env.task(cache="auto")
def kept(x: int) -> int:
    return x + 1


@env.task
def waits(folder: str) -> str:
    while not (Path(folder) / "go").exists():
        pass
    return "went"


@env.task
def calls(n: int) -> int:
    return sum(flyte.map(square, range(n)))


@pytest.fixture
def feed(home: Home, tmp_path: Path) -> Iterator[Feed]:
    made = feed_of(home, tmp_path)
    yield made
    made.close()


def feed_of(home: Home, root: Path) -> Feed:
    return Feed(Sites(home, "a server"), home, root)


def phase(feed: Feed, run: str) -> str:
    try:
        return feed.summary(run)["phase"]
    except flyte.errors.RunNotFoundError:
        return ""


def test_a_run_is_followed_from_its_start_to_its_end(feed: Feed, tmp_path: Path) -> None:
    told: list[Any] = []
    feed.subscribe(lambda changed, _: told.extend(changed))
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: phase(feed, run.name) == "running")
    eventually(lambda: [run.name] == [found["name"] for found in feed.page(phases=["running"])["runs"]])
    (tmp_path / "go").touch()
    eventually(lambda: phase(feed, run.name) == "succeeded")
    eventually(lambda: {"running", "succeeded"} <= {each["phase"] for each in told if each["name"] == run.name})
    assert [("a0", "succeeded")] == [(each["name"], each["phase"]) for each in feed.actions(run.name)]


def test_a_run_is_cancelled_and_whoever_has_started_it_sees_that(feed: Feed, tmp_path: Path) -> None:
    run = flyte.submit(waits, str(tmp_path))
    eventually(lambda: phase(feed, run.name) == "running")
    feed.run(run.name).cancel("not wanted")
    with pytest.raises(flyte.errors.ActionAbortedError, match="not wanted"):
        run.result()
    eventually(lambda: phase(feed, run.name) == "aborted")
    assert "not wanted" == feed.summary(run.name)["reason"]


def test_what_the_cache_has_is_a_run_although_no_host_hears_of_it(feed: Feed) -> None:
    first, second = flyte.run(kept, 1), flyte.run(kept, 1)
    eventually(lambda: [phase(feed, run.name) for run in (first, second)] == ["succeeded"] * 2)
    assert [False, True] == [feed.summary(run.name)["is_cached"] for run in (first, second)]


def test_called_actions_are_counted_and_listed(feed: Feed) -> None:
    run = flyte.run(calls, 4)
    eventually(lambda: phase(feed, run.name) == "succeeded")
    assert {"succeeded": 4} == feed.summary(run.name)["actions"]
    assert ["a0", *["a0"] * 4] == ["a0", *(row["parent"] for row in feed.actions(run.name)[1:])]


def test_a_map_ends_with_the_process_that_goes_through_it(feed: Feed, home: Home) -> None:
    program = (
        "import flyte_jupyter as flyte\n"
        "from tests.server.test_feed import square\n"
        "items = flyte.map(square, [1, 2, 3], concurrency=1)\n"
        "print(next(items), flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert b"1\n" == process.stdout.readline()
        eventually(lambda: feed.page()["total"] == 1)
        (run,) = feed.page()["runs"]
        assert "running" == run["phase"]
        process.kill()
    eventually(lambda: phase(feed, run["name"]) == "aborted")
    assert "The process that went through" in feed.summary(run["name"])["reason"]
    assert "aborted" == feed.run(run["name"]).phase.value


def test_the_index_is_made_anew_from_the_store(feed: Feed, home: Home, tmp_path: Path) -> None:
    runs = [flyte.run(square, number) for number in range(3)]
    eventually(lambda: feed.page(phases=["succeeded"])["total"] == len(runs))
    before = feed.page()
    feed.close()
    for path in home.path.glob("journal-*"):
        path.unlink()
    (home.path / "store" / "runs" / "r00000000000000" / "record.json").parent.mkdir()
    (home.path / "store" / "runs" / "r00000000000000" / "record.json").write_text('{"run": 7}')
    again = feed_of(home, tmp_path)
    try:
        eventually(lambda: again.page() == before)
        assert 1 == len(again.actions(runs[0].name))
    finally:
        again.close()


def test_a_run_that_is_deleted_is_gone(feed: Feed, home: Home) -> None:
    gone: list[str] = []
    feed.subscribe(lambda _, names: gone.extend(names))
    run = flyte.run(square, 2)
    eventually(lambda: phase(feed, run.name) == "succeeded")
    shutil.rmtree(home.path / "store" / "runs" / run.name)
    eventually(lambda: gone == [run.name])
    assert 0 == feed.page()["total"]


def test_a_host_with_a_long_way_to_its_socket_is_found(
    monkeypatch: pytest.MonkeyPatch, home: Home, tmp_path: Path
) -> None:
    far = home.path / ("far" * 40)
    monkeypatch.setenv("FLYTE_JUPYTER_HOME", str(far))
    feed = feed_of(Home(far), tmp_path)
    try:
        run = flyte.run(square, 3)
        eventually(lambda: phase(feed, run.name) == "succeeded")
        assert 1 == len(Home(far).hosts())
        assert not list(far.glob("*.sock"))
    finally:
        feed.close()
        flyte.session.current().close()
        stop_host(Home(far))


def test_no_host_is_started_by_looking(feed: Feed, home: Home) -> None:
    run = flyte.run(square, 3)
    eventually(lambda: phase(feed, run.name) == "succeeded")
    flyte.session.current().close()
    stop_host(home)
    assert "succeeded" == feed.run(run.name).view()["phase"]
    assert [] == Home(home.path).hosts()
