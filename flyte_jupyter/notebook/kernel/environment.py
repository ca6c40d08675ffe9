"""A whole kernel under a TaskEnvironment: it runs as the task of a run, with the environment's image, variables,
secrets and limits, and ends with it.

Three processes: Jupyter has started this program, which starts a run and waits for it; the run's attempt starts the
kernel, and looks whether this program is still there.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ... import context
from ...config.image.image import Image
from ...config.spec import ENV, TASK
from ...config.values.resources import Resources
from ...environment import TaskEnvironment
from ...errors import ConfigTypeError, ConfigValueError, nearest
from ...home import Home
from ...interface import Interface
from ...task import Task

if TYPE_CHECKING:
    from ...engine.run import Run

REQUIREMENTS = (
    "cloudpickle>=3.1",
    "cronsim>=2.7",
    "ipykernel>=6.31",
    "nbformat>=5.10",
    "platformdirs>=4.2",
    "psutil>=5.9",
    "python-dotenv>=1.0",
    "tomli>=2; python_version < '3.11'",
    "typing-extensions>=4.10; python_version < '3.11'",
)
"""What this package needs in an image, so that the image can be a kernel's; as in pyproject.toml."""
_LOOK = 1.0
"""Seconds between two looks whether the one who has asked for the kernel is still there."""
_NOT_FOR_KERNELS = ("cache", "depends_on", "queue", "reusable")
"""Of an environment: a kernel would keep its place in the queue from the tasks that its notebook calls."""


def place(text: str, folder: Path) -> str:
    """ "file.py:NAME" with the whole path of the file. Raises `ConfigValueError` for anything else."""
    file, _, name = text.rpartition(":")
    path = (folder / file).resolve()
    if not file or not name.isidentifier() or not path.is_file():
        raise ConfigValueError(f"environment: {text!r} is not a Python file and a variable in it\n  write FILE.py:NAME")
    return f"{path}:{name}"


def load(where: str) -> TaskEnvironment:
    """The environment that a Python file has in a variable; the file is run.

    Raises:
        ConfigValueError: it has no such variable. ConfigTypeError: that is no TaskEnvironment.
    """
    file, _, name = where.rpartition(":")
    variables = runpy.run_path(file)
    if name not in variables:
        near = nearest(name, [key for key, value in variables.items() if isinstance(value, TaskEnvironment)])
        raise ConfigValueError(f"environment: {file} has no {name}" + (f"\n  did you mean {near}?" if near else ""))
    found = variables[name]
    if not isinstance(found, TaskEnvironment):
        raise ConfigTypeError(f"environment: {name} in {file} is {type(found).__name__}, not a TaskEnvironment")
    return found


def kernel_task(env: TaskEnvironment) -> Task[..., int]:
    """The task that a kernel under an environment is.

    It is bounded by the resources and reserves none of them, but for accelerators: it is idle most of the time, and
    the tasks of its notebook need them.
    """
    layer = {name: value for name, value in env._layer.items() if name not in _NOT_FOR_KERNELS}
    if isinstance(env.image, Image):
        layer["image"] = env.image.with_pip_packages(*REQUIREMENTS)
    if env.resources is not None:
        layer["resources"] = limits(env.resources)
    settings: dict[str, Any] = {"short_name": f"kernel: {env.name}"}
    return Task(
        serve, name=f"{env.name}.kernel", interface=Interface.of(serve), layers=((ENV, layer), (TASK, settings))
    )


def limits(resources: Resources) -> Resources:
    """The same bounds, with nothing of cores and memory reserved."""
    cpu, memory = resources.cpu, resources.memory
    most_cpu = cpu[1] if isinstance(cpu, tuple) else cpu
    most_memory = memory[1] if isinstance(memory, tuple) else memory
    return Resources(
        cpu=None if most_cpu is None else (0, most_cpu),
        memory=None if most_memory is None else ("0", most_memory),
        gpu=resources.gpu,
        disk=resources.disk,
        shm=resources.shm,
    )


def serve(command: list[str], owner: int, since: float) -> int:
    """In the attempt: the kernel, until it or the process that has asked for it ends; its exit code.

    Args:
        command: what Jupyter would have started; owner, since: that process, and when it was started.

    Raises:
        RuntimeError: the kernel did not end by itself; or its Host has died, and the kernel with it: another one must
            not take its place unnoticed, since what was in its memory is lost.
    """
    from ...host.program import command as program

    if context.ctx().attempt_number:
        raise RuntimeError("The local Host has died, and the kernel with it. What the kernel had in memory is lost.")
    arguments = command[command.index("-f") :]
    environ = {**os.environ, "JPY_PARENT_PID": str(os.getpid())}  # with which it ends
    process = subprocess.Popen([*program(sys.executable, "notebook.kernel.__main__"), *arguments], env=environ)
    while True:
        try:
            code = process.wait(_LOOK)
        except subprocess.TimeoutExpired:
            pass
        else:
            if code < 0:
                raise RuntimeError(f"The kernel was killed by {signal.Signals(-code).name}.")
            return code
        if not _is_there(owner, since):
            process.terminate()
            return process.wait()


def _is_there(pid: int, since: float) -> bool:
    """Whether that process runs; what waits for its parent to take note of its end does not."""
    try:
        process = psutil.Process(pid)
        return bool(process.create_time() == since and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def main() -> int:
    """`ENVIRONMENT COMMAND...`: what the provisioner has Jupyter start in the kernel's place; its exit code."""
    from ... import api
    from ...host import unseen

    where, command = sys.argv[1], sys.argv[2:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is a message to the kernel
    context.notebook["serves"] = os.path.abspath(command[command.index("-f") + 1])
    run = api.submit(kernel_task(load(where)), command, os.getpid(), psutil.Process().create_time())
    signal.signal(signal.SIGTERM, lambda *_: _end(run))
    run.wait()
    for line in run.get_logs(filter_system=False):
        print(line, file=sys.stderr)  # noqa: T201 - Jupyter's log
    try:
        code: int = run.result()
    except Exception as error:
        if not run.is_cancelled:  # the next kernel of the notebook says it: people do not read Jupyter's log
            unseen.keep(Home(), run.name)
        print(f"{run.label}: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - likewise
        return 1
    return code


def _end(run: Run) -> None:
    threading.Thread(target=run.cancel, args=("The kernel was shut down.",), daemon=True).start()
