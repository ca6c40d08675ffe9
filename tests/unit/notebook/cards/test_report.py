"""The report on the card."""

from __future__ import annotations

import html
import random
from typing import Any

from flyte_jupyter.notebook.cards import card
from tests.unit.notebook.cards.test_card import Page
from tests.unit.notebook.views import SUCCEEDED, T, action, view

LINE = "flyte.get_run('r-1').get_report()"


def reported(tabs: dict[str, str] | None, names: tuple[str, ...] = (), size: int = 2000) -> dict[str, Any]:
    return view(report={"attempt": 0, "tabs": list(tabs or names), "size": size, "html": tabs})


def frames(shown: dict[str, Any]) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in Page(card.html(shown, now=T)).seen if tag == "iframe"]


def test_it_is_in_a_frame_without_scripts() -> None:
    (frame,) = frames(reported({"main": "<h1>Hello</h1>", "more": "<p>x</p>"}))
    assert ("", "Report of train") == (frame["sandbox"], frame["title"])
    assert "<h1>Hello</h1>" in (frame["srcdoc"] or "")
    said = Page(card.html(reported({"main": "<h1>Hello</h1>", "more": "<p>x</p>"}), now=T)).text
    assert "Report 2 tabs (main, more), 2 KiB" in said
    assert LINE in said
    assert "report: 2 tabs (main, more), 2 KiB" in card.text(reported({"main": "x", "more": "y"}), now=T)


def test_what_acts_or_loads_is_left_out_and_said() -> None:
    tabs = {"main": "<p onclick='x()'>one<script src='https://example.org/x.js'>alert(1)</script></p>"}
    (frame,) = frames(reported(tabs))
    assert "one" in (frame["srcdoc"] or "")
    page = html.unescape(card.html(reported(tabs), now=T))
    assert [] == [word for word in ("<script", "onclick", "example.org") if word in page]
    assert "what needs scripts or the network is not here" in page


def test_one_that_is_too_large_is_said_with_the_line_that_shows_it() -> None:
    noise = "".join(random.Random(1).choices("abcdef<>&", k=60_000))
    for shown in (reported({"main": f"<pre>{html.escape(noise)}</pre>"}), reported(None, ("main",), 5 << 20)):
        assert [] == frames(shown)
        said = Page(card.html(shown, now=T)).text
        assert "too large for a card" in said
        assert LINE in said
        made = card.bundle(shown, now=T)
        assert card.MOST > card.size(made)
    assert "5.0 MiB" in said


def test_a_bundle_with_a_report_is_as_small_as_any() -> None:
    rich = "<table>" + "<tr><td>1</td></tr>" * 600 + "</table>"
    full = {**reported({"main": rich}), "result": {"text": "x", "html": rich}}
    made = card.bundle(full, now=T)
    assert card.MOST > card.size(made)
    assert made[card.MIME]["report"]["html"] is None


def test_that_of_a_task_that_was_called_is_a_line() -> None:
    vitals = {"0": {"report": {"tabs": ["main"], "size": 100}}}
    actions = [action("a0", None, "succeeded", SUCCEEDED), action("a1", "a0", "succeeded", SUCCEEDED, vitals=vitals)]
    said = Page(card.html(view(actions=actions, total=2), now=T)).text
    assert "report: 1 tab, 1 KiB flyte.get_run('r-1').get_report(action='a1')" in said
