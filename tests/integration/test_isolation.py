"""Whatever a task does to its process: the error says what it was, and the caller's process does not notice."""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.home import Home
from flyte_jupyter.host.machine.limits import kills_for_memory
from tests.conftest import eventually
from tests.integration.processes import is_gone, pid_in

env = flyte.TaskEnvironment(name="isolation")


@env.task
def double(x: int) -> int:
    return 2 * x


@pytest.fixture(autouse=True)
def _next_run_works(home: Home) -> Iterator[None]:
    yield
    assert 42 == flyte.run(double, 21).outputs()[0]


def error_of(task: Any, *args: Any) -> errors.BaseRuntimeError:
    """What a run of the task raises."""
    with pytest.raises(errors.BaseRuntimeError) as caught:
        flyte.run(task, *args)
    return caught.value


def test_sys_exit() -> None:
    @env.task
    def leaves() -> None:
        sys.exit(3)

    error = error_of(leaves)
    assert "SystemExit" == error.code
    assert "leaves called sys.exit(3)" in str(error)


@pytest.mark.parametrize("code", [0, 7])
def test_os_exit(code: int) -> None:
    @env.task
    def vanishes(code: int) -> None:
        os._exit(code)

    error = error_of(vanishes, code)
    assert isinstance(error, errors.WorkerCrashedError)
    assert f"vanishes ended its process with exit code {code}" in str(error)


def crash_by_null() -> None:
    ctypes.string_at(0)


@pytest.mark.parametrize(("harm", "name"), [(crash_by_null, "SIGSEGV"), (os.abort, "SIGABRT")])
def test_crash(harm: Callable[[], None], name: str) -> None:
    @env.task
    def crashes() -> None:
        print("before")
        harm()

    run = flyte.submit(crashes)
    run.wait()
    with pytest.raises(errors.WorkerCrashedError, match=f"crashes was killed by {name}"):
        run.raise_for_status()
    assert ["before"] == list(run.get_logs())


def test_a_crash_is_told_with_its_place() -> None:
    """Of the thread that it was in."""

    @env.task
    def crashes(in_thread: bool) -> None:
        if in_thread:
            thread = threading.Thread(target=crash_by_null)
            thread.start()
            thread.join()
        crash_by_null()

    for in_thread, first in ((False, "crashes"), (True, "crash_by_null")):
        error = error_of(crashes, in_thread)
        functions = [frame.function for frame in error.remote_frames]
        assert (first, "crash_by_null") == (functions[0], functions[-2])
        assert "    ctypes.string_at(0)\n" in error.remote_traceback
        assert ("Another thread:" in error.remote_traceback) is in_thread


def test_processes_that_the_task_has_forked_end_quietly() -> None:
    """A pool ends its processes with SIGTERM."""

    @env.task
    def pools() -> list[float]:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map(math.sqrt, [1, 4])

    @env.task
    def ends_one() -> int | None:
        process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        process.start()
        process.terminate()
        process.join()
        return process.exitcode

    for task, result in ((pools, [1.0, 2.0]), (ends_one, -signal.SIGTERM)):
        run = flyte.run(task)
        assert result == run.outputs()[0]
        assert [] == list(run.get_logs())


def test_a_crash_of_a_process_that_the_task_has_forked_is_in_the_log() -> None:
    @env.task
    def forks() -> int:
        child = os.fork()
        if not child:
            crash_by_null()
        return os.WTERMSIG(os.waitpid(child, 0)[1])

    run = flyte.run(forks)
    assert signal.SIGSEGV == run.outputs()[0]
    lines = list(run.get_logs())
    assert any("Fatal Python error" in line for line in lines), lines


def test_endless_loop() -> None:
    @env.task(timeout=0.3)
    def loops() -> None:
        while True:
            pass

    error = error_of(loops)
    assert isinstance(error, errors.MaxRuntimeExceededError)
    assert "loops ran longer" in str(error)


def test_endless_loop_that_does_not_want_to_end() -> None:
    @env.task(timeout=0.3)
    def clings() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(0.01)

    assert isinstance(error_of(clings), errors.MaxRuntimeExceededError)


@pytest.mark.skipif(kills_for_memory() is None, reason="this system does not count what it kills for memory")
def test_killed_from_outside(tmp_path: Path) -> None:
    @env.task
    def waits(place: str) -> None:
        Path(place).write_text(f"{os.getpid()}\n")
        time.sleep(60)

    run = flyte.submit(waits, str(tmp_path / "pid"))
    os.kill(pid_in(tmp_path / "pid"), signal.SIGKILL)
    run.wait()
    with pytest.raises(errors.TaskInterruptedError, match="waits was killed by SIGKILL"):
        run.raise_for_status()


def test_closed_stdout() -> None:
    @env.task
    def closes_descriptors() -> int:
        os.close(1)
        os.close(2)
        return 1

    @env.task
    def closes_streams() -> int:
        print("printed")
        sys.stdout.close()
        sys.stderr.close()
        return 2

    assert 1 == flyte.run(closes_descriptors).outputs()[0]
    run = flyte.run(closes_streams)
    assert 2 == run.outputs()[0]
    assert ["printed"] == list(run.get_logs())


def test_grandchildren_go_with_the_task(tmp_path: Path) -> None:
    @env.task
    def leaves_processes(places: list[str]) -> None:
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        Path(places[0]).write_text(f"{sleeper.pid}\n")
        forked = os.fork()
        if forked == 0:
            time.sleep(60)
        Path(places[1]).write_text(f"{forked}\n")
        if len(places) > 2:
            detached = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
            Path(places[2]).write_text(f"{detached.pid}\n")

    places = [tmp_path / "program", tmp_path / "fork"]
    if sys.platform == "linux":  # elsewhere nothing finds what has left its group
        places.append(tmp_path / "detached")
    flyte.run(leaves_processes, [str(place) for place in places])
    for pid in [int(place.read_text()) for place in places]:
        eventually(lambda: is_gone(pid))  # noqa: B023 - called at once


def test_forked_child_does_not_answer_for_the_task() -> None:
    @env.task
    def forks(child_fails: bool) -> str:
        pid = os.fork()
        if pid == 0 and child_fails:
            raise LookupError("in the child")
        if pid == 0:
            return "child"
        return f"parent, child ended with {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}"

    assert "parent, child ended with 0" == flyte.run(forks, False).outputs()[0]
    run = flyte.run(forks, True)
    assert "parent, child ended with 1" == run.outputs()[0]
    assert "LookupError: in the child" == list(run.get_logs())[-1]


def test_stdout_without_newline() -> None:
    @env.task
    def pours() -> int:
        for _ in range(50):
            sys.stdout.write("x" * 100_000)
        return 1

    run = flyte.run(pours)
    assert 1 == run.outputs()[0]
    assert 5_000_000 == sum(map(len, run.get_logs()))


def test_stdout_that_is_not_text() -> None:
    @env.task
    def pours_bytes() -> None:
        os.write(1, b"\xff\x00\x1b[31m\n")

    assert ["\\xff\x00\x1b[31m"] == list(flyte.run(pours_bytes).get_logs())


def test_this_process_does_not_notice() -> None:
    @env.task
    def changes_its_process() -> list[str]:
        os.environ["CHANGED_BY_A_TASK"] = "1"
        os.chdir("/")
        import wave

        return [os.environ["CHANGED_BY_A_TASK"], os.getcwd(), wave.__name__]

    @env.task
    def looks() -> list[object]:
        return [os.environ.get("CHANGED_BY_A_TASK"), os.getcwd(), "wave" in sys.modules]

    flyte.run(double, 1)
    sys.modules.pop("wave", None)
    before = dict(os.environ), os.getcwd(), set(sys.modules)
    assert ["1", "/", "wave"] == flyte.run(changes_its_process).outputs()[0]
    assert before == (dict(os.environ), os.getcwd(), set(sys.modules))
    assert [None, os.getcwd(), False] == flyte.run(looks).outputs()[0]


def test_it_is_not_this_process() -> None:
    @env.task
    def where() -> int:
        return os.getpid()

    first, second = (flyte.run(where).outputs()[0] for _ in range(2))
    assert 3 == len({os.getpid(), first, second})
