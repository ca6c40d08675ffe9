"""What the cells of a notebook declare, and what is wrong in their magics."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flyte_jupyter.server.answers.cells import found
from flyte_jupyter.server.shapes.cells import CellFound, Declared

SETUP = 'import flyte_jupyter as flyte\nenv = flyte.TaskEnvironment("my-env")'


def cells(*sources: str) -> list[CellFound]:
    return found({"id": str(number), "source": source} for number, source in enumerate(sources))["cells"]


def tasks(*sources: str) -> list[tuple[str, str, int]]:
    """(name, what was given, line) of each task of the last cell."""
    return [
        (one["name"], one["about"], one["line"]) for one in cells(*sources)[-1]["declared"] if one["kind"] == "task"
    ]


def environments(*sources: str) -> list[tuple[str, str, str]]:
    """(name, variable, what was given) of each environment of the last cell."""
    made = cells(*sources)[-1]["declared"]
    return [(one["name"], one["variable"], one["about"]) for one in made if one["kind"] == "environment"]


def underlined(source: str) -> list[tuple[int, str, str]]:
    """(line, text that is underlined, first line of the message)."""
    lines = source.split("\n")
    return [
        (one["line"], lines[one["line"]][one["start"] : one["end"]], one["message"].partition("\n")[0])
        for one in cells(source)[0]["problems"]
    ]


# --- what is declared -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("env = flyte.TaskEnvironment('a', retries=3)", ("a", "env", "retries: 3")),
        ("e: object = TaskEnvironment(name='b')", ("b", "e", "")),
        ("%flyte_env gpu-env --cpu 2 --memory 1Gi", ("gpu-env", "gpu_env", "resources: cpu 2 cores; memory 1 GiB")),
        ("%flyte_env nightly --cpu {cores}", ("nightly", "nightly", "cpu: cores")),
        ("other = env.clone_with('c', queue='night')", ("c", "other", "queue: night")),
        ("if True:\n    env = flyte.TaskEnvironment(f'x{1}')", ("env", "env", "")),
        ("env = flyte.TaskEnvironment('a', resources=flyte.Resources(cpu=2))", ("a", "env", "resources: cpu 2 cores")),
        ("env = flyte.TaskEnvironment('a', image=base.with_pip('x'))", ("a", "env", "image: base.with_pip('x')")),
        ("env = flyte.TaskEnvironment('a', env_vars={'TOKEN': 'x', 'A': '1'})", ("a", "env", "env vars: TOKEN=…, A=1")),
        ("env = flyte.TaskEnvironment('a', env_vars={'TOKEN': read()})", ("a", "env", "env vars: …")),
        ("%time env = flyte.TaskEnvironment('a')", ("a", "env", "")),
    ],
)
def test_an_environment(source: str, expected: tuple[str, str, str]) -> None:
    assert [expected] == environments(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@env.task\ndef train(x: int) -> int: ...", ("my-env.train", "", 0)),
        (
            "x = 1\n\n@env.task(retries=3, cache='auto')\nasync def train(): ...",
            ("my-env.train", "retries: 3; cache: auto", 2),
        ),
        ("if x:\n    @env.task\n    def train(): ...", ("my-env.train", "", 1)),
        ("train = env.task(retries=2)(fit)", ("my-env.train", "retries: 2", 0)),
        ("@imported.task\ndef train(): ...", ("train", "", 0)),
        ("%%flyte_task --retries 3\nx = 1", ("notebook.cell", "retries: 3", 0)),
        ("%%flyte_task summing --env env\nx = 1", ("my-env.summing", "", 0)),
        ("%%flyte_task summing --env my-env\nx = 1", ("my-env.summing", "", 0)),
        ("%%time\n%%flyte_task summing\nx = 1", ("notebook.summing", "", 1)),
        ("%%flyte_task --cpu 1\nimport os\n\ndef train(x): ...", ("notebook.train", "resources: cpu 1 core", 3)),
        ("%%flyte_task --cpu 1\n@env.task\ndef train(x): ...", ("my-env.train", "", 1)),
    ],
)
def test_a_task(source: str, expected: tuple[str, str, int]) -> None:
    assert [expected] == tasks(SETUP, source)


def test_cells_hang_together_from_the_top_down() -> None:
    declared = cells(SETUP, "%flyte_env other", "@env.task\ndef a(): ...", "env = other", "b = a.override(retries=1)")
    assert ["my-env"] == [one["name"] for one in declared[0]["declared"]]
    assert [("my-env.a", "b")] == [(one["name"], one["variable"]) for one in declared[4]["declared"]]
    shown = cells("%flyte_env a --cpu 1", "%flyte_env a")
    assert [1, 0] == [len(cell["declared"]) for cell in shown]


def test_all_that_is_said_of_one() -> None:
    expected: Declared = {
        "kind": "task",
        "name": "my-env.train",
        "title": "fit",
        "variable": "train",
        "environment": "my-env",
        "needs": [],
        "line": 0,
        "about": "retries: 1",
    }
    assert [expected] == cells(SETUP, "@env.task(short_name='fit', retries=1)\ndef train(): ...")[1]["declared"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@env.task\ndef train(a, /, b: int, c=1, *d, e, f=2, **g): ...", ["a", "b", "e"]),
        ("def fit(a): ...\ntrain = env.task(fit)", ["a"]),
        ("@env.task\ndef fit(a): ...\ntrain = fit.override(retries=1)", ["a"]),
        ("%%flyte_task\ndef train(a, b=1): ...", ["a"]),
        ("%%flyte_task train\na", []),
    ],
)
def test_what_a_call_has_to_give(source: str, expected: list[str]) -> None:
    assert expected == cells(SETUP, source)[-1]["declared"][-1]["needs"]


def test_a_cell_that_is_being_typed_keeps_what_can_be_read() -> None:
    source = "@env.task\ndef a(): ...\n\nprint(\n\n@env.task\ndef b():\n    return 1\n\n@env.task(\ndef c(): ..."
    assert ["my-env.a", "my-env.b"] == [name for name, _, _ in tasks(SETUP, source)]
    assert [("notebook.summing", "cpu 1 core", 0)] == [
        (name, about.removeprefix("resources: "), line)
        for name, about, line in tasks("%%flyte_task summing --cpu 1 --ret\nx = (")
    ]
    for source in ("%%flyte_task\nx = (", "x = ", "def f(:\n  pass", "'''", "%", "%%", "\0", "a = %", "", "(" * 400):
        assert [] == cells(source)[0]["problems"]


def test_nothing_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch = "open('made', 'w')"
    cells(
        touch,
        f"env = flyte.TaskEnvironment({touch}, retries={touch}, resources=flyte.Resources(cpu={touch}))",
        f"%flyte_env a --triggers {{{touch}}}",
        f"%%flyte_task --env-vars {{{touch}}}\n{touch}",
        f"%flyte_run f({touch}) --retries {{{touch}}}",
        "!touch made",
    )
    assert [] == os.listdir(tmp_path)


# --- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "%flyte_env a --retrys 2",
            (0, "--retrys", "no option --retrys; did you mean --retries?; --retries is given to a task: %%flyte_task"),
        ),
        ("%flyte_env a --cpu x # why", (0, "--cpu x", "Resources.cpu: 'x' is not accepted")),
        ("x = 1\nr = %flyte_run train(1, 2) --retries=x", (1, "--retries=x", "retries: 'x' is not accepted")),
        ("if x:\n  %flyte_env b --cpu 1 \\\n    --bogus 2", (2, "--bogus", "no option --bogus; did you mean --gpu?")),
        ("%flyte_env a b", (0, "b", "'b' is one word too many")),
        ("%flyte_env A!", (0, "A!", "name: 'A!' is not accepted")),
        ("%flyte_env --cpu 1", (0, "--cpu 1", "which environment?")),
        ("%flyte_env a --short-name 'b", (0, "a --short-name 'b", "No closing quotation: a --short-name 'b")),
        ("%flyte_run", (0, "%flyte_run", "which task?")),
        ("%flyte_run f( --cpu 1", (0, "f( --cpu 1", "f( --cpu 1: '(' was never closed")),
        ("%flyte_override f --labels a=1 --retries 1", (0, "--labels a=1", "--labels: for a run; give f its inputs")),
        ("%flyte_logs --lines x", (0, "--lines x", "--lines x: not a number")),
        ("%flyte_cancel a --all", (0, "--all", "--all is for all that run; leave the names out")),
        ("%flyte_export", (0, "%flyte_export", "which file?")),
        (
            "%%flyte_task 3x\n1",
            (0, "3x", "'3x' cannot be the name of a task: letters, digits and _, not beginning with a digit"),
        ),
        ("%%flyte_task -o nix\nx = 1", (0, "-o nix", "-o nix: the cell does not assign it; it assigns: x")),
        ("%%flyte_task --mode far\nx = 1", (0, "--mode far", "mode: 'far' is not accepted")),
        ("%%flyte_task --labels a\nx = 1", (0, "--labels a", "--labels a: write it as NAME=VALUE[,...]")),
        ("%%flyte_task --local\ndef f(): ...", (0, "--local", "--local is for a cell that runs; this one declares f")),
        ("%%flyte_task --short-name 'ä🎈' --bogus\nx", (0, "--bogus", "no option --bogus; did you mean --gpu?")),
        ("%%time\n%%flyte_task --cpu\nx", (1, "--cpu", "--cpu needs a value: --cpu CORES")),
        (
            "%%flyte_task\nx = 1\n!ls",
            (2, "!ls", "IPython's ! and % cannot stand in a task; subprocess.run('ls', shell=True) can"),
        ),
        (
            "x = 1\n%%flyte_task y",
            (1, "%%flyte_task", "Line magic function `%%flyte_task` not found; it stands in the first line of a cell"),
        ),
        (
            "%flyte_task y",
            (0, "%flyte_task", "it runs the cell below it, which is empty; %flyte_task --help shows its options"),
        ),
        ("%flyte_evn", (0, "%flyte_evn", "Line magic function `%flyte_evn` not found; did you mean %flyte_env?")),
        (
            "%%flyte_env a\n",
            (
                0,
                "%%flyte_env",
                "Cell magic `%%flyte_env` not found (But line magic `%flyte_env` exists, did you mean that instead?).",
            ),
        ),
    ],
)
def test_what_is_wrong_is_underlined(source: str, expected: tuple[int, str, str]) -> None:
    assert [expected] == underlined(source)


def test_everything_wrong_in_a_line_has_its_own_place() -> None:
    line = "%flyte_env a b --cpu x --bogus --memory y"
    assert ["b", "--bogus", "--cpu x", "--memory y"] == [text for _, text, _ in underlined(line)]


@pytest.mark.parametrize(
    "source",
    [
        "s = '''\n%flyte_env x --bogus\n'''",
        "%%bash\n%flyte_env x --bogus",
        "# %flyte_env x --bogus",
        "x = 7 \\\n    %flyte_env",
        "%flyte_env a --cpu 1 --cache {policy} --resources {big}",
        "%flyte_env MyVariable",
        "%flyte_env --cpu 1 --help",
        "%%flyte_task -o total -i rows\ntotal = sum(rows)",
        "%%flyte_task -o rows\nrows.append(1)",
        "%flyte_logs train --lines all",
        "%matplotlib inline\n!pip list\n%flyte_runs -n 3",
        "%other_magic --bogus",
    ],
)
def test_what_is_right_is_not(source: str) -> None:
    assert [] == underlined(source)
