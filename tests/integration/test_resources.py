"""What `resources` does to a task, seen from inside it or by what becomes of it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.engine.run import Run
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.host.machine.cgroups import CGROUPS_VARIABLE
from flyte_jupyter.pods import Phase
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


def root(run: Run) -> dict[str, Any]:
    return next(action for action in run.view()["actions"] if action["name"] == "a0")


def reason(run: Run) -> str:
    return str(root(run)["reason"])


def noted(run: Run) -> list[str]:
    return list(root(run)["notes"])


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
    flyte.runs()[0].cancel()
    flyte.runs()[0].wait(10)
    assert pid != host_says(home, "pid")
    assert [] == groups()


# --- cores ------------------------------------------------------------------------------------------------------------


@env.task
def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


@env.task
def variables(names: list[str]) -> list[str | None]:
    return [os.environ.get(name) for name in names]


@env.task
def until(gate: str, names: list[str]) -> tuple[list[int], list[str | None]]:
    """The cores and variables that it sees; it goes on until the gate is there."""
    seen = [os.environ.get(name) for name in names]
    print("began", flush=True)
    while not Path(gate).exists():
        time.sleep(0.01)
    return sorted(os.sched_getaffinity(0)), seen


@env.task
def threads_of_numpy() -> tuple[bool, int]:
    """Whether numpy was there before, and how many threads the process has after it has multiplied matrices."""
    was_there = "numpy" in sys.modules
    import numpy as np

    matrix = np.ones((500, 500))
    matrix @ matrix
    return was_there, len(os.listdir("/proc/self/task"))


def with_cpu(task: Any, cpu: Any, **more: Any) -> Any:
    return task.override(resources=flyte.Resources(cpu=cpu), **more)


def began(run: Run) -> Run:
    eventually(lambda: "began" in run.get_logs())
    return run


ALL_CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@ON_LINUX
def test_a_task_runs_on_the_cores_it_asks_for() -> None:
    assert 1 == len(flyte.run(with_cpu(cores, 1)).result())
    assert 1 == len(flyte.run(with_cpu(cores, "500m")).result())
    assert ALL_CORES == len(flyte.run(with_cpu(cores, ALL_CORES)).result())
    assert ALL_CORES == len(flyte.run(with_cpu(cores, (1, ALL_CORES))).result())
    assert ALL_CORES == len(flyte.run(cores).result())


@ON_LINUX
@pytest.mark.skipif(ALL_CORES < 2, reason="needs two cores")
def test_neighbours_run_on_different_cores(tmp_path: Path) -> None:
    runs = [began(flyte.submit(with_cpu(until, 1), str(tmp_path / "gate"), [])) for _ in range(2)]
    (tmp_path / "gate").touch()
    (first,), (second,) = (run.result()[0] for run in runs)
    assert first != second


def test_libraries_are_told_how_many_threads_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"]
    monkeypatch.setenv("OMP_NUM_THREADS", "13")
    assert ["13", None, None, None] == flyte.run(variables, names).result()
    assert ["1"] * 4 == flyte.run(with_cpu(variables, 0.5), names).result()
    assert [str(ALL_CORES)] * 4 == flyte.run(with_cpu(variables, 1000), names).result()


def test_what_the_user_says_of_threads_counts() -> None:
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    asked = with_cpu(variables, 1, env_vars={"OMP_NUM_THREADS": "7"})
    assert ["7", "1"] == flyte.run(asked, names).result()
    context = flyte.with_runcontext(env_vars={"OMP_NUM_THREADS": "5"})
    assert ["5", "1"] == context.run(with_cpu(variables, 1), names).result()


@ON_LINUX
def test_libraries_that_are_loaded_before_the_fork_keep_to_it() -> None:
    """The first time numpy is imported by the task, then it is there already, in a zygote for that many threads."""
    asked = with_cpu(threads_of_numpy, 1)
    assert (False, 1) == flyte.run(asked).result()
    eventually(lambda: (True, 1) == flyte.run(asked).result())
    expected = (True, ALL_CORES)
    eventually(lambda: expected == flyte.run(threads_of_numpy).result())
    assert (True, 1) == flyte.run(asked).result()


@ON_LINUX
def test_a_part_of_a_core_is_kept_to_by_the_kernel(home: Home) -> None:
    flyte.prepare()
    if "cpu" not in host_says(home, "groups"):
        pytest.skip("no control groups for the CPU can be made here")

    @env.task
    def spins() -> int:
        """Until the kernel says that it has held this process back."""
        groups = [line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
        places = [Path(f"/sys/fs/cgroup{tree}{of}/cpu.stat") for tree in ("", "/cpu", "/cpu,cpuacct") for of in groups]
        place = next(place for place in places if "flyte_jupyter." in str(place) and place.exists())
        held_back = 0
        while not held_back:
            sum(range(100_000))
            held_back = int(dict(line.split() for line in place.read_text().splitlines())["nr_throttled"])
        return held_back

    assert 0 < flyte.run(with_cpu(spins, 0.1, timeout=30)).result()


# --- GPUs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that may use two: without a driver what its variable says counts."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")


CUDA = ["CUDA_VISIBLE_DEVICES"]
NO_DRIVER = pytest.mark.skipif(
    shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/gpus").exists(), reason="there are real GPUs"
)


def with_gpu(task: Any, gpu: Any) -> Any:
    return task.override(resources=flyte.Resources(gpu=gpu))


@NO_DRIVER
@pytest.mark.usefixtures("two_gpus")
def test_a_task_sees_the_gpus_it_asks_for() -> None:
    assert ["3,5"] == flyte.run(variables, CUDA).result()
    assert [""] == flyte.run(with_gpu(variables, 0), CUDA).result()
    assert ["3"] == flyte.run(with_gpu(variables, 1), CUDA).result()
    assert ["3,5"] == flyte.run(with_gpu(variables, 2), CUDA).result()


@NO_DRIVER
@pytest.mark.usefixtures("two_gpus")
def test_nobody_else_gets_a_gpu_that_is_in_use(tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    runs = [began(flyte.submit(with_gpu(until, 1), gate, CUDA)) for _ in range(2)]
    third = flyte.submit(with_gpu(until, 1), gate, CUDA)
    eventually(lambda: "waits for 1 GPU; 0 of 2 free" == reason(third))
    (tmp_path / "gate").touch()
    assert [["3"], ["5"]] == sorted(run.result()[1] for run in runs)
    assert third.result()[1] in (["3"], ["5"])


@NO_DRIVER
@pytest.mark.usefixtures("two_gpus")
def test_gpus_that_are_not_here_are_noted() -> None:
    run = flyte.run(with_gpu(variables, "T4:4"), CUDA)
    assert ["3,5"] == run.result()
    assert ["gpu: it asks for 4 × T4; this kernel has 2 here"] == noted(run)


# --- disk and shared memory -------------------------------------------------------------------------------------------


@env.task
def writes(size: int) -> str:
    """Where it has written so much."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"x" * size)
    return file.name


def with_disk(task: Any, disk: str) -> Any:
    return task.override(resources=flyte.Resources(disk=disk))


def test_scratch_space_is_the_tasks_own_and_goes_with_it() -> None:
    place = Path(flyte.run(with_disk(writes, "1Mi"), 1000).result())
    assert place.parent.parent == Path(tempfile.gettempdir())
    eventually(lambda: not place.parent.exists())
    without = Path(flyte.run(writes, 10).result())
    assert without.parent == Path(tempfile.gettempdir())
    without.unlink()


def test_scratch_space_is_where_the_kernel_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert tmp_path == Path(flyte.run(with_disk(writes, "1Mi"), 1000).result()).parent.parent
    assert tmp_path == Path(flyte.run(writes, 1000).result()).parent


def test_a_file_larger_than_the_scratch_space_is_an_error_that_says_so() -> None:
    with pytest.raises(OSError, match=r"File too large: no more than 1 MiB, as resources say \(disk\)"):
        flyte.run(with_disk(writes, "1Mi"), 2 * 2**20)


def test_a_large_result_is_no_file_of_the_task() -> None:
    @env.task
    def large() -> bytes:
        return b"x" * (4 * 2**20)

    assert 4 * 2**20 == len(flyte.run(with_disk(large, "1Mi")).result())


def test_scratch_space_of_a_host_that_dies_is_removed_by_the_next(home: Home, tmp_path: Path) -> None:
    @env.task
    def waits(told: str) -> int:
        number = flyte.ctx().attempt_number or 0
        Path(told, str(number)).write_text(f"{tempfile.gettempdir()}\n")
        while number == 0:
            time.sleep(0.01)
        return number

    run = flyte.submit(with_disk(waits, "1Mi"), str(tmp_path))
    eventually(lambda: (tmp_path / "0").exists() and (tmp_path / "0").read_text().endswith("\n"))
    place = Path((tmp_path / "0").read_text().strip())
    assert place.is_dir()
    os.kill(int(host_says(home, "pid")), signal.SIGKILL)
    assert 1 == run.result()
    eventually(lambda: not place.exists())
    eventually(lambda: not Path((tmp_path / "1").read_text().strip()).exists())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"disk": "900Pi"}, r"disk: it asks for .* TiB; .* are free in "),
        ({"shm": "900Pi"}, r"shm: it asks for .* TiB; .* are free in /dev/shm"),
        ({"cpu": 1000}, rf"cpu: oversubscribed: it asks for 1000 cores, and runs alone on the {ALL_CORES} here"),
        ({"memory": "900Pi"}, r"memory: oversubscribed: it asks for .* TiB of the .* here"),
    ],
)
@ON_LINUX
def test_what_does_not_fit_runs_and_is_noted_or_is_refused(asked: dict[str, str], expected: str) -> None:
    asking = double.override(resources=flyte.Resources(**asked))  # type: ignore[arg-type]  # one of them
    run = flyte.run(asking, 1)
    assert 2 == run.result()
    (note,) = noted(run)
    assert re.match(expected, note)
    before = [run.name for run in flyte.runs()]
    with pytest.raises(errors.ConfigValueError, match=expected):
        flyte.with_runcontext(strict=True).run(asking, 1)
    assert before == [run.name for run in flyte.runs()]


def test_a_child_that_does_not_fit_is_noted_on_the_card_or_refused() -> None:
    @env.task
    def parent() -> int:
        return with_cpu(double, 1000)(2)

    run = flyte.run(parent)
    assert 4 == run.result()
    assert any(action["notes"] for action in run.view()["actions"] if action["name"] != "a0")
    with pytest.raises(errors.BaseRuntimeError, match="strict, and not all of it is here"):
        flyte.with_runcontext(strict=True).run(parent)


# --- who may start ----------------------------------------------------------------------------------------------------


def test_who_has_to_wait_says_what_for(tmp_path: Path) -> None:
    first = began(flyte.submit(with_cpu(until, ALL_CORES), str(tmp_path / "gate"), []))
    second = flyte.submit(with_cpu(double, 1), 21)
    eventually(lambda: f"waits for 1 core; 0 of {ALL_CORES} free" == reason(second))
    assert Phase.WAITING_FOR_RESOURCES is second.phase
    assert 2 == flyte.run(double, 1).result()  # it asks for nothing
    (tmp_path / "gate").touch()
    assert 42 == second.result()
    steps = [step[0] for step in root(second)["history"]]
    assert ["queued", "waiting_for_resources", "initializing", "running", "succeeded"] == steps
    assert "" == reason(second)
    first.wait()


def test_max_queued_time_counts_the_wait(tmp_path: Path) -> None:
    first = began(flyte.submit(with_cpu(until, ALL_CORES), str(tmp_path / "gate"), []))
    second = flyte.submit(with_cpu(double, 1, timeout=flyte.Timeout(max_queued_time=0.5)), 21)
    second.wait()
    with pytest.raises(errors.MaxQueuedTimeExceededError):
        second.raise_for_status()
    (tmp_path / "gate").touch()
    first.wait()
    assert 42 == flyte.run(with_cpu(double, ALL_CORES), 21).result()  # nothing is left of it


def test_who_is_cancelled_while_waiting_leaves_nothing(tmp_path: Path) -> None:
    first = began(flyte.submit(with_cpu(until, ALL_CORES), str(tmp_path / "gate"), []))
    second = flyte.submit(with_cpu(double, ALL_CORES), 1)
    eventually(lambda: reason(second))
    second.cancel()
    second.wait()
    third = flyte.submit(with_cpu(double, 1), 21)
    (tmp_path / "gate").touch()
    assert 42 == third.result()
    first.wait()


def test_parents_and_children_that_all_ask_for_everything() -> None:
    greedy = flyte.TaskEnvironment(name="greedy", resources=flyte.Resources(cpu=ALL_CORES, memory="900Pi"))

    @greedy.task
    async def tree(depth: int) -> int:
        if depth == 0:
            return 1
        return sum(await asyncio.gather(*[tree(depth - 1) for _ in range(2)]))

    assert 8 == flyte.run(tree, 3).result()
