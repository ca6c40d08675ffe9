"""What somebody does first: a notebook from the launcher, a task that they type, its card and its result."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.conftest import WAIT, Lab
from tests.browser.test_live_cards import CARD
from tests.conftest import eventually

START = ("%load_ext flyte_jupyter", "import flyte_jupyter as flyte", 'env = flyte.TaskEnvironment("first")')
TASK = (
    "@env.task",
    "def square(x: int) -> int:",
    "import pathlib, time",  # the editor indents what follows
    'while not pathlib.Path("go on").exists(): time.sleep(0.05)',
    "return x * x",
)
RUN = "run = flyte.submit(square, x=7)"


def tile(lab: Lab, name: str) -> None:
    """Click on one of the launcher, and wait for its notebook."""
    lab.page.locator(".jp-LauncherCard", has_text=name).first.click()
    lab.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=WAIT)
    lab.wait_for_kernel()


def typed(lab: Lab, *lines: str) -> None:
    """Type a cell and execute it, which leads to the next one."""
    for number, line in enumerate(lines):
        if number:
            lab.page.keyboard.press("Enter")
        lab.page.keyboard.type(line)
    lab.page.keyboard.press("Shift+Enter")


def result(card: Locator) -> Locator:
    return card.get_by_role("group", name="result")


def test_a_first_task_is_typed_into_an_empty_notebook(extended: Lab) -> None:
    extended.open_launcher()
    tile(extended, "Python 3")
    extended.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    typed(extended, *START)
    typed(extended, *TASK)
    typed(extended, RUN)
    eventually(lambda: ["running"] == extended.statuses(), within=60)
    typed(extended, "1 + 1")  # nothing waits for the task
    expect(extended.page.locator(".jp-OutputArea-executeResult pre")).to_have_text("2", timeout=WAIT)
    (extended.folder / "go on").write_text("")
    expect(result(extended.page.locator(CARD))).to_have_text("49", timeout=WAIT)
    typed(extended, "run.result()")
    expect(extended.page.locator(".jp-OutputArea-executeResult pre").last).to_have_text("49", timeout=WAIT)
    assert [] == extended.problems


def test_the_tile_of_the_launcher_is_executed_cell_by_cell(extended: Lab) -> None:
    extended.open_launcher()
    tile(extended, "Flyte Notebook")
    extended.page.locator(".jp-Notebook .jp-Cell").first.click()
    for _ in range(4):
        extended.page.keyboard.press("Shift+Enter")
    expect(result(extended.page.locator(CARD))).to_have_text("49", timeout=WAIT)
    assert ["succeeded"] == extended.statuses()
    assert ["square"] == [run["title"] for run in extended.runs()]
    assert [] == extended.problems
