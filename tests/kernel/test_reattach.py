"""After a restart, a crash or in another kernel: what goes on is listed and live, and nothing of other notebooks."""

from __future__ import annotations

import ast
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from flyte_jupyter.home import Home
from tests.conftest import eventually, is_alive
from tests.kernel.front import START, Cell, Front

TASK = """
import time
from pathlib import Path

@env.task
def waits(place: str) -> int:
    while not Path(place).exists():
        time.sleep(0.02)
    return 42
"""
LOAD = "%load_ext flyte_jupyter\nimport flyte_jupyter as flyte"


@pytest.fixture
def front(home: Home) -> Iterator[Front]:
    with Front(home, START, TASK) as made:
        yield made


def started(front: Front, go: Path) -> tuple[str, str]:
    """A run that waits for that file: its name, and the display id of its card."""
    cell = front.run(f"run = flyte.submit(waits, {str(go)!r})\nrun.name")
    return cell.result.strip("'"), cell.displays[0]["transient"]["display_id"]


def states(cell: Cell, display_id: str) -> list[str]:
    """What a card has shown."""
    return [u["data"]["text/plain"] for u in cell.updates if u["transient"]["display_id"] == display_id]


@pytest.mark.parametrize("end", ["restart", "SIGKILL"])
def test_what_goes_on_is_listed_and_its_old_card_is_sent_updates(front: Front, tmp_path: Path, end: str) -> None:
    go = tmp_path / "go"
    name, display_id = started(front, go)
    if end == "SIGKILL":
        kernel = psutil.Process(int(front.run("import os; os.getpid()").result))
        kernel.send_signal(signal.SIGKILL)
        eventually(lambda: not is_alive(kernel))
    front.restart()
    cell = front.run(LOAD)
    assert "ok" == cell.status
    assert "A run of this notebook goes on since before the kernel was started" in cell.stdout
    assert [name] == [name for d in cell.displays if name in d["data"]["text/plain"]]
    assert display_id == name
    assert display_id != cell.displays[0]["transient"]["display_id"]
    go.touch()
    front.more(cell, lambda c: "succeeded" in c.card()[-1] and "succeeded" in states(c, display_id)[-1])
    assert "42" == front.run(f"flyte.attach({name!r})").result
    assert "" == front.run("%reload_ext flyte_jupyter").stdout  # not again


def test_another_notebook_lists_nothing(front: Front, home: Home, tmp_path: Path) -> None:
    name, _ = started(front, tmp_path / "go")
    with Front(home) as others:
        assert ("", []) == ((cell := others.run(LOAD)).stdout, cell.displays)
        assert name in others.run("flyte.runs()").result  # it is there for who asks
    (tmp_path / "go").touch()


def test_runs_of_a_notebook_are_known_by_its_file(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "a.ipynb"))
    with Front(home, START, TASK) as first, Front(home) as second:
        name, _ = started(first, tmp_path / "go")
        first.close()
        assert name in second.run(LOAD).displays[0]["data"]["text/plain"]


def test_the_first_run_of_a_notebook_remembers_it_without_the_extension(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/nb/a.ipynb")
    with Front(home) as front:
        code = "import flyte_jupyter as flyte\nenv = flyte.TaskEnvironment('env')\n"
        cell = front.run(code + "@env.task\ndef one() -> int:\n    return 1\nflyte.run(one).name")
        record = json.loads((home.path / "store" / "runs" / cell.result.strip("'") / "record.json").read_bytes())
    assert "/nb/a.ipynb" == record["notebook"]["path"]


def test_six_runs_are_five_cards_and_a_table(front: Front, tmp_path: Path) -> None:
    go = tmp_path / "go"
    names = [started(front, go)[0] for _ in range(6)]
    front.restart()
    cell = front.run(LOAD)
    assert "6 runs of this notebook go on" in cell.stdout
    assert [*names[:0:-1], names[0]] == [next(n for n in names if n in d["data"]["text/plain"]) for d in cell.displays]
    go.touch()


def test_a_run_remembers_its_notebook_and_its_cell_and_no_card_has_them(
    front: Front, home: Home, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    go.touch()
    name, _ = started(front, go)
    record = json.loads((home.path / "store" / "runs" / name / "record.json").read_bytes())
    assert os.path.exists(record["notebook"]["kernel"])
    front.run("__vsc_ipynb_file__ = '/nb/of_vs_code.ipynb'")
    assert "'/nb/of_vs_code.ipynb'" == front.run("from flyte_jupyter import context; context.notebook['path']").result
    content = {"code": f"run = flyte.submit(waits, {str(go)!r})", "silent": False}
    message = front.client.session.msg("execute_request", content, metadata={"cellId": "c-7"})  # as JupyterLab does
    front.client.shell_channel.send(message)
    assert (
        "'c-7'"
        == front.run("from flyte_jupyter import session; session.current().find(run.name)['notebook']['cell']").result
    )
    shown = front.run("flyte.runs()[0]").displays[0]
    assert record["notebook"]["kernel"] not in json.dumps(shown)


def killed(front: Front) -> None:
    """The kernel is gone, and nobody starts another one."""
    kernel = psutil.Process(int(front.run("import os; os.getpid()").result))
    kernel.send_signal(signal.SIGKILL)
    eventually(lambda: not is_alive(kernel))


def has_ended(home: Home, name: str) -> bool:
    return (home.path / "store" / "runs" / name / "actions" / "a0" / "status.json").exists()


def test_what_has_ended_while_no_kernel_lived_is_said_once(front: Front, home: Home, tmp_path: Path) -> None:
    go = tmp_path / "go"
    name, display_id = started(front, go)
    killed(front)
    go.touch()
    eventually(lambda: has_ended(home, name) and home.unseen_runs() == [name])
    front.restart()
    cell = front.run(LOAD)
    assert "Ended while no kernel lived; flyte.attach(run) gives the value:\n✓ waits succeeded in" in cell.stdout
    assert name in cell.stdout
    assert [] == cell.displays
    assert "waits succeeded" in states(cell, display_id)[-1]  # what is saved in the notebook is right now
    assert "42" == front.run(f"flyte.attach({name!r})").result
    front.restart()
    assert "" == front.run(LOAD).stdout


def test_many_that_have_ended_are_a_few_lines_and_their_errors_are_there(
    front: Front, home: Home, tmp_path: Path
) -> None:
    front.run("@env.task\ndef fails(place: str) -> int:\n    waits.func(place)\n    raise KeyError('lost')")
    go = tmp_path / "go"
    names = ast.literal_eval(front.run(f"[flyte.submit(fails, {str(go)!r}).name for _ in range(7)]").result)
    killed(front)
    go.touch()
    eventually(lambda: sorted(names) == sorted(home.unseen_runs()), within=60)
    front.restart()
    lines = front.run(LOAD).stdout.splitlines()
    assert (6, "… and 3 more: %flyte_runs") == (len(lines), lines[-1])
    assert all("✗ fails failed after" in line for line in lines[1:5])
    assert "KeyError: 'lost'" == front.run(f"flyte.attach({names[0]!r})").error


def test_what_ends_while_a_kernel_lives_is_not_said_by_the_next(front: Front, tmp_path: Path) -> None:
    go = tmp_path / "go"
    started(front, go)
    front.restart()
    cell = front.run(LOAD)
    go.touch()
    front.more(cell, lambda c: "succeeded" in c.card()[-1])
    front.restart()
    assert "" == front.run(LOAD).stdout
