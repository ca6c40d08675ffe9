"""`serialize=True`: equal calls at the same time are computed once, whoever makes them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.engine.run import Run
from tests.conftest import eventually
from tests.integration.processes import pid_in, program

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="single", cache=flyte.Cache("auto", serialize=True))
plain = flyte.TaskEnvironment(name="plain")


@env.task
def waits_for_go(folder: str, x: int) -> int:
    Path(folder, f"pid.{x}.{os.getpid()}").write_text(f"{os.getpid()}\n")
    while not Path(folder, "go").exists():
        time.sleep(0.01)
    if Path(folder, "go").read_text() == "fail":
        Path(folder, "go").write_text("well")
        raise ValueError("told to")
    return x


def started(folder: Path) -> list[Path]:
    return sorted(folder.glob("pid.*"))


def is_waiting(run: Run) -> bool:
    return "computes the same" in run.view()["actions"][0]["reason"]


def test_the_second_takes_what_the_first_has_computed(tmp_path: Path) -> None:
    first = flyte.submit(waits_for_go, str(tmp_path), 1)
    eventually(lambda: started(tmp_path))
    others = [flyte.submit(waits_for_go, str(tmp_path), 1) for _ in range(3)]
    eventually(lambda: all(map(is_waiting, others)))
    assert f"{first.name}-a0 computes the same" == others[0].view()["actions"][0]["reason"]
    (tmp_path / "go").touch()
    assert [1] * 4 == [run.result() for run in [first, *others]]
    assert [False, True, True, True] == [run.is_cached for run in [first, *others]]
    assert 1 == len(started(tmp_path))
    assert others[0].cache == others[0].view()["actions"][0]["cache"]
    assert others[0].cache.startswith("stored ")
    assert others[0].cache.endswith(f" ago by run {first.name}")


def test_other_inputs_do_not_wait(tmp_path: Path) -> None:
    runs = [flyte.submit(waits_for_go, str(tmp_path), x) for x in range(2)]
    eventually(lambda: len(started(tmp_path)) == 2)
    (tmp_path / "go").touch()
    assert [0, 1] == [run.result() for run in runs]


def test_without_serialize_both_run(tmp_path: Path) -> None:
    both = waits_for_go.override(cache="auto")
    runs = [flyte.submit(both, str(tmp_path), 1) for _ in range(2)]
    eventually(lambda: len(started(tmp_path)) == 2)
    (tmp_path / "go").touch()
    assert [(1, False)] * 2 == [(run.result(), run.is_cached) for run in runs]


def test_when_the_first_fails_the_next_one_runs(tmp_path: Path) -> None:
    first = flyte.submit(waits_for_go, str(tmp_path), 1)
    eventually(lambda: started(tmp_path))
    others = [flyte.submit(waits_for_go, str(tmp_path), 1) for _ in range(2)]
    eventually(lambda: all(map(is_waiting, others)))
    (tmp_path / "go").write_text("fail")
    with pytest.raises(ValueError, match="told to"):
        first.result()
    assert [1, 1] == [run.result() for run in others]
    assert [False, True] == sorted(run.is_cached for run in others)
    assert 2 == len(started(tmp_path))


@pytest.mark.parametrize("how", ["killed", "cancelled"])
def test_when_the_first_is_gone_the_next_one_runs(tmp_path: Path, how: str) -> None:
    first = flyte.submit(waits_for_go, str(tmp_path), 1)
    eventually(lambda: started(tmp_path))
    other = flyte.submit(waits_for_go, str(tmp_path), 1)
    eventually(lambda: is_waiting(other))
    if how == "killed":
        os.kill(pid_in(started(tmp_path)[0]), signal.SIGKILL)
    else:
        first.cancel()
    eventually(lambda: len(started(tmp_path)) == 2)
    (tmp_path / "go").touch()
    assert (1, False) == (other.result(), other.is_cached)
    with pytest.raises(errors.BaseRuntimeError):
        first.result()


def test_one_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    first = flyte.submit(waits_for_go, str(tmp_path), 1)
    eventually(lambda: started(tmp_path))
    other = flyte.submit(waits_for_go, str(tmp_path), 1)
    eventually(lambda: is_waiting(other))
    other.cancel()
    with pytest.raises(errors.ActionAbortedError):
        other.result()
    (tmp_path / "go").touch()
    assert 1 == first.result()


def test_the_time_limit_counts_while_it_waits(tmp_path: Path) -> None:
    first = flyte.submit(waits_for_go, str(tmp_path), 1)
    eventually(lambda: started(tmp_path))
    hasty = waits_for_go.override(timeout=flyte.Timeout(max_queued_time=0.2))
    with pytest.raises(errors.MaxQueuedTimeExceededError):
        flyte.run(hasty, str(tmp_path), 1)
    (tmp_path / "go").touch()
    assert 1 == first.result()


PROGRAM = """
import sys
from pathlib import Path
import flyte_jupyter as flyte

env = flyte.TaskEnvironment(name="kernels", cache=flyte.Cache("auto", serialize=True))

@env.task
def waits_for_go(folder: str) -> str:
    import os, time
    Path(folder, f"pid.{os.getpid()}").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.01)
    return "done"

run = flyte.submit(waits_for_go, sys.path[0])
print("submitted", flush=True)
print(run.result(), run.is_cached)
"""


def test_between_kernels(tmp_path: Path) -> None:
    with (
        program(tmp_path, PROGRAM, "a.py") as one,
        program(tmp_path, PROGRAM.replace("submitted", "too"), "b.py") as other,
    ):
        assert one.stdout is not None
        assert other.stdout is not None
        assert ("submitted\n", "too\n") == (one.stdout.readline(), other.stdout.readline())
        eventually(lambda: started(tmp_path))
        (tmp_path / "go").touch()
        said = sorted(process.communicate(timeout=60)[0] for process in (one, other))
    assert ["done False\n", "done True\n"] == said
    assert 1 == len(started(tmp_path))


@plain.task
async def gathers(folder: str, n: int) -> list[int]:
    return list(await asyncio.gather(*[waits_for_go.aio(folder, 1) for _ in range(n)]))


def test_between_children(tmp_path: Path) -> None:
    runs = [flyte.submit(gathers, str(tmp_path), 3) for _ in range(2)]
    eventually(lambda: sum(run.view()["total"] for run in runs) == 8)
    (tmp_path / "go").touch()
    assert [[1, 1, 1]] * 2 == [run.result() for run in runs]
    assert 1 == len(started(tmp_path))


@env.task(cache=flyte.Cache("auto", serialize=True, ignored_inputs="depth"))
def down(n: int, folder: str, depth: int) -> int:
    """Calls itself with what it was called with, as far as the cache can see."""
    Path(folder, f"{depth}").touch()
    return n if depth == 3 else down(n, folder, depth + 1)


def test_a_task_that_calls_itself_with_the_same_does_not_wait_for_itself(tmp_path: Path) -> None:
    assert 1 == flyte.run(down, 1, str(tmp_path), 0).result()
    assert ["0", "1", "2", "3"] == sorted(path.name for path in tmp_path.iterdir())
