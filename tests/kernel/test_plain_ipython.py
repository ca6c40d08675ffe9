"""The magics in plain IPython, in a terminal: no kernel, no front end."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from flyte_jupyter.home import Home
from tests.conftest import eventually
from tests.kernel.front import ROOT

PROGRAM = [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "--HistoryManager.enabled=False"]
BEGIN = """
%load_ext flyte_jupyter
import flyte_jupyter as flyte
rows = [1, 2]
%flyte_env birds --queue slow
@birds.task
async def total(rows: list[int], k: int = 1) -> int:
    print("has", len(rows))
    return sum(rows) * k
"""


def said(home: Home, tmp_path: Path, source: str) -> str:
    """What IPython prints for a file of its own kind."""
    file = tmp_path / "session.ipy"
    file.write_text(BEGIN + source)
    env = {**os.environ, "FLYTE_JUPYTER_HOME": str(home.path), "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run([*PROGRAM, str(file)], env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def test_runs_logs_and_a_cell(home: Home, tmp_path: Path) -> None:
    shown = said(
        home,
        tmp_path,
        """
r = %flyte_run total(rows, k=2) --retries 1
print("value", r.result())
%flyte_logs
get_ipython().run_cell_magic("flyte_task", "--env birds -o mean", "mean = sum(rows) / len(rows)")
print("mean", mean)
value = %flyte_run total(rows) --local
print("local", value)
%flyte_override total --retries 2
%flyte_runs
%flyte_cancel
""",
    )
    for expected in ("value 6\n", "has 2\n", "mean 1.5\n", "local 3\n", "total.override(retries=2)", "nothing runs"):
        assert expected in shown, shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [("%flyte_run to", "total"), ("%%flyte_task --retr", "--retries"), ("birds.task(queue='", "slow")],
)
def test_completions(home: Home, tmp_path: Path, text: str, expected: str) -> None:
    source = f"found = get_ipython().complete(None, {text!r}, {len(text)})\nprint('found', found)\n"
    assert f"'{expected}'" in said(home, tmp_path, source).rpartition("found")[2]


def test_what_a_task_is_when_it_is_asked(home: Home, tmp_path: Path) -> None:
    shown = said(home, tmp_path, "total?\n")
    assert "async total(rows: list[int], k: int = 1) -> int" in shown
    assert "slow" in shown


STAYS = """
import flyte_jupyter as flyte
env = flyte.TaskEnvironment("terminal")
@env.task
def stays(place: str) -> None:
    import pathlib, time
    pathlib.Path(place).touch()
    time.sleep(60)
"""


@pytest.fixture
def terminal(home: Home, tmp_path: Path) -> Iterator[Any]:
    """IPython, and who types."""
    (tmp_path / "stays.py").write_text(STAYS)
    env = {**os.environ, "FLYTE_JUPYTER_HOME": str(home.path), "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path)}
    command = [*PROGRAM[1:], "--simple-prompt", "--ext=flyte_jupyter", "-i", str(tmp_path / "stays.py")]
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it
    typing = pexpect.spawn(PROGRAM[0], command, env=env, encoding="utf-8", timeout=60, preexec_fn=heard)
    try:
        typing.expect(r"In \[1\]: ")
        yield typing
    finally:
        typing.close(force=True)


@pytest.mark.parametrize(
    ("line", "said", "phase"),
    [
        ("flyte.run(stays, {0!r})", "was cancelled and has ended: aborted", "aborted"),
        ("await flyte.run.aio(stays, {0!r})", "was cancelled and has ended: aborted", "aborted"),
        ("async for _ in flyte.map.aio(stays, [{0!r}]): pass", "was cancelled", "aborted"),
        ("await flyte.submit(stays, {0!r})", "Detached: stays", "running"),
    ],
)
def test_ctrl_c(terminal: Any, tmp_path: Path, line: str, said: str, phase: str) -> None:
    place = tmp_path / "there"
    terminal.sendline(line.format(str(place)))
    eventually(place.exists, within=60)
    terminal.sendintr()
    terminal.expect(r"In \[2\]: ")
    assert said in terminal.before
    assert "asyncio" not in terminal.before
    terminal.sendline("flyte.runs()[0].phase.value")
    terminal.expect(r"In \[3\]: ")
    assert f"'{phase}'" in terminal.before
