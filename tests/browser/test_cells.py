"""What our extension makes of the cells of a notebook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect
from playwright.sync_api import TimeoutError as NotInTime

from tests.browser.conftest import WAIT, Lab, started
from tests.conftest import eventually

LOAD = "%load_ext flyte_jupyter"
TASK = '%%flyte_task fit --cpu 1 --retrys 3 --short-name "a fit"\nimport os\ntotal = sum(range(10))  # all of them'
ENV = "import flyte_jupyter as flyte\nenv = flyte.TaskEnvironment('prep')"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Lab]:
    """One for all of this file; each test has a notebook of its own."""
    with started(tmp_path_factory.mktemp("lab"), chromium, is_extended=True) as made:
        yield made


def cell(lab: Lab, number: int) -> Locator:
    return lab.page.locator(".jp-Notebook .jp-Cell").nth(number)


def source(lab: Lab, number: int) -> str:
    return str(
        lab.page.evaluate(
            "n => window.jupyterapp.shell.currentWidget.content.widgets[n].model.sharedModel.getSource()", number
        )
    )


def edit(lab: Lab, number: int, keys: str = "Control+End") -> None:
    """Put the caret into a cell."""
    cell(lab, number).locator(".cm-content").click()
    lab.page.keyboard.press(keys)


def badge(lab: Lab) -> Locator:
    return lab.page.get_by_role("button", name="Last run of this cell")


def shown(of: Locator) -> str:
    """The text of all of them: JupyterLab 4.4.0 has an element for each word."""
    return "".join(of.all_inner_texts())


def colour(of: Locator) -> str:
    return str(of.evaluate("node => getComputedStyle(node).color"))


def test_a_task_is_python_and_its_line_is_a_magic(extended: Lab) -> None:
    extended.write("magic.ipynb", TASK, "import os")
    extended.open("magic.ipynb")
    task, plain = cell(extended, 0), cell(extended, 1)
    expect(task.locator(".flyte-Magic")).to_have_text("%%flyte_task", timeout=WAIT)
    options = task.locator(".flyte-Magic-option")
    eventually(lambda: "--cpu--retrys--short-name" == shown(options))
    eventually(lambda: '"a fit"' == shown(task.locator(".flyte-Magic-text")))
    keyword = colour(plain.get_by_text("import", exact=True))
    assert keyword == colour(task.get_by_text("import", exact=True))  # which JupyterLab alone takes for a name
    assert keyword != colour(options.first)


def test_an_option_that_is_wrong_is_underlined_until_it_is_right(extended: Lab) -> None:
    extended.write("underline.ipynb", TASK)
    extended.open("underline.ipynb")
    wrong = cell(extended, 0).locator(".flyte-Magic-wrong")
    expect(wrong).to_have_text("--retrys", timeout=WAIT)
    assert "wavy" == wrong.evaluate("node => getComputedStyle(node).textDecorationStyle")

    edit(extended, 0, "Control+Home")
    why = extended.page.get_by_role("tooltip")
    expect(why).to_have_count(0)
    for _ in range(len("%%flyte_task fit --cpu 1 --ret")):
        extended.page.keyboard.press("ArrowRight")
    expect(why).to_have_text("no option --retrys; did you mean --retries?")
    expect(cell(extended, 0).locator(".cm-announced")).to_contain_text("did you mean --retries?")
    extended.page.keyboard.press("Escape")
    expect(why).to_have_count(0)
    extended.page.keyboard.press("Enter")

    for _ in range(len("rys")):
        extended.page.keyboard.press("Delete")
    extended.page.keyboard.type("ries")
    expect(wrong).to_have_count(0)
    expect(why).to_have_count(0)
    assert "--retries 3" in source(extended, 0)
    assert [] == extended.problems


def test_the_mouse_shows_why(extended: Lab) -> None:
    extended.write("mouse.ipynb", "x = 1\n%flyte_env prep --cpu 🎈 --memory y")
    extended.open("mouse.ipynb")
    wrong = cell(extended, 0).locator(".flyte-Magic-wrong")
    expect(wrong).to_have_text(["--cpu 🎈", "--memory y"], timeout=WAIT)
    wrong.nth(1).hover()
    expect(extended.page.get_by_role("tooltip")).to_contain_text("allowed: a Kubernetes quantity")


def offered(lab: Lab, word: str) -> bool:
    """Whether Tab completes a word at the caret, or offers it; a kernel that has just begun may answer too late."""
    lab.page.keyboard.press("Tab")
    try:
        lab.page.wait_for_function(
            """word => document.querySelector('.jp-Cell.jp-mod-active .cm-content').innerText.includes(word)
            || [...document.querySelectorAll('.jp-Completer-match')].some(each => each.innerText === word)""",
            arg=word,
            timeout=5000,
        )
    except NotInTime:
        return False
    return True


def test_options_are_completed_before_the_magics_are_loaded(extended: Lab) -> None:
    extended.write("options.ipynb", ENV, "%%flyte_task --retr", "%%flyte_task --env e")
    extended.open("options.ipynb")
    for number, word in ((1, "--retries"), (2, "env")):
        edit(extended, number)
        eventually(lambda word=word: offered(extended, word), within=60)
        extended.page.keyboard.press("Escape")
    expect(extended.page.locator(".jp-Notebook .jp-InputPrompt").first).to_have_text("[ ]:")


def test_a_task_is_completed_as_python(extended: Lab) -> None:
    extended.write("python.ipynb", f"{LOAD}\nlong_name_of_rows = [1]", "%%flyte_task --cpu 1\nimport os\nlong_n")
    extended.open("python.ipynb")
    extended.do("notebook:run-cell")
    edit(extended, 1)
    eventually(lambda: offered(extended, "long_name_of_rows"), within=60)


def test_a_plain_cell_is_run_as_a_task_from_its_toolbar(extended: Lab) -> None:
    extended.write("plain.ipynb", "rows = [1, 2, 3]\nsum(rows)")
    extended.open("plain.ipynb")
    button = extended.page.get_by_role("button", name="Run this cell as a task")
    button.click()
    expect(badge(extended)).to_have_attribute("data-phase", "succeeded", timeout=WAIT)
    expect(badge(extended)).to_contain_text("notebook")
    assert [LOAD, "%%flyte_task\nrows = [1, 2, 3]\nsum(rows)"] == [source(extended, number) for number in (0, 1)]
    assert ["succeeded"] == extended.statuses()

    button.click()  # it is a task now
    extended.page.wait_for_function("document.querySelectorAll('.flyte-run [role=status]').length === 1", timeout=WAIT)
    assert 2 == extended.page.locator(".jp-Notebook .jp-Cell").count()
    badge(extended).click()
    expect(extended.page.locator("[id^=flyte-run-r]")).to_be_visible(timeout=WAIT)
    assert [] == extended.problems


def test_a_declared_task_is_run_below_its_cell(extended: Lab) -> None:
    extended.write("declared.ipynb", f"{LOAD}\n{ENV}", "@env.task\ndef fit() -> int:\n    return 3", "x = 1")
    extended.open("declared.ipynb")
    extended.select(1)
    for _ in range(2):
        extended.do("flyte:run-as-task")
    assert ["%flyte_run fit()", "x = 1"] == [source(extended, number) for number in (2, 3)]
    assert ["succeeded"] == extended.statuses()
    extended.select(2)
    expect(badge(extended)).to_contain_text("prep", timeout=WAIT)


def test_what_the_badge_says_comes_back_with_the_notebook(extended: Lab) -> None:
    extended.write("again.ipynb", LOAD, "%%flyte_task\n1 / 0")
    extended.open("again.ipynb")
    extended.do("notebook:run-all-cells")
    extended.do("docmanager:save")
    extended.open("again.ipynb")
    extended.select(1)
    expect(badge(extended)).to_have_attribute("data-phase", "failed", timeout=WAIT)
    assert "division by zero" in (badge(extended).get_attribute("title") or "")


def test_what_is_no_python_is_refused(extended: Lab) -> None:
    extended.write("bash.ipynb", "%%bash\nls", "")
    extended.open("bash.ipynb")
    extended.do("flyte:run-as-task")
    expect(extended.page.get_by_text("A task is Python: this cell begins with %%bash.")).to_be_visible()
    assert "%%bash\nls" == source(extended, 0)
