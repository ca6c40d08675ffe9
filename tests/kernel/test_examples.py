"""Every notebook in `notebooks/` is executed as a user would, and its outputs are checked by content."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from flyte_jupyter.home import Home
from tests.kernel.front import ROOT, plain

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
        "['train: 2.00', 'test: 2.10']",
        "timeout   Timeout(max_runtime=10)                  from override",
        "env_vars  {'MODE': 'train'}                        from environment",
    ],
    "03_fan_out.ipynb": [
        "evaluate × 24: 24 succeeded",
        "24 settings, the best: C=10, gamma=0.3",
        "97.5% of the digits are read right",
        "<Figure size 640x340 with 2 Axes>",
        "evaluate × 6: 6 succeeded",
        "0.1    0.97",
        "0.1 → 0.97",
        "-1.0 → ValueError",
    ],
    "04_reports_and_progress.ipynb": [
        "report: 3 tabs (main, curve, confusion)",
        "<report of train: 3 tabs (main, curve, confusion)",
        "digits.html: tabs main, curve, confusion",
        "stopped at 4 of 10 files",
        "ValueError: file 4 is empty",
        "<p>attempt 2 begins</p>",
        "['10,000 of 10,000 [####################]']",
        "train × 2: 2 succeeded",
        "<h2>64 neurons</h2><p>1,347 digits to learn, 450 to try.</p>",
    ],
    "05_caching.ipynb": [
        "cache miss: nothing is stored yet",
        "savings succeeded from the cache",
        "input `years` differs",
        "global `RATE` changed",
        "cache miss: `grown` changed in Cell In[6], line 1",
        "env_vars changed",
        "2 of 3 have waited for the first",
        "savings × 4: 4 succeeded",
        "caching.savings  amount=400.0, years=2",
        "8 results forgotten",
    ],
    "06_warm_environments.ipynb": [
        "replica 1 of pool digits: cold, started in ",
        "fitted to 1500 digits",
        "replica 1 of pool digits: warm, call 2",
        "Outputs(o0=6, o1=6)",
        "warm is more than 5 times as fast: True",
        "Calls served",
        "80% of 20 digits are read right, by 2 replicas",
        "[(1, False), (2, False)] here it is still 0",
        "crashes ended its process with exit code 1",
        "30 pages in 2 processes; faster than one after the other: True",
        "no pools: nothing is warm",
    ],
    "07_errors_and_debugging.ipynb": [
        "ValueError: could not convert string to float: 'two'",
        "Cell In[2], line 3, in parsed",
        "an error of the task: True",
        "reading 2 lines",
        "would run trouble.total",
        "sys.exit: ends called sys.exit(3); return a value or raise an exception instead.",
        "os._exit: ends ended its process with exit code 4",
        "a crash: ends was killed by SIGSEGV",
        "waits_for_the_network ran longer than its timeout allows: max_runtime is 1 s.",
        "{2: 1.0, 3: '3 is odd'}",
        "Unknown input 'line'; did you mean 'lines'?",
        "uses_lock → global 'lock' → _thread.lock",
        "did you mean 'retries'?",
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
    assert [] == _unsaid(name, notebook), _said(notebook)


@pytest.mark.parametrize("name", sorted(SAID))
def test_the_outputs_that_are_committed_are_those_of_the_code(name: str) -> None:
    """And tell nothing of the machine that they were made on; `python notebooks/refresh.py` makes them."""
    program = [sys.executable, "notebooks/refresh.py", "--check", name]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (0, f"{name}: as it should be\n") == (done.returncode, done.stdout), done.stderr
    assert [] == _unsaid(name, nbformat.read(NOTEBOOKS / name, as_version=4))
    assert 400 << 10 > (NOTEBOOKS / name).stat().st_size


def test_outputs_of_other_code_are_noticed(tmp_path: Path) -> None:
    notebooks = tmp_path / "clone" / "notebooks"
    notebooks.mkdir(parents=True)
    shutil.copy(NOTEBOOKS / "refresh.py", notebooks)
    text = (NOTEBOOKS / "01_first_task.ipynb").read_text()
    (notebooks / "code.ipynb").write_text(text.replace("read_penguins", "read_birds"))
    (notebooks / "path.ipynb").write_text(text.replace("dropped 11", f"dropped {Path.home()}"))
    program = [sys.executable, str(notebooks / "refresh.py"), "--check"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert 1 == done.returncode
    assert "code.ipynb: its outputs are not those of its code: python notebooks/refresh.py code.ipynb\n" in done.stdout
    assert f"path.ipynb: its outputs name {Path.home()}" in done.stdout


IN_README = [
    "'Hello world!'",
    "train × 1: 1 succeeded",
    "env_vars             MODE=train",
    "nightly  every day at 06:00 (Europe/Berlin)",
    "fit succeeded from the cache",
    "careful.fit",
    "summed 2",
    "tasks.py: my_task, train, main, ",
    "<report of explore: 1 tab",
    "loads.load",
]
"""What must be read in the outputs of the cells in README.md, in that order."""


def test_the_readme_can_be_followed_cell_by_cell(home: Home, tmp_path: Path) -> None:
    """But for those about images, which installs a large library, and clusters; other tests do such things."""
    sections = re.split(r"^## ", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    cells = [
        source.strip()
        for section in sections
        if not section.startswith(("Images", "On a cluster"))
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


def test_the_pictures_in_the_readme_are_cards_of_the_notebooks(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "images" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    pages = {name: pictures.html_of(*of) for name, of in pictures.CARDS.items()}
    pictures.draw(pages["card-error"], tmp_path / "drawn.png", *pictures.SCHEMES["-dark"])
    signature, width = (tmp_path / "drawn.png").read_bytes()[:8], (tmp_path / "drawn.png").read_bytes()[16:20]
    assert (b"\x89PNG\r\n\x1a\n", 900) == (signature, int.from_bytes(width, "big"))
    shown = re.findall(r"docs/images/([\w-]+)\.png", (ROOT / "README.md").read_text())
    assert {f"{name}{ending}" for name in pages for ending in pictures.SCHEMES} <= set(shown)
    assert [] == [name for name in shown if not (ROOT / "docs" / "images" / f"{name}.png").exists()]


def _unsaid(name: str, notebook: Any) -> list[str]:
    """What should be read in the outputs, and is not."""
    return [words for words in SAID[name] if words not in _said(notebook)]


def _said(notebook: Any) -> str:
    return "\n".join(_text(output) for cell in notebook.cells for output in cell.get("outputs", []))


def _text(output: Any) -> str:
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return plain("\n".join(output["traceback"]))
    return str(output.get("data", {}).get("text/plain", ""))
