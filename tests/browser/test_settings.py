"""Settings → Flyte, as people change them there, each with its effect."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import WAIT, Lab, started
from tests.browser.test_cards_in_lab import START
from tests.browser.test_live_cards import OPEN
from tests.conftest import eventually

TOASTS = """() => {
    window.toasts = [];
    new MutationObserver(changes => {
        for (const node of changes.flatMap(each => [...each.addedNodes])) {
            window.toasts.push(node.textContent);
        }
    }).observe(document.body, {childList: true, subtree: true});
}"""
IS_CHOSEN = "name => jupyterapp.commands.label('flyte:choose-profile').includes(`(${name})`)"
REPORT = """
@env.task(report=True)
def tells():
    flyte.report.log("<h1>Plain</h1>")

flyte.run(tells)
"""
ASKED = """() => {
    window.asked = [];
    new PerformanceObserver(list => window.asked.push(...list.getEntries().filter(
        each => each.name.endsWith("/flyte-jupyter/queues")).map(each => each.startTime))).observe({type: "resource"});
}"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Lab]:
    """One for all of this file."""
    with started(tmp_path_factory.mktemp("lab"), chromium, is_extended=True) as made:
        yield made


@pytest.fixture
def extended(shared: Lab) -> Lab:
    """That one with its settings as they are at first, and nothing open."""
    for path in [
        *(shared.folder.parent / "CONFIG").glob("lab/user-settings/flyte-jupyter/*"),
        *shared.folder.glob("*"),
    ]:
        path.unlink() if path.is_file() else None
    shared.open_launcher()
    return shared


def setting(lab: Lab, name: str) -> Locator:
    """Its field, in the editor of settings."""
    lab.do("flyte:settings")
    return lab.page.locator(f"[id='jp-SettingsEditor-flyte-jupyter:plugin_{name}']")


def put(lab: Lab, name: str, value: str | bool) -> None:
    """Change a setting by hand, until it is saved."""
    field = setting(lab, name)
    field.wait_for(timeout=WAIT)
    with lab.page.expect_response(lambda answer: answer.request.method == "PUT" and "settings" in answer.url):
        if isinstance(value, bool):
            field.set_checked(value)
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)


def waiting(lab: Lab) -> None:
    """A notebook with a run that waits for its gate."""
    lab.write("one.ipynb", START, OPEN)
    lab.open("one.ipynb")
    lab.run_cell(0)
    again(lab)


def again(lab: Lab) -> None:
    """The same once more."""
    (lab.folder / "gate").unlink(missing_ok=True)
    lab.do("docmanager:open", path="one.ipynb")
    lab.run_cell(1)
    eventually(lambda: ["running"] == lab.statuses(), within=60)


def end(lab: Lab) -> None:
    (lab.folder / "gate").write_text("")
    eventually(lambda: "succeeded" == lab.runs()[0]["phase"], within=60)


def told(lab: Lab) -> int:
    """How many ends of runs were told since `TOASTS`."""
    return int(lab.page.evaluate("window.toasts.filter(text => text.includes('waits succeeded in')).length"))


def test_a_profile_is_made_and_chosen_and_new_notebooks_and_tasks_have_it(extended: Lab) -> None:
    setting(extended, "profiles_0_name").wait_for(timeout=WAIT)
    add = extended.page.get_by_title("Add item").or_(extended.page.get_by_role("button", name="Add", exact=True))
    add.click()  # without a title before JupyterLab 4.6
    put(extended, "profiles_2_name", "large")
    put(extended, "profiles_2_queue", "gpu")
    put(extended, "profiles_2_cpu", "2")
    extended.page.evaluate("() => void jupyterapp.commands.execute('flyte:choose-profile')")
    dialog = extended.page.get_by_role("dialog")
    dialog.locator("select").select_option("large")
    with extended.page.expect_response(lambda answer: answer.request.method == "PUT" and "settings" in answer.url):
        dialog.get_by_role("button", name="Ok").click()
    extended.page.wait_for_function(IS_CHOSEN, arg="large", timeout=WAIT)
    extended.do("flyte:new-notebook")
    seen = extended.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    start = seen.locator(".jp-CodeCell .cm-content").first
    said = 'env = flyte.TaskEnvironment(name="first", queue="gpu", resources=flyte.Resources(cpu=2))'
    expect(start).to_contain_text(said, timeout=WAIT)

    put(extended, "defaults", "--retries 2 --cpu 1")
    extended.write("one.ipynb", "6 * 7")
    extended.open("one.ipynb")
    extended.start("flyte:run-as-task")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    line = "%%flyte_task --retries 2 --cpu 1 --queue gpu --cpu 2"
    expect(extended.page.locator(".jp-Notebook .cm-content").last).to_contain_text(line)
    card = extended.page.locator(".flyte-run")
    card.get_by_text("Configuration").click()
    expect(card.get_by_role("row", name="retries")).to_contain_text("2")
    expect(card.get_by_role("row", name="resources")).to_contain_text("cpu 2 cores")


def test_a_profile_that_there_is_not_is_refused_with_those_that_there_are(extended: Lab) -> None:
    put(extended, "profile", "lrage")
    extended.page.wait_for_function(IS_CHOSEN, arg="lrage", timeout=WAIT)
    extended.do("flyte:new-notebook")
    said = extended.page.get_by_text('There is no profile "lrage"; there are: local, remote.')
    said.first.wait_for(timeout=WAIT)
    assert not [*extended.folder.glob("*.ipynb")]


def test_notifications_are_told_when_they_are_wanted(extended: Lab) -> None:
    waiting(extended)
    extended.page.evaluate(TOASTS)
    put(extended, "notifications", False)
    end(extended)  # the settings are in front of the notebook
    again(extended)
    put(extended, "notifications", True)
    end(extended)
    eventually(lambda: 1 == told(extended), within=60)
    again(extended)
    put(extended, "notifyAfter", "0.01")
    extended.do("docmanager:open", path="one.ipynb")
    end(extended)  # and it is seen
    eventually(lambda: 2 == told(extended), within=60)
    assert [] == extended.problems


def test_runs_have_two_lines_in_the_sidebar_where_there_is_to_be_room(extended: Lab) -> None:
    waiting(extended)
    end(extended)
    extended.do("flyte:show-runs")
    row = extended.page.locator("#flyte-runs").get_by_role("row", name="waits, succeeded").first
    row.wait_for(timeout=WAIT)

    def height() -> float:
        box = row.bounding_box()
        return box["height"] if box else 0.0

    compact = height()
    put(extended, "density", "Comfortable: two lines")
    eventually(lambda: height() > 1.4 * compact, within=60)
    put(extended, "density", "Compact: one line")
    eventually(lambda: height() == compact, within=60)


def test_queues_are_looked_at_as_often_as_it_is_set(extended: Lab) -> None:
    put(extended, "refresh", "0.5")
    extended.page.evaluate(ASKED)
    extended.do("flyte:show-runs")
    extended.page.locator("#flyte-sidebar .jp-AccordionPanel-title").filter(has_text="Queues").click()

    def gaps() -> list[float]:
        """Milliseconds between questions; never less than 2000 by default."""
        at = extended.page.evaluate("window.asked")
        return [after - before for before, after in itertools.pairwise(at)]

    eventually(lambda: sum(gap < 1500 for gap in gaps()) >= 3, within=60)


def test_cards_sidebar_and_viewer_have_the_theme_of_jupyterlab(extended: Lab) -> None:
    waiting(extended)
    end(extended)
    extended.do("flyte:show-runs")
    extended.do("flyte:open-run", run=extended.runs()[0]["name"])
    canvas = extended.page.locator(".flyte-Viewer canvas").first
    canvas.wait_for(timeout=WAIT)
    drawn = "canvas => canvas.toDataURL()"
    colours = """() => [".flyte-run", "#flyte-sidebar", ".flyte-Viewer"].map(
        part => getComputedStyle(document.querySelector(part)).color)"""
    light, in_light = extended.page.evaluate(colours), canvas.evaluate(drawn)
    extended.do("apputils:change-theme", theme="JupyterLab Dark")
    eventually(lambda: not set(light) & set(extended.page.evaluate(colours)), within=60)
    eventually(lambda: in_light != canvas.evaluate(drawn), within=60)
    in_dark = canvas.evaluate(drawn)
    extended.do("apputils:change-theme", theme="JupyterLab Light")
    eventually(lambda: light == extended.page.evaluate(colours), within=60)
    eventually(lambda: in_dark != canvas.evaluate(drawn), within=60)


def test_reports_are_on_white_or_have_the_theme_of_jupyterlab(extended: Lab) -> None:
    extended.write("one.ipynb", START, REPORT)
    extended.open("one.ipynb")
    extended.run_cell(0)
    extended.run_cell(1)
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    extended.do("apputils:change-theme", theme="JupyterLab Dark")
    extended.do("flyte:open-run", run=extended.runs()[0]["name"])
    extended.page.get_by_role("tab", name="Report").click(timeout=WAIT)
    said = extended.page.frame_locator(".flyte-Frame").locator("h1")
    colour = "shown => getComputedStyle(shown).color"
    eventually(lambda: "rgb(0, 0, 0)" == said.evaluate(colour), within=60)
    put(extended, "theme", "As the theme of JupyterLab")
    extended.do("flyte:open-run", run=extended.runs()[0]["name"])
    eventually(lambda: "rgb(255, 255, 255)" == said.evaluate(colour), within=60)
    extended.do("apputils:change-theme", theme="JupyterLab Light")
    eventually(lambda: "rgb(0, 0, 0)" == said.evaluate(colour), within=60)
