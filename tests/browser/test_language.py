"""JupyterLab in another language: nothing of ours is left in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Lab, started
from tests.browser.language import install_pack, of_schema
from tests.browser.test_accessibility import CELLS, START
from tests.conftest import eventually

TEXTS = """(part, unsaid) => {
    const found = [];
    const isSeen = node => !node.closest(unsaid) && node.checkVisibility();
    const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        if (isSeen(walk.currentNode.parentElement)) found.push(walk.currentNode.data);
    }
    for (const node of [part, ...part.querySelectorAll('*')]) {
        for (const name of ['title', 'aria-label', 'placeholder', 'alt', 'aria-description']) {
            if (isSeen(node) && node.hasAttribute(name)) found.push(node.getAttribute(name));
        }
    }
    return found;
}"""
"""All that a part of a page says, seen or heard."""
GIVEN = re.compile(
    r"flyte\.Trigger\(.*\)|\b(every day at|of at most 2 replicas, 0 busy, 4 calls|ends after 10 min without a call"
    r"|idle_ttl|resources|cpu 0.5 cores|memory 256|reusable|report|retries|triggers|yes|environment|decorator"
    r"|(main|side) (area|panel) (content|toolbar)"
    r"|work|ipynb|shows|waits|child|prep|warm|nightly|count|Numbers|main|r0[0-9a-z]{13}|a[0-9a-f]{6,}|a0"
    r"|(ValueError: )?two is too many|ValueError|green|red on blue|and|yellow"
    r"|flyte(_jupyter)?|Flyte|(Ctrl|Alt|Shift|Cmd)(\+\w+)*"
    r"|AM|PM|UTC|s|min|h|d|B|KiB|MiB|GiB)\b"
)
"""What the server says of what was declared; what JupyterLab says; what the user's code calls and says; units."""


def untranslated(part: Locator, unsaid: str = "pre, code, iframe, .cm-editor, style") -> list[str]:
    """What a part of the page says that is not in the language; it may be several elements."""
    assert part.count(), f"{part} is not there"
    left = []
    for each in part.all():
        for text in each.evaluate(TEXTS, unsaid):
            rest = text
            while "⟦" in rest and (less := re.sub(r"⟦[^⟦⟧]*⟧", " ", rest)) != rest:
                rest = less
            if re.search(r"[A-Za-z]", GIVEN.sub(" ", rest)):
                left.append(text)
    return left


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Lab]:
    """All that we show, in another language."""
    folder = tmp_path_factory.mktemp("lab")
    site = folder / "site"
    install_pack(site, folder / "CONFIG")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(site))
        with started(folder, chromium, is_extended=True) as lab:
            lab.page.set_default_timeout(15000)
            lab.write("work.ipynb", START, *CELLS[:2])
            lab.open("work.ipynb")
            lab.do("flyte:show-runs")
            for number in range(3):
                lab.run_cell(number)
            eventually(lambda: ["failed", "running"] == lab.statuses(), within=60)
            yield lab
            (lab.folder / "gate").write_text("")


def test_the_sidebar(shown: Lab) -> None:
    shown.do("flyte:show-runs")
    bar = shown.page.locator("#flyte-sidebar")
    titles = bar.locator(".jp-AccordionPanel-title")
    for title in titles.all()[1:]:
        title.click()
    for name, words in (("environments", "prep"), ("pools", "warm"), ("triggers", "nightly"), ("clusters", "⟦")):
        bar.locator(f"#flyte-{name}").get_by_text(words).first.wait_for()
    left = untranslated(bar, "option[value^=prep], .lm-AccordionPanel-title jp-toolbar, h3")
    row = bar.get_by_role("row", name="shows, ⟦failed⟧")
    row.click(button="right")
    left += untranslated(shown.page.locator(".lm-Menu"))
    shown.page.keyboard.press("Escape")
    titles.first.focus()
    assert [] == left
    assert "⟦Runs⟧" == titles.first.locator(".lm-AccordionPanel-titleLabel").text_content()


def test_the_run_viewer(shown: Lab) -> None:
    run = shown.runs()[-1]["name"]
    shown.do("flyte:open-run", run=run)
    view = shown.page.locator(f"#flyte-run-{run}")
    tabs = view.get_by_role("tab")
    tabs.first.wait_for()
    left = []
    for number in range(tabs.count()):
        tabs.nth(number).click()
        expect(tabs.nth(number)).to_have_attribute("aria-selected", "true")
        left += [f"{tabs.nth(number).inner_text()}: {each}" for each in untranslated(view)]
    assert [] == left


@pytest.mark.parametrize("part", [".flyte-Card-bar", ".flyte-Status", ".flyte-BadgeItem"])
def test_what_stands_in_a_notebook(shown: Lab, part: str) -> None:
    shown.do("docmanager:open", path="work.ipynb")
    shown.select(1)
    shown.page.locator(part).first.wait_for()
    assert [] == untranslated(shown.page.locator(part))


def test_the_menu_of_a_card(shown: Lab) -> None:
    shown.do("docmanager:open", path="work.ipynb")
    card = shown.page.locator(".flyte-Card").first
    card.get_by_role("button", name="⟦More for This Run⟧").click()
    shown.page.locator(".lm-Menu-item").last.wait_for()
    shown.page.locator(".lm-Menu-item[data-type=submenu]").hover()
    shown.page.locator(".lm-Menu").nth(1).wait_for()
    assert [] == untranslated(shown.page.locator(".lm-Menu"))
    shown.page.keyboard.press("Escape")
    shown.page.keyboard.press("Escape")


def test_menu_palette_and_launcher(shown: Lab) -> None:
    shown.page.get_by_role("menuitem", name="Flyte", exact=True).click()
    menu = shown.page.locator(".lm-Menu")
    menu.wait_for()
    left = untranslated(menu)
    shown.page.keyboard.press("Escape")
    shown.do("apputils:activate-command-palette")
    found = shown.page.locator(".lm-CommandPalette-item[data-command^='flyte:'] .lm-CommandPalette-itemLabel")
    found.first.wait_for(state="attached")
    labels = found.all_text_contents()
    assert len(labels) > 6
    left += [label for label in labels if not label.startswith("⟦")]
    shown.page.keyboard.press("Escape")
    shown.start("launcher:create")
    tile = shown.page.locator(".jp-LauncherCard", has_text="Flyte")
    tile.wait_for()
    assert [] == left + untranslated(tile)


def test_the_list_of_what_runs_and_who_asks_which_run(shown: Lab) -> None:
    shown.page.evaluate("window.jupyterapp.shell.activateById('jp-running-sessions')")
    item = shown.page.locator(".jp-RunningSessions-item", has_text="waits")
    item.wait_for()
    left = untranslated(item)
    shown.page.locator(".jp-RunningSessions").get_by_text("⟦Flyte Runs⟧").first.wait_for()
    shown.page.evaluate("void window.jupyterapp.commands.execute('flyte:rerun', {run: ''})")
    dialog = shown.page.get_by_role("dialog")
    dialog.wait_for()
    left += untranslated(dialog.locator(".jp-Dialog-header, .jp-Dialog-body"))
    items = dialog.locator("option").all_inner_texts()
    left += [each for each in items if not re.search("⟦(failed|running)⟧", each)]
    shown.page.keyboard.press("Escape")
    assert [] == left


def test_commands_and_settings(shown: Lab) -> None:
    said = shown.page.evaluate("""() => {
        const {commands} = window.jupyterapp;
        const ours = commands.listCommands().filter(id => id.startsWith('flyte:'));
        return ours.flatMap(id => [commands.label(id), commands.caption(id)]);
    }""")
    assert [] == [text for text in said if not text.startswith("⟦")]
    texts = shown.page.evaluate("""async () =>
        (await (await fetch('/lab/api/settings/flyte-jupyter:plugin')).json()).schema""")
    assert [] == [text for text in of_schema(texts) if not text.startswith("⟦")]
