"""Runs in a real cluster as the one who works in a notebook sees them: a real kernel, and what it sends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml
from nbclient import NotebookClient

from flyte_jupyter.home import Home
from tests.conftest import eventually, is_alive
from tests.kernel.front import ROOT, Cell, Front
from tests.kernel.test_panel import Widgets
from tests.kubernetes.conftest import Cluster

LOAD = "%load_ext flyte_jupyter\nimport flyte_jupyter as flyte"
ENV = "env = flyte.TaskEnvironment('my_env', resources=flyte.Resources(cpu='100m', memory='200Mi'))"
TASKS = """
@env.task
def add(x: int) -> int:
    print("adding to", x)
    return x + 1

@env.task
def slow(seconds: float) -> str:
    import time
    print("begins", flush=True)
    time.sleep(seconds)
    return "done"
"""


def remote(cluster: Cluster, image: str) -> str:
    return f"flyte.init(mode='remote', namespace={cluster.namespace!r}, image={image!r})"


def shown(cell: Cell) -> str:
    """All texts that a cell displays."""
    return "\n".join(each["data"]["text/plain"] for each in cell.displays)


@pytest.fixture
def front(home: Home, cluster: Cluster, image: str) -> Iterator[Front]:
    with Front(home, LOAD, remote(cluster, image), ENV, TASKS) as made:
        yield made


def test_a_cell_is_a_pod_and_its_card_says_where(front: Front, cluster: Cluster) -> None:
    cell = front.run("%%flyte_task square -o y\ny = 7 * 7")
    assert ("ok", "49") == (cell.status, front.run("y").result), cell.error
    front.more(cell, lambda c: "succeeded" in c.card()[-1])
    said = cell.card()[-1]
    assert f"/{cluster.namespace}, pod " in said
    html = (cell.updates or cell.displays)[-1]["data"]["text/html"]
    assert "kubectl" in html
    assert f"-n {cluster.namespace} describe pod" in html


def test_a_cell_without_a_value_waits_too_and_its_error_is_its_own(front: Front) -> None:
    assert "ok" == front.run("%%flyte_task\nprint('no value')").status
    cell = front.run("%%flyte_task\n\n1 / 0")
    assert "ZeroDivisionError: division by zero" == cell.error
    assert "----> 3 1 / 0" in cell.traceback
    assert "flyte_jupyter" not in cell.traceback


def test_what_asks_for_too_much_can_be_run_with_what_there_is(front: Front) -> None:
    cell = front.run("bad = flyte.run(add.override(resources=flyte.Resources(cpu=5000)), 1)\nbad.wait()")
    front.more(cell, lambda c: "failed" in c.card()[-1])
    line = next(line for line in cell.card()[-1].splitlines() if "with what there is: " in line)
    again = front.run(f"again = {line.partition(': ')[2]}\nagain.cancel()\nagain.mode, again._record['site']")
    assert "ok" == again.status, again.error
    assert "remote" in again.result


def test_each_magic(front: Front, cluster: Cluster) -> None:
    dry = front.run("%flyte_run add(1) --dry-run")
    assert "kind: Job" in dry.displays[0]["data"]["text/plain"]
    assert [] == cluster.api.list("jobs").items
    assert "'local'" == front.run("r = %flyte_run add(1) --mode local\nr.mode").result
    run = front.run("r = %flyte_run slow(120) --labels of=me\nr.name, r.mode")
    assert "'remote'" in run.result, run.error
    eventually(lambda: "begins" in front.run("%flyte_logs r").stdout)
    assert "slow" in front.run("%flyte_runs").displays[0]["data"]["text/plain"]
    assert "was cancelled" in shown(front.run("%flyte_cancel r"))
    assert "'me'" == front.run("r._record['pod']['labels']['of']").result
    again = front.run("flyte.rerun(r.name, seconds=0.0).result()")
    assert "'done'" == again.result, again.error


def test_a_cell_in_the_background_gives_its_value_later(front: Front) -> None:
    cell = front.run("%%flyte_task --background -o late\nlate = 'me'")
    assert "runs in the background" in shown(cell)
    front.more(cell, lambda c: "succeeded" in c.card()[-1])
    assert "'me'" == front.run("late").result


def test_an_interrupt_leaves_the_run_alone_and_says_so(front: Front) -> None:
    front.run("r = flyte.run(slow, 15.0)")
    sent: list[bool] = []

    def stop(cell: Cell) -> None:
        if not sent:
            sent.append(True)
            front.interrupt()

    # said when the wait has begun: one that is interrupted before has nothing to say
    soon = "import threading\nthreading.Timer(0.5, print, ['waits'], {'flush': True}).start()"
    for wait in ("r.wait()", "await r"):
        sent.clear()
        cell = front.run(f"{soon}\n{wait}", lambda c: stop(c) if "waits" in c.stdout else None)
        assert "error" == cell.status
        assert "goes on. flyte.attach(" in cell.stderr
        assert "flyte_jupyter/" not in cell.traceback
    assert "'done'" == front.run("flyte.attach(r.name)").result


@pytest.mark.parametrize("end", ["restart", "SIGKILL"])
def test_after_a_restart_the_run_is_there_and_its_value_too(front: Front, end: str) -> None:
    cell = front.run("run = flyte.run(slow, 6.0)\nrun.name")
    name, display_id = cell.result.strip("'"), cell.displays[0]["transient"]["display_id"]
    if end == "SIGKILL":
        kernel = psutil.Process(int(front.run("import os; os.getpid()").result))
        kernel.send_signal(signal.SIGKILL)
        eventually(lambda: not is_alive(kernel))
    front.restart()
    loaded = front.run(LOAD)
    assert "A run of this notebook may go on in " in loaded.stdout
    assert [name] == [name for shown in loaded.displays if name in shown["data"]["text/plain"]]
    cards = {display_id, loaded.displays[0]["transient"]["display_id"]}  # that of the first kernel, and this one's

    def have_ended(cell: Cell) -> bool:
        last = {each["transient"]["display_id"]: each["data"]["text/plain"] for each in cell.updates}
        return cards <= last.keys() and all("slow succeeded" in last[card] for card in cards)

    front.more(loaded, have_ended)
    assert "'done'" == front.run(f"flyte.attach({name!r})").result
    assert ["begins"] == front.run(f"%flyte_logs {name}").stdout.splitlines()
    front.restart()
    assert "" == front.run(LOAD).stdout
    assert "False" == front.run("import sys; 'kubernetes' in sys.modules").result
    assert "'remote'" == front.run(f"flyte.get_run({name!r}).mode").result


def test_a_cluster_that_is_not_reached_holds_up_no_cell_and_is_asked_again(
    front: Front, cluster: Cluster, tmp_path: Path
) -> None:
    name = front.run("run = flyte.run(slow, 600.0)\nrun.name").result.strip("'")
    front.restart()
    away = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    for each in away["clusters"]:
        each["cluster"]["server"] = "https://127.0.0.1:9"
    config = tmp_path / "config"
    config.write_text(json.dumps(away))  # JSON is YAML
    front.run(f"import os\nos.environ['KUBECONFIG'] = {str(config)!r}")
    cell = front.run(LOAD)
    assert "A run of this notebook may go on in " in cell.stdout
    assert "is asked where it stands" in cell.card()[-1]
    assert "ok" == front.run(f"{ENV}\n{TASKS}\nflyte.run(add, 1)").status
    front.more(cell, lambda c: "it may go on: " in c.card()[-1])
    assert "cannot be reached" in cell.card()[-1]
    front.run("os.environ['KUBECONFIG'] = " + repr(os.environ["KUBECONFIG"]))
    front.more(cell, lambda c: "waiting" in c.card()[-1] or "begins" in c.card()[-1])
    assert "was cancelled" in shown(front.run(f"%flyte_cancel {name}"))


def test_a_form_runs_its_call_there(home: Home, cluster: Cluster, image: str) -> None:
    with Widgets(home, LOAD, remote(cluster, image), ENV, TASKS) as front:
        place = front.run("add.panel()").displays[2]["transient"]["display_id"]
        front.type("Line of code", "add.override(retries=2)(x=41)")
        done = front.click("Run")
        front.more(done, lambda _: "succeeded" in front.outputs[place]["text/plain"])
        assert f"/{cluster.namespace}, pod " in front.outputs[place]["text/plain"]
        assert (
            "('remote', 42, 2)"
            == front.run("r = flyte.runs()[0]\nr.mode, r.result(), r._record['pod']['retries']").result
        )


@pytest.mark.usefixtures("caller")
def test_the_first_notebook_gives_the_same_as_pods(home: Home, cluster: Cluster, image: str) -> None:
    path = ROOT / "notebooks" / "01_first_task.ipynb"
    notebook = nbformat.read(path, as_version=4)
    here = results(notebook)
    home.settings.write_text(f'[kubernetes]\nnamespace = "{cluster.namespace}"\nimage = "{image}"')
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source += "\nflyte.init(mode='remote')"
    last = "import json\nprint(json.dumps([[run.mode, run.phase.value] for run in flyte.runs()]))"
    notebook.cells.append(nbformat.v4.new_code_cell(last))
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    client.execute(env={**os.environ, "FLYTE_JUPYTER_HOME": str(home.path), "PYTHONPATH": str(ROOT)})
    there = results(notebook)
    assert [["remote", "succeeded"]] * 4 == json.loads(there.pop())
    assert here == there


def results(notebook: nbformat.NotebookNode) -> list[str]:
    """What its cells print and give, without the cards."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    return [
        output.text if output.output_type == "stream" else output.data["text/plain"]
        for output in outputs
        if output.output_type in ("stream", "execute_result")
    ]


UNREACHED = """\
apiVersion: v1
kind: Config
current-context: there
contexts: [{name: there, context: {cluster: there, user: me}}]
clusters: [{name: there, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: me, user: {token: t}}]
"""


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("flyte.init(context='thera')", "has no context 'thera'; it has 'there'. Did you mean 'there'?"),
        ("flyte.init(contxt='there')", "did you mean 'context'"),
        ("pass", "cannot be reached to get the secret"),
        ("os.environ['KUBECONFIG'] = '/no/such'", "There is no kubeconfig at /no/such"),
        ("import sys; sys.modules['kubernetes'] = None", 'pip install "flyte_jupyter[kubernetes]"'),
    ],
)
def test_what_is_wrong_ends_in_the_cell(home: Home, tmp_path: Path, cell: str, expected: str) -> None:
    config = tmp_path / "config"
    config.write_text(UNREACHED)
    start = f"import os\nos.environ['KUBECONFIG'] = {str(config)!r}\nflyte.init(mode='remote', image='none')"
    with Front(home, LOAD, start, ENV, TASKS) as front:
        for how in ("flyte.run(add, 1)", "%flyte_run add(1)"):
            made = front.run(f"{cell}\n{how}")
            assert "error" == made.status
            assert expected in made.error
            assert "flyte_jupyter/" not in made.traceback
            assert [] == made.displays


def test_four_ways_to_say_which_cluster(home: Home, cluster: Cluster, image: str) -> None:
    there = f'namespace = "{cluster.namespace}"\nimage = "{image}"'
    where = "run.mode, run.result(), run._record['site'].rpartition('/')[2]"
    expected = str(("remote", 2, cluster.namespace))
    home.settings.write_text(f"[kubernetes]\n{there}\n[queues.big]\nnamespace = '{cluster.namespace}'")
    with Front(home, LOAD, ENV, TASKS) as front:
        for call in (
            "flyte.with_runcontext(mode='remote').run(add, 1)",
            "flyte.run(add.override(queue='big'), 1)",
        ):
            assert expected == (cell := front.run(f"run = {call}\n{where}")).result, cell.error
            assert "[]" == front.run("run.view()['notes']").result
        assert "'local'" == front.run("flyte.run(add, 1).mode").result
        cell = front.run("flyte.with_runcontext(mode='remote').run(add.override(queue='bigg'), 1).wait()")
        assert "queue: 'bigg' is not set up" in (note := cell.displays[-1]["data"]["text/plain"])
        assert "did you mean 'big'?" in note
        home.settings.write_text(f"[run]\nmode = 'remote'\n[kubernetes]\n{there}")
        assert expected == (cell := front.run(f"run = flyte.run(add, 1)\n{where}")).result, cell.error
        home.settings.unlink()
        assert "'local'" == front.run("flyte.run(add, 1).mode").result
        front.run(remote(cluster, image))
        assert expected == (cell := front.run(f"run = flyte.run(add, 1)\n{where}")).result, cell.error
        again = front.run("flyte.with_runcontext(mode='local').rerun(run.name, x=5).outputs()[0]")
        assert "6" == again.result, again.error
