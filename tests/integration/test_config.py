"""Settings that are more than words: environment variables, retries, backoff, timeouts."""

# ruff: noqa: ASYNC240 - a task has its process to itself, so that blocking it blocks nobody

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.engine.run import Run
from flyte_jupyter.home import Home
from tests.conftest import eventually

pytestmark = [pytest.mark.one_host, pytest.mark.usefixtures("home")]

plain = flyte.TaskEnvironment(name="plain")
env = flyte.TaskEnvironment(name="configured", env_vars={"FROM_ENV": "e", "SHARED": "e"})


@env.task
def seen() -> list[str | None]:
    return [os.environ.get("FROM_ENV"), os.environ.get("SHARED")]


@plain.task
def seen_elsewhere() -> list[str | None]:
    return [os.environ.get("FROM_ENV"), os.environ.get("SHARED")]


@plain.task(retries=2)
def fails_twice(folder: str) -> int:
    number = flyte.ctx().attempt_number
    assert number is not None
    print(f"attempt {number}")
    (Path(folder) / str(number)).touch()
    if number < 2:
        raise KeyError(number)
    return number


def steps(run: Run) -> list[tuple[str, float, int]]:
    """(phase, time, attempt) of the run's first action."""
    actions = [action for action in run.view()["actions"] if action["name"] == "a0"]
    return [(phase, at, attempt) for action in actions for phase, at, attempt, *_ in action["history"]]


def ended(task: Any, *args: Any) -> Run:
    run = flyte.submit(task, *args)
    run.wait()
    return run


# --- env_vars


def test_env_vars_are_in_the_attempt_and_nowhere_else() -> None:
    before = dict(os.environ)
    assert ["e", "e"] == flyte.run(seen).outputs()[0]
    assert [None, None] == flyte.run(seen_elsewhere).outputs()[0]
    assert before == dict(os.environ)


def test_override_replaces_env_vars_whole() -> None:
    assert [None, "o"] == flyte.run(seen.override(env_vars={"SHARED": "o"})).outputs()[0]
    assert [None, None] == flyte.run(seen.override(env_vars={})).outputs()[0]
    assert ["e", "e"] == flyte.run(seen).outputs()[0]


def test_children_do_not_inherit_env_vars() -> None:
    @env.task
    def parent() -> list[list[str | None]]:
        return [seen_elsewhere(), seen(), seen.override(env_vars={"SHARED": "child"})()]

    expected = [[None, None], ["e", "e"], [None, "child"]]
    assert expected == flyte.run(parent).outputs()[0]


def test_variables_of_the_kernel_are_seen_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    @plain.task
    def kernel_says() -> str | None:
        return os.environ.get("SAID_BY_THE_KERNEL")

    assert flyte.run(kernel_says).outputs()[0] is None
    monkeypatch.setenv("SAID_BY_THE_KERNEL", "one")
    assert "one" == flyte.run(kernel_says).outputs()[0]
    monkeypatch.setenv("SAID_BY_THE_KERNEL", "two")
    assert "two" == flyte.run(kernel_says).outputs()[0]


# --- retries


def test_each_attempt_has_its_number_and_its_log(tmp_path: Path) -> None:
    run = flyte.run(fails_twice, str(tmp_path))
    assert 2 == run.outputs()[0]
    assert ["0", "1", "2"] == sorted(path.name for path in tmp_path.iterdir())
    assert [[f"attempt {n}"] for n in range(3)] == [list(run.get_logs(n)) for n in range(3)]
    assert ["attempt 2"] == list(run.get_logs())
    assert [0, 1, 2] == [attempt for phase, _, attempt in steps(run) if phase == "running"]
    assert {"0": "KeyError", "1": "KeyError"} == {
        number: failure["code"] for number, failure in run.view()["actions"][0]["failures"].items()
    }


def test_retries_are_used_up(tmp_path: Path) -> None:
    run = ended(fails_twice.override(retries=1), str(tmp_path))
    with pytest.raises(KeyError):
        run.raise_for_status()
    assert ["0", "1"] == sorted(path.name for path in tmp_path.iterdir())


def test_no_retries_by_override(tmp_path: Path) -> None:
    ended(fails_twice.override(retries=0), str(tmp_path))
    assert ["0"] == [path.name for path in tmp_path.iterdir()]


def test_crashes_are_retried_too(tmp_path: Path) -> None:
    @plain.task(retries=1)
    def crashes_once() -> int:
        number = flyte.ctx().attempt_number
        if number == 0:
            os._exit(9)
        return number or 0

    assert 1 == flyte.run(crashes_once).outputs()[0]


def test_backoff_waits_between_attempts(tmp_path: Path) -> None:
    backoff = flyte.Backoff(base=timedelta(seconds=0.2), factor=2, cap=timedelta(seconds=0.3))
    run = ended(fails_twice.override(retries=flyte.RetryStrategy(2, backoff)), str(tmp_path))
    running = {attempt: at for phase, at, attempt in steps(run) if phase == "running"}
    told = {attempt: at for phase, at, attempt in steps(run) if phase == "queued"}
    assert 0.2 <= running[1] - told[1] < 5
    assert 0.3 <= running[2] - told[2] < 5


def test_a_run_that_waits_for_its_backoff_can_be_cancelled(tmp_path: Path) -> None:
    waits = flyte.RetryStrategy(2, flyte.Backoff(base=timedelta(hours=1)))
    run = flyte.submit(fails_twice.override(retries=waits), str(tmp_path))
    eventually(lambda: any(phase == "queued" and attempt == 1 for phase, _, attempt in steps(run)))
    run.cancel()
    run.wait(10)
    with pytest.raises(errors.ActionAbortedError):
        run.raise_for_status()


def test_an_error_that_says_so_is_not_retried(tmp_path: Path) -> None:
    @plain.task(retries=5)
    def gives_up(folder: str) -> None:
        number = flyte.ctx().attempt_number
        (Path(folder) / str(number)).touch()
        raise flyte.errors.NonRecoverableError("no use")

    run = ended(gives_up, str(tmp_path))
    with pytest.raises(errors.NonRecoverableError, match="no use"):
        run.raise_for_status()
    assert ["0"] == [path.name for path in tmp_path.iterdir()]


# --- timeouts


def test_show_logs_prints_what_was_printed(capsys: pytest.CaptureFixture[str]) -> None:
    @plain.task
    def says() -> None:
        print("one\ntwo")

    run = ended(says)
    capsys.readouterr()
    run.show_logs()
    assert "one\ntwo\n" == capsys.readouterr().out


def test_timeout_ends_a_sleeper_and_lets_it_clean_up(tmp_path: Path) -> None:
    @plain.task(timeout=1)
    def sleeps(place: str) -> None:
        try:
            time.sleep(60)
        finally:
            Path(place).write_text("cleaned up")

    run = ended(sleeps, str(tmp_path / "place"))
    with pytest.raises(errors.MaxRuntimeExceededError, match=r"sleeps ran longer .* max_runtime is 1 s"):
        run.raise_for_status()
    assert "cleaned up" == (tmp_path / "place").read_text()
    assert "timed_out" == run.phase.value
    times = {phase: at for phase, at, _ in steps(run)}
    assert 1 <= times["timed_out"] - times["running"] < 30  # it would sleep for 60


def test_timeout_counts_for_each_attempt() -> None:
    @plain.task(timeout=timedelta(seconds=0.3), retries=1)
    async def slow_at_first() -> int:
        import asyncio

        if flyte.ctx().attempt_number == 0:
            await asyncio.sleep(60)
        return 1

    assert 1 == flyte.run(slow_at_first).outputs()[0]


def test_timeout_by_override_lifts_the_bound() -> None:
    @plain.task(timeout=0.1)
    def takes_its_time() -> int:
        time.sleep(0.4)
        return 1

    assert 1 == flyte.run(takes_its_time.override(timeout=0)).outputs()[0]


def test_deadline_counts_all_attempts() -> None:
    @plain.task(retries=100, timeout=flyte.Timeout(deadline=3))
    def fails_slowly() -> None:
        time.sleep(0.7)
        raise ValueError("again")

    run = ended(fails_slowly)
    with pytest.raises(errors.DeadlineExceededError, match="deadline is 3 s"):
        run.raise_for_status()
    history = steps(run)
    assert 1 <= max(attempt for _, _, attempt in history) <= 4
    assert 3 <= history[-1][1] - history[0][1]


# --- all together


def test_seed_example_runs_as_it_stands(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input.csv").write_text("x\n1\n2\n")
    base = flyte.TaskEnvironment(name="base_env")
    work = flyte.TaskEnvironment(
        name="my_env",
        image=flyte.Image.from_debian_base().with_pip_packages("pandas"),
        resources=flyte.Resources(cpu=1, memory="512Mi"),
        env_vars={"LEVEL": "environment"},
        cache="auto",
        depends_on=[base],
        description="Reads and sums.",
    )

    @work.task(
        short_name="process",
        cache="disable",
        report=True,
        max_inline_io_bytes=10 * 1024 * 1024,
        retries=2,
        timeout=120,
        docs=flyte.Documentation(description="Sums a column."),
    )
    async def process(path: str) -> str:
        total = sum(int(line) for line in Path(path).read_text().splitlines()[1:])
        return f"{total} {os.environ.get('LEVEL')} {os.environ.get('DEBUG')}"

    @work.task
    async def main() -> str:
        return await process.override(
            resources=flyte.Resources(cpu=2, memory="1Gi"),
            env_vars={"DEBUG": "true"},
            cache="auto",
            max_inline_io_bytes=20 * 1024 * 1024,
            retries=3,
            timeout=60,
        )("input.csv")

    run = flyte.run(main)
    assert "3 None true" == run.outputs()[0]
    assert ["main", "process"] == sorted(action["title"] for action in run.view()["actions"])
