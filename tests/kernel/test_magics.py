"""The magics in a real kernel: what is run, shown, printed and asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from flyte_jupyter.home import Home
from tests.kernel.front import SLEEP, START, Cell, Front, Person, plain

TASKS = """
import asyncio
scale = 2
def scaled(x):
    return x * scale
@env.task(retries=1)
async def child(x: int) -> int:
    print("child has", x)
    return scaled(x)
@env.task
async def parent(rows: list[int], k: int = 1) -> float:
    \"\"\"Adds up what its children make.\"\"\"
    print("parent has", len(rows))
    return sum([await child(row) for row in rows]) * k
@env.task
def sleeps() -> None:
    import time
    print("asleep")
    time.sleep(60)
rows = [1, 2]
"""


@pytest.fixture
def front(home: Home) -> Iterator[Front]:
    with Front(home, START, TASKS) as made:
        yield made


def shown(cell: Cell) -> str:
    """All that the cell displays, and its value."""
    return "\n".join([*(display["data"]["text/plain"] for display in cell.displays), cell.result])


# --- %flyte_run and %flyte_override -----------------------------------------------------------------------------------


def test_flyte_run_is_flyte_run(front: Front) -> None:
    cell = front.run("r = %flyte_run parent(rows, k=2)")
    assert ("ok", 1) == (cell.status, len(cell.displays))
    assert "parent succeeded" in cell.card()[-1]
    assert "12.0" == front.run("r.result()").result


def test_flyte_run_takes_an_override(front: Front) -> None:
    front.run("@env.task\ndef mode() -> str:\n    import os\n    return os.environ['MODE']")
    assert "'a b'" == front.run("r = %flyte_run --env-vars 'MODE=a b' mode()\nr.result()").result
    assert "'x'" == front.run("r = %flyte_run mode() --env-vars {dict(MODE='x')}\nr.result()").result


def test_a_run_in_the_background_goes_on(front: Front) -> None:
    cell = front.run("r = %flyte_run sleeps() --background")
    assert "ok" == cell.status
    front.more(cell, lambda c: "running" in c.card()[-1])
    assert "sleeps" in shown(front.run("%flyte_cancel"))


def test_an_override_is_shown_as_python_and_applied(front: Front) -> None:
    cell = front.run("more = %flyte_override parent --retries 4 --queue quick")
    assert "parent.override(" in shown(cell)
    assert "(4, 'quick')" == front.run("more.retries.count, more.queue").result
    cell = front.run("r = %flyte_override parent(rows) --retries 0")
    assert "parent.override(" in shown(cell)
    assert "6.0" == front.run("r.result()").result


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = 1\nr = %flyte_run parent(rowz)", "NameError"),
        ("x = 1\n\nr = %flyte_run parent([1 / 0])", "ZeroDivisionError"),
    ],
)
def test_an_error_in_the_inputs_has_the_cells_line(front: Front, source: str, error: str) -> None:
    cell = front.run(source)
    assert cell.error.startswith(error)
    lines = source.splitlines()
    assert f"----> {len(lines)} {lines[-1]}" in cell.traceback
    assert "flyte_jupyter" not in cell.traceback


def test_an_error_of_the_task_has_the_line_of_the_cell_and_its_own(front: Front) -> None:
    front.run("@env.task\ndef half(x: int) -> float:\n    return x / 0")
    shown = front.run("for x in range(2):\n    %flyte_run half(x)  # the first one fails").traceback
    assert "----> 2     %flyte_run half(x)" in shown
    assert "----> 3     return x / 0" in shown
    assert shown.index("%flyte_run half") < shown.index("return x / 0")


def test_inputs_that_do_not_fit_are_said_in_words(front: Front) -> None:
    cell = front.run("%flyte_run parent(rows, kk=3)")
    assert "Unknown input 'kk'; did you mean 'k'?" in cell.traceback
    assert "----" not in cell.traceback


def test_what_is_no_task(front: Front) -> None:
    assert "A run needs a task, not function scaled" in front.run("%flyte_run scaled").traceback
    assert "is no task but a int" in front.run("%flyte_run scaled(3) --retries 3").stderr


@pytest.mark.parametrize("option", ["", " --local"])
def test_an_output_that_has_got_no_value_is_named(front: Front, option: str) -> None:
    shown = front.run(f"%%flyte_task -o many{option}\nif len(rows) > 5:\n    many = True").traceback
    assert "UnboundLocalError" in shown
    assert "-o many takes its value over" in shown


def test_a_cell_with_a_name_is_a_task_of_that_name(front: Front) -> None:
    front.run("%%flyte_task summing -o total\ntotal = sum(rows)")
    assert "30" == front.run("flyte.run(summing, rows=[10, 20]).result()").result
    assert "7" == front.run("r = %flyte_run summing([3, 4]) --retries 1\nr.result()").result
    front.run("%%flyte_task rows\nlen(rows)\n")
    assert "[1, 2]" == front.run("rows").result  # which keeps what has the name already


def test_a_cell_without_a_name_can_be_called_by_magics(front: Front) -> None:
    front.run("%%flyte_task\nlen(rows)")
    assert "3" == front.run("r = %flyte_run cell([3, 4, 5])\nr.result()").result
    assert "cell.override(retries=2)" in shown(front.run("%flyte_override cell --retries 2"))


# --- a dry run, and a run in the kernel -------------------------------------------------------------------------------


def test_a_dry_run_shows_captures_configuration_and_pod(front: Front) -> None:
    front.run("table = list(range(200_000))\n%flyte_env careful --memory 512Mi")
    cell = front.run("%%flyte_task summing --dry-run --env careful --retries 3 -o total\n"
                     "total = sum(table) + scaled(rows[0])")  # fmt: skip
    text, html = shown(cell), cell.displays[0]["data"]["text/html"]
    assert "ok" == cell.status
    for expected in (
        r"would run careful.summing: .* of code, .* KiB of inputs",
        r"table +list +\d+ KiB +\[0, 1,",
        r"scaled +function",
        r"scale +int +.* 2\n",
        r"retries +3 +decorator",
        r"resources +memory 512 MiB +environment",
        r"memory +512 MiB\n",
    ):
        assert re.search(expected, text), text
    assert "Captured" in html
    assert "no runs" in front.run("flyte.runs()").result


def test_a_dry_run_says_what_cannot_go(front: Front) -> None:
    front.run("import threading\nlock = threading.Lock()\n@env.task\ndef locked() -> int:\n    return 1 if lock else 0")
    cell = front.run("%flyte_run locked() --dry-run")
    assert "global 'lock'" in cell.traceback


def test_local_runs_in_the_kernel_and_children_too(front: Front) -> None:
    assert "here\n" == front.run("%%flyte_task --local -o pid\nimport os\npid = os.getpid()\nprint('here')").stdout
    assert "True" == front.run("import os\npid == os.getpid()").result
    cell = front.run("%flyte_run parent(rows, k=2) --local")
    assert ("12.0", []) == (cell.result, cell.displays)
    assert "parent has 2\nchild has 1\nchild has 2\n" == cell.stdout


def test_local_awaits_in_the_cells_own_words(front: Front) -> None:
    cell = front.run("%%flyte_task --local\nx = 1\nawait asyncio.sleep(0)\n\nscaled(x) / 0")
    assert "ZeroDivisionError: division by zero" == cell.error
    assert "----> 5 scaled(x) / 0" in cell.traceback
    assert "asyncio" not in cell.traceback.replace("await asyncio.sleep(0)", "")
    assert "2" == front.run("await asyncio.sleep(0)\n1 + 1").result  # the kernel's own loop goes on


def test_local_has_the_tasks_variables_and_gives_them_back(front: Front) -> None:
    source = "%%flyte_task --local --env-vars MODE=test\nimport os\nos.environ['MODE']"
    assert "'test'" == front.run(source).result
    assert "None" == front.run("import os\nprint(os.environ.get('MODE'))").stdout.strip()


@pytest.mark.parametrize("body", ["x = 20\nbreakpoint()\nx + 1", "x = 20\nawait asyncio.sleep(0)\nbreakpoint()\nx + 1"])
def test_a_debugger_stops_in_a_local_cell(front: Front, body: str) -> None:
    person = Person(front, "print('x is', x)", "c", is_unseen=False)
    cell = front.run(f"%%flyte_task --local\n{body}", each=person)
    assert "x is 20" in cell.stdout
    assert ("ok", "21") == (cell.status, cell.result)


def test_debug_after_a_local_error_is_in_the_cell(front: Front) -> None:
    front.run("%%flyte_task --local\nx = 41\nx / 0")
    cell = front.run("%debug", each=Person(front, "print('x was', x)", "q", is_unseen=False))
    assert "x was 41" in cell.stdout


def test_interrupting_a_local_cell_shows_where_it_was(front: Front) -> None:
    asked: list[bool] = []

    def when_it_prints(cell: Cell) -> None:
        if "begun" in cell.stdout and not asked:
            asked.append(True)
            front.interrupt()

    cell = front.run(f"%%flyte_task --local\nprint('begun')\nimport time\n{SLEEP}", each=when_it_prints)
    assert cell.error.startswith("KeyboardInterrupt")
    assert f"----> 4 {SLEEP}" in cell.traceback
    assert "2" == front.run("await asyncio.sleep(0)\n1 + 1").result


def test_interrupting_a_magic_says_what_became_of_the_run(front: Front) -> None:
    asked: list[bool] = []

    def when_running(cell: Cell) -> None:
        if not asked and any("running" in u["data"]["text/plain"].splitlines()[0] for u in cell.updates):
            asked.append(True)
            front.interrupt()

    cell = front.run("%flyte_run sleeps()", each=when_running)
    assert cell.error.startswith("KeyboardInterrupt")
    assert "cancelled" in cell.traceback
    assert "flyte_jupyter" not in cell.traceback


def test_a_syntax_error_that_the_code_of_a_cell_raises_has_its_line(front: Front) -> None:
    cell = front.run("%%flyte_task --local\nx = 1\ncompile('(', 'other', 'exec')")
    assert "SyntaxError: '(' was never closed" in cell.error
    assert "interactiveshell.py" not in cell.traceback
    assert "----> 3 compile(" in cell.traceback


@pytest.mark.parametrize(
    ("source", "line"),
    [("%%flyte_task\n1 / 0", 2), ("%%flyte_task --local\n1 / 0", 2), ("x = 1\n%flyte_run nope(1)", 2),
     ("%%flyte_task\nx = (1", 2)],
)  # fmt: skip
def test_the_cell_of_an_error_has_the_number_that_is_shown_beside_it(front: Front, source: str, line: int) -> None:
    assert f"Cell In[3], line {line}" in plain(front.run(source).traceback)


# --- %flyte_logs, %flyte_cancel ---------------------------------------------------------------------------------------


def test_logs_of_the_newest_of_a_task_and_of_an_action(front: Front) -> None:
    front.run("%flyte_run parent(rows)\nr = flyte.run(child, 7)")
    assert "child has 7\n" == front.run("%flyte_logs").stdout
    assert "parent has 2\n" == front.run("%flyte_logs parent").stdout
    assert "child has 7\n" == front.run("%flyte_logs r").stdout
    assert "child has 7\n" == front.run("%flyte_logs child --lines 1").stdout
    assert "--action child: there are 2" in front.run("%flyte_logs parent --action child").stderr
    assert "no such run; did you mean parent?" in front.run("%flyte_logs parnt").stderr


def test_an_attempt_that_was_not_is_said(front: Front) -> None:
    front.run("flyte.run(child, 7)")
    assert "child has 7\n" == front.run("%flyte_logs --attempt 0").stdout
    assert "--attempt 1: no such attempt; there is only 0" in front.run("%flyte_logs --attempt 1").stderr


def test_logs_are_followed_to_the_end(front: Front) -> None:
    front.run("@env.task\ndef counts() -> None:\n    import time\n    for i in range(5):\n"
              "        print('line', i)\n        time.sleep(0.1)\nr = flyte.submit(counts)")  # fmt: skip
    cell = front.run("%flyte_logs r --follow")
    assert [f"line {i}" for i in range(5)] == cell.stdout.splitlines()
    assert "True" == front.run("r.done()").result


def test_interrupting_stops_following_and_not_the_run(front: Front) -> None:
    cell = front.run("r = flyte.submit(sleeps)")
    asked: list[bool] = []

    def when_it_prints(cell: Cell) -> None:
        if "asleep" in cell.stdout and not asked:
            asked.append(True)
            front.interrupt()

    cell = front.run("%flyte_logs r -f", each=when_it_prints)
    assert "goes on; this has stopped following it" in cell.stdout
    assert "sleeps" in shown(front.run("%flyte_cancel r"))


def test_several_open_runs_are_cancelled_by_name_or_all(front: Front) -> None:
    front.run("a = flyte.submit(sleeps)\nb = flyte.submit(sleeps)")
    assert "2 runs are open; name some of them, or give --all" in front.run("%flyte_cancel").stderr
    said = shown(front.run("%flyte_cancel --all"))
    assert 2 == said.count("was cancelled: aborted")
    assert "had ended already: aborted" in shown(front.run("%flyte_cancel a"))
    assert "nothing runs" in shown(front.run("%flyte_cancel"))


# --- %flyte_config, %flyte_doctor -------------------------------------------------------------------------------------


def test_configuration_of_a_task_of_a_parameter_and_of_this_machine(front: Front) -> None:
    assert "retries" in front.run("%flyte_config child").result
    assert "how often" in shown(front.run("%flyte_config retries")).lower()
    assert "state folder" in shown(front.run("%flyte_config"))
    assert "did you mean retries?" in front.run("%flyte_config retrys").stderr


def test_doctor_tries_and_shows_no_card(front: Front) -> None:
    cell = front.run("%flyte_doctor")
    assert 4 == shown(cell).count("✓ works")
    assert 1 == len(cell.displays)


# --- completions and inspection ---------------------------------------------------------------------------------------


def completed(front: Front, code: str) -> list[str]:
    """What a front end offers at the bar."""
    at = code.index("|")
    reply = front.reply(front.client.complete(code.replace("|", "", 1), at))
    replaced = code[reply["cursor_start"] : at]
    assert all(match.lstrip('"').startswith(replaced) or replaced == "" for match in reply["matches"]), reply
    matches: list[str] = reply["matches"]
    return matches


def inspected(front: Front, code: str, detail: int = 0) -> str:
    at = code.index("|")
    reply = front.reply(front.client.inspect(code.replace("|", "", 1), at, detail))
    return plain(reply["data"].get("text/plain", ""))


def test_completions_in_a_kernel(front: Front) -> None:
    front.run("fish = flyte.TaskEnvironment('fish-env', secrets=['token'], queue='slow')\n"
              "@fish.task\ndef swim() -> None: ...\nr = flyte.run(child, 1)")  # fmt: skip
    assert ["--retries", "--report"] == completed(front, "%%flyte_task --re|")[-2:]
    assert {"env", "fish", "fish-env"} <= set(completed(front, "%%flyte_task --env |\nx = 1"))
    assert ["token"] == completed(front, "%%time\n%%flyte_task --secrets |\n1")
    assert ["slow"] == completed(front, "%flyte_env more --queue |")
    assert "A100:1" in completed(front, "%%flyte_task --gpu A|")
    assert ["abc"] == completed(front, "%%flyte_task -o |\nabc = 1")
    assert {"child", "parent", "sleeps", "swim"} == set(completed(front, "%flyte_run |")[:4])
    assert ["rows=", "rows"] == completed(front, "x = 1\nr = %flyte_run parent(ro|)")
    assert [] == [name for name in completed(front, "%%flyte_task -i |") if name in ("In", "Out", "open")]
    assert {"r", "child"} <= set(completed(front, "%flyte_logs |"))
    assert ["slow"] == completed(front, "x = 1\nswim.override(\n    queue='|")
    assert ["override"] == completed(front, "swim.overr|")
    assert "%flyte_override" in completed(front, "%flyte_o|")


def test_inspection_in_a_kernel(front: Front) -> None:
    said = inspected(front, "par|ent")
    for expected in (
        "async parent(rows: list[int], k: int = 1) -> float",
        "my_env.parent",
        "Adds up what its children make.",
        ".effective_config()",
    ):
        assert expected in said
    assert "P.args" not in said
    assert re.search(r"File: +Cell In\[2\]$", said)
    assert re.search(r"retries +1 +decorator", inspected(front, "child|"))
    assert "return scaled(x)" in inspected(front, "child|", detail=1)
    assert "How often the task is tried again" in inspected(front, "%%flyte_task --retries| 3")
    assert "--cpu CORES" in inspected(front, "%%flyte_task --cpu| 3")
    assert "--max-inline-io-bytes" in inspected(front, "%%flyte_ta|sk --retries 3\nx = 1")
    assert "usage" not in inspected(front, "rows|")


def test_without_the_extension_nothing_of_ours_is_offered(front: Front) -> None:
    front.run("%unload_ext flyte_jupyter")
    assert "--retries" not in completed(front, "%%flyte_task --re|")
    assert "" == inspected(front, "retries|")
    front.run("%load_ext flyte_jupyter")
    assert "--retries" in completed(front, "%%flyte_task --re|")
