"""Panel → code → panel with the widgets themselves: what stands in the editors is a line, which brings it back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from flyte_jupyter.notebook.panel.draft import Draft
from flyte_jupyter.notebook.panel.panel import Panel
from tests.unit.notebook.panel.test_draft import FORMS, NAMES, layer, train


def opened() -> tuple[Panel, dict[str, Any]]:
    """A panel that nobody sees, and its rows by name."""
    made = Panel(Draft(train, NAMES), lambda *_: None, lambda _: None)
    return made, {row.name: row for row in made._rows()}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.filterwarnings("ignore:ReusePolicy")
@given(FORMS)
def test_what_stands_in_the_editors_comes_back_from_the_line(form: dict[str, Any]) -> None:
    one, rows = opened()
    for name, raw in form.items():
        rows[name].editor.put(raw)
        rows[name]._typed()
        if one.draft.problem(name) or one.draft.conflict():
            rows[name].reset()
    line = one._line.raw()
    other, again = opened()
    other._line.widget.value = line  # as somebody types it
    assert line == other._line.raw()
    assert one.draft.settings.keys() == other.draft.settings.keys()
    assert other.draft.settings == {name: again[name].editor.raw() for name in other.draft.settings}
    assert repr(layer(one.draft.task())) == repr(layer(other.draft.task()))
    for name in list(other.draft.settings):
        again[name].reset()
    assert "train(rows=..., name=...)" == other._line.raw()
    for panel in (one, other):
        panel.close()


def test_following_the_notebook_sends_nothing_when_nothing_has_changed() -> None:
    sent: list[Any] = []
    made = Panel(Draft(train, NAMES), lambda *message: sent.append(message), lambda _: None)
    made.show()
    before = len(sent)
    rows = {row.name: row for row in made._rows()}
    rows["queue"].editor.widget.value = "quick"
    assert before + 1 == len(sent)
    made.follow()
    assert before + 1 == len(sent)
    made.close()
