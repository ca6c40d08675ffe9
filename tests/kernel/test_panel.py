"""The override panel as a front end sees it: the models of its widgets, driven through their comms in a real kernel."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards.card import MIME
from tests.kernel.front import START, Cell, Front, needs_subshells


def label(state: dict[str, Any]) -> str:
    """What is seen of the description of a widget."""
    bare = re.sub(r'<span class="fp-heard">.*?</span>', "", str(state.get("description", "")), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", bare))


VIEW = "application/vnd.jupyter.widget-view+json"
TASK = """
env = flyte.TaskEnvironment("panels", resources=flyte.Resources(cpu=1), env_vars={"MODE": "train"})
rows = [1, 2, 3]

@env.task(retries=3)
def train(rows: list[int], name: str, deep: bool = False, x: int = 3) -> int:
    import os
    print(name, os.environ["MODE"])
    return sum(rows) * x
"""


class Widgets(Front):
    """A front end with the models of widgets, and no screen."""

    def __init__(self, home: Home, *cells: str) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self.subshell: str | None = None
        super().__init__(home, *cells)

    def _take(self, cell: Cell, message: dict[str, Any]) -> None:
        super()._take(cell, message)
        content = message["content"]
        match message["msg_type"]:
            case "comm_open":
                self.models[content["comm_id"]] = dict(content["data"]["state"])
            case "comm_msg" if content["data"].get("method") == "update":
                self.models[content["comm_id"]].update(content["data"]["state"])
            case "comm_close":
                self.models.pop(content["comm_id"], None)
            case "display_data" | "update_display_data":
                self.outputs[content["transient"]["display_id"]] = content["data"]

    # --- what is seen

    def find(self, description: str, kind: str = "") -> str:
        """The last model with a description, and of a kind."""
        found = [
            comm
            for comm, state in self.models.items()
            if label(state) == description and state["_model_name"].startswith(kind)
        ]
        assert found, f"no {kind} {description!r}"
        return found[-1]

    def value(self, description: str, kind: str = "") -> Any:
        return self.models[self.find(description, kind)]["value"]

    def line(self) -> str:
        return str(self.value("Line of code"))

    def said(self) -> str:
        """All text of the panel beside its editors."""
        texts = [str(state["value"]) for state in self.models.values() if state["_model_name"] == "HTMLModel"]
        bare = re.sub(r"<[^>]+>", " ", " ".join(re.sub(r"<style>.*?</style>", "", text) for text in texts))
        return " ".join(html.unescape(bare).split())

    def still(self) -> dict[str, Any]:
        """What is saved of the panel."""
        return next(data for data in self.outputs.values() if "flyte-panel-still" in data.get("text/html", ""))

    # --- what the user does

    def type(self, description: str, value: Any, kind: str = "") -> Cell:
        """Change a value, as each keystroke does."""
        state = {"value": value}
        comm = self.find(description, kind)
        self.models[comm].update(state)
        return self._tell(comm, {"method": "update", "state": state, "buffer_paths": []})

    def click(self, description: str) -> Cell:
        return self._tell(self.find(description, "Button"), {"method": "custom", "content": {"event": "click"}})

    def send(self, comm: str, data: dict[str, Any]) -> str:
        """Send a message of a comm without waiting."""
        return self.post("comm_msg", {"comm_id": comm, "data": data})

    def post(self, kind: str, content: dict[str, Any]) -> str:
        """Send any message without waiting."""
        message = self.client.session.msg(kind, content)
        if self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def _tell(self, comm: str, data: dict[str, Any]) -> Cell:
        return self.listen(self.send(comm, data))

    def listen(self, request: str) -> Cell:
        """Take what comes until the answer to a message is complete."""
        cell = Cell()
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            self._take(cell, message)
            is_mine = message["parent_header"].get("msg_id") == request
            if is_mine and message["content"].get("execution_state") == "idle":
                return cell


@pytest.fixture
def front(home: Home) -> Iterator[Widgets]:
    with Widgets(home, START, TASK) as made:
        yield made


def test_a_panel_is_what_is_saved_the_form_and_the_place_of_a_card(front: Widgets) -> None:
    cell = front.run("train.panel()")
    assert ("ok", "", "", "") == (cell.status, cell.result, cell.stdout, cell.stderr)
    assert [{"text/html", "text/plain"}, {VIEW, "text/plain"}, {"text/html", "text/plain"}] == [
        set(display["data"]) for display in cell.displays
    ]
    assert "train(rows=..., name=...)" == front.line() == cell.displays[0]["data"]["text/plain"]
    root = front.models[cell.displays[1]["data"][VIEW]["model_id"]]
    assert ["flyte-panel-live"] == root["_dom_classes"]


def test_every_parameter_has_its_editor_and_what_it_means(front: Widgets) -> None:
    front.run("train.panel()")
    kinds = {label(state): state["_model_name"] for state in front.models.values() if state.get("description")}
    expected = {
        "queue": "TextModel",
        "interruptible": "CheckboxModel",
        "▸ retries": "ButtonModel",
        "rows": "ComboboxModel",
    }
    assert expected == {name: kinds[name] for name in expected}
    front.click("▸ cache")
    assert "DropdownModel" == front.models[front.find("behavior")]["_model_name"]
    front.click("▸ pod_template")
    assert "TextareaModel" == front.models[front.find("pod_spec")]["_model_name"]
    front.click("▸ resources")
    assert "ComboboxModel" == front.models[front.find("gpu")]["_model_name"]
    assert "1" == front.value("cpu")
    assert "bytes" in front.models[front.find("memory")]["placeholder"]
    edits = ("TextModel", "TextareaModel", "ComboboxModel", "DropdownModel", "CheckboxModel")
    assert [] == [s for s in front.models.values() if s["_model_name"] in edits and not s.get("description")]


def test_the_line_follows_while_somebody_types_and_so_does_what_is_saved(front: Widgets) -> None:
    front.run("train.panel()")
    front.type("name", "world", "Text")
    front.type("rows", "rows")
    front.click("▸ retries")
    front.type("count", "0")
    expected = 'train.override(retries=0)(rows=rows, name="world")'
    assert expected == front.line() == front.still()["text/plain"]
    assert "override 0, was 3 (decorator)" in front.said()
    front.click("Reset retries")
    assert 'train(rows=rows, name="world")' == front.line()


def test_mistakes_are_said_at_once_as_code_says_them(front: Widgets) -> None:
    front.run("train.panel()")
    front.click("▸ retries")
    front.type("count", "-1")
    assert "retries must be an int or RetryStrategy: -1 is not accepted" in front.said()
    assert "fp-wrong" in front.models[front.find("▾ retries")]["_dom_classes"]
    assert "not accepted" in front.models[front.find("▾ retries")]["tooltip"]
    front.type("count", "1")
    assert "is not accepted" not in front.said()
    front.type("x", '"three"')
    assert "Type conversion failed for variable 'x'" in front.said()


def test_rows_of_names_and_values(front: Widgets) -> None:
    front.run("train.panel()")
    front.click("Add to env_vars")
    front.type("env_vars: name", "LEVEL")
    assert 'env_vars={"MODE": "train", "LEVEL": ""}' in front.line()
    front.click("Remove")
    assert 'env_vars={"MODE": "train"}' in front.line()


def test_what_looks_like_a_credential_is_not_told_to_the_front_end(front: Widgets) -> None:
    front.run("kept = train.override(env_vars={'API_TOKEN': 'hunter2', 'A': 'b'}, retries=1)")
    front.run("env.env_vars = {'API_TOKEN': 'hunter2', 'A': 'b'}")
    front.run("@env.task\ndef other() -> None: ...")
    front.run("other.panel()")
    assert "hunter2" not in str(front.models)
    assert "(hidden" in str(front.models)
    front.run("kept.panel()")
    assert "train.override(env_vars=env.env_vars, retries=1)(rows=..., name=...)" == front.line()
    front.click("Remove")
    assert 'env_vars={"API_TOKEN": env.env_vars["API_TOKEN"]}, retries=1' in front.line()
    front.type("env_vars: value", "swordfish")
    assert 'env_vars={"API_TOKEN": ...}' in front.line()
    front.type("name", "world", "Text")
    front.type("rows", "rows")
    done = front.click("Run")
    front.more(done, lambda _: "succeeded" in str(front.outputs))
    assert "hunter2" not in str(front.models) + str(front.outputs)
    assert "swordfish" not in str(front.models) + str(front.outputs)


def test_the_form_follows_the_line(front: Widgets) -> None:
    front.run("train.panel()")
    line = 'train.override(retries=1, queue="quick")(rows=[1], name="x", deep=True)'
    front.type("Line of code", line)
    assert ("quick", "1", True, "[1]") == tuple(front.value(name) for name in ("queue", "count", "deep", "rows"))
    front.type("Line of code", "train.override(retries=")
    assert "not Python" in front.said()
    assert "quick" == front.value("queue")


def test_run_has_its_card_below_and_compares_with_the_next(front: Widgets) -> None:
    cell = front.run("train.panel()")
    place = cell.displays[2]["transient"]["display_id"]
    front.type("name", "world", "Text")
    front.type("rows", "rows")
    done = front.click("Run")
    assert [] == done.displays
    front.more(done, lambda _: "succeeded" in front.outputs[place]["text/plain"])
    assert MIME in front.outputs[place]
    assert "world train" in front.outputs[place]["text/plain"]
    front.click("Compare with last run")
    assert "As in the last run" in front.said()
    front.type("queue", "quick")
    front.click("Compare with last run")
    assert "queue default quick (override)" in front.said()


def test_what_is_left_out_is_said_of_the_place_where_it_would_run(front: Widgets, home: Home) -> None:
    front.run("train.panel()")
    assert "the name of one that the platform knows. On this machine: Kept and shown." in front.said()
    assert "In the cluster" not in front.said()
    front.click("Close")
    home.settings.write_text("[run]\nmode = 'remote'")
    front.run("train.panel()")
    assert "On this machine" not in front.said()
    assert "In the cluster, not built yet: A CronJob each." in front.said()


def test_run_says_what_is_missing(front: Widgets) -> None:
    front.run("train.panel()")
    front.click("Run")
    assert "Missing required inputs: rows, name" in front.said()


def test_a_cell_is_inserted_with_the_next_one_that_runs(front: Widgets) -> None:
    front.run("train.panel()")
    front.type("queue", "quick")
    front.click("Insert as cell")
    request = front.client.execute("1")
    text = 'flyte.run(train.override(queue="quick"), rows=..., name=...)'
    assert [{"source": "set_next_input", "text": text, "replace": False}] == front.reply(request)["payload"]


def test_a_line_opens_as_its_form(front: Widgets) -> None:
    front.run('%flyte_override train.override(retries=0)(rows, name="x")')
    assert 'train.override(retries=0)(rows=rows, name="x")' == front.line()
    assert "0" == front.value("count")


def test_the_line_for_the_task_of_a_cell_runs_as_it_stands(front: Widgets) -> None:
    front.run("%%flyte_task total -i rows -o s\ns = sum(rows)")
    front.run("%%flyte_task -i rows -o s\ns = min(rows)")
    front.run("%%flyte_task --env env -i rows -o s\ns = max(rows)")
    expected = ["total", 'flyte.environment.environments()["notebook"].tasks["notebook.cell"]']
    expected.append('env.tasks["panels.cell"]')
    for name, called, value in zip(("total", "notebook.cell", "panels.cell"), expected, "613", strict=True):
        front.run(f"%flyte_override {name}")  # as its card says it
        front.type("rows", "rows")
        front.type("queue", "quick")
        assert f'{called}.override(queue="quick")(rows=rows)' == front.line()
        assert value == front.run(front.line()).result
        front.type("Line of code", f"{called}.override(retries=1)(rows=rows)")
        assert "1" == front.value("count")


def test_the_form_follows_the_notebook(front: Widgets) -> None:
    front.run("train.panel()")
    front.type("rows", "later")
    front.type("queue", "quick")
    assert "there is no such name in the notebook" in front.said()
    quiet = front.run("later = [1]")
    assert [] == quiet.updates
    assert "there is no such name" not in front.said()
    front.run(TASK.replace("deep: bool = False, x: int", "width: int = 1, x: float"))
    assert "this is the form of the new task" in front.said()
    assert 'train.override(queue="quick")(rows=later, name=...)' == front.line()
    assert "float · default 3" in front.said()
    assert "deep" not in [label(state) for state in front.models.values()]
    front.type("width", "2")
    front.type("name", "new", "Text")
    done = front.click("Run")
    front.more(done, lambda _: "succeeded" in str(front.outputs))


def test_what_does_not_go_together_is_said_while_somebody_types(front: Widgets) -> None:
    front.run("warm = flyte.TaskEnvironment('warm', reusable=flyte.ReusePolicy(2), resources=flyte.Resources(cpu=1))")
    front.run("@warm.task\ndef hot() -> None: ...")
    front.run("hot.panel()")
    assert "Fixed while the task is reusable." in front.said()
    front.click("▸ resources")
    front.type("cpu", "2")
    assert "cannot be overridden while the task is reusable" in front.said()
    front.click("▸ reusable")
    front.type("off", True)
    assert 'hot.override(resources=flyte.Resources(cpu=2), reusable="off")()' == front.line()
    assert "cannot be overridden" not in front.said()
    assert "Fixed while" not in front.said()


def test_close_leaves_the_line_and_no_widget(front: Widgets) -> None:
    cell = front.run("train.panel()")
    front.type("queue", "quick")
    front.click("Close")
    outputs = [front.outputs[display["transient"]["display_id"]] for display in cell.displays]
    assert not any(VIEW in data for data in outputs)
    assert 'queue="quick"' in outputs[0]["text/html"].replace("&quot;", '"')
    assert [] == [state["_model_name"] for state in front.models.values()]


def test_widgets_that_are_replaced_are_closed(front: Widgets) -> None:
    front.run("train.panel()")
    before = len(front.models)
    for _ in range(3):
        front.type("queue", "quick")
        front.click("Reset queue")
        front.type("Line of code", "train(rows=rows)")
        front.type("Line of code", "train(rows=..., name=...)")
    assert before == len(front.models)


def test_messages_wait_while_a_cell_runs_and_are_then_all_there(front: Widgets) -> None:
    front.run("train.panel()")
    comm = front.find("queue")
    request = front.client.execute("import time; time.sleep(0.3)")
    for text in ("q", "qu", "quick"):
        sent = front.send(comm, {"method": "update", "state": {"value": text}, "buffer_paths": []})
    cell = Cell()
    front.more(cell, lambda _: 'queue="quick"' in front.line())
    assert request
    assert sent


@needs_subshells
def test_a_panel_works_on_a_subshell_while_a_cell_runs(front: Widgets) -> None:
    """On another thread.  ipykernel 7.4 handles messages of a comm where it was opened, before it where they say."""
    front.subshell = front.new_subshell()
    content = {"code": "train.panel()", "silent": False, "store_history": False, "user_expressions": {}}
    front.listen(front.post("execute_request", {**content, "allow_stdin": False, "stop_on_error": True}))
    front.client.execute("import time\ntime.sleep(600)")
    front.type("queue", "quick")
    front.type("name", "world", "Text")
    front.type("rows", "rows")
    done = front.click("Run")
    front.more(done, lambda _: any("succeeded" in data.get("text/plain", "") for data in front.outputs.values()))
    assert 'train.override(queue="quick")(rows=rows, name="world")' == front.line()
    front.interrupt()


def test_without_ipywidgets_there_is_the_line_and_what_to_install(front: Widgets) -> None:
    front.run("import sys; sys.modules['ipywidgets'] = None")
    cell = front.run("train.override(retries=0).panel()")
    assert ("ok", 1) == (cell.status, len(cell.displays))
    text = cell.displays[0]["data"]["text/plain"]
    assert "train.override(retries=0)(rows=..., name=...)" in text
    assert 'pip install "flyte_jupyter[panel]"' in text


def test_no_script_and_no_address_is_saved(front: Widgets) -> None:
    front.run("train.panel()")
    front.type("name", "<script>alert(1)</script>", "Text")
    page = front.still()["text/html"]
    assert "<script" not in page
    assert "http" not in page
