"""HTML of results: what it may bring along."""

from __future__ import annotations

import pytest

from flyte_jupyter.notebook.cards.foreign import contained


def kept(markup: str) -> str | None:
    return contained(markup, limit=10_000)


def test_a_style_sheet_holds_for_its_own_element_alone() -> None:
    assert "<style>@scope{#T_1 td{color:red}}</style><b>7</b>" == kept("<style>#T_1 td{color:red}</style><b>7</b>")


@pytest.mark.parametrize(
    "sheet",
    [
        "} body{display:none",
        "a{} } body{display:none} {",
        'a{content:"{"} } body{display:none}',
        "a{content:'{'} } body{display:none}",
        "/* { } body{display:none}",
        "a{b:url(#{)} } body{display:none}",
        "a{",
        "a{background:url(https://example.org/x.png)}",
        "a{background:u\\72l(https://example.org/x.png)}",
        "a{background:image-set('https://example.org/x.png' 1x)}",
        "@import 'https://example.org/x.css';",
        "<img src=x onerror=alert(1)>",
    ],
)
def test_a_style_sheet_that_would_reach_further_is_left_out(sheet: str) -> None:
    assert "<style></style><b>7</b>" == kept(f"<style>{sheet}</style><b>7</b>")
    assert "<svg><style></style></svg>" == kept(f"<svg><style>{sheet}</style></svg>")


@pytest.mark.parametrize("sheet", ["a{content:'x'}", "/* it's } */ a{b:c}", '@media print{a{font-family:"Fira Code"}}'])
def test_an_ordinary_one_is_kept(sheet: str) -> None:
    assert f"<style>@scope{{{sheet}}}</style><b>7</b>" == kept(f"<style>{sheet}</style><b>7</b>")


@pytest.mark.parametrize(
    "markup",
    [
        "<svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a></svg>",
        "<svg><a><set attributeName=href to=javascript:alert(1) /><text>x</text></a></svg>",
        "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    ],
)
def test_a_link_of_a_drawing_leads_nowhere(markup: str) -> None:
    assert "<svg><a><text>x</text></a></svg>" == kept(markup)


@pytest.mark.parametrize("markup", ["", " <div id=chart></div>\n<script>draw()</script>", "<style>a{b:c}</style>"])
def test_what_shows_nothing_without_its_scripts_is_not_shown(markup: str) -> None:
    assert kept(markup) is None


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<img src=https://example.org/x.png alt='a <map>'>", "a &lt;map&gt;"),
        ("<img src=x.png onerror=alert(1)>", "(a picture from elsewhere)"),
        ("<img src='data:image/png;base64,AAAA'>", '<img src="data:image/png;base64,AAAA" alt="">'),
    ],
)
def test_a_picture_from_elsewhere_is_what_it_is_called(markup: str, expected: str) -> None:
    assert expected == kept(markup)


def test_a_picture_is_something() -> None:
    picture = '<img alt="x" src="data:image/png;base64,AAAA">'
    assert picture == kept(picture)
