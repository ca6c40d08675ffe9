"""How long the page of JupyterLab is kept from its user while a map of 1 000 items runs."""

from __future__ import annotations

from tests.benchmarks.lab import labs
from tests.benchmarks.measures import Measured
from tests.browser.conftest import Lab
from tests.conftest import eventually

_ITEMS = 1000
_LARGE = f"""\
%load_ext flyte_jupyter
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="items")
warm = flyte.TaskEnvironment(name="warm", reusable=flyte.ReusePolicy(replicas=2))

@warm.task
def item(n: int) -> int:
    return n

@env.task
def large() -> int:
    return sum(flyte.map(item, range({_ITEMS})))

flyte.submit(large).wait()
print("done")
"""
_PLAIN = """\
import time
from IPython.display import HTML, display
shown = display(HTML("0"), display_id=True)
end = time.time() + 20
while time.time() < end:
    shown.update(HTML(f"<pre>{time.time()}</pre>" * 20))
    time.sleep(0.2)
print("done")
"""
_LONG = """() => {
    window.longTasks = [];
    new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(each => each.duration)))
        .observe({type: "longtask"});
}"""


def longest_task() -> Measured:
    """Milliseconds of the longest task of the page, with card, list of runs and viewer open; 50 when none was so long,
    from which on browsers tell of them. The floor is an output that is changed five times a second, without us.
    """
    measured = Measured()
    with labs() as lab:
        lab.write("large.ipynb", _LARGE)
        lab.open("large.ipynb")
        lab.do("flyte:show-runs")
        measured.samples.append(_longest(lab, "document.querySelector('.flyte-run')"))
    with labs(is_extended=False) as lab:
        lab.write("plain.ipynb", _PLAIN)
        lab.open("plain.ipynb")
        measured.floors.append(_longest(lab, "document.querySelector('.jp-OutputArea-output')"))
    return measured


def _longest(lab: Lab, begun: str) -> float:
    lab.run_cell(0)
    eventually(lambda: lab.page.evaluate(f"{begun} !== null"))
    if runs := lab.runs() if "flyte" in begun else []:
        lab.do("flyte:open-run", run=runs[0]["name"])
        lab.do("docmanager:open", path="large.ipynb")
    lab.page.evaluate(_LONG)
    lab.page.locator(".jp-OutputArea-output", has_text="done").wait_for(timeout=600_000)
    return max([50.0, *lab.page.evaluate("window.longTasks")])
