"""The run viewer in a real JupyterLab: live, followed, searched, isolated, restored, used with the keyboard."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.conftest import WAIT, Lab
from tests.conftest import eventually

START = """\
%load_ext flyte_jupyter
import pathlib, time
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="prep", resources=flyte.Resources(cpu=0.5, memory="256Mi"))
gate = str(pathlib.Path("gate").absolute())

def wait_for(name: str) -> None:
    while not pathlib.Path(gate + name).exists():
        time.sleep(0.05)

@env.task
def child(n: int) -> int:
    print(f"child {n}")
    wait_for(str(n))
    return n

@env.task
def main(count: int) -> int:
    return sum(child(n) for n in range(count))
"""


def viewer(lab: Lab, *cells: str) -> Locator:
    """The viewer of `run`, which the last of these cells has submitted."""
    lab.page.set_default_timeout(WAIT)
    expect.set_options(timeout=WAIT)
    lab.write("work.ipynb", START, *cells, "print('run', run.name)")
    lab.open("work.ipynb")
    for number in range(2 + len(cells)):
        lab.run_cell(number)
    return opened(lab)


def opened(lab: Lab, **more: str) -> Locator:
    said = lab.page.locator(".jp-OutputArea-output pre", has_text=re.compile(r"^run r"))
    run = said.first.inner_text().split()[1]
    lab.do("flyte:open-run", run=run, **more)
    return lab.page.locator(f"#flyte-run-{run}")


def let(lab: Lab, name: str) -> None:
    (lab.folder / f"gate{name}").write_text("")


def phase(shown: Locator) -> Locator:
    return shown.locator(".flyte-Header .flyte-PhaseWord")


def rows(shown: Locator) -> Locator:
    return shown.get_by_role("treegrid", name="Actions").get_by_role("row")


def tab(shown: Locator, name: str) -> Locator:
    shown.get_by_role("tab", name=name, exact=True).click()
    return shown.get_by_role("tabpanel").first


def test_a_run_and_what_it_has_called_are_shown_as_they_change(extended: Lab) -> None:
    shown = viewer(extended, "run = flyte.submit(main, 2)")
    expect(phase(shown)).to_have_text("running")
    expect(rows(shown)).to_have_count(2)
    child = rows(shown).nth(1)
    expect(child).to_contain_text("running")
    assert ["1", "2"] == [row.get_attribute("aria-level") for row in rows(shown).all()]
    let(extended, "0")
    expect(child).to_contain_text("succeeded")
    expect(rows(shown)).to_have_count(3)
    let(extended, "1")
    expect(phase(shown)).to_have_text("succeeded")
    expect(shown.get_by_role("button", name="Run Again")).to_be_visible()
    expect(shown.get_by_role("button", name="Cancel Run")).to_be_hidden()
    expect(tab(shown, "Inputs and outputs")).to_contain_text("count")
    assert [] == extended.problems


def test_a_run_is_cancelled_from_its_toolbar(extended: Lab) -> None:
    shown = viewer(extended, "run = flyte.submit(main, 1)")
    expect(rows(shown)).to_have_count(2)
    shown.get_by_role("button", name="Cancel Run").click()
    expect(phase(shown)).to_have_text("aborted")
    expect(rows(shown).nth(1)).to_contain_text("aborted")


PRINTS = """\
@env.task
def prints() -> None:
    for n in range(20_000):
        print(f"row {n} \\x1b[32mgreen\\x1b[0m" + ("  needle" if n % 5000 == 7 else ""))
    wait_for("more")
    print("the <b>last</b> needle")
    wait_for("end")
run = flyte.submit(prints)
"""


def test_a_log_is_followed_searched_and_saved(extended: Lab, tmp_path: Path) -> None:
    shown = viewer(extended, PRINTS)
    log = shown.get_by_role("log")
    expect(log).to_contain_text("row 19999")
    assert 200 > log.locator(".flyte-Log-line").count()  # of 20 000
    expect(log.locator(".ansi-fg-green").first).to_have_text("green")
    let(extended, "more")
    expect(log).to_contain_text("the <b>last</b> needle")
    search = shown.get_by_role("searchbox", name="Search the log")
    search.fill("NEEDLE")
    count = shown.locator(".flyte-Log [role=status]")
    expect(count).to_have_text("1 of 5 lines")
    at = log.locator("[data-at=true]")
    expect(at).to_contain_text("row 7 ")
    search.press("Enter")
    expect(at).to_contain_text("row 5007")
    shown.get_by_role("button", name="Previous match").click()
    search.press("Shift+Enter")
    expect(count).to_have_text("5 of 5 lines")
    expect(at.locator(".found")).to_have_text("needle")
    let(extended, "end")
    expect(phase(shown)).to_have_text("succeeded")
    with extended.page.expect_download() as saved:
        shown.get_by_role("link", name="Save all lines as a file").click()
    saved.value.save_as(tmp_path / "log")
    lines = (tmp_path / "log").read_text().splitlines()
    assert (20_001, "the <b>last</b> needle") == (len(lines), lines[-1])
    assert [] == extended.problems


ESCAPES = """\
@env.task(report=True)
def escapes() -> None:
    flyte.report.log('''<p id="said">nothing</p><script>
    const said = {};
    const tries = {
        parent: () => parent.document.title,
        top: () => top.document.title,
        frame: () => window.frameElement.ownerDocument.title,
        cookie: () => document.cookie,
        local: () => localStorage.length,
        session: () => sessionStorage.length,
        app: () => parent.jupyterapp.commands,
        move: () => { top.location = "about:blank"; },
        open: () => { if (!window.open("about:blank")) throw new Error("no window"); },
        database: () => indexedDB.open("x").readyState,
    };
    for (const name of Object.keys(tries)) {
        try { said[name] = "reached " + tries[name](); } catch (error) { said[name] = "refused"; }
    }
    const host = document.referrer + location.ancestorOrigins[0];
    said.referrer = document.referrer;
    said.origin = window.origin;
    const done = fetch(location.ancestorOrigins[0] + "/flyte-jupyter/runs", {credentials: "include"}).then(
        () => { said.fetch = "reached"; }, () => { said.fetch = "refused"; });
    const image = new Promise(resolve => {
        const img = new Image();
        img.onload = () => { said.image = "reached"; resolve(); };
        img.onerror = () => { said.image = "refused"; resolve(); };
        img.src = location.ancestorOrigins[0] + "/static/favicons/favicon.ico";
    });
    parent.postMessage("flyte", "*");
    Promise.all([done, image]).then(() => { document.getElementById("said").textContent = JSON.stringify(said); });
    </script>''')
    flyte.report.get_tab("second").log("<h1>Another</h1>")
run = flyte.submit(escapes)
"""


def test_a_report_runs_its_scripts_and_reaches_nothing(extended: Lab) -> None:
    shown = viewer(extended, ESCAPES)
    expect(phase(shown)).to_have_text("succeeded")
    asked: list[str] = []
    extended.page.on("request", lambda request: asked.append(request.url))
    tab(shown, "Report")
    frame = shown.frame_locator("iframe")
    said = frame.locator("#said")
    expect(said).to_contain_text("fetch")
    found = said.evaluate("e => JSON.parse(e.textContent)")
    assert ("null", "") == (found.pop("origin"), found.pop("referrer"))
    assert {"refused"} == set(found.values()), found
    assert {"parent", "top", "cookie", "local", "fetch", "image", "move"} <= set(found)
    assert not [url for url in asked if url.endswith(("/flyte-jupyter/runs", "favicon.ico"))]
    assert extended.page.url.startswith("http://127.0.0.1")
    assert "allow-scripts" == shown.locator("iframe").get_attribute("sandbox")
    shown.get_by_role("tab", name="second").click()
    expect(frame.get_by_role("heading", name="Another")).to_be_visible()


RICH = """\
class Table:
    def _repr_html_(self):
        return "<script>document.body.textContent = 'ran'</script><table><tr><td>cell</td></tr></table>"
@env.task
def makes() -> Table:
    return Table()
run = flyte.submit(makes)
"""


def test_a_result_is_shown_in_a_frame_without_scripts(extended: Lab) -> None:
    shown = viewer(extended, RICH)
    expect(phase(shown)).to_have_text("succeeded")
    tab(shown, "Inputs and outputs")
    assert "" == shown.locator("iframe").get_attribute("sandbox")
    expect(shown.frame_locator("iframe").get_by_text("cell")).to_be_visible()


FAILS = """\
@env.task(retries=1)
def fails(n: int) -> int:
    print("trying", n)
    raise ValueError(f"{n} is not accepted here")
run = flyte.submit(fails, 6)
"""


def test_a_failed_run_says_why_first_of_all_and_shows_its_attempts_and_its_code(extended: Lab) -> None:
    shown = viewer(extended, FAILS)
    expect(phase(shown)).to_have_text("failed")
    why = shown.get_by_role("note", name="Why it is failed")
    expect(why).to_contain_text("ValueError: 6 is not accepted here")
    why.get_by_role("button", name="Traceback").click()
    events = shown.get_by_role("tabpanel", name="Events")
    expect(events).to_contain_text("Attempt 2 failed")
    expect(events.get_by_label("Traceback").first).to_contain_text("raise ValueError")
    logs = tab(shown, "Logs")
    logs.get_by_label("Attempt").select_option("1")
    expect(logs.get_by_role("log")).to_contain_text("trying 6")
    code = tab(shown, "Code")
    expect(code.locator(".cm-content").first).to_contain_text("raise ValueError")
    expect(code.locator(".cm-content span").first).to_be_visible()  # it is highlighted
    before = code.locator(".cm-content").first.inner_text()
    code.locator(".cm-content").first.click()
    extended.page.keyboard.type("changed")
    assert before == code.locator(".cm-content").first.inner_text()
    configuration = tab(shown, "Configuration")
    expect(configuration.get_by_role("row").filter(has_text="retries")).to_contain_text("decorator")
    assert [] == extended.problems


def test_a_viewer_is_there_again_when_the_page_is_loaded_anew(extended: Lab) -> None:
    shown = viewer(extended, "let = pathlib.Path(gate + '0').write_text('')\nrun = flyte.submit(main, 1)")
    expect(phase(shown)).to_have_text("succeeded")
    extended.page.evaluate("window.jupyterapp.serviceManager.workspaces.list()")
    eventually(lambda: "flyte-run:" in str(workspace(extended)), within=60)
    extended.page.goto(extended.page.url.partition("?")[0])
    expect(phase(shown)).to_have_text("succeeded")
    expect(rows(shown)).to_have_count(2)


def workspace(lab: Lab) -> object:
    return lab.page.evaluate(
        """async () => {
            const { workspaces } = window.jupyterapp.serviceManager;
            return JSON.stringify((await workspaces.list()).values);
        }"""
    )


MANY = """\
import json
from flyte_jupyter.home import Home
from flyte_jupyter.store import keys, open_store
flyte.run(main, 0).wait()
store = open_store(Home().store_url)
known = store.list(keys.RUNS)[-1]
name = known[:-1] + ("a" if known[-1] != "a" else "b")
def as_big(data: bytes) -> bytes:
    return bytes(data).replace(known.encode(), name.encode())
root = json.loads(as_big(store.get(keys.status(known, "a0"))))
began = root[-1]["at"]
for n in range(10_000):
    steps = [("queued", 0), ("initializing", n // 8 * 0.1), ("running", n // 8 * 0.1 + 0.02)]
    steps.append(("failed" if n == 4242 else "succeeded", n // 8 * 0.1 + 0.1))
    of = {"run": name, "action": f"a{n:07}", "parent": "a0", "task": "prep.item", "title": "item", "attempt": 0}
    events = [{**of, "phase": phase, "at": began + after} for phase, after in steps]
    store.put(keys.status(name, of["action"]), [json.dumps(events).encode()])
root[-1]["at"] = began + 126
store.put(keys.status(name, "a0"), [json.dumps(root).encode()])
store.put(keys.record(name), [as_big(store.get(keys.record(known)))])
run = flyte.get_run(name)
"""


def test_ten_thousand_actions_are_one_row_and_bars_that_can_be_gone_through(extended: Lab) -> None:
    shown = viewer(extended, MANY)
    group = rows(shown).nth(1)
    expect(group).to_contain_text("× 10,000")
    expect(rows(shown)).to_have_count(2)
    tree = shown.get_by_role("treegrid", name="Actions")
    tree.focus()
    tree.press("ArrowDown")
    tree.press("ArrowRight")
    tree.press("End")
    expect(tree.locator("[data-cursor=true]")).to_have_attribute("aria-rowindex", "10002")
    assert 100 > rows(shown).count()
    shown.get_by_role("button", name="1 failed").click()
    expect(rows(shown)).to_have_count(2)
    expect(rows(shown).nth(1)).to_contain_text("failed")
    rows(shown).nth(1).click()
    timeline = shown.get_by_role("application")
    assert "item, failed" in (timeline.get_attribute("aria-label") or "")
    timeline.focus()
    timeline.press("ArrowDown")
    expect(timeline).to_have_attribute("aria-label", re.compile("Selected: item, succeeded"))
    whole = pixels(timeline)
    timeline.press("+")
    eventually(lambda: whole != pixels(timeline), within=60)
    timeline.press("0")
    eventually(lambda: whole == pixels(timeline), within=60)
    assert [] == extended.problems


def pixels(canvas: Locator) -> object:
    return canvas.evaluate("canvas => canvas.toDataURL()")


def test_all_of_it_is_reached_with_the_keyboard(extended: Lab) -> None:
    shown = viewer(extended, "pathlib.Path(gate + '0').write_text('')\nrun = flyte.submit(main, 1)")
    expect(phase(shown)).to_have_text("succeeded")
    page = extended.page
    shown.get_by_role("application").focus()
    here = "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText).split('\\n')[0]"
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(here))
        if reached[-1].startswith("Log, "):
            break
    handles = ("Width of the actions", "Height of the timeline")
    for name in ("Zoom in", "Filter actions by a text", "Actions", *handles, "Logs", "Search the log"):
        assert name in reached, reached
    page.keyboard.press("Shift+Tab")
    for handle, key in zip(handles, ("ArrowRight", "ArrowDown"), strict=True):
        separator = shown.get_by_role("separator", name=handle)
        before = separator.bounding_box()
        value = int(separator.get_attribute("aria-valuenow") or 0)
        separator.press(key)
        expect(separator).to_have_attribute("aria-valuenow", str(value + 5))
        eventually(lambda it=separator, was=before: was != it.bounding_box(), within=60)
    shown.get_by_role("tab", name="Logs").focus()
    page.keyboard.press("ArrowRight")
    expect(shown.get_by_role("tab", name="Inputs and outputs")).to_be_focused()
    tree = shown.get_by_role("treegrid", name="Actions")
    tree.focus()
    page.keyboard.press("ArrowDown")
    expect(shown.locator(".flyte-Details-head strong")).to_have_text("child")
    assert "true" == rows(shown).nth(1).get_attribute("aria-selected")
    assert tree.get_attribute("aria-activedescendant") == rows(shown).nth(1).get_attribute("id")
