"""Where the seconds of an action went."""

from __future__ import annotations

from flyte_jupyter.notebook.cards.timeline import segments


def test_steps_of_one_name_are_one_stretch() -> None:
    history = [
        ("initializing", 10.0, 0, "image"),
        ("initializing", 10.5, 0, "image"),
        ("initializing", 12.0, 0, "image"),
        ("queued", 13.0, 0, ""),
        ("running", 14.0, 0, ""),
        ("queued", 15.0, 1, ""),
        ("running", 16.0, 1, ""),
    ]
    assert [
        ("image", 3.0, False),
        ("queued", 1.0, False),
        ("run", 1.0, False),
        ("retry wait", 1.0, False),
        ("run", 4.0, True),
    ] == [(each.name, each.seconds, each.open) for each in segments(history, now=20.0)]
