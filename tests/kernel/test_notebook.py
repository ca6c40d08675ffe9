"""What a front end sees: a real ipykernel, talked to through jupyter_client."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards.card import MIME
from tests.conftest import PATIENCE
from tests.kernel.front import ROOT, START, Cell, Front


@pytest.fixture
def front(home: Home) -> Iterator[Front]:
    with Front(home, START) as made:
        yield made


TASK = "import time\n@env.task\ndef work(x: int) -> int:\n    print('working')\n    time.sleep(x)\n    return x + 1"


def test_a_card_appears_and_is_complete_when_the_cell_is_over(front: Front) -> None:
    front.run(TASK)
    cell = front.run("flyte.run(work, 0).outputs()[0]")
    assert ("ok", "1") == (cell.status, cell.result)
    assert 1 == len(cell.displays)
    assert {"text/plain", "text/html", MIME} == set(cell.displays[0]["data"])
    assert {cell.displays[0]["transient"]["display_id"]} == {u["transient"]["display_id"] for u in cell.updates}
    assert "succeeded" in cell.card()[-1]
    assert "working" in cell.card()[-1]
    last = cell.updates[-1]["data"]
    assert (last[MIME]["phase"], last[MIME]["result"]) == ("succeeded", {"text": "1", "html": None})
    assert "succeeded" in last["text/html"]


def test_every_saved_card_is_final_even_when_runs_are_quick(front: Front) -> None:
    front.run(TASK)
    for _ in range(10):
        assert "succeeded" in front.run("flyte.run(work, 0)").card()[-1]


def test_a_run_that_is_the_value_of_its_cell_has_one_card(front: Front) -> None:
    front.run(TASK)
    cell = front.run("flyte.run(work, 0)")
    assert (1, "") == (len(cell.displays), cell.result)


def test_at_most_five_updates_a_second(front: Front) -> None:
    front.run("@env.task\ndef chatty() -> None:\n    import time\n    for i in range(150):\n"
              "        print(i)\n        time.sleep(0.01)")  # fmt: skip
    began = time.monotonic()
    cell = front.run("flyte.run(chatty)")
    assert 2 <= len(cell.updates) <= 5 * (time.monotonic() - began) + 2
    assert "149" in cell.card()[-1]


def test_a_background_run_stays_live_while_other_cells_run(front: Front) -> None:
    front.run(TASK)
    first = front.run("run = flyte.submit(work, 1)")
    assert "succeeded" not in first.card()[-1]
    second = front.run("import time; deadline = time.time() + 30\n"
                       "while not run.done() and time.time() < deadline: time.sleep(0.05)")  # fmt: skip
    assert [] == second.displays
    states = [u for u in second.updates if u["transient"] == first.displays[0]["transient"]]
    assert "succeeded" in states[-1]["data"]["text/plain"]


def test_a_run_that_is_displayed_again_is_live_too(front: Front) -> None:
    front.run(TASK)
    front.run("run = flyte.submit(work, 1)")
    cell = front.run("run")
    assert 1 == len(cell.displays)
    front.more(cell, lambda c: "succeeded" in c.card()[-1])


def test_runs_are_a_table(front: Front) -> None:
    front.run(TASK)
    front.run("flyte.run(work, 0)")
    cell = front.run("flyte.runs()")
    assert "work" in cell.result
    assert "✓ succeeded" in cell.result


def test_a_failed_task_shows_the_users_lines_and_none_of_ours(front: Front) -> None:
    front.run("def inner(x):\n    return 1 / x\n\n@env.task\ndef bad() -> float:\n    return inner(0)")
    cell = front.run("flyte.run(bad)")
    assert ("error", "ZeroDivisionError: division by zero") == (cell.status, cell.error)
    assert "flyte_jupyter" not in cell.traceback
    assert "----> 2     return 1 / x" in cell.traceback
    assert "✗ bad failed" in cell.card()[-1]
    assert "return inner(0)" in cell.updates[-1]["data"]["text/html"]


# --- %%flyte_task -----------------------------------------------------------------------------------------------------


def test_a_cell_as_a_task(front: Front) -> None:
    front.run("rows = [{'x': 1}, {'x': 2}]")
    cell = front.run(
        "%%flyte_task summing --env my_env --retries 3 --cpu 1 --memory 512Mi -i rows -o total\n"
        'total = sum(r["x"] for r in rows)\nprint("summed", len(rows))'
    )
    assert "ok" == cell.status
    assert "summing succeeded" in cell.card()[-1]
    assert "summed 2" in cell.card()[-1]
    assert "3" == front.run("total").result


def test_the_last_expression_is_the_result(front: Front) -> None:
    front.run("rows = [1, 2]\ndef double(x):\n    return 2 * x")
    assert "[2, 4]" == front.run("%%flyte_task\n[double(x) for x in rows]").result
    assert "[2, 4]" == front.run("_").result
    assert "" == front.run("%%flyte_task\nlen(rows);").result


def test_await_globals_and_several_outputs(front: Front) -> None:
    front.run("total = 1")
    source = """\
%%flyte_task -o total,count
import asyncio
await asyncio.sleep(0)
count = 0
def add():
    global count, total
    count += 1
    total += 1
add(); add()
"""
    assert "ok" == front.run(source).status
    assert "(3, 2)" == front.run("total, count").result


def test_it_runs_in_another_process(front: Front) -> None:
    assert "ok" == front.run("%%flyte_task -o pid\nimport os\npid = os.getpid()").status
    assert "False" == front.run("import os\npid == os.getpid()").result


def test_composes_with_time_and_capture(front: Front) -> None:
    cell = front.run("%%time\n%%flyte_task -o x\nx = 1")
    assert "Wall time" in cell.stdout
    assert "succeeded" in cell.card()[-1]
    captured = front.run("%%capture kept\n%%flyte_task -o y\ny = 2")
    assert ([], []) == (captured.displays, captured.updates)
    assert "2" == front.run("y").result
    assert "succeeded" in front.run("kept.outputs[0].data['text/plain']").result


def test_an_error_in_the_cell_has_its_line(front: Front) -> None:
    cell = front.run("%%flyte_task\nx = 1\n\ny = x / 0")
    assert ("error", "ZeroDivisionError: division by zero") == (cell.status, cell.error)
    assert "line 4" in cell.traceback
    assert "----> 4 y = x / 0" in cell.traceback
    assert "interactiveshell.py" not in cell.traceback
    assert "flyte_jupyter" not in cell.traceback


def test_background_outputs_arrive_later(front: Front) -> None:
    cell = front.run("%%flyte_task --background -o later\nimport time\ntime.sleep(0.3)\nlater = 42")
    assert "ok" == cell.status
    front.more(cell, lambda c: "succeeded" in c.card()[-1])
    assert "42" == front.run("later").result


def test_functions_become_tasks_and_call_each_other(front: Front) -> None:
    front.run("%%flyte_task --env my_env\ndef one(x: int) -> int:\n    return x + 1\n\n"
              "def two(x: int) -> int:\n    return one(one(x))")  # fmt: skip
    cell = front.run("flyte.run(two, 1).outputs()[0]")
    assert "3" == cell.result
    assert "one × 2: 2 succeeded" in cell.card()[-1]


def test_what_the_notebook_defines_is_found_as_in_the_notebook(front: Front) -> None:
    front.run(
        """
import multiprocessing, pickle, typing

class Item:
    def __init__(self, x: int) -> None:
        self.x = x

class Box:
    item: "Item"

def doubled(item: Item) -> Item:
    return Item(2 * item.x)
"""
    )
    cell = front.run(
        """
@env.task
def in_processes() -> list[int]:
    assert typing.get_type_hints(Box) == {"item": Item}
    with multiprocessing.get_context("fork").Pool(2) as pool:
        items = pool.map(doubled, [Item(x) for x in range(3)])
    return [pickle.loads(pickle.dumps(item)).x for item in items]

flyte.run(in_processes).outputs()[0]
"""
    )
    assert "[0, 2, 4]" == cell.result


# --- interrupt and restart --------------------------------------------------------------------------------------------


def test_interrupting_cancels_and_says_so(front: Front) -> None:
    front.run(TASK)
    asked: list[bool] = []

    def when_running(cell: Cell) -> None:
        if not asked and any("running" in u["data"]["text/plain"].splitlines()[0] for u in cell.updates):
            asked.append(True)
            front.interrupt()

    cell = front.run("flyte.run(work, 60)", each=when_running)
    assert "error" == cell.status
    assert cell.error.startswith("KeyboardInterrupt")
    assert "cancelled" in cell.stderr
    assert "aborted" in cell.card()[-1]
    assert "2" == front.run("1 + 1").result


def test_after_a_restart_the_run_is_there_and_live(front: Front) -> None:
    front.run(TASK)
    began = front.run("flyte.submit(work, 3).name").result.strip("'")
    front.restart()
    front.run(START)
    cell = front.run("flyte.runs()[0]")
    assert began in cell.displays[0]["data"]["text/plain"]
    front.more(cell, lambda c: "succeeded" in c.card()[-1])
    assert "4" == front.run("flyte.runs()[0].outputs()[0]").result


def test_nothing_is_shown_by_a_plain_script(home: Home) -> None:
    script = START.split("\n", 1)[1] + "\n@env.task\ndef f() -> int: return 1\nprint(flyte.run(f).outputs()[0])"
    env = {**os.environ, "FLYTE_JUPYTER_HOME": str(home.path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ("1\n", "") == (done.stdout, done.stderr)
