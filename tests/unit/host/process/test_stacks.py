"""Where an attempt is stuck: as Python writes it, and in processes of their own that are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from flyte_jupyter.errors import is_ours
from flyte_jupyter.host.process import stacks
from flyte_jupyter.pods import Failure, FrameName
from tests.conftest import eventually

ROOT = Path(__file__).parents[4]
LATE = Failure(code="MaxRuntimeExceededError", kind="user", message="late")
OURS = str(ROOT / "flyte_jupyter" / "host" / "process" / "attempt.py")
DUMP = (
    f"""\
Thread 0x00007f3c5b7fe6c0 (most recent call first):
  File "/lib/numbers.py", line 7 in crunch
  File "/work/mine.py", line 31 in background
  File "{threading_file}", line 982 in run
  File "{threading_file}", line 1002 in _bootstrap

Current thread 0x00007f3c9c5f2740 (most recent call first):
  File "/work/mine.py", line 12 in inner
  File "/work/mine.py", line 20 in train
  File "{OURS}", line 150 in _run
  File "<string>", line 6 in <module>
"""
    if (threading_file := getattr(sys.modules["threading"], "__file__", ""))
    else ""
)


def test_a_dump_of_all_threads() -> None:
    failure = stacks.told(LATE, DUMP)
    assert (FrameName("/work/mine.py", 20, "train", 0), FrameName("/work/mine.py", 12, "inner", 0)) == failure.frames
    assert 'File "/work/mine.py", line 20, in train\n' in failure.traceback
    first, _, second = failure.traceback.partition("Another thread:\n")
    assert "background" not in first
    assert "crunch" in second
    assert "attempt.py" not in failure.traceback
    assert ("MaxRuntimeExceededError", "late") == (failure.code, failure.message)


@pytest.mark.parametrize("written", ["", "nonsense", 'json {"frames": [["f"', "json 7\n", DUMP.splitlines()[0]])
def test_what_says_nothing_changes_nothing(written: str) -> None:
    assert LATE == stacks.told(LATE, written)


def test_what_the_interpreter_wrote_itself_counts_more() -> None:
    written = DUMP + '\njson {"frames": [["/work/mine.py", 3, "f", 1]], "traceback": "in words"}\n'
    assert ((FrameName("/work/mine.py", 3, "f", 1),), "in words") == (
        stacks.told(LATE, written).frames,
        stacks.told(LATE, written).traceback,
    )


def test_a_paper_is_read_as_far_as_it_was_written() -> None:
    paper = stacks.new_paper()
    try:
        assert "" == stacks.read(paper)
        os.write(paper, b"one\n")
        assert "one\n" == stacks.read(paper)
        os.write(paper, "zwölf\n".encode())
        assert "one\nzwölf\n" == stacks.read(paper)
    finally:
        os.close(paper)


# --- real ones --------------------------------------------------------------------------------------------------------

HEAD = """
import sys, os, signal, time, threading, asyncio
from flyte_jupyter.host.process import stacks
paper = int(sys.argv[1])
stacks.write_on_signal(paper)
stacks.wake_on_signal()

def stop(number, frame):
    stacks.write(paper, frame)
    os._exit(3)

signal.signal(signal.SIGTERM, stop)
"""
LAST = "\nprint('ready', flush=True)\n"


@pytest.fixture
def paper() -> Iterator[int]:
    made = stacks.new_paper()
    yield made
    os.close(made)


def stuck(tmp_path: Path, paper: int, program: str, number: int) -> Failure:
    """Where a program is, according to itself, when it gets that signal after it has said that it is ready."""
    path = tmp_path / "mine.py"
    path.write_text(HEAD + textwrap.dedent(program))
    process = subprocess.Popen(
        [sys.executable, str(path), str(paper)],
        pass_fds=[paper], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        process.send_signal(number)
        eventually(lambda: has_told(process, paper))
        if number == signal.SIGTERM:
            assert 3 == process.wait(10)
    finally:
        process.kill()
        process.communicate()
    return stacks.told(LATE, stacks.read(paper))


SIGNALS = pytest.mark.parametrize("number", [stacks.SIGNAL, signal.SIGTERM], ids=["from C", "from Python"])


def has_told(process: subprocess.Popen[str], paper: int) -> bool:
    """Whether it has written all; else it is woken, as the Host does: the signal may have come right before a call.

    From C it writes line by line, and the outermost frame of the main thread comes last.
    """
    written = stacks.read(paper)
    if ("in <module>\n" in written or "\njson " in written) and stacks.told(LATE, written).frames:
        return True
    process.send_signal(stacks.WAKE)
    return False


@SIGNALS
def test_asleep(tmp_path: Path, paper: int, number: int) -> None:
    program = """
        def inner():
            print("ready", flush=True)
            time.sleep(60)
        def outer():
            inner()
        outer()
    """
    failure = stuck(tmp_path, paper, program, number)
    assert ["<module>", "outer", "inner"] == [frame.function for frame in failure.frames]
    assert "in outer\n    inner()\n" in failure.traceback


def test_a_signal_that_does_not_interrupt(tmp_path: Path, paper: int) -> None:
    """As when it comes right before the main thread falls asleep: here another thread takes it."""
    program = """
        def sleeps():
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            print("ready", flush=True)
            time.sleep(60)
        sleeps()
    """
    assert "sleeps" == stuck(tmp_path, paper, program, signal.SIGTERM).frames[-1].function


@SIGNALS
def test_while_threads_are_counted(tmp_path: Path, paper: int, number: int) -> None:
    """The main thread holds the lock that `threading.enumerate` takes."""
    program = """
        def starts_one():
            with threading._active_limbo_lock:
                print("ready", flush=True)
                time.sleep(60)
        starts_one()
    """
    assert "starts_one" == stuck(tmp_path, paper, program, number).frames[-1].function


@SIGNALS
def test_waiting_for_a_lock(tmp_path: Path, paper: int, number: int) -> None:
    program = """
        def waits():
            lock = threading.Lock()
            lock.acquire()
            print("ready", flush=True)
            with lock:
                pass
        waits()
    """
    assert "waits" == stuck(tmp_path, paper, program, number).frames[-1].function


@SIGNALS
def test_all_threads_the_main_one_first(tmp_path: Path, paper: int, number: int) -> None:
    program = """
        def background():
            time.sleep(60)
        def main():
            threading.Thread(target=background, name="helper", daemon=True).start()
            print("ready", flush=True)
            time.sleep(60)
        main()
    """
    failure = stuck(tmp_path, paper, program, number)
    assert "main" == failure.frames[-1].function
    assert failure.traceback.index("in main") < failure.traceback.index("in background")
    assert ("Thread helper:" if number == signal.SIGTERM else "Another thread:") in failure.traceback


def test_compiled_code_that_holds_the_interpreter(tmp_path: Path, paper: int) -> None:
    """Its own handlers would not run before it ends."""
    program = """
        import re
        def backtracks():
            print("ready", flush=True)
            re.match("(a+)+$", "a" * 64 + "b")
        backtracks()
    """
    functions = [frame.function for frame in stuck(tmp_path, paper, program, stacks.SIGNAL).frames]
    assert "backtracks" in functions


def test_tasks_of_the_event_loop(tmp_path: Path, paper: int) -> None:
    program = """
        async def waits_for_ever():
            await asyncio.Event().wait()
        async def sleeps():
            await asyncio.sleep(60)
        async def values():
            await waits_for_ever()
            yield 1
        async def goes_through():
            async for _ in values():
                pass
        async def main():
            asyncio.create_task(sleeps(), name="the sleeper")
            asyncio.get_running_loop().call_soon(print, "ready")
            sys.stdout.reconfigure(line_buffering=True)
            await goes_through()
        asyncio.run(main())
    """
    failure = stuck(tmp_path, paper, program, signal.SIGTERM)
    assert ["main", "goes_through", "values", "waits_for_ever"] == [frame.function for frame in failure.frames][:4]
    assert "Task the sleeper waits:" in failure.traceback
    assert "    await asyncio.sleep(60)\n" in failure.traceback


def test_none_of_these_is_ours() -> None:
    assert is_ours(OURS)
