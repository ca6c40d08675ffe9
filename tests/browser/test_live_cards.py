"""Cards in a JupyterLab with our extensions: alive with no kernel, and never worse than without."""

from __future__ import annotations

import copy
import json

from playwright.sync_api import Locator, WebSocket

from flyte_jupyter.notebook.cards import card
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


def test_what_is_opened_and_focused_on_a_live_card_stays(extended: Lab) -> None:
    extended.write("live.ipynb", START, OPEN)
    extended.open("live.ipynb")
    extended.run_cell(0)
    extended.run_cell(1)
    shown = extended.page.locator(f"{CARD}[data-source=server]")
    shown.wait_for(timeout=60_000)
    box = shown.locator("details", has_text="In code")
    box.locator("summary").focus()
    extended.page.keyboard.press("Enter")
    seconds = shown.locator(".fr-head .fr-right")
    before = seconds.inner_text()
    eventually(lambda: before != seconds.inner_text(), within=60)
    assert box.locator("table").is_visible()
    assert "In code" == extended.page.evaluate("document.activeElement.innerText")
    (extended.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    shown.or_(extended.page.locator(CARD)).get_by_role("button", name="Run Again").wait_for()
    assert box.or_(extended.page.locator(f"{CARD} details", has_text="In code")).first.locator("table").is_visible()
    assert [] == extended.problems


def test_a_notebook_that_is_not_trusted_shows_the_server_s_card_and_runs_nothing(extended: Lab) -> None:
    running(extended)
    (extended.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    extended.do("docmanager:save")
    end_kernels(extended)
    evil = "<img src=x onerror='window.harmed = 1'><script>window.harmed = 1</script>"
    notebook = json.loads((extended.folder / "live.ipynb").read_text())
    output = notebook["cells"][1]["outputs"][0]["data"]
    name = output[card.MIME]["run"]
    output["text/html"] = evil
    elsewhere = copy.deepcopy(notebook["cells"][1])
    elsewhere["id"] = "elsewhere"
    elsewhere["outputs"][0]["data"][card.MIME]["run"] = "r0000000000000a"
    escapes = copy.deepcopy(elsewhere)
    escapes["id"] = "escapes"
    escapes["outputs"][0]["data"][card.MIME]["run"] = f"../runs/{name}"
    notebook["cells"] += [elsewhere, escapes]
    (extended.folder / "other.ipynb").write_text(json.dumps(notebook))
    asked: list[str] = []
    extended.page.on("request", lambda request: asked.append(request.url))
    extended.open("other.ipynb")
    own, unknown, other = extended.page.locator(CARD).all()
    own.locator(".flyte-run style").wait_for(state="attached")
    assert "server" == own.get_attribute("data-source")
    own.get_by_role("button", name="Run Again").wait_for()
    for static in (unknown, other):
        static.get_by_text("as saved").wait_for()
        assert 0 == static.locator("script, [onerror], button").count()
    assert not extended.page.evaluate("window.harmed")
    assert not any("/card" in url for url in asked)
    assert [] == extended.problems


def test_only_cards_that_are_seen_are_watched(extended: Lab) -> None:
    extended.write("many.ipynb", START, OPEN, *["flyte.submit(waits)"] * 12)
    extended.write("other.ipynb", "1 + 1")
    told: list[list[str]] = []

    def hear(socket: WebSocket) -> None:
        if socket.url.split("?")[0].endswith("/flyte-jupyter/stream"):
            socket.on("framesent", lambda sent: told.append(json.loads(sent)["topics"]))

    def watched() -> int:
        extended.page.title()  # events come while Playwright is asked something
        return sum(topic.startswith("card:") for topic in told[-1]) if told else 0

    extended.page.on("websocket", hear)
    extended.page.set_viewport_size({"width": 1200, "height": 700})
    extended.open("many.ipynb")
    extended.start("notebook:run-all-cells")
    eventually(lambda: 13 == extended.page.locator(CARD).count(), within=120)
    eventually(lambda: 0 < watched() < 13, within=60)
    first, last = extended.page.locator(CARD).first, extended.page.locator(CARD).last
    run = first.get_attribute("data-run")

    def is_watched(seen: Locator) -> bool:
        seen.scroll_into_view_if_needed()  # again and again: Lab itself scrolls to what has just been executed
        return f"card:{run}" in told[-1]

    eventually(lambda: is_watched(first), within=60)
    eventually(lambda: not is_watched(last), within=60)
    extended.do("docmanager:open", path="other.ipynb")
    eventually(lambda: 0 == watched(), within=60)
    (extended.folder / "gate").write_text("")
    assert [] == extended.problems


def test_a_kernel_that_dies_in_the_middle_takes_nothing_along(extended: Lab) -> None:
    running(extended)
    extended.page.evaluate(
        "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute("
        "{code: 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'})"
    )
    extended.open("live.ipynb")
    eventually(lambda: ["running"] == extended.statuses(), within=60)
    (extended.folder / "gate").write_text("")
    eventually(lambda: ["succeeded"] == extended.statuses(), within=60)
    bar = extended.page.locator(CARD)
    bar.get_by_role("button", name="More for This Run").click()
    extended.page.get_by_role("menuitem", name="Get Its Value in a New Cell").click()
    extended.run_cell(0)
    extended.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2")
    extended.start("notebook:run-cell")
    value = extended.page.locator(".jp-OutputArea-executeResult", has_text="7")
    value.wait_for(timeout=60_000)
    assert [] == extended.problems


def test_a_card_is_alive_in_notebook_7_too(extended: Lab) -> None:
    running(extended)
    end_kernels(extended)
    said: list[str] = []
    extended.page.on("console", lambda message: said.append(message.text))
    extended.open_in_notebook("live.ipynb")
    shown = extended.page.locator(f"{CARD}[data-source=server]")
    shown.wait_for(timeout=60_000)
    shown.get_by_role("button", name="Cancel Run").click()
    extended.page.get_by_role("dialog").get_by_role("button", name="Cancel Run").click()
    eventually(lambda: ["aborted"] == extended.statuses(), within=60)
    extended.page.get_by_role("menuitem", name="Flyte").click()
    extended.page.get_by_role("menuitem", name="Run Again with…").wait_for()
    assert not any("flyte" in text for text in [*said, *extended.problems])  # it has errors of its own, also without us
