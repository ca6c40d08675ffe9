"""How a notebook shows what a task raised: its own lines and those of libraries, none of ours."""

from __future__ import annotations

import os
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from flyte_jupyter.home import Home
from tests.kernel.front import ROOT, plain

BEGIN = """
%load_ext flyte_jupyter
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="errors")
"""
CELLS = {
    "of the standard library": (
        "@env.task\ndef parse(x: int) -> int:\n    import json\n    return json.loads('{')\nflyte.run(parse, 1)",
        ["JSONDecodeError", "----> 4     return json.loads('{')", "return _default_decoder.decode(s)"],
    ),
    "of a package": (
        (
            "@env.task\ndef inverse(x: int) -> int:\n    import numpy as np\n"
            "    return np.linalg.inv(np.zeros((2, 2)))\nflyte.run(inverse, 1)"
        ),
        ["LinAlgError: Singular matrix", "----> 4     return np.linalg.inv(np.zeros((2, 2)))", "in inv()"],
    ),
    "of the notebook alone": (
        (
            "def helper(d):\n    return d['nope']\n@env.task\nasync def bad(x: int) -> int:\n    return helper({})\n"
            "flyte.run(bad, 1)"
        ),
        ["KeyError: 'nope'", "----> 5     return helper({})", "----> 2     return d['nope']"],
    ),
    "of a crash": (
        "import ctypes\n@env.task\ndef crash(x: int) -> None:\n    ctypes.string_at(x)\nflyte.run(crash, 0)",
        ["WorkerCrashedError: crash was killed by SIGSEGV", "----> 4     ctypes.string_at(x)", "in string_at("],
    ),
    "of an endless recursion": (
        "@env.task\ndef down(x: int) -> int:\n    return down.func(x + 1)\nflyte.run(down, 1)",
        ["RecursionError", "----> 3     return down.func(x + 1)"],
    ),
}


@pytest.mark.parametrize("cell", CELLS)
def test_the_traceback(home: Home, cell: str) -> None:
    source, expected = CELLS[cell]
    shown = traceback_of(source)
    assert [] == [words for words in expected if words not in shown], shown
    assert "flyte_jupyter" not in shown
    assert len(shown.splitlines()) < 60


def traceback_of(source: str) -> str:
    """What the last cell shows as its error, without colours."""
    cells = [nbformat.v4.new_code_cell(text) for text in (BEGIN, source)]
    notebook: Any = nbformat.v4.new_notebook(cells=cells)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True).execute(env=env)
    [error] = [output for output in notebook.cells[1].outputs if output["output_type"] == "error"]
    return plain("\n".join(error["traceback"]))
