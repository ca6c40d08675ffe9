"""The keys of our commands, and what is there again when the page is loaded anew."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import WAIT, Lab
from tests.browser.test_live_cards import running
from tests.conftest import eventually

SIDEBAR = "#flyte-sidebar"


def test_each_shortcut_does_what_its_command_does(extended: Lab) -> None:
    running(extended)
    page = extended.page
    expect(page.locator(SIDEBAR)).to_be_hidden()
    page.keyboard.press("Control+Alt+r")
    page.locator("#flyte-runs").get_by_role("row", name="waits, running").wait_for(timeout=WAIT)
    notebook = page.locator(".jp-Notebook")
    extended.select(1)
    notebook.locator(".jp-InputPrompt").nth(1).click()
    page.keyboard.press("Control+Alt+o")
    page.locator(".flyte-Viewer").wait_for(timeout=WAIT)
    extended.do("docmanager:open", path="live.ipynb")
    notebook.locator(".jp-InputPrompt").nth(1).click()
    page.keyboard.press("Control+Alt+k")
    page.get_by_role("dialog").get_by_text("Cancel waits?").wait_for(timeout=WAIT)
    page.keyboard.press("Enter")
    eventually(lambda: ["aborted"] == extended.statuses(), within=60)
    assert [] == extended.problems


def test_the_sidebar_and_a_run_that_is_open_are_there_again(extended: Lab) -> None:
    running(extended)
    page = extended.page
    run = extended.runs()[0]["name"]
    extended.do("flyte:show-runs")
    extended.do("flyte:open-run", run=run)
    viewer = page.locator(f"#flyte-run-{run}")
    viewer.wait_for(timeout=WAIT)
    saved = "async () => JSON.stringify((await window.jupyterapp.serviceManager.workspaces.list()).values)"
    eventually(lambda: all(part in page.evaluate(saved) for part in (f"flyte-run:{run}", "flyte-sidebar")), within=60)
    page.goto(page.url.partition("?")[0])
    viewer.wait_for(timeout=WAIT)
    expect(viewer.locator(".flyte-Header .flyte-PhaseWord")).to_have_text("running", timeout=WAIT)
    expect(page.locator(SIDEBAR)).to_be_visible(timeout=WAIT)
    (extended.folder / "gate").write_text("")
    expect(viewer.locator(".flyte-Header .flyte-PhaseWord")).to_have_text("succeeded", timeout=WAIT)
    assert [] == extended.problems
