"""Names that people give to notebooks and tasks, and give them later; and a server that knows nothing of them."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import WAIT, Lab, started
from tests.browser.test_live_cards import CARD, running
from tests.conftest import eventually

LONG = "a" * 200
NAMED = f"""%load_ext flyte_jupyter
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="named")

@env.task
def {LONG}(text: str) -> str:
    return text
flyte.run({LONG}, "</td><script>window.was = 1</script><img src=x onerror='window.was = 2'>")"""
RENAME = """async name => {
    const {context} = window.jupyterapp.shell.currentWidget;
    await context.save();
    await context.rename(name);
}"""
WIDER = "card => card.scrollWidth - card.clientWidth"


def notebooks(lab: Lab) -> set[str]:
    return {run["notebook"] for run in lab.runs()}


def test_runs_go_where_their_notebook_goes_also_those_that_its_kernel_starts_later(extended: Lab) -> None:
    running(extended)
    extended.do("flyte:show-runs")
    (before,) = notebooks(extended)
    groups = extended.page.locator(".flyte-Row-name", has_text=".ipynb")
    expect(groups).to_have_text([before], timeout=WAIT)
    extended.page.evaluate(RENAME, "another name.ipynb")
    expect(groups).to_have_text(["another name.ipynb"], timeout=WAIT)
    (extended.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    extended.run_cell(1)
    eventually(lambda: ["succeeded"] * 2 == [run["phase"] for run in extended.runs()], within=60)
    assert {"another name.ipynb"} == notebooks(extended)
    extended.select(0)
    extended.do("flyte:go-to-cell", run=extended.runs()[-1]["name"])
    index = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    eventually(lambda: 1 == extended.page.evaluate(index), within=60)
    expect(extended.page.locator(".jp-Cell.jp-mod-active .flyte-Badge")).to_be_visible(timeout=WAIT)
    assert [] == extended.problems


def test_a_long_name_and_markup_in_values_stay_within_their_card(extended: Lab) -> None:
    extended.write("names.ipynb", NAMED)
    extended.open("names.ipynb")
    extended.run_cell(0)
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    card = extended.page.locator(f"{CARD} .flyte-run")
    assert 0 == card.evaluate(WIDER)
    assert 0 == extended.page.locator(".jp-OutputArea-output").first.evaluate(WIDER)
    expect(card).to_contain_text("<script>")
    assert extended.page.evaluate("window.was") is None


def test_list_card_and_badge_say_the_same_seconds(extended: Lab) -> None:
    extended.write("names.ipynb", NAMED)
    extended.open("names.ipynb")
    extended.do("flyte:show-runs")
    extended.run_cell(0)
    seconds = extended.page.locator(".flyte-Run-took")
    expect(seconds).to_have_text(re.compile("s$"), timeout=WAIT)
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    said = extended.page.locator(f"{CARD} .fr-head .fr-right").inner_text()
    expect(seconds).to_have_text(said, timeout=WAIT)
    expect(extended.page.locator(".flyte-Badge-time")).to_have_text(said, timeout=WAIT)


def test_the_tile_in_the_launcher_has_a_picture(extended: Lab) -> None:
    extended.write("names.ipynb", "1")
    extended.open("names.ipynb")
    extended.start("launcher:create")
    picture = extended.page.locator(".jp-LauncherCard", has_text="Flyte Notebook").locator("img")
    picture.wait_for()
    assert 0 < picture.evaluate("async picture => (await picture.decode(), picture.naturalWidth)")


def test_a_run_that_nobody_knows_is_one_sentence_in_the_viewer(extended: Lab) -> None:
    extended.write("names.ipynb", "1")
    extended.open("names.ipynb")
    extended.do("flyte:open-run", run="r0000000000000a")
    viewer = extended.page.locator(".flyte-Viewer")
    expect(viewer).to_contain_text("There is no run 'r0000000000000a' here", timeout=WAIT)
    expect(viewer.get_by_text("There is no run").filter(visible=True)).to_have_count(1)
    expect(viewer.get_by_role("treegrid")).to_be_hidden()


def test_a_server_without_the_extension_is_named_as_the_reason(tmp_path: Path, chromium: Browser) -> None:
    with started(tmp_path, chromium, is_extended=True, is_served=False) as lab:
        lab.write("names.ipynb", "1")
        lab.open("names.ipynb")
        lab.do("flyte:cancel", run="r0000000000000a")
        told = lab.page.locator(".Toastify__toast", has_text="could not be")
        expect(told).to_contain_text("jupyter server extension list", timeout=WAIT)


def test_a_new_user_reads_all_of_the_button_and_the_right_magic(extended: Lab) -> None:
    extended.write("names.ipynb", "1")
    extended.open("names.ipynb")
    extended.do("flyte:show-runs")
    nothing = extended.page.locator("#flyte-runs .flyte-Nothing")
    expect(nothing).to_contain_text("%%flyte_task", timeout=WAIT)
    assert 0 >= nothing.get_by_role("button").evaluate("button => button.scrollHeight - button.clientHeight")


def test_a_notebook_that_is_gone_is_told_by_who_leads_to_its_cell(extended: Lab) -> None:
    extended.write("names.ipynb", "1")
    extended.open("names.ipynb")
    extended.do("flyte:go-to-cell", notebook="gone.ipynb", cell="c1")
    extended.page.get_by_text("gone.ipynb could not be opened.").wait_for(timeout=WAIT)
    assert [] == extended.problems
