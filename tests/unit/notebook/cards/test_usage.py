"""What attempts use, as samples and in words."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.notebook.cards import card
from flyte_jupyter.notebook.cards.sparkline import sparkline
from tests.unit.notebook.cards.test_card import Page
from tests.unit.notebook.views import STARTED, SUCCEEDED, T, action, log, view

MIB = 1 << 20
SAMPLES = [[T + i, cores, (100 + 10 * i) * MIB] for i, cores in enumerate((0.5, 1.5, 1.0))]


def ended(**more: Any) -> dict[str, Any]:
    return view(actions=[action("a0", None, "succeeded", SUCCEEDED, peak_memory=120 * MIB)], **more)


def sampled(phase: str = "succeeded", **more: Any) -> dict[str, Any]:
    history = SUCCEEDED if phase == "succeeded" else STARTED
    root = action("a0", None, phase, history, vitals={"0": {"samples": SAMPLES}})
    return view(phase=phase, actions=[root], **more)


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
    shown = sampled(asked={"cpu": 2.0, "memory": 240 * MIB})
    assert "CPU  1 cores on average, 1.5 at most of 2 asked for" in text(shown)
    assert "Memory  110 MiB on average, 120 MiB at most of 240 MiB asked for (50 %)" in text(shown)
    assert "CPU  1 cores now, 1 on average, 1.5 at most" in text(sampled("running"))
    found = [(tag, attributes) for tag, attributes in Page(card.html(shown, now=T)).seen if tag in ("polyline", "line")]
    assert [("line", "1"), ("polyline", "0,18 80,6 160,12")] == [(t, a.get("y1") or a["points"]) for t, a in found[:2]]


def test_next_to_nothing_does_not_look_like_much() -> None:
    root = action("a0", None, "succeeded", SUCCEEDED, vitals={"0": {"samples": [[T, 0.01, MIB], [T + 1, 0.0, MIB]]}})
    points = [a["points"] for tag, a in Page(card.html(view(actions=[root]), now=T)).seen if tag == "polyline"]
    assert "0,23 160,23" == points[0]


def test_each_attempt_has_its_own() -> None:
    history = [*STARTED, ("queued", 4.0, 1), ("running", 4.1, 1), ("succeeded", 9.0, 1)]
    failures = {"0": {"code": "E", "kind": "user", "message": "no", "traceback": ""}}
    vitals = {"0": {"samples": [[T, 0.25, MIB]]}, "1": {"samples": SAMPLES}}
    root = action("a0", None, "succeeded", history, failures=failures, vitals=vitals)
    told = text(view(actions=[root]))
    assert told.index("CPU  1 cores on average") < told.index("Attempts: 2") < told.index("CPU  0.25 cores on average")


def test_what_a_task_used_that_was_called_is_in_words() -> None:
    called = action("a1", "a0", "succeeded", SUCCEEDED, vitals={"0": {"samples": SAMPLES}})
    actions = [action("a0", None, "succeeded", SUCCEEDED, title="train"), called]
    page = card.html(view(actions=actions, total=2, logs={"a1": log("x")}), now=T)
    assert "CPU 1 cores on average · memory 120 MiB at most" in Page(page).text
    assert "<svg" not in page


def test_the_data_of_a_card_has_a_text_for_each_sample() -> None:
    kept = card.bundle(sampled(), now=T)[card.MIME]["actions"][0]["vitals"]["0"]
    assert [f"{T} 0.5 {100 * MIB}.0", f"{T + 1} 1.5 {110 * MIB}.0"] == kept["samples"][:2]
    assert {"cores": 1.0, "most_cores": 1.5, "memory": 110.0 * MIB, "most_memory": 120.0 * MIB} == kept["used"]


@pytest.mark.parametrize("used", [[0.0, 0.0], [1e9, 5.0, 0.0], [1.0] * 60])
def test_a_line_stays_in_its_box(used: list[float]) -> None:
    points = sparkline(used, None).partition('points="')[2].partition('"')[0]
    ys = [int(point.partition(",")[2]) for point in points.split()]
    assert (len(used), True) == (len(ys), all(0 <= y <= 24 for y in ys))
