"""A module that was exported gives the results that its notebook gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.home import Home
from flyte_jupyter.notebook.files.export import write
from flyte_jupyter.notebook.files.reading import Cell
from flyte_jupyter.notebook.magics.written import written
from tests.differential.venv import Unavailable, flyte_python
from tests.integration.notebooks import CASES, START

pytestmark = pytest.mark.one_host

ROOT = Path(__file__).parents[2]
FIT = "@env.task\ndef fit() -> int:\n    return {}"
AS_WRITTEN = {"layout_of_all_kinds"}
"""Cases whose cells are not laid out by a formatter first."""


@pytest.fixture(scope="module")
def executed(_of_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder with the modules, and what was seen in the notebooks."""
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "lib").mkdir()
    (folder / "lib" / "beside_the_notebook.py").write_text("def thing() -> str:\n    return 'a thing of '\n")
    cases = folder / "cases.json"
    cases.write_text(json.dumps(laid_out(folder)))
    done = python("-m", "tests.integration.exported", str(cases), str(folder), home=_of_file, cwd=ROOT)
    return folder, json.loads(done)


def python(*words: str, home: Path, cwd: Path) -> str:
    """What a new Python process prints."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), "FLYTE_JUPYTER_HOME": str(home)}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=cwd, env=given, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_module_gives_what_the_notebook_gives(name: str, executed: Any, home: Home) -> None:
    """Run as a program, in a process of its own; and it is laid out as a formatter would."""
    folder, seen = executed
    module = folder / f"{name}_tasks.py"
    check = (
        f"import runpy\nmodule = runpy.run_path({module.name!r}, run_name='__main__')\n"
        f"print(repr(eval({CASES[name][1]!r}, module)))"
    )
    assert seen[name]["value"] == python("-c", check, home=home.path, cwd=folder).splitlines()[-1]
    assert "" == ruff("check", "--select=E,F,I,W", "--ignore=E402,E501,E731,F403,F405", module)
    if name not in AS_WRITTEN:
        assert "" == ruff("format", "--diff", module)


def test_the_module_can_be_imported(executed: Any, home: Home) -> None:
    folder, seen = executed
    check = "import flyte_jupyter, own_decorators_tasks as m; print(repr(flyte_jupyter.run(m.word, 'a').outputs()))"
    assert seen["own_decorators"]["value"] == python("-c", check, home=home.path, cwd=folder).strip()


def ruff(command: str, *words: str | Path) -> str:
    """What is wrong; "" when it is content."""
    program = [sys.executable, "-m", "ruff", command, "--isolated", "--line-length=120", "--quiet", *map(str, words)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def laid_out(folder: Path) -> dict[str, Any]:
    """The cases with their cells as a formatter leaves them."""
    found: dict[str, Any] = {}
    for name, (cells, check) in CASES.items():
        file = folder / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), file)
        if name not in AS_WRITTEN:
            assert "" == ruff("format", file)
        notebook = nbformat.read(file, as_version=4)
        found[name] = {"cells": [cell.source for cell in notebook.cells], "check": check}
    return found


def export(folder: Path, cells: list[str], *wanted: str, **options: Any) -> tuple[str, str]:
    """The module made of some cells, and what was said of it."""
    file = folder / "tasks.py"
    said = write(file, [Cell(source, f"cell {n}") for n, source in enumerate(cells, 1)], written, wanted, **options)
    return file.read_text(), said


def test_only_what_is_needed_is_in_the_module(tmp_path: Path) -> None:
    cells, _ = CASES["constants_helpers_and_classes"]
    text, said = export(tmp_path, cells)
    assert "UNUSED" not in text
    assert "import json" not in text
    assert "import os" not in text
    assert "# How a sum grows.\n@dataclass" in text
    assert "RATE = 0.5  # per year\n" in text
    assert 'if __name__ == "__main__":\n    run = flyte.run(grow, 3.0)\n    print(run.outputs())\n' in text
    assert said.endswith("tasks.py: grow")


def test_what_is_shown_started_or_deployed_is_not_in_the_way_of_an_import(tmp_path: Path) -> None:
    shown = "rows = [1]\nflyte.deploy(env)\nenv\nflyte.build(env)\nprint(rows)\nrows[:1]"
    text, _ = export(tmp_path, [START, shown, FIT.format("rows[0]"), "flyte.init(strict=True)\nrows.append(2)\nfit"])
    definitions = text.partition("if __name__")[0]
    assert [] == [word for word in ("deploy", "build", "print", "[:1]") if word in definitions]
    assert "flyte.init(strict=True)\nrows.append(2)\n" in definitions


def test_one_task_leaves_the_others_out(tmp_path: Path) -> None:
    text, said = export(tmp_path, CASES["several_environments"][0], "size")
    assert "def size" in text
    assert "sizes" not in text
    assert "large" not in text
    assert said.endswith("tasks.py: size")


@pytest.mark.parametrize(
    ("cells", "wanted", "told"),
    [
        ([START], [], "no cell declares a task"),
        ([START, FIT.format(1)], ["fitt"], "no cell declares a task 'fitt'; did you mean 'fit'?"),
        ([START, FIT.format("slope")], [], "cell 2, line 1 needs 'slope', which no cell defines"),
        (
            [START, "first = second", "second = 1\n\n@env.task\ndef fit() -> int:\n    return first"],
            [],
            "cell 2, line 1 needs 'second', which no cell defines before; cell 3, line 1 does, after it",
        ),
        (
            [START, "\nfiles = !ls", FIT.format("len(files)")],
            [],
            "cell 2, line 2: IPython's ! and % cannot leave the notebook; write it in Python",
        ),
        (
            [START, "import asyncio\nrows = await asyncio.sleep(0, [1])", FIT.format("rows[0]")],
            [],
            "cell 2, line 2: a module cannot `await` at its top",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_named_with_its_place(
    cells: list[str], wanted: list[str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigValueError) as raised:
        export(tmp_path, cells, *wanted)
    assert told in str(raised.value)
    assert not (tmp_path / "tasks.py").exists()


def test_a_task_that_needs_what_a_run_has_given_is_noted(tmp_path: Path) -> None:
    _, said = export(tmp_path, CASES["what_runs_have_given"][0])
    assert "note: cell 3, line 1: starts a run whenever the module is imported" in said


def test_a_cell_that_cannot_be_read_is_left_out_and_noted(tmp_path: Path) -> None:
    text, said = export(tmp_path, [START, "not python (", FIT.format(1)])
    assert "def fit" in text
    assert "note: cell 2, line 1: '(' was never closed; the cell was left out" in said


def test_a_cell_that_was_refused_has_left_nothing_behind(tmp_path: Path) -> None:
    text, _ = export(tmp_path, [START, "%%flyte_task -o nothing\ntotal = 1", FIT.format(1)])
    assert "def fit" in text
    assert "total" not in text


def test_somebody_elses_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("precious = 1\n")
    cells = [START, FIT.format(1)]
    with pytest.raises(ConfigValueError, match="--force replaces it"):
        export(tmp_path, cells)
    export(tmp_path, cells, is_forced=True)
    text, _ = export(tmp_path, cells)  # its own it replaces
    assert "precious" not in text


def test_real_flyte_imports_the_modules(tmp_path: Path) -> None:
    """All of them but for what only this package has, which is noted; and it runs one."""
    try:
        flyte = str(flyte_python())
    except Unavailable as e:
        pytest.fail(f"the environment with Flyte cannot be made: {e}")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "beside_the_notebook.py").write_text("def thing() -> str:\n    return 'a thing'\n")
    (tmp_path / "value.txt").write_text("7")
    names = sorted(CASES.keys() - {"what_runs_have_given", "ways_to_make_tasks"})  # a run and a class while importing
    for name in names:
        write(
            tmp_path / f"{name}.py",
            [Cell(source, f"cell {n}") for n, source in enumerate(CASES[name][0], 1)],
            written,
            for_flyte=True,
        )
        assert "flyte_jupyter" not in (tmp_path / f"{name}.py").read_text().replace(" as flyte_jupyter", "")
    program = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name); print(name)"
    done = subprocess.run([flyte, "-c", program, *names], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (0, names) == (done.returncode, done.stdout.split()), done.stderr
    done = subprocess.run(
        [flyte, "constants_helpers_and_classes.py"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (0, True) == (done.returncode, "6.75" in done.stdout), done.stderr


def test_what_flyte_does_not_have_is_noted(tmp_path: Path) -> None:
    cells = [START, FIT.format(1), "run = flyte.submit(fit)"]
    _, said = export(tmp_path, cells, for_flyte=True)
    assert "note: cell 3, line 1: submit is not in flyte" in said
