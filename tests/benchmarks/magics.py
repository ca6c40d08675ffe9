"""What magics add to the functions that do their work. Times are in milliseconds."""

from __future__ import annotations

from tests.benchmarks.kernels import in_a_notebook
from tests.benchmarks.measures import Measured

_BEGIN = """
%load_ext flyte_jupyter
import json, time
import flyte_jupyter as flyte
env = flyte.TaskEnvironment("magics", resources=flyte.Resources(memory="1Gi"))
rows = [1, 2, 3]

@env.task(retries=1)
def total(rows: list) -> int:
    return sum(rows)

def timed(action):
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000

def function():
    flyte.run(total, rows).result()

shell = get_ipython()
for _ in range(10):
    function()
"""
_MEASURE = """
samples, floors = [], []
for _ in range(%d):
    floors.append(timed(function))
    samples.append(timed(%s) - floors[-1])
print(json.dumps([samples, floors]))
"""


def cells(rounds: int = 60) -> Measured:
    """What a `%%flyte_task` cell takes longer than `flyte.run` of the same in a function. The floor is that run."""
    magic = 'lambda: shell.run_cell_magic("flyte_task", "--env env --retries 1", "sum(rows)")'
    return in_a_notebook([_BEGIN, _MEASURE % (rounds, magic)])


def calls(rounds: int = 60) -> Measured:
    """The same of `%flyte_run`, with an override."""
    magic = 'lambda: shell.run_line_magic("flyte_run", "total(rows) --retries 2").result()'
    return in_a_notebook([_BEGIN, _MEASURE % (rounds, magic)])
