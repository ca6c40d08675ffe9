"""What cards cost the kernel: CPU of one update, and how long a cell takes while ten thousand actions run."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from flyte_jupyter.engine.action import RunState
from flyte_jupyter.notebook.cards import card
from flyte_jupyter.notebook.cells.places import readable
from flyte_jupyter.pods import LogEvent, Phase, PodEvent
from tests.benchmarks.measures import Measured, private_home
from tests.unit.notebook.views import T, view

_AT_ONCE = 8
"""Actions that print between two updates: what a machine has cores for."""
_STORY = (Phase.QUEUED, Phase.INITIALIZING, Phase.RUNNING, Phase.SUCCEEDED)


def updates(actions: int, lines: int, rounds: int = 100) -> Measured:
    """Milliseconds of CPU from what has happened to the bundle; some of what runs prints a line between two of them.

    The floor writes that bundle as JSON.
    """
    state = RunState("r-1", task="my_env.train", title="train")
    running = [f"a{number:x}" for number in range(0, actions + 1, 7)]
    for number in range(actions + 1):
        name, parent = f"a{number:x}", "a0" if number else None
        for step, phase in enumerate(_STORY[: 3 if number % 7 == 0 else 4]):
            who = {"run": "r-1", "action": name, "parent": parent, "task": "my_env.score", "title": "score"}
            state.apply(PodEvent(**who, phase=phase, at=T + step))  # type: ignore[arg-type]  # of texts, all of them
        printed = tuple((T, "stdout", f"\x1b[32mepoch {i}\x1b[0m loss {1 / (i + 1):.4f}") for i in range(lines))
        state.apply(LogEvent(run="r-1", action=name, attempt=0, start=0, lines=printed))
    measured = Measured()
    for number in range(rounds):
        for name in running[:_AT_ONCE]:
            line = (T, "stdout", f"step {number} of {name}")
            state.apply(LogEvent(run="r-1", action=name, attempt=0, start=lines + number, lines=(line,)))
        began = time.thread_time()
        made = card.bundle(readable({**view(), **state.view()}, _no_cell), now=T + 60)
        ended = time.thread_time()
        json.dumps(made)
        measured.samples.append((ended - began) * 1000)
        measured.floors.append((time.thread_time() - ended) * 1000)
    return measured


def _no_cell(_: str) -> None:
    """No file is a cell."""


_CELLS = (
    """
%load_ext flyte_jupyter
import asyncio
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="many")
@env.task
async def child(i: int) -> int:
    return i
@env.task
async def parent(n: int) -> int:
    return sum(await asyncio.gather(*[child(i) for i in range(n)]))
""",
    "run = flyte.submit(parent, 10_000)",
    "assert not run.done(), 'it was over before the cells were'; run.cancel()",
)


def cells_meanwhile(rounds: int = 100) -> Measured:
    """Milliseconds from the request to the reply for `1 + 1`. The floor is the same before the run begins."""
    from jupyter_client.manager import start_new_kernel

    measured = Measured()
    with private_home():
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        manager, client = start_new_kernel(kernel_name="python3", env=environ, stderr=subprocess.DEVNULL)
        run = functools.partial(client.execute_interactive, timeout=120, output_hook=lambda message: None)

        def checked(source: str) -> float:
            began = time.perf_counter()
            reply: dict[str, Any] = run(source)
            assert reply["content"]["status"] == "ok", reply["content"]
            return (time.perf_counter() - began) * 1000

        try:
            checked(_CELLS[0])
            for _ in range(rounds):
                measured.floors.append(checked("1 + 1"))
                time.sleep(0.1)
            checked(_CELLS[1])
            time.sleep(3)
            for _ in range(rounds):
                measured.samples.append(checked("1 + 1"))
                time.sleep(0.1)
            checked(_CELLS[2])
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    return measured
