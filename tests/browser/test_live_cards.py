"""Cards in a JupyterLab with our extensions: alive with no kernel, and never worse than without."""

from __future__ import annotations

from tests.browser.conftest import Lab
from tests.browser.test_cards_in_lab import START
from tests.conftest import eventually

CARD = ".flyte-Card"
OPEN = "run = flyte.submit(waits)"


def running(lab: Lab, name: str = "live.ipynb") -> None:
    """A notebook whose second cell has started a run, saved while it runs."""
    lab.write(name, START, OPEN)
    lab.open(name)
    lab.run_cell(0)
    lab.run_cell(1)
    eventually(lambda: ["running"] == lab.statuses(), within=60)
    lab.do("docmanager:save")


def end_kernels(lab: Lab) -> None:
    lab.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")


def test_a_saved_card_comes_alive_with_no_kernel(extended: Lab) -> None:
    running(extended)
    end_kernels(extended)
    extended.page.reload()
    shown = extended.page.locator(f"{CARD}[data-source=server]")
    shown.wait_for(timeout=60_000)
    assert ["running"] == extended.statuses()
    (extended.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    eventually(lambda: "7" == shown.get_by_role("group", name="result").inner_text().strip(), within=60)
    shown.get_by_role("button", name="Run Again").wait_for()
    assert [] == extended.problems


def test_a_saved_card_shows_what_happened_while_no_kernel_lived(extended: Lab) -> None:
    running(extended)
    end_kernels(extended)
    (extended.folder / "gate").write_text("")
    ended = "async () => (await (await fetch('/flyte-jupyter/runs')).json()).runs[0].phase === 'succeeded'"
    eventually(lambda: extended.page.evaluate(ended), within=60)
    extended.page.reload()
    shown = extended.page.locator(f"{CARD}[data-source=server]")
    shown.wait_for(timeout=60_000)
    assert ["succeeded"] == extended.statuses()
    assert "7" == shown.get_by_role("group", name="result").inner_text().strip()
    shown.get_by_role("button", name="Run Again").wait_for()
    assert [] == extended.problems
