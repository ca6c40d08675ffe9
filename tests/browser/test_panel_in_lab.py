"""The override panel as people see and use it in JupyterLab."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Locator

from tests.browser.conftest import WAIT, Lab
from tests.conftest import eventually

TASK = """\
%load_ext flyte_jupyter
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="my_env", resources=flyte.Resources(cpu=1, memory="512Mi"), env_vars={"MODE": "train"})
rows = [1, 2, 3]

@env.task(retries=3)
def train(rows: list[int], name: str, deep: bool = False) -> int:
    print("hello", name)
    return sum(rows)
"""
FOCUS = "(document.activeElement.labels?.[0] ?? document.activeElement).innerText.split(String.fromCharCode(10))[0]"


def field(lab: Lab, name: str) -> Locator:
    """An editor by what is seen of its label; the rest of it is to be heard."""
    return lab.page.get_by_label(re.compile(rf"^{name}(: .*)?$", re.DOTALL)).first


def line(lab: Lab) -> str:
    return field(lab, "Line of code").input_value()


def opened(lab: Lab, *more: str) -> None:
    """A notebook with an open panel."""
    lab.page.set_default_timeout(WAIT)
    lab.write("panel.ipynb", TASK, "train.panel()", *more)
    lab.open("panel.ipynb")
    lab.run_cell(0)
    lab.run_cell(1)
    lab.page.wait_for_selector(".flyte-panel-live .fp-grid")


def press_until(lab: Lab, key: str, label: str) -> None:
    """Press a key until an editor or a button with this label has the focus."""
    for _ in range(60):
        if label == lab.page.evaluate(FOCUS):
            return
        lab.page.keyboard.press(key)
    raise AssertionError(f"{label} is not to be reached, {lab.page.evaluate(FOCUS)} has the focus")


def cells(lab: Lab) -> list[str]:
    return lab.page.locator(".jp-Notebook .jp-CodeCell .cm-content").all_inner_texts()


def test_a_panel_is_used_with_a_keyboard_alone(lab: Lab) -> None:
    opened(lab, "1 + 1")
    keyboard = lab.page.keyboard
    field(lab, "rows").focus()
    keyboard.type("rows")
    press_until(lab, "Tab", "name")
    keyboard.type("world")
    press_until(lab, "Tab", "▸ retries")
    keyboard.press("Enter")
    field(lab, "count").wait_for()
    press_until(lab, "Tab", "count")
    keyboard.press("ControlOrMeta+a")
    keyboard.type("-1")
    problem = lab.page.get_by_role("alert").filter(has_text="-1 is not accepted")
    problem.wait_for()
    assert "count" == lab.page.evaluate(FOCUS)  # whatever has come beside it
    assert problem.is_visible()
    keyboard.press("ControlOrMeta+a")
    keyboard.type("0")
    problem.wait_for(state="detached")
    press_until(lab, "Shift+Tab", "Run")
    keyboard.press("Enter")
    lab.page.wait_for_selector(".flyte-run[data-phase=succeeded]")
    assert 'train.override(retries=0)(rows=rows, name="world")' == line(lab)
    press_until(lab, "Tab", "Compare with last run")
    keyboard.press("Enter")
    lab.page.get_by_text("As in the last run").wait_for()
    press_until(lab, "Tab", "Reset retries")
    keyboard.press("Enter")
    eventually(lambda: "▾ retries" == lab.page.evaluate(FOCUS), within=60)
    assert 'train(rows=rows, name="world")' == line(lab)
    press_until(lab, "Shift+Tab", "Insert as cell")
    keyboard.press("Enter")
    lab.page.get_by_text("Comes as a cell of its own").wait_for()
    lab.run_cell(2)
    eventually(lambda: 'flyte.run(train, rows=rows, name="world")' == cells(lab)[-1], within=60)
    assert [] == lab.problems


def test_each_editor_is_named_and_each_level_has_a_word_and_a_colour(lab: Lab) -> None:
    opened(lab)
    for name in ("resources", "cache", "pod_template", "reusable", "retries", "timeout"):
        lab.page.get_by_role("button", name=f"▸ {name}").click()
        lab.page.get_by_role("button", name=f"▾ {name}").wait_for()
    editors = lab.page.locator(".flyte-panel-live :is(input, select, textarea)")
    heard = editors.evaluate_all("all => all.map(e => [...e.labels].map(label => label.innerText).join(' '))")
    assert all(heard)
    said = {" ".join(text.partition(":")[0].split()): text for text in heard}
    assert "Retries, 0 or more" in said["count"]
    assert "bytes, such as 512Mi" in said["memory"]
    assert "list[int], required" in said["rows"]
    levels = lab.page.locator(".fp-grid .fp-level")
    colours = {(level.inner_text(), level.evaluate("e => getComputedStyle(e).color")) for level in levels.all()}
    assert {"default", "environment", "decorator"} == {word for word, _ in colours}
    assert 3 == len(colours) == len({colour for _, colour in colours})


def test_without_its_kernel_a_panel_is_its_line(lab: Lab) -> None:
    opened(lab, "import os; os._exit(1)")
    field(lab, "queue").fill("quick")
    expected = 'train.override(queue="quick")(rows=..., name=...)'
    eventually(lambda: expected == line(lab), within=60)
    still = lab.page.locator(".flyte-panel-still")
    assert not still.is_visible()
    lab.do("docmanager:save")
    saved = json.loads((lab.folder / "panel.ipynb").read_text())
    lab.run_cell(2)
    still.wait_for()
    assert expected in still.inner_text()
    assert not lab.page.locator(".flyte-panel-live").is_visible()
    for name in ("panel.ipynb", "copy.ipynb"):
        (lab.folder / name).write_text(json.dumps(saved))
        lab.open(name)
        still.wait_for()
        assert expected in still.inner_text()
        assert not any(found.is_visible() for found in lab.page.get_by_text("model not found").all())
    assert [] == lab.problems
