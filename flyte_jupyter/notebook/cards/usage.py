"""How far it is, and what it uses of what it asked for.

A later part fills `view["samples"]`, of CPU and memory; until then the peak of memory is known, when an attempt ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...config.values.quantity import rough_bytes
from ...markup import Html, el, join
from . import timeline
from .parts import View, root_of

_WIDTH, _HEIGHT = 160, 24
"""Of a sparkline, in its own units."""


def progress(view: View, now: float) -> Html | None:
    """How many of its parts are done, at what pace, and when it will be over if that goes on."""
    told = progress_text(view, now)
    if not told:
        return None
    done, total = view["progress"]["done"], view["progress"]["total"]
    bar = el("progress", value=done, max=total, aria_label=told, cls="fr-progress")
    return el("div", bar, " ", told, cls="fr-sec fr-small fr-line")


def progress_text(view: View, now: float) -> str:
    """The same in words; "" for what does not tell, and for what is over."""
    found = view["progress"]
    if not found or view["phase"] in timeline.TERMINAL:
        return ""
    done, total = found["done"], found["total"]
    words = [f"{done:,} of {total:,} {found['unit']}"]
    passed = now - view["created"] if view["created"] is not None else 0.0
    if 0 < done < total and passed > 0:
        pace = done / passed
        words.append(f"{pace:.3g} per second" if pace >= 1 else f"{timeline.seconds(1 / pace)} each")
        words.append(f"about {timeline.seconds((total - done) / pace)} left")
    return " · ".join(words)


def usage(view: View, _now: float) -> Html | None:
    """What the first action has used: a line of memory, and sparklines where samples were taken."""
    rows = [told for told in (_cpu(view), _memory(view)) if told is not None]
    return el("div", *rows, cls="fr-sec fr-small") if rows else None


def _cpu(view: View) -> Html | None:
    used = [float(sample[1]) for sample in view["samples"]]
    if not used:
        return None
    asked = view["asked"].get("cpu_limit") or view["asked"].get("cpu")
    of = f" of {asked:g} asked for" if asked else ""
    return _row("CPU", used, asked, f"{used[-1]:.2g} cores now, {max(used):.2g} at most{of}")


def _memory(view: View) -> Html | None:
    used = [float(sample[2]) for sample in view["samples"]]
    peak = max(int(root_of(view).get("peak_memory") or 0), int(max(used, default=0)))
    if not peak:
        return None
    asked = view["asked"].get("memory_limit") or view["asked"].get("memory")
    of = f" of {rough_bytes(asked)} asked for ({100 * peak / asked:.0f} %)" if asked else ""
    return _row("Memory", used, asked, f"{rough_bytes(peak)} at most{of}")


def _row(label: str, used: Sequence[float], asked: float | None, words: str) -> Html:
    drawn = sparkline(used, asked) if len(used) > 1 else None
    return el("div", el("span", label, cls="fr-label"), " ", drawn, " ", words, cls="fr-line")


def sparkline(used: Sequence[float], asked: float | None) -> Html:
    """A line of what was used, below one of what was asked for; the words beside it say the same."""
    top = max(*used, asked or 0.0, 1e-9)
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
