"""Every notebook in `notebooks/` is executed as a user would, and its outputs are checked by content."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from flyte_jupyter.home import Home

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
SAID = {
    "01_first_task.ipynb": [
        "read 344 rows of penguins.csv",
        "dropped 11 of 344 rows",
        "fit × 3: 3 succeeded",
        "Gentoo      119 birds   54.2 g/mm  R² 0.51",
        "weighed 333 penguins",
        "1,401 kg of penguins",
    ],
    "02_three_levels.ipynb": [
        "'greeting': 'hello', 'threads of numpy and others': '1'",
        "env_vars             GREETING=good evening       override",
        "3 problems\ntimeout: -1 is not accepted",
        "'m' means a small fraction of a byte; did you mean '512Mi'?",
        "hungry was killed: all its processes together needed more memory than its limit of 512 MiB",
        "result: 734003200",
        "retry wait 0.1",
        "signing in with ***",
        "[[0, 1, 2], [3, 4, 5], [6]]",
    ],
}
"""What must be read in the outputs of each."""


def test_every_notebook_has_its_expectations() -> None:
    assert sorted(SAID) == sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_notebook_runs_and_says_what_it_should(home: Home, name: str) -> None:
    notebook: Any = nbformat.read(NOTEBOOKS / name, as_version=4)
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute(
        env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    texts = [_text(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "\n".join(texts)
    assert [] == [words for words in SAID[name] if words not in said], said


IN_README = [
    "'Hello world!'",
    "train × 1: 1 succeeded",
    "env_vars             MODE=train",
    "nightly  every day at 06:00 (Europe/Berlin)",
    "fit succeeded from the cache",
    "careful.fit",
    "summed 2",
    "loads.load",
]
"""What must be read in the outputs of the cells in README.md, in that order."""


def test_the_readme_can_be_followed_cell_by_cell(home: Home, tmp_path: Path) -> None:
    """But for the section about images, which installs a large library; other tests do such things."""
    sections = re.split(r"^## ", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    cells = [
        source.strip()
        for section in sections
        if not section.startswith("Images")
        for source in re.findall(r"^```python\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)
    ]
    notebook: Any = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    given = {**os.environ, "PYTHONPATH": str(ROOT), "DB_API_KEY": "a-key", "TOKEN": "a-token"}
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute(env=given)
    said = "\n".join(_text(output) for cell in notebook.cells for output in cell.outputs)
    at = 0
    for words in IN_README:
        assert words in said[at:], said
        at = said.index(words, at)


def _text(output: Any) -> str:
    if output["output_type"] == "stream":
        return str(output["text"])
    return str(output.get("data", {}).get("text/plain", ""))
