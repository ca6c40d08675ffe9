"""How far a task is: its bars, and that of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...markup import Html, el, join
from . import timeline
from .parts import Action, View, root_of


def progress(view: View, now: float) -> Html | None:
    """How many of its parts are done, at what pace, and when it will be over if that goes on."""
    shown = [_line(bar, words) for bar, words in _told(view, now)]
    return el("div", *shown, cls="fr-sec fr-small") if shown else None


def progress_text(view: View, now: float) -> str:
    """The same in words, a bar on each line; "" for what does not tell, and for what has succeeded."""
    return "\n".join(_named(bar, words) for bar, words in _told(view, now))


def bars_of(action: Action, now: float) -> Html | None:
    """Those of an action that was called."""
    shown = [_line(bar, words) for bar, words in _of(action, now)]
    return join(*shown) if shown else None


def _told(view: View, now: float) -> Iterator[tuple[Mapping[str, Any], str]]:
    if view["progress"] and view["phase"] not in timeline.TERMINAL:
        yield view["progress"], pace(view["progress"], now)
    yield from _of(root_of(view), now)


def _of(action: Action, now: float) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The bars of its last attempt; of one that failed only those that did not come to their end."""
    is_over = action["phase"] in timeline.TERMINAL
    for bar in action.get("vitals", {}).get(str(action["attempt"]), {}).get("bars", ()):
        if not is_over:
            yield bar, pace(bar, now)
        elif action["phase"] != "succeeded" and not bar["is_over"]:
            yield bar, f"stopped at {_count(bar)}"


def pace(bar: Mapping[str, Any], now: float) -> str:
    """How far it is, how fast, and how long it will take if that goes on."""
    done, total, began = bar["done"], bar["total"], bar["began"]
    words = [_count(bar)]
    passed = (bar["at"] if bar.get("is_over") else now) - began if began is not None else 0.0
    is_going_on = not bar.get("is_over") and (total is None or done < total)
    if done > 0 and passed > 0 and is_going_on:
        rate = done / passed
        words.append(f"{rate:,.3g} per second" if rate >= 1 else f"{timeline.seconds(1 / rate)} each")
        if total is not None:
            words.append(f"about {timeline.seconds((total - done) / rate)} left")
    elif bar.get("is_over"):
        words.append(f"in {timeline.seconds(passed)}")
    return " · ".join(words)


def _count(bar: Mapping[str, Any]) -> str:
    of = f" of {_number(bar['total'])}" if bar["total"] is not None else ""
    return f"{_number(bar['done'])}{of} {bar['unit']}"


def _number(value: float) -> str:
    return f"{round(value):,}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"


def _named(bar: Mapping[str, Any], words: str) -> str:
    return f"{bar['description']}: {words}" if bar.get("description") else words


def _line(bar: Mapping[str, Any], words: str) -> Html:
    label = el("span", bar["description"], cls="fr-label") if bar.get("description") else None
    drawn = None
    if bar["total"]:
        done = min(bar["done"], bar["total"])
        drawn = el("progress", value=done, max=bar["total"], aria_label=_named(bar, words), cls="fr-progress")
    return el("div", label, " ", drawn, " ", words, cls="fr-line")
