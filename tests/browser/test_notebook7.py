"""The same in Notebook 7, where each document has a browser tab of its own and there is no main area for several."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import WAIT, Lab
from tests.browser.test_cards_in_lab import START
from tests.conftest import eventually

CARD = ".flyte-Card"
OPEN = "run = flyte.submit(waits)"
CONNECTED = """
async () => (await (await fetch("/api/sessions")).json()).some(
    ({kernel}) => kernel.connections > 0 && kernel.execution_state === "idle")
"""


def notebook(lab: Lab, *cells: str) -> Page:
    """A page of Notebook 7 with these cells behind the one that declares a task, which was executed."""
    expect.set_options(timeout=WAIT)
    lab.page.context.set_default_timeout(WAIT)
    lab.write("work.ipynb", START, *cells)
    lab.open_in_notebook("work.ipynb")
    eventually(lambda: lab.page.evaluate(CONNECTED), within=60)  # before that a dialog asks for a kernel
    execute(lab.page, 0)
    return lab.page


def cell(page: Page, number: int) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").nth(number)


def execute(page: Page, number: int) -> Locator:
    """Execute a cell as people do, and wait for its end."""
    cell(page, number).locator(".jp-InputArea-editor").click()
    page.locator("[data-command='notebook:run-cell-and-select-next']").click()
    expect(cell(page, number).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    return cell(page, number)


def phase(page: Page) -> Locator:
    return page.locator(".flyte-Viewer .flyte-Header .flyte-PhaseWord")


def let(lab: Lab) -> None:
    (lab.folder / "gate").write_text("")


def ours(lab: Lab) -> list[str]:
    """What went wrong; Notebook has errors of its own, also without us."""
    return [problem for problem in lab.problems if "flyte" in problem]


def test_a_run_opens_in_a_browser_tab_of_its_own(extended: Lab) -> None:
    page = notebook(extended, OPEN)
    started = execute(page, 1)
    with page.expect_popup() as opening:
        started.locator(CARD).get_by_role("button", name="Open Run").click()
    tab = opening.value
    expect(phase(tab)).to_have_text("running")
    expect(tab).to_have_title("waits")
    let(extended)
    expect(phase(tab)).to_have_text("succeeded")
    tab.reload()
    expect(phase(tab)).to_have_text("succeeded")
    started.get_by_role("button", name="Last run of this cell").click()  # which is shown in the same one
    expect(phase(tab)).to_have_text("succeeded")
    assert 2 == len(page.context.pages)
    assert [] == ours(extended)


def test_the_viewer_leads_back_to_the_cell(extended: Lab) -> None:
    page = notebook(extended, OPEN, *["'below'"] * 30)
    let(extended)
    started = execute(page, 1)
    with page.expect_popup() as opening:
        started.locator(CARD).get_by_role("button", name="Open Run").click()
    cell(page, 31).click()
    expect(started).not_to_be_in_viewport()
    page.evaluate("window.isTheSame = true")
    opening.value.locator(".flyte-Viewer").get_by_role("button", name="work.ipynb").click()
    expect(started).to_be_in_viewport()
    expect(started).to_have_class(re.compile("jp-mod-active"))
    assert page.evaluate("window.isTheSame"), "the notebook was loaded anew"
    assert 2 == len(page.context.pages)
    assert [] == ours(extended)


def test_the_sidebar_is_shown_beside_a_notebook_and_opens_runs(extended: Lab) -> None:
    page = notebook(extended, OPEN)
    execute(page, 1)
    page.get_by_role("menuitem", name="View").click()
    page.get_by_text("Left Sidebar").hover()
    page.get_by_text("Show Flyte").click()
    row = page.get_by_role("region", name="Flyte").get_by_role("row", name=re.compile("waits"))
    expect(row).to_be_visible()
    with page.expect_popup() as opening:
        row.dblclick()
    expect(phase(opening.value)).to_have_text("running")
    let(extended)
    expect(phase(opening.value)).to_have_text("succeeded")
    assert [] == ours(extended)


def test_the_first_page_has_all_runs_and_shows_one_beside_its_files(extended: Lab) -> None:
    page = notebook(extended, OPEN)
    execute(page, 1)
    with page.expect_popup() as opening:
        page.locator("#jp-NotebookLogo a, a#jp-NotebookLogo").first.click()
    first = opening.value
    first.get_by_role("tab", name="Flyte").click()
    first.get_by_role("row", name=re.compile("waits")).dblclick()
    expect(phase(first)).to_have_text("running")
    expect(first).to_have_url(re.compile(r"/tree\?flyte-run=r\w+$"))
    expect(first).to_have_title("waits")
    first.get_by_role("tab", name="Files").click()
    expect(first).to_have_url(re.compile(r"/tree$"))
    first.get_by_role("tab", name="waits").click()
    first.get_by_role("button", name="Cancel Run").click()
    expect(phase(first)).to_have_text("aborted")
    first.get_by_role("tab", name="waits").locator(".lm-TabBar-tabCloseIcon").click()
    expect(first.locator(".flyte-Viewer")).to_have_count(0)
    assert [] == ours(extended)


def test_a_cell_is_run_as_a_task_and_its_badge_follows(extended: Lab) -> None:
    page = notebook(extended, "3 + 4")
    cell(page, 1).locator(".jp-InputArea-editor").click()
    cell(page, 1).get_by_role("button", name="Run this cell as a task").click()
    expect(cell(page, 1).locator(f"{CARD} [role=status]")).to_contain_text("succeeded")
    expect(cell(page, 1).get_by_role("button", name=re.compile("Last run of this cell.*succeeded"))).to_be_visible()
    page.keyboard.press("Control+Shift+C")
    page.get_by_role("searchbox").or_(page.locator(".lm-CommandPalette-input")).first.fill("flyte runs")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Flyte")).to_be_visible()
    assert [] == ours(extended)
