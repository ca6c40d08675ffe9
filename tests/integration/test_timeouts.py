"""What a task was doing when its time was over."""

# ruff: noqa: ASYNC251 - a task has its process to itself, so that blocking it blocks nobody

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.host.process import stacks
from flyte_jupyter.pods import Phase
from tests.conftest import eventually

pytestmark = [pytest.mark.one_host, pytest.mark.usefixtures("home")]

env = flyte.TaskEnvironment(name="timeouts")


@env.task(timeout=0.5)
def asleep() -> None:
    time.sleep(60)


@env.task(timeout=0.5)
def waits_for_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@env.task(timeout=0.5)
def loops() -> None:
    while True:
        pass


@env.task(timeout=0.5)
def in_compiled_code() -> None:
    """Which holds the interpreter, so that nothing of Python runs any more."""
    re.match("(a+)+$", "a" * 64 + "b")


@env.task(timeout=0.5)
def in_another_process() -> None:
    subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"], check=True)


@env.task(timeout=0.5)
def clings() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(0.01)


@env.task(timeout=0.5)
async def waits_for_ever() -> None:
    await asyncio.Event().wait()


@env.task(timeout=0.5)
async def blocks_its_loop() -> None:
    time.sleep(60)


async def helper(name: str) -> None:
    await asyncio.sleep(60)


@env.task(timeout=0.5)
async def gathers() -> None:
    await asyncio.gather(helper("one"), helper("two"))


STUCK = [
    asleep, waits_for_a_lock, loops, in_compiled_code, in_another_process, clings, waits_for_ever, blocks_its_loop
]  # fmt: skip


def late(task: Any) -> errors.BaseRuntimeError:
    with pytest.raises(errors.MaxRuntimeExceededError, match="ran longer than its timeout allows") as caught:
        flyte.run(task)
    return caught.value


@pytest.mark.parametrize("task", STUCK, ids=lambda task: task.short_name)
def test_the_error_says_where(task: Any) -> None:
    error = late(task)
    functions = [frame.function for frame in error.remote_frames]
    assert task.short_name == functions[0]
    assert f", in {task.short_name}\n" in error.remote_traceback
    assert "flyte_jupyter/host" not in error.remote_traceback


def test_the_traceback_goes_on_in_the_task() -> None:
    error = late(asleep)
    assert error.__traceback__ is not None
    frames = list(walk(error.__traceback__))
    assert "asleep" == frames[-1][0]
    line = Path(__file__).read_text().splitlines(keepends=True)[frames[-1][1] - 1]
    assert "    time.sleep(60)\n" == line


def walk(tb: Any) -> Any:
    while tb is not None:
        yield tb.tb_frame.f_code.co_name, tb.tb_lineno
        tb = tb.tb_next


def test_tasks_of_the_event_loop_are_told_too() -> None:
    said = late(gathers).remote_traceback
    assert 2 == said.count("waits:\n")
    assert 2 == said.count("in helper\n    await asyncio.sleep(60)\n")


def test_all_threads_are_told_the_main_one_first() -> None:
    @env.task(timeout=0.5)
    def two_threads() -> None:
        threading.Thread(target=background, name="the other", daemon=True).start()
        time.sleep(60)

    def background() -> None:
        time.sleep(60)

    said = late(two_threads).remote_traceback
    assert said.index("in two_threads") < said.index("Thread the other:") < said.index("in background")


def test_a_deadline_says_it_too() -> None:
    with pytest.raises(errors.DeadlineExceededError) as caught:
        flyte.run(asleep.override(timeout=flyte.Timeout(deadline=3)))
    assert "in asleep" in caught.value.remote_traceback


@pytest.mark.parametrize("deadline", [0.001, 0.01, 0.02, 0.05])
def test_a_time_that_is_over_before_it_begins(deadline: float) -> None:
    with pytest.raises(errors.DeadlineExceededError):
        flyte.run(asleep.override(timeout=flyte.Timeout(deadline=deadline)))


def test_attempts_that_were_late_are_told_one_by_one() -> None:
    @env.task(timeout=0.5, retries=1)
    def late_at_first() -> int:
        print("attempt", flyte.ctx().attempt_number, flush=True)
        if flyte.ctx().attempt_number == 0:
            time.sleep(60)
        return 1

    run = flyte.run(late_at_first)
    assert 1 == run.result()
    (action,) = run.view()["actions"]
    assert ["0"] == list(action["failures"])
    assert "MaxRuntimeExceededError" == action["failures"]["0"]["code"]
    assert "in late_at_first" in action["failures"]["0"]["traceback"]
    assert [["attempt 0"], ["attempt 1"]] == [list(run.get_logs(number)) for number in (0, 1)]


def test_a_signal_that_the_task_wants_for_itself_is_its_own() -> None:
    """Then there is no stack of what holds the interpreter, but all else."""

    @env.task(timeout=0.5)
    def takes_all() -> None:
        for number in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(60)

    assert "in takes_all" in late(takes_all).remote_traceback


@pytest.mark.parametrize("is_late", [True, False])
def test_a_task_that_the_signal_does_not_interrupt_cleans_up_too(is_late: bool) -> None:
    """As when it comes right before the main thread falls asleep: here another thread takes it."""

    @env.task(timeout=0.5 if is_late else 0)
    def sleeps() -> None:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, stacks.SIGNAL])
        try:
            print("asleep", flush=True)
            time.sleep(60)
        finally:
            print("awake", flush=True)

    run = flyte.submit(sleeps)
    if not is_late:
        eventually(lambda: list(run.get_logs()))
        run.cancel()
    run.wait()
    assert ["asleep", "awake"] == list(run.get_logs())


def test_a_cancelled_task_needs_no_stack() -> None:
    run = flyte.submit(asleep.override(timeout=0))
    eventually(lambda: run.phase is Phase.RUNNING)
    run.cancel()
    run.wait()
    with pytest.raises(errors.ActionAbortedError) as caught:
        run.raise_for_status()
    assert "" == caught.value.remote_traceback
