"""Attempts as tabs."""

from __future__ import annotations

import html5lib

from flyte_jupyter.notebook.cards import card
from tests.unit.notebook.views import FAILURE, STARTED, T, action, log, view

HISTORY = [*STARTED, ("queued", 0.6, 1), ("running", 1.6, 1), ("failed", 2.0, 1)]
OTHER = {**FAILURE, "code": "KeyError", "message": "'alpha'"}
ROOT = action("a0", None, "failed", HISTORY, title="train", failures={"0": OTHER, "1": FAILURE})
LINES = log("first \x1b[31mred\x1b[0m")["lines"] + log("second", attempt=1)["lines"]
SHOWN = view(phase="failed", actions=[ROOT], logs={"a0": {"printed": 2, "lines": LINES}})


def tabs() -> list[tuple[bool, str, str]]:
    """(whether it is open, its title, what is in it)."""
    tree = html5lib.parseFragment(card.html(SHOWN, now=T + 5), namespaceHTMLElements=False)
    (found,) = (each for each in tree.iter("div") if each.get("class") == "fr-tabs")
    return [(tab.get("open") is not None, "".join(tab[0].itertext()), "".join(tab[1].itertext())) for tab in found]


def test_each_has_a_tab_and_the_last_one_is_open() -> None:
    titles = [(is_open, " ".join(title.split())) for is_open, title, _ in tabs()]
    assert [
        (False, "Attempt 1 ✗ failed KeyError 0.60 s"),
        (True, "Attempt 2 ✗ failed ZeroDivisionError 0.40 s"),
    ] == titles


def test_a_tab_has_the_times_the_failure_and_the_log_of_its_attempt() -> None:
    (_, _, first), (_, _, second) = tabs()
    assert ("queued 0.01 s" in first, "retry wait" in first) == (True, False)
    assert ("KeyError: 'alpha'" in first, "first red" in first, "second" in first) == (True, True, False)
    assert ("retry wait 1.0 s" in second, "second" in second, "first" in second) == (True, True, False)


def test_the_last_failure_is_told_once() -> None:
    assert 1 == card.html(SHOWN, now=T + 5).count("division by zero</div>")


def test_an_attempt_that_printed_nothing_says_so() -> None:
    silent = {**SHOWN, "logs": {"a0": {"printed": 1, "lines": LINES[1:]}}}
    assert 1 == card.html(silent, now=T + 5).count("It printed nothing.")
