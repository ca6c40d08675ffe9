"""Runs in the background: live while other cells run and block, and their end is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import papermill
import pytest
from nbclient import NotebookClient

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards.card import MIME
from tests.conftest import eventually
from tests.kernel.front import START, Front, needs_subshells

WAIT = "%%flyte_task waits --background\nimport time, os\nwhile not os.path.exists(go): time.sleep(0.02)\nprint('over')"
BLOCK = "import time\nuntil = time.monotonic() + 30\nwhile not {0} and time.monotonic() < until: time.sleep(0.02)"


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desktop that writes down what it is told."""
    told = tmp_path / "told"
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {told}.new && mv {told}.new {told}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setenv("FLYTE_JUPYTER_NOTIFY", "0")
    monkeypatch.setenv("JPY_SESSION_NAME", "/nb/mine.ipynb")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    return told


@pytest.fixture
def front(desktop: Path, home: Home) -> Iterator[Front]:
    with Front(home, START) as made:
        yield made


def test_its_card_moves_while_another_cell_blocks_and_its_end_is_said(
    front: Front, desktop: Path, tmp_path: Path
) -> None:
    front.run(f"go = {str(tmp_path / 'go')!r}")
    started = front.run(WAIT)
    display_id = next(d["transient"]["display_id"] for d in started.displays if MIME in d["data"])
    assert "succeeded" not in started.card()[-1]
    run = "flyte.runs()[0]"
    blocking = front.run(f"run = {run}\nopen(go, 'w').close()\n" + BLOCK.format("run.done()"))
    states = [u["data"]["text/plain"] for u in blocking.updates if u["transient"]["display_id"] == display_id]
    assert "waits succeeded" in states[-1]
    assert "✓ waits succeeded in" in blocking.stdout
    eventually(desktop.exists)
    title, text = desktop.read_text().split("|")[2:4]
    assert title.startswith("✓ waits succeeded in")
    assert "mine.ipynb" == text
    assert "" == front.run("1 + 1").stdout  # once


def test_what_ends_while_nothing_runs_is_said_in_the_next_cell(front: Front, tmp_path: Path) -> None:
    front.run(f"go = {str(tmp_path / 'go')!r}")
    started = front.run(WAIT)
    (tmp_path / "go").touch()
    front.more(started, lambda c: "succeeded" in c.card()[-1])
    assert "✓ waits succeeded in" in front.run("1 + 1").stdout


def test_many_ends_are_a_few_lines(front: Front, tmp_path: Path) -> None:
    front.run(f"go = {str(tmp_path / 'go')!r}")
    for _ in range(8):
        front.run(WAIT)
    said = front.run("open(go, 'w').close()\n" + BLOCK.format("all(run.done() for run in flyte.runs())")).stdout
    assert (4, "… and 4 more: %flyte_runs") == (said.count("✓ waits succeeded"), said.splitlines()[-1])


CELLS = [
    START,
    "go = 'go'",
    WAIT,
    "open(go, 'w').close()",
    "flyte.attach(0)",
    "first = flyte.runs()[0].phase.value\nfirst",
]


def notebook() -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def cards(made: nbformat.NotebookNode) -> list[str]:
    """The texts of the cards of all cells."""
    outputs = [output for cell in made.cells for output in cell.outputs]
    return [output.data["text/plain"] for output in outputs if MIME in output.get("data", {})]


@pytest.mark.parametrize("by", ["nbclient", "papermill"])
def test_executed_without_a_screen_the_first_card_is_final_too(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    if by == "nbclient":
        done = NotebookClient(notebook(), resources={"metadata": {"path": str(tmp_path)}}).execute()
    else:
        source, result = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
        nbformat.write(notebook(), source)
        papermill.execute_notebook(str(source), str(result), cwd=str(tmp_path), progress_bar=False)
        done = nbformat.read(result, as_version=4)
    shown = cards(done)
    assert 2 == len(shown)  # where it was started, and where it was waited for
    assert all("succeeded" in card for card in shown)
    assert "'succeeded'" == done.cells[-1].outputs[-1].data["text/plain"]


@needs_subshells
def test_a_front_end_of_subshells_has_the_card_in_its_own_cell(front: Front, tmp_path: Path) -> None:
    """JupyterLab uses them for what must not wait for a cell: a comm's message, or a cell in another subshell."""
    client = front.client
    subshell = front.new_subshell()
    front.run("@env.task\ndef two() -> int:\n    return 2")
    front.run(f"go = {str(tmp_path / 'go')!r}")
    message = client.session.msg("execute_request", {"code": "value = flyte.run(two).result()\nopen(go, 'w').close()"})
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)
    cell = front.run("import os, time\nwhile not os.path.exists(go): time.sleep(0.02)")  # the main shell is blocked
    assert "ok" == cell.status
    front.more(cell, lambda c: c.displays and "succeeded" in c.card()[-1])
    assert "2" == front.run("value").result
