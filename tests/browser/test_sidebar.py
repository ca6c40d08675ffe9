"""The sidebar, as people use it: what code does is seen there, and what is done there code sees."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import violations
from tests.browser.conftest import Lab, started
from tests.browser.many_runs import copy_runs
from tests.conftest import eventually

DECLARES = """
import time
import flyte_jupyter as flyte
env = flyte.TaskEnvironment("prep")
@env.task
def add(a: int, b: int) -> int:
    return a + b
@env.task
def waits() -> int:
    time.sleep(600)
    return 1
@env.task
def broken() -> int:
    return 1 // 0
"""
ADDS = "flyte.run(add, 1, 2).wait()"
WAITS = "run = flyte.submit(waits)"
FAILS = "flyte.submit(broken).wait()"
SAYS = "run.wait()\nprint('it is', run.phase.value)"
LONG = """() => {
    window.longTasks = [];
    new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(each => each.duration)))
        .observe({type: "longtask"});
}"""
SCROLLS = """async () => {
    const grid = document.querySelector('.flyte-TreeGrid');
    const next = () => new Promise(resolve => requestAnimationFrame(resolve));
    const frames = [];
    for (const step of [24, 240, 2400]) {
        grid.scrollTop = 0;
        for (let index = 0; index < 90; index++) {
            const begin = await next();
            grid.scrollTop += step;
            frames.push(await next() - begin);
        }
    }
    frames.sort((a, b) => a - b);
    return {median: frames[frames.length >> 1], most: frames[frames.length - 1]};
}"""


def opened(lab: Lab, *cells: str) -> Lab:
    """A notebook of these cells, and the sidebar."""
    lab.write("one.ipynb", *cells)
    lab.open("one.ipynb")
    lab.do("flyte:show-runs")
    return lab


def row(lab: Lab, name: str) -> Locator:
    return lab.page.locator("#flyte-runs").get_by_role("row", name=name)


def section(lab: Lab, name: str) -> None:
    """Open a section."""
    lab.page.locator("#flyte-sidebar .jp-AccordionPanel-title").filter(has_text=name).click()


def test_a_run_of_code_is_shown_and_code_sees_that_it_is_cancelled_here(extended: Lab) -> None:
    lab = opened(extended, DECLARES, WAITS, SAYS)
    lab.page.get_by_text("No runs yet").wait_for()
    lab.run_cell(0)
    lab.run_cell(1)
    waits = row(lab, "waits, running")
    waits.wait_for()
    assert "one.ipynb" in row(lab, "one.ipynb, 1 run").inner_text()
    waits.hover()
    waits.get_by_role("button", name="Cancel Run").click()
    row(lab, "waits, aborted").wait_for()
    lab.run_cell(2)
    expect(lab.page.get_by_text("it is aborted")).to_be_visible()
    assert [] == lab.problems


def test_runs_are_found_by_words_phase_and_task(extended: Lab) -> None:
    lab = opened(extended, DECLARES, ADDS, FAILS)
    lab.do("notebook:run-all-cells")
    row(lab, "add, succeeded").wait_for()
    row(lab, "broken, failed").wait_for()
    search, add, broken = lab.page.get_by_role("searchbox"), row(lab, "add"), row(lab, "broken")
    search.fill("division by zero")
    expect(add).to_have_count(0)
    expect(broken).to_have_count(1)
    search.fill("")
    expect(add).to_have_count(1)
    lab.page.get_by_label("Phase", exact=True).select_option("Succeeded")
    expect(broken).to_have_count(0)
    lab.page.get_by_label("Task", exact=True).select_option("prep.broken")
    lab.page.get_by_role("button", name="Show all runs").click()
    expect(add).to_have_count(1)
    expect(broken).to_have_count(1)


def test_all_of_it_can_be_done_with_the_keyboard(extended: Lab) -> None:
    lab = opened(extended, DECLARES, ADDS, WAITS)
    lab.do("notebook:run-all-cells")
    row(lab, "waits, running").wait_for()
    row(lab, "add, succeeded").wait_for()
    press = lab.page.keyboard.press
    lab.page.get_by_role("searchbox").focus()
    for _ in range(3):
        press("Tab")
    expect(row(lab, "one.ipynb")).to_be_focused()
    press("ArrowLeft")
    expect(row(lab, "add")).to_have_count(0)
    press("ArrowRight")
    press("End")
    expect(row(lab, "add, succeeded")).to_be_focused()
    press("ArrowRight")
    expect(row(lab, "add, succeeded").get_by_role("button", name="Go to Cell")).to_be_focused()
    press("ArrowRight")
    expect(row(lab, "add, succeeded").get_by_role("button", name="Run Again")).to_be_focused()
    press("Escape")
    press("ArrowUp")
    expect(row(lab, "waits, running")).to_be_focused()
    press("Delete")
    lab.page.get_by_role("dialog").get_by_text("Cancel waits?").wait_for()
    press("Enter")
    row(lab, "waits, aborted").wait_for()
    row(lab, "add, succeeded").focus()
    press("Shift+F10")
    lab.page.get_by_role("menuitem", name="Copy Code for Run").wait_for()
    press("Escape")
    row(lab, "add, succeeded").focus()
    press("Enter")
    lab.page.locator("[role=tab]", has_text="add").wait_for()
    assert [] == lab.problems


def test_the_cell_of_a_run_is_shown_also_when_its_notebook_was_closed(extended: Lab) -> None:
    lab = opened(extended, DECLARES, *["1 + 1"] * 30, ADDS)
    lab.run_cell(0)
    lab.run_cell(31)
    added = row(lab, "add, succeeded")
    added.wait_for()
    lab.do("docmanager:save")
    lab.do("application:close-all")
    lab.page.locator(".jp-NotebookPanel").wait_for(state="detached")
    added.hover()
    added.get_by_role("button", name="Go to Cell").click()
    active = "window.jupyterapp.shell.currentWidget?.content?.activeCellIndex"
    eventually(lambda: lab.page.evaluate(active) == 31, within=60)
    expect(lab.page.locator(".jp-mod-active .cm-content", has_text="flyte.run(add, 1, 2)")).to_be_in_viewport()


def test_environments_of_the_open_notebook_lead_to_their_cells(extended: Lab) -> None:
    lab = opened(extended, "1 + 1", DECLARES, ADDS)
    section(lab, "Environments")
    task = lab.page.locator("#flyte-environments").get_by_role("row", name="broken")
    task.hover()
    task.get_by_role("button", name="Go to Cell").click()
    eventually(lambda: lab.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex") == 1)
    lab.do("notebook:run-all-cells")
    lab.page.locator("#flyte-environments").get_by_role("row", name="prep, 1 run").wait_for()
    task.hover()
    task.get_by_role("button", name="Show Its Runs").click()
    lab.page.get_by_text("No run matches").wait_for()


def test_pools_and_triggers_can_be_stopped(extended: Lab) -> None:
    warm = """
pool = flyte.TaskEnvironment("warm", reusable=flyte.ReusePolicy(replicas=1, idle_ttl=300))
@pool.task
def quick() -> int:
    return 1
flyte.run(quick).wait()
nightly = flyte.TaskEnvironment("reports")
@nightly.task(triggers=flyte.Trigger("nightly", automation=flyte.Cron("0 3 * * *")))
def report() -> int:
    return 1
flyte.deploy(nightly)
"""
    lab = opened(extended, DECLARES, warm)
    for name in ("Pools", "Triggers"):
        section(lab, name)
    lab.do("notebook:run-all-cells")
    pool = lab.page.locator("#flyte-pools").get_by_role("row", name="warm")
    pool.hover()
    pool.get_by_role("button", name="Shut Down Pool").click()
    lab.page.locator("#flyte-pools").get_by_text("No warm process runs.").wait_for()
    trigger = lab.page.locator("#flyte-triggers").get_by_role("row", name="nightly")
    trigger.hover()
    trigger.get_by_role("button", name="Deactivate Trigger").click()
    lab.page.locator("#flyte-triggers").get_by_role("row", name="not active").wait_for()
    trigger.focus()
    lab.page.keyboard.press("Delete")
    lab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    lab.page.locator("#flyte-triggers").get_by_text("No trigger was deployed").wait_for()
    assert [] == lab.problems


def test_ten_thousand_runs_are_scrolled(extended: Lab) -> None:
    lab = opened(extended, DECLARES, ADDS)
    lab.do("notebook:run-all-cells")
    row(lab, "add, succeeded").wait_for()
    run = row(lab, "add, succeeded").get_attribute("data-key")
    assert run is not None
    copy_runs(lab.home, run, 9_999, notebooks=5)
    all_rows = "document.querySelector('.flyte-TreeGrid').getAttribute('aria-rowcount')"
    eventually(lambda: lab.page.evaluate(all_rows) == "10006")
    lab.page.evaluate(LONG)
    frames = lab.page.evaluate(SCROLLS)
    long = lab.page.evaluate("window.longTasks")
    print(f"frames while 10 000 runs are scrolled: {frames}, long tasks: {long}")
    assert lab.page.locator(".flyte-TreeGrid .flyte-Row").count() < 100
    row(lab, "one.ipynb").focus()
    lab.page.keyboard.press("End")
    last = lab.page.locator(".flyte-Row[data-index='10005']")
    expect(last).to_be_focused()
    expect(last).to_contain_text("add")
    assert [] == lab.problems


def test_axe_finds_nothing_wrong(extended: Lab) -> None:
    lab = opened(extended, DECLARES, ADDS, FAILS)
    lab.do("notebook:run-all-cells")
    row(lab, "broken, failed").wait_for()
    for name in ("Environments", "Pools", "Queues", "Triggers", "Clusters"):
        section(lab, name)
    lab.page.locator("#flyte-clusters").get_by_text("No cluster is set up").wait_for()
    row(lab, "broken, failed").hover()
    for theme in ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"):
        lab.do("apputils:change-theme", theme=theme)
        lab.page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
        assert [] == violations(lab.page.locator("#flyte-sidebar")), theme


def test_it_says_what_is_missing_where_the_server_does_not_know_us(tmp_path: Path, chromium: Browser) -> None:
    with started(tmp_path, chromium, is_extended=True, is_served=False) as lab:
        opened(lab, "1 + 1")
        lab.page.get_by_text("The server does not know flyte_jupyter").wait_for()
        assert "jupyter server extension enable flyte_jupyter" in lab.page.locator("#flyte-runs").inner_text()
