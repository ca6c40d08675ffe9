"""Cards as people see them in JupyterLab."""

from __future__ import annotations

import json
from typing import Any

import nbformat

from flyte_jupyter.notebook.cards import card
from tests.browser.conftest import Lab
from tests.conftest import eventually
from tests.unit.notebook.cards.test_attempts import SHOWN
from tests.unit.notebook.views import T

START = """\
%load_ext flyte_jupyter
import pathlib, time
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="my_env")
gate = str(pathlib.Path("gate").absolute())

@env.task
def waits() -> int:
    import pathlib, time
    print("waiting")
    while not pathlib.Path(gate).exists():
        time.sleep(0.05)
    return 7
"""


def saved(view: dict[str, Any]) -> Any:
    output = nbformat.v4.new_output("display_data", card.bundle(view, now=T + 5))
    return nbformat.v4.new_code_cell("flyte.run(train)", execution_count=1, outputs=[output])


def test_a_notebook_that_is_not_trusted_shows_the_static_card(lab: Lab) -> None:
    lab.write("other.ipynb", saved(SHOWN))
    lab.open("other.ipynb")
    shown = lab.page.locator(".jp-OutputArea-output").first
    shown.wait_for()
    assert 0 == shown.locator("style, script, iframe").count()
    text = shown.inner_text()
    for expected in ("train", "✗ failed", "queued 0.01 s", "ZeroDivisionError: division by zero", "second"):
        assert expected in text
    first = shown.locator("details", has=lab.page.get_by_text("Attempt 1"))
    assert not first.get_by_text("KeyError: 'alpha'").is_visible()
    first.locator("summary").click()
    assert first.get_by_text("KeyError: 'alpha'").is_visible()
    assert [] == lab.problems


def test_one_that_is_trusted_shows_it_with_its_style(lab: Lab) -> None:
    lab.write("mine.ipynb", saved(SHOWN))
    lab.open("mine.ipynb")
    before = (lab.folder / "mine.ipynb").stat().st_mtime_ns
    lab.start("notebook:trust")
    lab.page.get_by_role("button", name="Trust").click()
    eventually(lambda: before != (lab.folder / "mine.ipynb").stat().st_mtime_ns, within=30)  # and so it is signed
    lab.open("mine.ipynb")
    lab.page.wait_for_selector(".flyte-run style", state="attached")
    one, two = lab.page.locator(".flyte-run .fr-tabs summary").all()
    above, below = one.bounding_box(), two.bounding_box()
    assert above is not None
    assert below is not None
    assert (above["y"], True) == (below["y"], above["x"] < below["x"])
    background = "e => getComputedStyle(e).backgroundColor"
    assert "rgb(246, 247, 249)" == lab.page.locator(".flyte-run pre").first.evaluate(background)
    assert "rgba(0, 0, 0, 0)" == lab.page.locator(".flyte-run .fr-head code").evaluate(background)


def test_both_are_live_whatever_happens_to_the_notebook(lab: Lab) -> None:
    lab.write("live.ipynb", START, "run = flyte.submit(waits)", "run", "run", "flyte.submit(waits)")
    lab.open("live.ipynb")
    for number in range(5):
        lab.run_cell(number)
    lab.page.wait_for_function("document.querySelectorAll('.flyte-run').length === 4")
    eventually(lambda: ["running"] * 4 == lab.statuses(), within=60)
    lab.select(2)
    lab.do("notebook:clear-cell-output")
    lab.run_cell(4)  # again: its first card is gone, its run goes on
    contents = "window.jupyterapp.serviceManager.contents"
    lab.do("docmanager:save")
    lab.page.evaluate(f"{contents}.copy('live.ipynb', '')")
    lab.page.evaluate(f"{contents}.rename('live.ipynb', 'renamed.ipynb')")
    eventually(lambda: ["running"] * 3 == lab.statuses(), within=60)
    (lab.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] * 3 == lab.statuses(), within=60)
    lab.run_cell(2)
    eventually(lambda: ["succeeded"] * 4 == lab.statuses(), within=60)
    lab.do("docmanager:save")
    kept = (lab.folder / "renamed.ipynb").read_text()
    assert 4 == sum(card.MIME in output.get("data", {}) for c in json.loads(kept)["cells"] for output in c["outputs"])
    assert 4 == kept.count('data-phase=\\"succeeded\\" role=\\"group\\"')
    assert "as of" in (lab.folder / "live-Copy1.ipynb").read_text()
    assert [] == lab.problems
