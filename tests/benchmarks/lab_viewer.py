"""How quick the run viewer and cards are in a real browser.

The clock of tasks, kernel and browser is that of the machine, so that a line that says when it was printed tells how
long it took until it was seen: until the frame in which it is drawn.
"""

from __future__ import annotations

import functools
import re

from tests.benchmarks.lab import labs
from tests.benchmarks.measures import Measured
from tests.browser.conftest import WAIT, Lab
from tests.browser.test_viewer import MANY, START
from tests.conftest import eventually

_ROUNDS = 5
_LINES = 20
_SAYS = f"""\
@env.task
def says() -> None:
    for _ in range({_LINES}):
        time.sleep(0.4)
        print(f"at {{time.time()}}", flush=True)
run = flyte.submit(says)
"""
_LABEL = f"""\
import ipywidgets
from IPython.display import display
label = ipywidgets.Label("nothing")
display(label)
for _ in range({_LINES}):
    time.sleep(0.4)
    label.value = f"at {{time.time()}}"
"""
_OPEN = """
async run => {
    const began = performance.now();
    void window.jupyterapp.commands.execute("flyte:open-run", { run });
    const isThere = () => document.querySelector(".flyte-Viewer .flyte-Tree")?.textContent.includes("10,000");
    while (!isThere()) {
        await new Promise(requestAnimationFrame);
    }
    await new Promise(requestAnimationFrame);
    const took = performance.now() - began;
    window.jupyterapp.shell.currentWidget.close();
    return took;
}
"""
_FETCH = """
async run => {
    const began = performance.now();
    const actions = await (await fetch(`/flyte-jupyter/runs/${run}/actions`)).json();
    if (actions.length < 10000) {
        throw new Error("they are not all there");
    }
    return performance.now() - began;
}
"""
_WATCH = """
selector => {
    const seen = (window.seen = {});
    const look = () => {
        for (const element of document.querySelectorAll(selector)) {
            for (const [, at] of element.textContent.matchAll(/at (\\d{9,}\\.\\d+)/g)) {
                seen[at] ??= Date.now() - at * 1000;
            }
        }
        if (window.seen === seen) {
            requestAnimationFrame(look);
        }
    };
    look();
}
"""


@functools.cache
def opens() -> Measured:
    """Milliseconds from the command to the frame with all of a run with 10 000 actions; the first one is the first."""
    measured = Measured()
    with labs() as lab:
        _run(lab, START, MANY, "print('run', run.name)")
        said = lab.page.locator(".jp-OutputArea-output pre", has_text=re.compile(r"^run r"))
        run = said.inner_text(timeout=WAIT).split()[1]
        eventually(lambda: [each for each in lab.runs() if (each["name"], each["phase"]) == (run, "succeeded")])
        for _ in range(_ROUNDS):
            measured.samples.append(lab.page.evaluate(_OPEN, run))
            measured.floors.append(lab.page.evaluate(_FETCH, run))
    return measured


@functools.cache
def on_the_card() -> Measured:
    """Milliseconds from a line that a task prints to the frame in which its card shows it."""
    return _until_seen(".flyte-Card")


@functools.cache
def in_the_viewer() -> Measured:
    """The same for the log in the run viewer."""
    return _until_seen(".flyte-Log-line", is_opened=True)


def _until_seen(selector: str, *, is_opened: bool = False) -> Measured:
    with labs() as lab:
        _run(lab, START)
        floors = _seen(lab, ".widget-label, .jupyter-widgets", _LABEL)
        return Measured(_seen(lab, selector, _SAYS, is_opened=is_opened), floors)


def _seen(lab: Lab, selector: str, cell: str, *, is_opened: bool = False) -> list[float]:
    """How long each line of a cell took, that says when it was printed."""
    lab.page.evaluate(_WATCH, selector)
    number = lab.page.locator(".jp-Notebook .jp-CodeCell").count() - 1
    lab.page.evaluate(
        "source => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(source)", cell
    )
    lab.run_cell(number)
    if is_opened:
        lab.page.locator(".flyte-Card").first.wait_for(timeout=WAIT)
        lab.do("flyte:open-run", run=lab.runs()[0]["name"])
    lab.page.wait_for_function(f"Object.keys(window.seen).length >= {_LINES}", timeout=WAIT)
    found: dict[str, float] = lab.page.evaluate("window.seen")
    return list(found.values())


def _run(lab: Lab, *cells: str) -> None:
    """Open a notebook whose cells are executed, and whose last one is empty and active."""
    lab.page.set_viewport_size({"width": 1400, "height": 900})
    lab.write("benchmark.ipynb", *cells, "")
    lab.open("benchmark.ipynb")
    for number in range(len(cells)):
        lab.select(number)
        lab.do("notebook:run-cell")
    lab.select(len(cells))
