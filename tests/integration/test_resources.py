"""What `resources` does to a task, seen from inside it or by what becomes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.home import Home
from flyte_jupyter.host.cgroups import CGROUPS_VARIABLE
from flyte_jupyter.host.client import call
from tests.conftest import eventually, host_processes
from tests.integration.processes import is_gone

pytestmark = pytest.mark.usefixtures("home")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep these limits")

env = flyte.TaskEnvironment(name="resources")
small = flyte.TaskEnvironment(name="small", resources=flyte.Resources(memory="100Mi"))


@env.task
def double(x: int) -> int:
    return 2 * x


def error_of(task: Any, *args: Any) -> errors.BaseRuntimeError:
    """What a run of the task raises; the next run works."""
    with pytest.raises(errors.BaseRuntimeError) as caught:
        flyte.run(task, *args)
    assert 42 == flyte.run(double, 21).outputs()[0]
    return caught.value


def host_says(home: Home, what: str) -> str:
    status = call(home, {"op": "status"})
    assert status is not None
    return str(status[what])


# --- memory -----------------------------------------------------------------------------------------------------------


@small.task
def many_objects() -> int:
    return len([b"x" * 1_000_000 for _ in range(100_000)])


@small.task
def one_array() -> float:
    import numpy as np

    return float(np.ones(100_000_000).sum())


@small.task
def grows_slowly() -> None:
    kept = []
    while True:
        kept.append(os.urandom(300_000))


@small.task
def in_a_process_of_its_own() -> None:
    subprocess.run([sys.executable, "-c", "x = []\nwhile True: x.append(b'x' * 1_000_000)"], check=True)


@small.task
def enough() -> int:
    return len(b"x" * 50_000_000)


@pytest.fixture
def grouped(home: Home) -> None:
    flyte.prepare()
    if "memory" not in host_says(home, "groups"):
        pytest.skip("no control groups can be made here")


@ON_LINUX
@pytest.mark.usefixtures("grouped")
@pytest.mark.parametrize("hog", [many_objects, one_array, grows_slowly, in_a_process_of_its_own], ids=lambda t: t.name)
def test_memory_limit_of_all_processes_together(hog: Any) -> None:
    error = error_of(hog)
    assert isinstance(error, errors.OOMError)
    said = str(error)
    assert (
        f"{hog.short_name} was killed: all its processes together needed more memory than its limit of 100 MiB" in said
    )
    assert "it had used 100 MiB" in said
    assert f"{hog.short_name}.override(resources=flyte.Resources(memory=...))" in said


@ON_LINUX
@pytest.mark.parametrize("hog", [many_objects, one_array, grows_slowly], ids=lambda t: t.name)
def test_memory_limit_without_control_groups(monkeypatch: pytest.MonkeyPatch, hog: Any) -> None:
    monkeypatch.setenv(CGROUPS_VARIABLE, "no")
    error = error_of(hog)
    assert isinstance(error, errors.OOMError)
    assert f"{hog.short_name} needed more memory than its limit of 100 MiB; it had used " in str(error)


@ON_LINUX
@pytest.mark.parametrize("cgroups", ["", "no"])
def test_what_fits_into_the_limit_runs(monkeypatch: pytest.MonkeyPatch, cgroups: str) -> None:
    monkeypatch.setenv(CGROUPS_VARIABLE, cgroups)
    assert 50_000_000 == flyte.run(enough).outputs()[0]


@ON_LINUX
@pytest.mark.usefixtures("grouped")
def test_an_attempt_that_ran_out_of_memory_is_repeated_and_told(tmp_path: Path) -> None:
    @env.task(retries=1)
    def learns() -> int:
        return enough.forward() if flyte.ctx().attempt_number else many_objects.forward()

    run = flyte.run(learns.override(resources=flyte.Resources(memory=("50Mi", "100Mi"))))
    assert 50_000_000 == run.outputs()[0]
    failures = run.view()["actions"][0]["failures"]
    assert {"0": "OOMError"} == {number: failure["code"] for number, failure in failures.items()}


@ON_LINUX
@pytest.mark.usefixtures("grouped")
def test_no_group_is_left(home: Home) -> None:
    def groups() -> list[str]:
        found = subprocess.run(
            ["find", "/sys/fs/cgroup", "-name", f"flyte_jupyter.{pid}.*", "-not", "-name", "*.host"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return found.stdout.split()

    pid = host_says(home, "pid")
    error_of(in_a_process_of_its_own)
    assert 50_000_000 == flyte.run(enough).outputs()[0]
    eventually(lambda: [] == groups())

    @small.task
    def waits() -> None:
        signal.pause()

    flyte.submit(waits)
    eventually(groups)
    before = host_processes(home)
    os.kill(int(pid), signal.SIGKILL)
    eventually(lambda: all(is_gone(process.pid) for process in before))
    assert groups()
    flyte.runs()[0].cancel()
    flyte.runs()[0].wait(10)
    assert pid != host_says(home, "pid")
    assert [] == groups()
