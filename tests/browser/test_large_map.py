"""A map of a thousand items: the page answers while it runs, and has all of it at the end."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import WAIT, Lab
from tests.browser.test_live_cards import CARD
from tests.conftest import eventually

LARGE = """\
%load_ext flyte_jupyter
import pathlib, time
import flyte_jupyter as flyte
gate = str(pathlib.Path("gate").absolute())
env = flyte.TaskEnvironment(name="items")
warm = flyte.TaskEnvironment(name="warm", reusable=flyte.ReusePolicy(replicas=2))

@warm.task
def item(n: int) -> int:
    while n == 500 and not pathlib.Path(gate).exists():
        time.sleep(0.05)
    return n

@env.task
def large() -> int:
    return sum(flyte.map(item, range(1000)))
"""
RUN = "run = flyte.submit(large)"


def test_a_map_of_a_thousand_items_leaves_the_page_to_its_user(extended: Lab) -> None:
    extended.write("large.ipynb", LARGE, RUN, "")
    extended.open("large.ipynb")
    extended.run_cell(0)
    extended.run_cell(1)
    page = extended.page
    shown = page.locator(CARD)
    shown.wait_for(timeout=WAIT)
    run = extended.runs()[0]["name"]
    extended.do("flyte:show-runs")
    extended.do("flyte:open-run", run=run)
    viewer = page.locator(f"#flyte-run-{run}")
    map_of = viewer.get_by_role("treegrid", name="Actions").get_by_role("row").nth(1)
    expect(map_of).to_contain_text(re.compile("× [0-9]"), timeout=WAIT)
    viewer.get_by_role("tab", name="Code").click()
    expect(viewer.get_by_role("tabpanel").first).to_contain_text("flyte.map(item, range(1000))", timeout=WAIT)
    extended.do("docmanager:open", path="large.ipynb")
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(2).click()
    page.keyboard.type("6 * 7")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-executeResult pre")).to_have_text("42", timeout=WAIT)
    assert ["running"] == extended.statuses()
    (extended.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=120)
    expect(shown.get_by_role("group", name="result")).to_have_text("499500", timeout=WAIT)
    extended.do("flyte:open-run", run=run)
    expect(map_of).to_contain_text("× 1,000", timeout=WAIT)
    expect(map_of).to_contain_text(re.compile(r"1,000\s*succeeded"), timeout=WAIT)
    assert [] == extended.problems
