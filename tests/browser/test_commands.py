"""Commands, menus, notifications and what else JupyterLab has of runs, as people use them."""

from __future__ import annotations

from playwright.sync_api import Locator

from tests.browser.conftest import Lab
from tests.browser.test_live_cards import CARD, running
from tests.conftest import eventually

FAILS = """
@env.task
def bad() -> int:
    return 1 // 0
flyte.submit(bad).wait()
"""
COMMANDS = """() => {
    const {commands} = window.jupyterapp;
    const ours = commands.listCommands().filter(id => id.startsWith("flyte:"));
    return Promise.all(ours.map(async id => [
        id, commands.label(id), commands.caption(id), (await commands.describedBy(id)).args?.type
    ]));
}"""


def cells(lab: Lab) -> list[str]:
    return lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .cm-content").all_inner_texts()


def button(lab: Lab, name: str) -> Locator:
    return lab.page.locator(CARD).get_by_role("button", name=name)


def test_a_run_is_cancelled_from_its_card(extended: Lab) -> None:
    running(extended)
    button(extended, "Cancel Run").click()
    extended.page.get_by_role("dialog").get_by_role("button", name="Cancel Run").click()
    eventually(lambda: ["aborted"] == extended.statuses(), within=60)
    button(extended, "Run Again").wait_for()
    assert [] == extended.problems


def test_a_run_is_run_again_with_other_parameters_and_shown_in_a_cell(extended: Lab) -> None:
    running(extended)
    (extended.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    extended.page.locator(f"{CARD} .fr-head").click(button="right")
    extended.page.get_by_role("menuitem", name="Run Again with…").click()
    dialog = extended.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("retries=3")
    dialog.get_by_role("button", name="Run Again").click()
    extended.page.get_by_role("button", name="Show in a Cell").click(timeout=60_000)
    eventually(lambda: cells(extended)[-1].startswith("flyte.get_run('r"), within=60)
    extended.run_cell(2)
    eventually(lambda: ["succeeded"] * 2 == extended.statuses(), within=60)
    again = extended.page.locator(CARD).nth(1)
    again.get_by_text("Configuration").click()
    assert "retries" in again.inner_text()
    assert [] == extended.problems


def test_what_ends_unseen_is_told_and_leads_back_to_its_cell(extended: Lab) -> None:
    running(extended)
    extended.write("other.ipynb", "1 + 1")
    extended.page.locator(".flyte-Status").get_by_text("1 running").wait_for()
    extended.do("docmanager:open", path="other.ipynb")
    (extended.folder / "gate").write_text("")
    extended.page.get_by_text("waits succeeded in").wait_for(timeout=60_000)
    extended.page.locator(".flyte-Status").wait_for(state="hidden")
    extended.page.get_by_role("button", name="Go to Cell").click()
    eventually(lambda: "run = flyte.submit(waits)" in cells(extended), within=60)
    extended.run_cell(0)
    extended.page.evaluate("code => window.jupyterapp.commands.execute('flyte:insert-code', {code})", FAILS)
    extended.start("notebook:run-cell")
    eventually(lambda: "failed" in extended.statuses(), within=60)
    assert 0 == extended.page.get_by_text("bad failed").count()  # who looks at it sees it


def test_a_new_notebook_has_a_first_task_that_runs(extended: Lab) -> None:
    extended.write("one.ipynb", "1 + 1")
    extended.open("one.ipynb")
    extended.start("launcher:create")
    extended.page.locator(".jp-LauncherCard", has_text="Flyte Notebook").click()
    extended.page.wait_for_function("window.jupyterapp.shell.currentWidget?.context?.path === 'Untitled.ipynb'")
    extended.page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.connectionStatus === 'connected'"
    )
    extended.start("notebook:run-all-cells")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    extended.do("docmanager:save")
    extended.start("flyte:prune")
    dialog = extended.page.get_by_role("dialog")
    dialog.get_by_role("spinbutton").fill("0")
    dialog.get_by_role("button", name="Show Them").click()
    dialog.get_by_text("1 run ended more than 0 days ago").wait_for()
    dialog.get_by_role("button", name="Delete 1 Run").click()
    extended.page.get_by_text("1 run is deleted").wait_for()
    assert [] == extended.problems


def test_the_list_of_what_runs_has_runs_and_ends_them(extended: Lab) -> None:
    running(extended)
    extended.page.evaluate("window.jupyterapp.shell.activateById('jp-running-sessions')")
    extended.page.locator(".jp-RunningSessions").get_by_text("Flyte Runs").wait_for()
    item = extended.page.locator(".jp-RunningSessions-item", has_text="waits")
    item.hover()
    item.locator(".jp-RunningSessions-itemShutdown").click()
    eventually(lambda: ["aborted"] == extended.statuses(), within=60)
    item.wait_for(state="detached")


def test_every_command_says_what_it_is(extended: Lab) -> None:
    extended.write("one.ipynb", "1 + 1")
    extended.open("one.ipynb")
    found = extended.page.evaluate(COMMANDS)
    assert len(found) > 15
    assert [] == [command for command in found if not all(command)]
