"""What is measured: each function gives the samples and, taken in turns with them, those of the floor."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import flyte_jupyter as flyte
from flyte_jupyter.home import HOME_VARIABLE, Home
from tests.benchmarks.floors import helper
from tests.conftest import forget_session, host_processes, stop_host

_ROOT = str(Path(__file__).resolve().parents[2])
_IDLE_SECONDS = 5.0
_SETTLED_SECONDS = 6.0

env = flyte.TaskEnvironment(name="benchmark")


@env.task
def one(x: int) -> int:
    return x


@env.task
async def child(x: int) -> int:
    return x


@env.task
async def parent(n: int) -> int:
    return sum(await asyncio.gather(*[child(x) for x in range(n)]))


@dataclass
class Measured:
    """Milliseconds or megabytes."""

    samples: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)


@contextlib.contextmanager
def private_home() -> Iterator[Home]:
    """A state folder of its own; its Host is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="fj-"))
    os.environ[HOME_VARIABLE] = str(folder)
    try:
        yield Home(folder)
    finally:
        forget_session()
        stop_host(Home(folder))
        del os.environ[HOME_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def _python(code: str) -> Callable[[], object]:
    environ = {**os.environ, "PYTHONPATH": _ROOT}
    return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=environ, cwd="/")


# --- time


def imports(rounds: int = 15) -> Measured:
    """A fresh interpreter that imports, minus one that does nothing."""
    measured = Measured()
    _python("import flyte_jupyter, cloudpickle")()  # so that byte code is there
    for _ in range(rounds):
        nothing = _timed(_python("pass"))
        measured.floors.append(_timed(_python("import cloudpickle")) - nothing)
        nothing = _timed(_python("pass"))
        measured.samples.append(_timed(_python("import flyte_jupyter")) - nothing)
    return measured


_CELL = """
%load_ext flyte_jupyter
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="my_env")

@env.task
async def my_task(name: str) -> str:
    return f"Hello {name}!"

run = flyte.run(my_task, "world")
assert run.outputs()[0] == "Hello world!"
"""


def first_result(rounds: int = 5) -> Measured:
    """From the first cell's start to its end, in a real kernel; no Host runs before."""
    from jupyter_client.manager import start_new_kernel

    measured = Measured()
    for _ in range(rounds):
        measured.floors.append(_timed(_python("import cloudpickle")))
        with private_home():
            environ = {**os.environ, "PYTHONPATH": _ROOT}
            manager, client = start_new_kernel(kernel_name="python3", env=environ, stderr=subprocess.DEVNULL)
            try:
                run = functools.partial(client.execute_interactive, timeout=60, output_hook=lambda message: None)
                run("1 + 1")
                began = time.perf_counter()
                reply = run(_CELL)
                measured.samples.append((time.perf_counter() - began) * 1000)
                assert reply["content"]["status"] == "ok", reply["content"]
            finally:
                client.stop_channels()
                manager.shutdown_kernel(now=True)
    return measured


_LOAD = """
import time
began = time.perf_counter()
get_ipython().run_line_magic("load_ext", "{}")
print(time.perf_counter() - began)
"""


def load_ext(rounds: int = 10) -> Measured:
    """`%load_ext` in a new kernel, in a notebook that has runs of its own that are over, and none that goes on."""
    from jupyter_client.manager import start_new_kernel

    measured = Measured()
    with private_home():
        environ = {**os.environ, "PYTHONPATH": _ROOT, "JPY_SESSION_NAME": "/nb/a.ipynb"}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled
        for number in range(rounds + 1):
            manager, client = start_new_kernel(kernel_name="python3", env=environ, stderr=subprocess.DEVNULL)
            try:
                said: list[str] = []

                def hook(message: dict[str, Any], said: list[str] = said) -> None:
                    said += [message["content"]["text"]] if message["msg_type"] == "stream" else []

                client.execute_interactive(_LOAD.format("autoreload"), timeout=60, output_hook=hook)
                client.execute_interactive(_LOAD.format("flyte_jupyter"), timeout=60, output_hook=hook)
                if number:  # the first one starts the Host
                    measured.floors.append(float(said[0]) * 1000)
                    measured.samples.append(float(said[1]) * 1000)
                client.execute_interactive(_CELL, timeout=60, output_hook=lambda message: None)
            finally:
                client.stop_channels()
                manager.shutdown_kernel(now=True)
    return measured


@functools.cache  # the same samples for p50 and p90
def warm_runs(rounds: int = 200) -> Measured:
    """From `flyte.run` to the value."""
    measured = Measured()
    with private_home(), helper() as floor:
        for _ in range(10):
            flyte.run(one, 0)
        for x in range(rounds):
            measured.floors.append(floor.fork() + floor.round_trip())
            measured.samples.append(_timed(lambda: flyte.run(one, x).outputs()[0]))  # noqa: B023 - called at once
    return measured


def replicas(rounds: int = 200) -> Measured:
    """From `flyte.run` to the value, in a replica that has run before; of a pool of `concurrent.futures` as well."""
    measured = Measured()
    warm = flyte.TaskEnvironment(name="reused", reusable=flyte.ReusePolicy(replicas=(1, 2))).task(one.func)
    with private_home(), ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")) as pool:
        for _ in range(10):
            flyte.run(warm, 0)
            pool.submit(abs, 0).result()
        for x in range(rounds):
            measured.floors.append(_timed(lambda: pool.submit(abs, x).result()))  # noqa: B023 - called at once
            measured.samples.append(_timed(lambda: flyte.run(warm, x).outputs()[0]))  # noqa: B023 - likewise
    return measured


def built_image(rounds: int = 100) -> Measured:
    """What a task in an image that is built takes longer than one without, from `flyte.run` to the value."""
    measured = Measured()
    in_image = flyte.TaskEnvironment(name="in_image", image=flyte.Image.from_debian_base().with_pip_packages("six"))
    other = in_image.task(one.func)
    with private_home():
        for _ in range(10):
            flyte.run(one, 0)
            flyte.run(other, 0)
        for x in range(rounds):
            without = _timed(lambda: flyte.run(one, x).outputs()[0])  # noqa: B023 - called at once
            measured.samples.append(_timed(lambda: flyte.run(other, x).outputs()[0]) - without)  # noqa: B023 - likewise
            measured.floors.append(without)
    return measured


def gathers(rounds: int = 7, children: int = 50) -> Measured:
    """A parent that gathers so many children, from `flyte.run` to the value."""
    measured = Measured()
    with private_home(), helper() as floor:
        flyte.run(parent, children)
        for _ in range(rounds):
            measured.floors.append(floor.fork(children))
            measured.samples.append(_timed(lambda: flyte.run(parent, children).outputs()[0]))
    return measured


# --- idle


@dataclass(frozen=True)
class _Idle:
    rss: Measured
    pss: Measured
    rss_after_a_run: Measured
    cpu: Measured


def idle_rss() -> Measured:
    """Of the Host and its zygote."""
    return _idle().rss


def idle_pss() -> Measured:
    """The same, pages that they share counted once."""
    return _idle().pss


def rss_after_a_run() -> Measured:
    """The same with the process that waits for the next task, for a while."""
    return _idle().rss_after_a_run


def idle_cpu() -> Measured:
    """Of the Host with all that it started, over some idle seconds."""
    return _idle().cpu


@functools.cache  # measured once for all of them
def _idle() -> _Idle:
    with private_home() as home, _bare_interpreters() as bare:
        flyte.run(one, 1)
        forget_session()
        after_a_run = _memory(host_processes(home))[0]
        processes = _settled(home)
        before = _cpu(processes), _cpu(bare)
        time.sleep(_IDLE_SECONDS)
        after = _cpu(processes), _cpu(bare)
        (rss, pss), (floor_rss, floor_pss) = _memory(processes), _memory(bare)
        return _Idle(
            rss=Measured([rss], [floor_rss]),
            pss=Measured([pss], [floor_pss]),
            rss_after_a_run=Measured([after_a_run], [floor_rss]),
            cpu=Measured([after[0] - before[0]], [after[1] - before[1]]),
        )


def _settled(home: Home) -> list[psutil.Process]:
    """The processes of a Host from when they have been the same for a while."""
    found = host_processes(home)
    since = time.monotonic()
    while time.monotonic() - since < _SETTLED_SECONDS:
        time.sleep(0.2)
        now = host_processes(home)
        if now != found:
            found, since = now, time.monotonic()
    return found


@contextlib.contextmanager
def _bare_interpreters() -> Iterator[list[psutil.Process]]:
    waits = "import sys; print(1, flush=True); sys.stdin.read()"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for code in (f"import asyncio; {waits}", waits)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        yield [psutil.Process(process.pid) for process in processes]
    finally:
        for process in processes:
            process.communicate()


def _memory(processes: list[psutil.Process]) -> tuple[float, float]:
    """RSS and PSS in MB; pages that several share count once in PSS. Where there is no PSS, USS stands for it."""
    told = [process.memory_full_info() for process in processes]
    return sum(info.rss for info in told) / 1e6, sum(getattr(info, "pss", info.uss) for info in told) / 1e6


def _cpu(processes: list[psutil.Process]) -> float:
    return float(sum(sum(process.cpu_times()[:2]) for process in processes)) * 1000
