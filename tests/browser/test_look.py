"""What a browser makes of a saved card, without Jupyter: contrast, search, and what a result brings along."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from flyte_jupyter.notebook.cards import card
from tests.unit.notebook.cards.test_attempts import SHOWN
from tests.unit.notebook.views import T, view

_COLOUR = "(e, name) => getComputedStyle(name ? e.querySelector(name) : e).color"


@pytest.mark.parametrize(
    ("theme", "asked"),
    [
        ("", "more"),
        ('data-jp-theme-light="true"', "more"),
        ('data-jp-theme-light="false"', "more"),
        ('data-jp-theme-light="false" data-jp-theme-name="JupyterLab Dark High Contrast"', "no-preference"),
        ('class="vscode-dark"', "more"),
        ('class="vscode-high-contrast"', "no-preference"),
        ('class="vscode-high-contrast vscode-high-contrast-light"', "no-preference"),
    ],
)
def test_who_asks_for_contrast_gets_no_greys(chromium: Browser, theme: str, asked: str) -> None:
    page = chromium.new_page(contrast=asked)  # type: ignore[arg-type]  # one of two words
    page.set_content(f"<body {theme}>{card.html(SHOWN, now=T)}")
    shown = page.locator(".flyte-run")
    assert shown.evaluate(_COLOUR, "") == shown.evaluate(_COLOUR, ".fr-label")


def test_others_get_greys(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content(card.html(SHOWN, now=T))
    shown = page.locator(".flyte-run")
    assert shown.evaluate(_COLOUR, "") != shown.evaluate(_COLOUR, ".fr-label")


def test_what_is_searched_for_is_opened(chromium: Browser, tmp_path: Path) -> None:
    """By a link to a text, which finds it as the search of the browser does: that one cannot be driven."""
    saved = tmp_path / "card.html"
    saved.write_text(f"<!doctype html><meta charset=utf-8>{card.html(SHOWN, now=T)}")
    page = chromium.new_page()
    page.goto(saved.as_uri())
    hidden = page.get_by_text("KeyError: 'alpha'").first
    assert not hidden.is_visible()
    page.goto("about:blank")
    page.goto(f"{saved.as_uri()}#:~:text=KeyError%3A%20%27alpha%27")
    hidden.wait_for(state="visible", timeout=10_000)


def test_the_style_of_a_result_stays_in_its_box(chromium: Browser) -> None:
    rich = "<style>body{display:none} b,.fr-title{color:rgb(1, 2, 3)}</style><b>7</b>"
    page = chromium.new_page()
    page.set_content(card.html(view(result={"text": "7", "html": rich}), now=T))
    shown = page.locator(".flyte-run")
    assert shown.is_visible()
    assert "rgb(1, 2, 3)" == shown.evaluate(_COLOUR, ".fr-rich b")
    assert "rgb(1, 2, 3)" != shown.evaluate(_COLOUR, ".fr-title")
    assert "rgb(1, 2, 3)" != shown.evaluate(_COLOUR, ".fr-phases b")
