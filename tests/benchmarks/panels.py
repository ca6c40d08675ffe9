"""How long a panel takes to open, in a real kernel."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from typing import Any

from jupyter_client.manager import start_new_kernel

from tests.benchmarks.measures import _ROOT, Measured, private_home

_TASK = """
%load_ext flyte_jupyter
import flyte_jupyter as flyte, time, json
env = flyte.TaskEnvironment(name="panels", resources=flyte.Resources(cpu=1, memory="512Mi"), env_vars={"MODE": "train"})

@env.task(retries=3, timeout=60)
def train(rows: list[int], name: str, deep: bool = False) -> int:
    return sum(rows)

def timed(action):
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000
"""
_FLOOR = """
def floor():
    import ipywidgets
    from IPython.display import display
    display(ipywidgets.VBox([ipywidgets.Text(description=str(i)) for i in range(25)]))
"""


@functools.cache  # both at once
def opened(rounds: int = 5, more: int = 10) -> tuple[Measured, Measured]:
    """The first panel of a kernel, which loads ipywidgets, and later ones."""
    first, later = Measured(), Measured()
    for _ in range(rounds):
        [floor, *floors] = _in_kernel("floor", more)
        [opening, *openings] = _in_kernel("train.panel", more)
        first.samples.append(opening)
        first.floors.append(floor)
        later.samples += openings
        later.floors += floors
    return first, later


def _in_kernel(action: str, more: int) -> list[float]:
    """Milliseconds of an action done for the first time in a kernel, and then again."""
    with private_home():
        environ = {**os.environ, "PYTHONPATH": _ROOT}
        manager, client = start_new_kernel(kernel_name="python3", env=environ, stderr=subprocess.DEVNULL)
        printed: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        try:
            run = functools.partial(client.execute_interactive, timeout=60, output_hook=hook)
            run(_TASK + _FLOOR)
            for _ in range(more + 1):
                reply = run(f"print(json.dumps(timed({action})))")
                assert reply["content"]["status"] == "ok", reply["content"]
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    return [json.loads(line) for line in "".join(printed).split()]


def first_panel() -> Measured:
    """With the import of ipywidgets."""
    return opened()[0]


def later_panels() -> Measured:
    """Without."""
    return opened()[1]
