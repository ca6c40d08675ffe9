"""A run that has succeeded, but not all of it."""

from __future__ import annotations

from flyte_jupyter.notebook.cards import card, tables
from tests.unit.notebook.views import T, view


def test_what_succeeded_without_some_of_its_items_says_so_with_an_icon_and_a_colour_of_its_own() -> None:
    shown = view(warning="2 of 10 items failed")
    made = card.html(shown, now=T)
    assert 'aria-label="Run of train: succeeded, 2 of 10 items failed"' in made
    assert 'class="flyte-run" data-phase="warned"' in made
    assert '<span class="fr-icon" aria-hidden="true">⚠\ufe0e</span> succeeded, 2 of 10 items failed' in made
    assert "⚠\ufe0e train succeeded in 1.3 s, 2 of 10 items failed [r-1]" == card.line(shown, now=T)
    row = tables.run_row(shown, now=T, rich=False)
    assert "⚠\ufe0e succeeded, 2 of 10 items failed" == row[2]
    assert "2 of 10 items failed" == card.bundle(shown, now=T)[card.MIME]["warning"]
