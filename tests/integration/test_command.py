"""`flyte_jupyter run` and `export`, as they are typed in a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from flyte_jupyter.home import Home
from tests.integration.notebooks import START, cells

pytestmark = pytest.mark.one_host

ROOT = Path(__file__).parents[2]
NOTEBOOK = [
    START,
    *cells(r"""
import time
import enum
from dataclasses import dataclass
from pathlib import Path

print("this cell is needed in part")
# %%
raise SystemExit("this one is not needed")
# %%
%no_such_magic
rows = [1, 2, 3
# %%
class Kind(enum.Enum):
    FAST = 1
    SLOW = 2

@dataclass
class Point:
    x: int
    y: int = 0

offset = 10
# %%
@env.task
async def shifted(points: list[Point], kind: Kind = Kind.FAST, scale: float = 1.0, loud: bool = False) -> str:
    '''Shift points.

    They move along x.
    '''
    print("shifting")
    moved = [(p.x + offset) * scale for p in points]
    return f"{moved} {kind.name}{'!' if loud else ''}"
# %%
@env.task
def size(file: Path, tags: list[str] = []) -> list[int]:
    return [file.stat().st_size, len(tags)]
# %%
@env.task
def fails(x: int) -> int:
    return 1 // x
# %%
rows = no_such_function()

@env.task
def needs_rows() -> int:
    return len(rows)
# %%
table = %sql select 1

@env.task
def needs_magic() -> int:
    return len(table)
"""),
]


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return written(tmp_path / "work" / "points.ipynb", NOTEBOOK)


def written(path: Path, sources: list[str], tags: dict[int, str] | None = None) -> Path:
    """A notebook file; `tags` by the number of the cell, from 0."""
    made = [nbformat.v4.new_code_cell(source) for source in sources]
    for number, tag in (tags or {}).items():
        made[number].metadata.tags = [tag]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def command(*words: str | Path, home: Home, cwd: Path) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONPATH": str(ROOT), "FLYTE_JUPYTER_HOME": str(home.path)}
    program = [sys.executable, "-m", "flyte_jupyter", *map(str, words)]
    return subprocess.run(program, capture_output=True, text=True, cwd=cwd, env=given, check=False)


def test_a_task_runs_without_the_other_cells(notebook: Path, home: Home, tmp_path: Path) -> None:
    options = ["--points", '[{"x": 1}, {"x": 2, "y": 5}]', "--kind", "SLOW", "--scale=2", "--loud"]
    done = command("run", notebook, "shifted", *options, home=home, cwd=tmp_path)
    assert (0, "[22.0, 24.0] SLOW!\n") == (done.returncode, done.stdout), done.stderr
    assert "of points.ipynb: cells 1, 2 (in part), 5, 6\n" in done.stderr
    assert "shifted succeeded" in done.stderr
    assert "not needed" not in done.stderr


def test_paths_begin_where_the_command_is_typed(notebook: Path, home: Home, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("four")
    done = command("run", notebook, "size", "--file", "data.txt", "--tags", "a", "--tags", "b", home=home, cwd=tmp_path)
    assert (0, "[4, 2]\n") == (done.returncode, done.stdout), done.stderr


def test_help_shows_the_inputs_of_the_task(notebook: Path, home: Home, tmp_path: Path) -> None:
    done = command("run", notebook, "shifted", "--help", home=home, cwd=tmp_path)
    assert (
        "usage: flyte_jupyter run points.ipynb shifted [--INPUT VALUE ...]\n\nShift points.\n\nThey move along x.\n\n"
        "inputs:\n  --points list[Point]\n  --kind Kind = <Kind.FAST: 1>\n  --scale float = 1.0\n"
        "  --loud / --no-loud = False\n"
    ) == done.stdout, done.stderr


def test_everything_that_is_wrong_with_the_options_is_said_at_once(notebook: Path, home: Home, tmp_path: Path) -> None:
    done = command("run", notebook, "shifted", "--knd", "FAST", "--scale", "big", home=home, cwd=tmp_path)
    assert 2 == done.returncode
    assert (
        "no input --knd; did you mean --kind?\n--scale big: not a number\nmissing: --points list[Point]\n"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "points.ipynb"], "which task of points.ipynb?\n  shifted\n  size\n  fails\n"),
        (["run", "points.ipynb", "shift"], "no cell declares a task 'shift'; did you mean 'shifted'?"),
        (["run", "point.ipynb", "shifted"], "No such file or directory.\nThere: points.ipynb"),
        (["run", "points.ipynb", "needs_magic"], "cell 10, line 1: IPython's ! and % cannot leave the notebook"),
        (["run", "points.ipynb", "needs_rows"], "cell 9, line 1 needs 'no_such_function', which no cell defines"),
        (["run", "-p", "x", "1", "points.ipynb", "fails"], "-p: no cell of the notebook has the tag `parameters`"),
    ],
)
def test_what_cannot_be_run_is_said(words: list[str], told: str, notebook: Path, home: Home) -> None:
    done = command(*words, home=home, cwd=notebook.parent)
    assert (2, "") == (done.returncode, done.stdout)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_task_that_fails_shows_its_own_lines(notebook: Path, home: Home) -> None:
    done = command("run", notebook, "fails", "--x", "0", home=home, cwd=notebook.parent)
    assert (1, "") == (done.returncode, done.stdout)
    assert 'File "<points.ipynb, cell 8>", line 3, in fails\n    return 1 // x\n' in done.stderr
    assert done.stderr.rstrip().endswith("ZeroDivisionError: integer division or modulo by zero")


def test_a_cell_that_fails_shows_its_own_line(home: Home, tmp_path: Path) -> None:
    file = written(
        tmp_path / "n.ipynb", [START, "\nrows = [][0]", "@env.task\ndef size() -> int:\n    return len(rows)"]
    )
    done = command("run", file, "size", home=home, cwd=tmp_path)
    assert 1 == done.returncode
    assert 'File "<n.ipynb, cell 2>", line 2, in <module>\n    rows = [][0]' in done.stderr
    assert "flyte_jupyter/" not in done.stderr


def test_all_cells_are_executed_when_that_is_asked_for(home: Home, tmp_path: Path) -> None:
    sources = [START, "files = !echo one two", "@env.task\ndef words() -> list[str]:\n    return files[0].split()"]
    file = written(tmp_path / "n.ipynb", sources)
    refused = command("run", file, "words", home=home, cwd=tmp_path)
    assert (2, True) == (refused.returncode, "--all executes every cell instead" in refused.stderr)
    done = command("run", "--all", file, "words", home=home, cwd=tmp_path)
    assert (0, "['one', 'two']") == (done.returncode, done.stdout.splitlines()[-1]), done.stderr


PAPERMILL = [
    START,
    *cells(r"""
n = 3
word = "a"
# %%
@env.task
def repeat(times: int) -> str:
    return word * times
# %%
print("not needed for the outputs")
text = flyte.run(repeat, n).outputs()[0]
# %%
length = len(text)
text.upper()
"""),
]
TAGS = {1: "parameters", 4: "outputs"}


def test_parameters_of_papermill_can_be_given(home: Home, tmp_path: Path) -> None:
    file = written(tmp_path / "n.ipynb", PAPERMILL, TAGS)
    done = command("run", "-p", "word", "xy", file, "repeat", "--times", "2", home=home, cwd=tmp_path)
    assert (0, "xyxy\n") == (done.returncode, done.stdout), done.stderr
    wrong = command("run", "-p", "wrod", "xy", file, "repeat", "--times", "2", home=home, cwd=tmp_path)
    assert "-p wrod: not in the cell tagged `parameters`; did you mean 'word'?" in wrong.stderr


def test_without_a_task_the_cell_tagged_outputs_is_computed(home: Home, tmp_path: Path) -> None:
    file = written(tmp_path / "n.ipynb", PAPERMILL, TAGS)
    done = command("run", "-p", "n", "4", file, home=home, cwd=tmp_path)
    assert (0, "length = 4\ntext.upper() = AAAA\n") == (done.returncode, done.stdout), done.stderr
    assert "of n.ipynb: cells 1, 2 (in part), -p, 3, 4 (in part), 5" in done.stderr


def test_tasks_are_exported_from_a_file(home: Home, tmp_path: Path) -> None:
    file = written(tmp_path / "n.ipynb", PAPERMILL, TAGS)
    done = command("export", file, "tasks_of_n.py", home=home, cwd=tmp_path)
    assert (0, "tasks_of_n.py: repeat\n") == (done.returncode, done.stdout), done.stderr
    given = {**os.environ, "PYTHONPATH": str(ROOT), "FLYTE_JUPYTER_HOME": str(home.path)}
    run = subprocess.run(
        [sys.executable, "tasks_of_n.py"], capture_output=True, text=True, cwd=tmp_path, env=given, check=False
    )
    assert "aaa\nAAA\n" == run.stdout, run.stderr


def test_a_run_is_run_again(home: Home, tmp_path: Path) -> None:
    file = written(tmp_path / "n.ipynb", PAPERMILL, TAGS)
    runs = home.path / "store" / "runs"
    before = {*runs.glob("*")}
    command("run", file, "repeat", "--times", "2", home=home, cwd=tmp_path)
    [first] = {*runs.iterdir()} - before

    again = command("rerun", first.name, "--override", "retries=2", home=home, cwd=tmp_path)
    assert 0 == again.returncode, again.stderr
    assert again.stdout.strip() in {each.name for each in (home.path / "store" / "runs").iterdir()} - {first.name}
    none = command("rerun", "r00000000000000", "--json", home=home, cwd=tmp_path)
    assert (2, "RunNotFoundError") == (none.returncode, json.loads(none.stdout)["kind"])
    wrong = command("rerun", first.name, "--override", "retires=2", home=home, cwd=tmp_path)
    assert (2, "") == (wrong.returncode, wrong.stdout)
    assert "did you mean '--retries'" in wrong.stderr
