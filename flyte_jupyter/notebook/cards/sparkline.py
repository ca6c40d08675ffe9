"""A small line of how something went; the words beside it say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...markup import Html, el, join

_WIDTH, _HEIGHT = 160, 24
"""In its own units."""


def sparkline(used: Sequence[float], asked: float | None, least: float = 1e-9) -> Html:
    """A line of what was used, below one of what was asked for.

    Args:
        least: what the height stands for at least, so that next to nothing does not look like much.
    """
    top = max(*used, asked or 0.0, least)
    xs = [_WIDTH * i / (len(used) - 1) for i in range(len(used))]
    points = " ".join(f"{x:.0f},{_at(value, top)}" for x, value in zip(xs, used, strict=True))
    bound: Any = None
    if asked:
        bound = el("line", x1=0, x2=_WIDTH, y1=_at(asked, top), y2=_at(asked, top), cls="fr-asked")
    line = el("polyline", points=points, cls="fr-used")
    box = f"0 0 {_WIDTH} {_HEIGHT}"
    return el("svg", join(bound, line), viewBox=box, width=_WIDTH, height=_HEIGHT, cls="fr-spark", aria_hidden="true")


def _at(value: float, top: float) -> int:
    return round(_HEIGHT - 1 - (_HEIGHT - 2) * value / top)
