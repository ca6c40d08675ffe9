"""How long a result takes that was stored before: from `flyte.run` to the value. Times are in microseconds."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable

import flyte_jupyter as flyte
from tests.benchmarks.kernels import in_a_notebook
from tests.benchmarks.measures import Measured, private_home

env = flyte.TaskEnvironment(name="benchmark-cached", cache="auto")
size = 3


def helper(x: int) -> int:
    return x * size


@env.task
def work(x: int, y: int = 2) -> int:
    return helper(x) + y


def hits(rounds: int = 300) -> Measured:
    """In a program. The floor reads a file as large as what is stored, and unpickles an object."""
    measured = Measured()
    with private_home() as home:
        flyte.run(work, 1)
        (stored,) = [
            path for path in (home.path / "store" / "cache").glob("*/*/*") if path.suffix == "" and path.stat().st_size
        ]
        value = pickle.dumps((5,))
        for _ in range(10):
            flyte.run(work, 1)
        for _ in range(rounds):
            measured.floors.append(_timed(lambda: (stored.read_bytes(), pickle.loads(value))))
            run: list[flyte.Run] = []
            measured.samples.append(_timed(lambda: run.append(flyte.run(work, 1)) or run[0].outputs()[0]))  # noqa: B023
            assert run[0].is_cached
    return measured


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1e6


_CELLS = (
    """
%load_ext flyte_jupyter
import json, pickle, time
import flyte_jupyter as flyte
from IPython.display import display
env = flyte.TaskEnvironment(name="cached", cache="auto")
def helper(x): return x + 1
@env.task
def work(x: int) -> int:
    return helper(x)
flyte.run(work, 1)
""",
    """
html = "<div>" + "x" * 3000 + "</div>"
samples, floors = [], []
for _ in range({rounds}):
    began = time.perf_counter()
    display({{"text/plain": "", "text/html": html}}, raw=True)
    floors.append((time.perf_counter() - began) * 1e6)
    began = time.perf_counter()
    run = flyte.run(work, 1)
    value = run.outputs()[0]
    samples.append((time.perf_counter() - began) * 1e6)
    assert run.is_cached
print(json.dumps([samples, floors]))
""",
)


def hits_in_a_notebook(rounds: int = 60) -> Measured:
    """With its card. The floor displays as much HTML."""
    return in_a_notebook(cell.format(rounds=rounds) if "{rounds}" in cell else cell for cell in _CELLS)
