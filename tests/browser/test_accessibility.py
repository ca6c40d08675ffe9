"""What axe finds wrong with what we show, in each theme; what is seen of it in forced colours; what moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import violations
from tests.browser.conftest import WAIT, Lab, started
from tests.conftest import eventually

START = """\
%load_ext flyte_jupyter
import pathlib, time
import flyte_jupyter as flyte
pool = flyte.TaskEnvironment("warm", reusable=flyte.ReusePolicy(replicas=2, idle_ttl=600))
env = flyte.TaskEnvironment("prep", resources=flyte.Resources(cpu=0.5, memory="256Mi"))
@pool.task
def child(n: int) -> int:
    if n == 2:
        raise ValueError("two is too many")
    return n
@env.task(report=True, retries=1, triggers=flyte.Trigger("nightly", automation=flyte.Cron("0 3 * * *")))
def shows(count: int = 3) -> int:
    print("\\x1b[32mgreen\\x1b[0m, \\x1b[31;44mred on blue\\x1b[0m and \\x1b[33;1myellow\\x1b[0m")
    flyte.report.get_tab("Numbers").log("<h2>Ten</h2><p>One to ten.</p>")
    flyte.report.log("<p>All is well.</p>")
    flyte.report.flush()
    flyte.progress(3, 10)
    for n in range(count):
        child(n)
    return count
@env.task
def waits() -> int:
    while not pathlib.Path("gate").exists():
        time.sleep(0.05)
    return 1
flyte.deploy(env)
"""
CELLS = ("run = flyte.submit(shows); run.wait(); print('run', run.name)", "open = flyte.submit(waits)", "shows.panel()")
THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Lab]:
    """All that we show, with content: a run that has failed, one that runs, a panel, the sidebar."""
    with started(tmp_path_factory.mktemp("lab"), chromium, is_extended=True) as lab:
        lab.page.set_default_timeout(WAIT)
        lab.write("work.ipynb", START, *CELLS)
        lab.open("work.ipynb")
        lab.do("flyte:show-runs")
        for number in range(4):
            lab.run_cell(number)
        lab.page.locator(".flyte-panel-live .fp-grid").first.wait_for()
        eventually(lambda: ["failed", "running"] == lab.statuses(), within=60)
        yield lab
        (lab.folder / "gate").write_text("")


def themed(lab: Lab, theme: str) -> None:
    lab.do("apputils:change-theme", theme=theme)
    lab.page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")


def in_themes(lab: Lab, part: Locator) -> list[str]:
    """What is wrong with a part of the page in any theme."""
    found = []
    for theme in THEMES:
        themed(lab, theme)
        found += [f"{theme}: {each}" for each in violations(part)]
    themed(lab, THEMES[0])
    return found


def viewer(lab: Lab) -> Locator:
    run = lab.runs()[-1]["name"]
    lab.do("flyte:open-run", run=run)
    return lab.page.locator(f"#flyte-run-{run}")


def test_the_sidebar(shown: Lab) -> None:
    shown.do("flyte:show-runs")
    for name in ("Environments", "Pools", "Queues", "Triggers", "Clusters"):
        title = shown.page.locator("#flyte-sidebar .jp-AccordionPanel-title").filter(has_text=name)
        title.click()
    shown.page.locator("#flyte-clusters").get_by_text("No cluster is set up").wait_for()
    for name, words in (("environments", "prep"), ("pools", "warm"), ("triggers", "nightly")):
        shown.page.locator(f"#flyte-{name}").get_by_role("row", name=words).first.wait_for()
    shown.page.locator("#flyte-runs").get_by_role("row", name="waits").hover()
    assert [] == in_themes(shown, shown.page.locator("#flyte-sidebar"))


@pytest.mark.parametrize("part", [".flyte-Card", ".flyte-panel-live", ".flyte-BadgeItem", ".flyte-Status"])
def test_what_stands_in_a_notebook(shown: Lab, part: str) -> None:
    shown.do("docmanager:open", path="work.ipynb")
    shown.select(1)
    shown.page.locator(part).first.wait_for()
    assert [] == in_themes(shown, shown.page.locator(part))


def test_the_list_of_what_runs(shown: Lab) -> None:
    shown.page.evaluate("window.jupyterapp.shell.activateById('jp-running-sessions')")
    shown.page.locator(".jp-RunningSessions-item", has_text="waits").wait_for()
    assert [] == in_themes(shown, shown.page.locator(".jp-RunningSessions-item", has_text="waits"))


def test_the_run_viewer(shown: Lab) -> None:
    view = viewer(shown)
    tabs = view.get_by_role("tab")
    tabs.first.wait_for()
    found = []
    for number in range(tabs.count()):
        tabs.nth(number).click()
        expect(tabs.nth(number)).to_have_attribute("aria-selected", "true")
        name = tabs.nth(number).inner_text()
        found += [f"{name}: {each}" for each in in_themes(shown, view)]
    assert [] == found


ICONS = """part => {
    const light = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(each => each / 255)
            .map(each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'Canvas';
    const back = light(getComputedStyle(probe).color);
    probe.remove();
    return [...part.querySelectorAll('svg [fill]:not([fill=none])')].filter(node => {
        const fill = getComputedStyle(node).fill;
        const isDrawn = fill !== 'none' && !node.closest('defs, [hidden], :disabled') && node.checkVisibility();
        const [more, less] = [light(fill), back].sort((a, b) => b - a);
        return isDrawn && (more + 0.05) / (less + 0.05) < 4.5;
    }).map(node => node.outerHTML);
}"""
"""Icons that do not stand out from the background."""
DRAWN = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let [least, most] = [255, 0];
    for (let index = 0; index < data.length; index += 4) {
        if (data[index + 3] > 200) {
            least = Math.min(least, data[index]);
            most = Math.max(most, data[index]);
        }
    }
    return [least, most];
}"""


@pytest.mark.parametrize(("theme", "scheme"), [(THEMES[0], "dark"), (THEMES[1], "light")])
def test_forced_colours_that_are_not_those_of_the_theme(shown: Lab, theme: str, scheme: str) -> None:
    shown.do("flyte:show-runs")
    view = viewer(shown)
    view.locator("canvas").wait_for()
    themed(shown, theme)
    try:
        shown.page.emulate_media(forced_colors="active", color_scheme=scheme)  # type: ignore[arg-type]  # one of two
        for part in (shown.page.locator("#flyte-sidebar"), view, shown.page.locator(".flyte-Status")):
            assert [] == part.evaluate(ICONS)
        edge = "(node) => getComputedStyle(node).borderBottomColor"
        chosen = view.locator("[role=tab][aria-selected=true]").evaluate(edge)
        assert chosen != view.locator("[role=tab][aria-selected=false]").first.evaluate(edge)
        line = view.locator(".flyte-Tree-row[aria-selected=true]")
        assert "solid" == line.evaluate("node => getComputedStyle(node).outlineStyle")
        text = 255 if scheme == "dark" else 0  # CanvasText
        eventually(lambda: text in view.locator("canvas").first.evaluate(DRAWN))
        shown.do("docmanager:open", path="work.ipynb")
        shown.select(1)
        for part in (".flyte-Card-bar", ".flyte-BadgeItem"):
            assert [] == shown.page.locator(part).first.evaluate(ICONS)
    finally:
        shown.page.emulate_media(forced_colors="none", color_scheme="light")
        themed(shown, THEMES[0])


FOCUS = """part => {
    const node = document.activeElement;
    if (!part.contains(node)) {
        return null;
    }
    const ringed = [node, ...node.querySelectorAll('[data-cursor=true]')].some(each => {
        const style = getComputedStyle(each);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    });
    return [node.outerHTML.slice(0, 150), ringed];
}"""


def ringless(part: Locator) -> tuple[int, list[str]]:
    """What Tab comes to within a part of the page: how many, and those without a ring."""
    stops: dict[str, bool] = {}
    while (found := part.evaluate(FOCUS)) is not None and found[0] not in stops:
        stops[found[0]] = found[1]
        part.page.keyboard.press("Tab")
    return len(stops), [each for each, is_ringed in stops.items() if not is_ringed]


def test_what_has_the_focus_has_a_ring(shown: Lab) -> None:
    shown.do("flyte:show-runs")
    bar = shown.page.locator("#flyte-sidebar .flyte-Section").first
    bar.get_by_role("searchbox").focus()
    shown.page.keyboard.press("Shift+Tab")
    shown.page.keyboard.press("Tab")
    assert (4, []) == ringless(bar)  # words, phase, task and one row
    view = viewer(shown)
    tabs = view.get_by_role("tab")
    tabs.first.wait_for()
    for number in range(tabs.count()):
        tabs.nth(number).click()
        expect(tabs.nth(number)).to_have_attribute("aria-selected", "true")
        view.locator(".flyte-Input").first.focus()
        shown.page.keyboard.press("Shift+Tab")
        shown.page.keyboard.press("Tab")
        count, left = ringless(view)
        assert [] == left
        assert count >= 3, tabs.nth(number).inner_text()


def test_what_runs_come_to_is_read_out(shown: Lab) -> None:
    spoken = shown.page.locator(".flyte-Spoken")
    assert "polite" == spoken.get_attribute("aria-live")
    shown.do("docmanager:open", path="work.ipynb")
    shown.page.evaluate(
        "code => window.jupyterapp.commands.execute('flyte:insert-code', {code}).then(() => undefined)",
        "flyte.submit(child, 1)",
    )
    shown.start("notebook:run-cell")
    expect(spoken).to_have_text("child: succeeded", timeout=WAIT)


def test_nothing_moves_for_those_who_want_no_motion(shown: Lab) -> None:
    shown.page.emulate_media(reduced_motion="reduce")
    view = viewer(shown)
    view.get_by_role("tab").first.wait_for()
    moving = """part => [part, ...part.querySelectorAll('*')].filter(node => {
        const style = getComputedStyle(node);
        return style.animationName !== 'none' || style.scrollBehavior === 'smooth'
            || style.transitionDuration.split(',').some(each => parseFloat(each) > 0.01);
    }).map(node => node.outerHTML.slice(0, 200))"""
    for part in (shown.page.locator("#flyte-sidebar .flyte-Section").first, view.locator(".flyte-Viewer")):
        assert [] == part.evaluate(moving)
    for card in shown.page.locator(".flyte-Card").all():
        assert [] == card.evaluate(moving)
    shown.page.emulate_media(reduced_motion="no-preference")
