"""Make the pictures in README.md: `python docs/images/make.py [FOLDER]`, with the test extra installed.

The cards are those in the outputs of the notebooks, as they are committed; the panel, the sidebar and the viewer are
those of a JupyterLab that is started for it.  Chromium draws them, light and dark; it is found on PATH as chromium or
google-chrome.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
WIDTH = 900
CARDS = {
    "card": ("01_first_task.ipynb", "report"),
    "card-report": ("04_reports_and_progress.ipynb", "train"),
    "card-error": ("07_errors_and_debugging.ipynb", "total"),
}
"""For each picture a notebook, and the task whose first card it shows."""
SCHEMES = {"": ("1", "#fff"), "-dark": ("0", "#111")}
"""For each ending of a file's name what Chromium calls the scheme, and the colour of the page."""
PANEL = """\
import flyte_jupyter as flyte
rows = [{"x": 1.0, "y": 2.1}, {"x": 2.0, "y": 3.9}]
asked = flyte.Resources(cpu=1, memory="512Mi")
env = flyte.TaskEnvironment(name="careful", resources=asked, env_vars={"MODE": "train"})

@env.task(retries=3, timeout=60)
async def train(rows: list[dict]) -> float: ...

train.panel()
"""
"""The task of the first pages of README.md."""
STUDY = (
    """\
import flyte_jupyter as flyte
import asyncio, random, time

env = flyte.TaskEnvironment("study", resources=flyte.Resources(cpu=1, memory="300Mi"))""",
    """\
@env.task(retries=1)
async def fold(number: int, of: int) -> float:
    print(f"fold {number + 1} of {of}")
    for epoch in flyte.progress(range(20)):
        time.sleep(random.uniform(0.05, 0.15))
        print(f"epoch {epoch + 1:2}  loss {1 / (epoch + 2):.4f}")
    return 0.9 + 0.08 * random.random()

@env.task(report=True)
async def validate(folds: int) -> float:
    scores = await asyncio.gather(*[fold(number, folds) for number in range(folds)])
    flyte.report.log(f"<h2>{sum(scores) / folds:.3f}</h2><p>the mean of {folds} folds</p>")
    return sum(scores) / folds""",
    "flyte.submit(validate, 8)",
    """\
%%flyte_task count --cpu 1 --memory 200Mi --retires 2
words = len(flyte.__doc__.split())""",
)
"""A notebook whose runs are shown."""
_RUN = "application/vnd.flyte.run.v1+json"
_HEIGHT = (
    "document.documentElement.setAttribute('data-height',Math.ceil(document.body.getBoundingClientRect().bottom)+8)"
)


def html_of(notebook: str, task: str) -> str:
    """The card of a task, as static HTML. Raises `LookupError`: the notebook has none."""
    read: Any = nbformat.read(NOTEBOOKS / notebook, as_version=4)
    for cell in read.cells:
        for output in cell.get("outputs", ()):
            if output.get("data", {}).get(_RUN, {}).get("title") == task:
                return str(output["data"]["text/html"])
    raise LookupError(f"{notebook} has no card of {task}")


def browser() -> str:
    """The program. Raises `LookupError`: there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise LookupError("there is no chromium on PATH")


def draw(html: str, path: Path, scheme: str, colour: str) -> None:
    """Draw a page as high as the card is."""
    page = (
        f"<!doctype html><meta charset=utf-8><body style='margin:8px;width:{WIDTH - 16}px;background:{colour}'>{html}"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "card.html"
        file.write_text(f"{page}<script>{_HEIGHT}</script>", encoding="utf-8")
        options = [browser(), "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]
        options.append(f"--blink-settings=preferredColorScheme={scheme}")
        measured = _output([*options, f"--window-size={WIDTH},800", "--dump-dom", file.as_uri()])
        height = re.search(r'data-height="(\d+)"', measured)
        assert height is not None, "the page has no height"
        _output([*options, f"--window-size={WIDTH},{height[1]}", f"--screenshot={path}", file.as_uri()])


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


THEMES = {"": "JupyterLab Light", "-dark": "JupyterLab Dark"}


def draw_panel(folder: Path) -> None:
    """The panel of a task, with an input, a setting, and one that is not accepted."""
    from tests.browser.conftest import launched, started

    with tempfile.TemporaryDirectory() as made, launched() as chromium, started(Path(made), chromium) as lab:
        lab.page.set_viewport_size({"width": WIDTH + 280, "height": 2000})
        for ending, theme in THEMES.items():
            lab.write("panel.ipynb", PANEL)
            lab.open("panel.ipynb")
            lab.do("apputils:change-theme", theme=theme)
            lab.do("application:toggle-left-area")
            lab.run_cell(0)
            panel = lab.page.locator(".flyte-panel-live")
            panel.get_by_label(re.compile("^rows: ")).fill("rows")
            for name, field, value in (("retries", "count", "0"), ("timeout", "max_runtime", "1x")):
                panel.get_by_role("button", name=f"▸ {name}").click()
                panel.get_by_label(re.compile(rf"^{field}: ")).fill(value)
            panel.get_by_role("alert").filter(has_text="1x").wait_for()
            panel.get_by_label(re.compile("^rows: ")).focus()
            if (news := lab.page.get_by_role("button", name="No", exact=True)).count():
                news.click()  # no news of Jupyter's
            panel.screenshot(path=folder / f"panel{ending}.png")


def draw_lab(folder: Path) -> None:
    """The sidebar beside a notebook while a run of it goes on, and the viewer of that run when it is over."""
    from tests.browser.conftest import WAIT, launched, started

    with (
        tempfile.TemporaryDirectory() as made,
        launched() as chromium,
        started(Path(made), chromium, is_extended=True) as lab,
    ):
        lab.page.set_viewport_size({"width": 1400, "height": 900})
        for ending, theme in THEMES.items():
            lab.write("study.ipynb", *STUDY)
            lab.open("study.ipynb")
            lab.do("apputils:change-theme", theme=theme)
            if (news := lab.page.get_by_role("button", name="No", exact=True)).count():
                news.click()  # no news of Jupyter's
            lab.do("flyte:show-runs")
            for cell in range(3):
                lab.run_cell(cell)
            lab.select(3)
            lab.page.locator("[data-phase=running]").filter(has_text=re.compile("[2-6] succeeded")).first.wait_for(
                timeout=WAIT
            )
            lab.page.screenshot(path=folder / f"lab{ending}.png")
            lab.page.locator("[data-phase=succeeded]").filter(has_text="8 succeeded").first.wait_for(timeout=WAIT)
            [run] = [run for run in lab.runs() if run["ended"] and run["title"] == "validate"][:1]
            lab.do("flyte:open-run", run=run["name"])
            tree = lab.page.locator(".jp-MainAreaWidget:visible [role=treegrid] [role=row]")
            tree.filter(has_text="fold").first.click()
            lab.page.get_by_text("epoch 20").and_(lab.page.locator(":visible")).first.wait_for(timeout=WAIT)
            lab.page.screenshot(path=folder / f"viewer{ending}.png")
            lab.do("application:close-all")


def main(folder: Path) -> None:
    """Make all pictures in a folder."""
    sys.path.insert(0, str(HERE.parents[1]))
    draw_lab(folder)
    draw_panel(folder)
    for name, (notebook, task) in CARDS.items():
        html = html_of(notebook, task)
        for ending, (scheme, colour) in SCHEMES.items():
            draw(html, folder / f"{name}{ending}.png", scheme, colour)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
