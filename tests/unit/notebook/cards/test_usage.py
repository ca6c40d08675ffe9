"""How far it is, and what it uses."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.notebook.cards import card
from flyte_jupyter.notebook.cards.usage import sparkline
from tests.unit.notebook.cards.test_card import Page
from tests.unit.notebook.views import STARTED, SUCCEEDED, T, action, view

MIB = 1 << 20


def ended(**more: Any) -> dict[str, Any]:
    return view(actions=[action("a0", None, "succeeded", SUCCEEDED, peak_memory=120 * MIB)], **more)


def running(done: int, total: int = 1000) -> dict[str, Any]:
    root = action("a0", None, "running", STARTED)
    return view(phase="running", actions=[root], progress={"done": done, "total": total, "unit": "items"})


def text(shown: dict[str, Any], now: float = T + 50) -> str:
    return Page(card.html(shown, now=now)).text


def test_the_peak_of_the_memory_against_what_was_asked_for() -> None:
    assert "Memory  120 MiB at most of 512 MiB asked for (23 %)" in text(ended(asked={"memory": 512 * MIB}))
    assert "120 MiB at most of 1 GiB asked for (12 %)" in text(
        ended(asked={"memory": 512 * MIB, "memory_limit": 1024 * MIB})
    )
    assert "Memory  120 MiB at mostIn code" in text(ended())


def test_nothing_is_shown_while_nothing_is_known() -> None:
    assert "Memory" not in text(view(asked={"memory": MIB}))
    assert "CPU" not in text(ended())


def test_samples_are_a_line_below_what_was_asked_for() -> None:
    samples = [[T + i, cores, 100 * MIB] for i, cores in enumerate((0.5, 1.5, 1.0))]
    shown = ended(samples=samples, asked={"cpu": 2.0})
    assert "CPU  1 cores now, 1.5 at most of 2 asked for" in text(shown)
    found = [(tag, attributes) for tag, attributes in Page(card.html(shown, now=T)).seen if tag in ("polyline", "line")]
    assert [("line", "1"), ("polyline", "0,18 80,6 160,12")] == [(t, a.get("y1") or a["points"]) for t, a in found[:2]]


@pytest.mark.parametrize("used", [[0.0, 0.0], [1e9, 5.0, 0.0], [1.0] * 60])
def test_a_line_stays_in_its_box(used: list[float]) -> None:
    points = sparkline(used, None).partition('points="')[2].partition('"')[0]
    ys = [int(point.partition(",")[2]) for point in points.split()]
    assert (len(used), True) == (len(ys), all(0 <= y <= 24 for y in ys))


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


def test_what_is_over_has_no_progress() -> None:
    assert "of 1,000 items" not in text({**running(999), "phase": "failed"})
