"""papermill executes notebooks with tasks, and what it leaves is understood."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards.card import MIME
from tests.kernel.front import ROOT

CELLS = {
    "": "%load_ext flyte_jupyter\nimport flyte_jupyter as flyte\nenv = flyte.TaskEnvironment('parts')",
    "parameters": "n = 2\nword = 'a'",
    "task": "@env.task\ndef repeat(times: int) -> str:\n    return word * times",
    "run": "text = flyte.run(repeat, n).outputs()[0]",
    "outputs": "length = len(text)\ntext.upper()",
    "export": "%flyte_export repeated.py",
}


@pytest.fixture
def executed(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook that papermill has executed with other parameters."""
    made = [nbformat.v4.new_code_cell(source, metadata={"tags": [tag] if tag else []}) for tag, source in CELLS.items()]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "in.ipynb")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    papermill.execute_notebook(
        tmp_path / "in.ipynb",
        tmp_path / "out.ipynb",
        parameters={"n": 3, "word": "xy"},
        cwd=tmp_path,
        progress_bar=False,
    )
    return tmp_path / "out.ipynb"


def program(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, cwd=cwd, check=False, env=os.environ
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_papermill_runs_tasks_and_its_parameters_are_taken(executed: Path) -> None:
    notebook: Any = nbformat.read(executed, as_version=4)
    by_tag = {cell.metadata.tags[0]: cell for cell in notebook.cells if cell.metadata.tags}
    assert "'XYXYXY'" == by_tag["outputs"].outputs[0].data["text/plain"]
    (card,) = [output for output in by_tag["run"].outputs if MIME in output.get("data", {})]
    assert "succeeded" in card.data["text/plain"]
    # the exported module has papermill's values, and gives the same
    module = (executed.parent / "repeated.py").read_text()
    assert "word = 'a'" not in module
    assert "xyxyxy" in program("repeated.py", cwd=executed.parent)
    # so has the notebook that it wrote
    assert "length = 6\ntext.upper() = XYXYXY\n" == program(
        "-m", "flyte_jupyter", "run", executed.name, cwd=executed.parent
    )
    words = ("-m", "flyte_jupyter", "run", "-p", "word", "z", executed.name, "repeat", "--times", "2")
    assert "zz\n" == program(*words, cwd=executed.parent)
