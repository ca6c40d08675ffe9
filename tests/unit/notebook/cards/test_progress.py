"""How far it is, on the card."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.notebook.cards import card
from tests.unit.notebook.cards.test_card import Page
from tests.unit.notebook.views import STARTED, T, action, view


def running(done: int, total: int = 1000) -> dict[str, Any]:
    root = action("a0", None, "running", STARTED)
    bar = {"done": done, "total": total, "unit": "items", "began": T}
    return view(phase="running", actions=[root], progress=bar)


def bar(done: float, total: float | None = 1000, **more: Any) -> dict[str, Any]:
    said = {"unit": "rows", "description": "", "began": T, "at": T + 10, "is_over": False}
    return {"done": done, "total": total, **said, **more}


def with_bars(*bars: dict[str, Any], phase: str = "running") -> dict[str, Any]:
    ended = [] if phase == "running" else [(phase, 10.0, 0)]
    root = action("a0", None, phase, [*STARTED, *ended], vitals={"0": {"bars": list(bars)}})
    return view(phase=phase, actions=[root])


def text(shown: dict[str, Any], now: float = T + 50) -> str:
    return Page(card.html(shown, now=now)).text


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (0, "0 of 1,000 items"),
        (250, "250 of 1,000 items · 5 per second · about 2 min 30 s left"),
        (10, "10 of 1,000 items · 5.0 s each · about 1 h 22 min left"),
        (1000, "1,000 of 1,000 items"),
    ],
)
def test_how_far_a_map_is(done: int, expected: str) -> None:
    shown = running(done)
    assert expected in text(shown)
    assert f"\n  {expected}\n" in card.text(shown, now=T + 50) + "\n"
    bar = next(attributes for tag, attributes in Page(card.html(shown, now=T + 50)).seen if tag == "progress")
    assert (str(done), "1000", expected) == (bar["value"], bar["max"], bar["aria-label"])


def test_a_map_that_is_over_has_no_progress() -> None:
    assert "of 1,000 items" not in text({**running(999), "phase": "failed"})


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (bar(250), "250 of 1,000 rows · 5 per second · about 2 min 30 s left"),
        (bar(250, None), "250 rows · 5 per second"),
        (bar(1000, is_over=True), "1,000 of 1,000 rows · in 10 s"),
        (bar(3, 10, description="epochs"), "epochs: 3 of 10 rows · 17 s each · about 1 min 57 s left"),
        (bar(0.25, 1.0), "0.25 of 1 rows · 3 min 20 s each · about 2 min 30 s left"),
        (bar(12, 10), "12 of 10 rows"),
        (bar(float("nan"), float("inf")), "0 of 1,000,000,000,000,000 rows"),
    ],
)
def test_the_bars_of_a_task(of: dict[str, Any], expected: str) -> None:
    assert f"\n  {expected}\n" in card.text(with_bars(of), now=T + 50) + "\n"
    page = Page(card.html(with_bars(of), now=T + 50))
    drawn = [attributes["aria-label"] for tag, attributes in page.seen if tag == "progress"]
    assert ([expected] if of["total"] else []) == drawn


def test_a_bar_says_where_a_task_stopped_and_nothing_when_it_has_succeeded() -> None:
    assert "stopped at 250 of 1,000 rows" in text(with_bars(bar(250), phase="failed"))
    assert "rows" not in text(with_bars(bar(1000, is_over=True), phase="failed"))
    assert "rows" not in text(with_bars(bar(250), phase="succeeded"))


def test_the_bars_of_a_task_that_was_called_are_below_it() -> None:
    called = action("a1", "a0", "running", STARTED, title="score", vitals={"0": {"bars": [bar(250)] * 5}})
    shown = view(phase="running", actions=[action("a0", None, "running", STARTED), called], total=2)
    assert 2 == text(shown).count("250 of 1,000 rows")  # of many, two


def test_what_a_bar_is_called_is_text() -> None:
    page = card.html(with_bars(bar(1, description="<b>x</b>", unit="<i>")), now=T)
    assert "<b>x" not in page
    assert "<i>" not in page
