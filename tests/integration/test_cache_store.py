"""What is stored of cached tasks: seen, forgotten, bounded; and what happens to it when something dies."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.errors import ConfigTypeError, InlineIOMaxBytesBreached
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.host.shelf import DAYS_VARIABLE, SIZE_VARIABLE
from flyte_jupyter.pack.envelope import PayloadError
from tests.conftest import eventually, forget_session, host_processes
from tests.integration.processes import is_gone, program

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="shelf", cache="auto")


@env.task
def square(x: int) -> int:
    return x * x


@env.task
def blob(n: int) -> bytes:
    return bytes(n)


# --- seen and forgotten -----------------------------------------------------------------------------------------------


def test_a_table_of_what_is_stored() -> None:
    runs = [flyte.run(square, 2), flyte.run(blob, 2000)]
    found = flyte.cache.list()
    assert ["shelf.blob", "shelf.square"] == [each.task for each in found]
    assert [{"n": "2000"}, {"x": "2"}] == [each.inputs for each in found]
    assert [run.name for run in reversed(runs)] == [each.run for each in found]
    assert found[0].size > 2000
    assert flyte.cache.size() == sum(each.size for each in found)
    head, first, _ = repr(found).splitlines()
    assert ["Task", "Inputs", "Stored"] == head.split()[:3]
    assert ["shelf.blob", "n=2000"] == first.split()[:2]
    assert "<td>shelf.blob</td><td>n=2000</td>" in found._repr_html_()


def test_what_was_given_is_escaped() -> None:
    @env.task
    def greet(name: str) -> str:
        return name

    flyte.run(greet, "<b>")
    assert "<b>" not in flyte.cache.list(greet)._repr_html_()
    assert "&lt;b&gt;" in flyte.cache.list(greet)._repr_html_()


def test_a_version_that_was_given_is_shown() -> None:
    flyte.run(square.override(cache=flyte.Cache("auto", "v7")), 2)
    assert ["v7"] == [each.version for each in flyte.cache.list(square)]


def test_nothing_is_stored() -> None:
    assert ("nothing is stored", 0, 0) == (repr(flyte.cache.list()), flyte.cache.size(), flyte.cache.clear())
    assert "nothing is stored" in flyte.cache.list()._repr_html_()


@pytest.mark.parametrize("of", [square, "shelf.square"])
def test_forgetting_the_results_of_a_task(of: object) -> None:
    first = flyte.run(square, 2)
    flyte.run(blob, 3)
    assert 1 == flyte.cache.clear(of)  # type: ignore[arg-type]
    assert ["shelf.blob"] == [each.task for each in flyte.cache.list()]
    run = flyte.run(square, 2)
    assert (4, False, "nothing is stored yet") == (run.result(), run.is_cached, run.cache)
    assert 4 == flyte.get_run(first.name).result()
    assert 2 == flyte.cache.clear()


def test_a_large_result_is_on_the_disk_once(home: Home) -> None:
    """Runs that find it, and the one that has computed it, have it in common; forgetting takes it from none of them."""
    runs = [flyte.run(blob, 3_000_000) for _ in range(3)]
    assert [False, True, True] == [run.is_cached for run in runs]
    inodes = {file.stat().st_ino: file.stat().st_size for file in (home.path / "store").rglob("*") if file.is_file()}
    assert 3_000_000 < sum(inodes.values()) < 3_200_000
    flyte.cache.clear()
    forget_session()
    assert [3_000_000] * 3 == [len(flyte.get_run(run.name).result()) for run in runs]


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_result_that_is_lost_with_its_run_is_an_error_that_says_so(home: Home, damage: str) -> None:
    run = flyte.run(square, 2)
    (value,) = (home.path / "store" / "runs" / run.name).rglob("kept")
    if damage == "gone":
        value.unlink()
    else:
        value.write_bytes(value.read_bytes()[:-3])
    forget_session()
    again = flyte.get_run(run.name)
    assert "succeeded" == again.phase.value
    with pytest.raises(PayloadError, match="result that was kept"):
        again.result()


def test_what_is_no_task_is_refused() -> None:
    with pytest.raises(ConfigTypeError, match="takes a task or its full name, not 3"):
        flyte.cache.clear(3)  # type: ignore[arg-type]


# --- bounded ----------------------------------------------------------------------------------------------------------


def test_it_is_bounded_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SIZE_VARIABLE, "50Ki")
    for n in range(20_000, 20_010):
        flyte.run(blob, n)
    eventually(lambda: flyte.cache.size() <= 50 * 1024 + 25_000)  # what came while it was looked at goes the next time
    assert "n=20009" in repr(flyte.cache.list())
    assert "n=20000" not in repr(flyte.cache.list())


def test_it_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv(DAYS_VARIABLE, "1")
    flyte.run(square, 2)
    (use,) = (home.path / "store" / "cache").glob("*/*/*.use")
    use.write_text("[0, 0, 10]")
    call(home, {"op": "shutdown"})
    eventually(lambda: not host_processes(home))
    flyte.run(blob, 3)  # the next Host looks once something comes
    eventually(lambda: ["shelf.blob"] == [each.task for each in flyte.cache.list()])


def test_bounds_that_are_none_are_told_in_the_log(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv(SIZE_VARIABLE, "much")
    assert 4 == flyte.run(square, 2).result()
    assert "the bounds of the cache are not used" in home.log.read_text()


# --- what dies --------------------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from pathlib import Path
import flyte_jupyter as flyte

env = flyte.TaskEnvironment(name="dies", cache="auto")

@env.task
def slow(folder: str) -> str:
    import time
    Path(folder, "begun").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.01)
    return "done"

run = flyte.submit(slow, sys.path[0])
print("submitted", flush=True)
print(run.result(), run.is_cached)
"""


def test_what_a_kernel_has_started_is_stored_although_it_dies(tmp_path: Path) -> None:
    with program(tmp_path, PROGRAM) as process:
        assert process.stdout is not None
        assert "submitted\n" == process.stdout.readline()
        eventually((tmp_path / "begun").exists)
        process.kill()
        process.wait()
    (tmp_path / "go").touch()
    eventually(lambda: len(flyte.cache.list()) == 1)
    with program(tmp_path, PROGRAM) as process:
        assert "submitted\ndone True\n" == process.communicate(timeout=60)[0]


def test_no_host_is_needed_for_what_is_stored(home: Home) -> None:
    flyte.run(square, 2)
    processes = host_processes(home)
    call(home, {"op": "shutdown"})
    eventually(lambda: all(is_gone(process.pid) for process in processes))
    forget_session()
    run = flyte.run(square, 2)
    assert (4, True) == (run.result(), run.is_cached)
    assert [4] == list(flyte.map(square, [2]))
    assert [] == [thread.name for thread in threading.enumerate() if thread.name == "flyte-jupyter-news"]
    assert [] == host_processes(home)


def test_an_attempt_that_is_killed_stores_nothing(tmp_path: Path) -> None:
    @env.task
    def dies(folder: str) -> int:
        if not (Path(folder) / "once").exists():
            (Path(folder) / "once").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 1

    with pytest.raises(flyte.errors.BaseRuntimeError):
        flyte.run(dies, str(tmp_path))
    assert [] == flyte.cache.list()
    assert 1 == flyte.run(dies, str(tmp_path)).result()
    assert 1 == len(flyte.cache.list())


def test_a_result_that_cannot_be_stored_is_no_failure(home: Home) -> None:
    (home.path / "store").mkdir(exist_ok=True)
    (home.path / "store" / "cache").write_text("in the way")
    run = flyte.run(square, 2)
    assert (4, False) == (run.result(), run.is_cached)
    assert any("was not stored for later calls" in line for line in run.get_logs())


# --- how much is passed inline ----------------------------------------------------------------------------------------


@env.task
def length(text: str) -> int:
    return len(text)


@env.task(max_inline_io_bytes=1000)
def makes(n: int) -> tuple[str, int]:
    return "x" * n, n


@env.task(cache="disable")
def passes_on(n: int) -> int:
    return length.override(max_inline_io_bytes=100)("x" * n)


def test_inputs_that_are_too_large_start_nothing() -> None:
    small = length.override(max_inline_io_bytes=1000)
    with pytest.raises(
        InlineIOMaxBytesBreached, match=r"shelf.length: input 'text' has 1.97 KiB; 1000 bytes may be passed"
    ):
        flyte.run(small, "x" * 2000)
    assert [] == flyte.runs()
    assert 500 == flyte.run(small, "x" * 500).result()
    assert 2000 == flyte.run(small.override(max_inline_io_bytes=0), "x" * 2000).result()


def test_outputs_that_are_too_large_fail_the_task() -> None:
    assert ("x" * 10, 10) == flyte.run(makes, 10).result()
    with pytest.raises(
        InlineIOMaxBytesBreached, match=r"shelf.makes: output 'o0' has 1.97 KiB; 1000 bytes may be passed"
    ):
        flyte.run(makes, 2000)
    run = flyte.submit(makes.override(retries=3), 2000)
    run.wait()
    assert 0 == run.view()["actions"][0]["attempt"]  # another attempt would return the same
    assert 1 == len(flyte.cache.list(makes))


def test_inputs_of_children() -> None:
    assert 10 == flyte.run(passes_on, 10).result()
    with pytest.raises(InlineIOMaxBytesBreached, match=r"input 'text' has 1.97 KiB"):
        flyte.run(passes_on, 2000)


def test_ten_mebibytes_by_default() -> None:
    with pytest.raises(InlineIOMaxBytesBreached, match="input 'text' has 11 MiB; 10 MiB may be passed by value"):
        flyte.run(length, "x" * 11 * 1024 * 1024)
