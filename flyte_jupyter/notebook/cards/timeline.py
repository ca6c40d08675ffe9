"""Where the seconds of an action went, read from the `history` of a view: pure functions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ICONS = {
    "queued": "○",
    "waiting_for_resources": "○",
    "initializing": "◐",
    "running": "▶\ufe0e",  # the selector keeps phones and Windows from drawing an emoji
    "succeeded": "✓",
    "failed": "✗",
    "aborted": "■",
    "timed_out": "◷",
    "warned": "⚠\ufe0e",
}
"""A shape for each phase; the word always stands beside it."""

TERMINAL = frozenset({"succeeded", "failed", "aborted", "timed_out"})
BAD = frozenset({"failed", "aborted", "timed_out"})
ORDER = ("succeeded", "running", "initializing", "queued", "waiting_for_resources", "failed", "timed_out", "aborted")

_WORDS = {"waiting_for_resources": "waiting for resources", "timed_out": "timed out", "initializing": "starting"}
_SEGMENTS = {"queued": "queued", "waiting_for_resources": "waiting", "initializing": "start", "running": "run"}


@dataclass(frozen=True)
class Segment:
    """A stretch of time that an action spent in one phase.

    Attributes:
        phase: the phase's value; name: what people read; seconds: how long; attempt: counted from 0; open: still in it.
    """

    phase: str
    name: str
    seconds: float
    attempt: int
    open: bool


WARNED = "warned"
"""Stands for the phase of what has succeeded, but not all of it, wherever its look is chosen."""


def look(view: Mapping[str, Any]) -> str:
    """What a run looks like: as its phase, or `WARNED`."""
    return WARNED if view.get("warning") else str(view["phase"])


def word(phase: str) -> str:
    """The phase as people read it."""
    return _WORDS.get(phase, phase)


def words(view: Mapping[str, Any]) -> str:
    """The phase of a run and, if it is one of many parts of which some failed, how many."""
    return ", ".join(filter(None, (word(view["phase"]), view.get("warning"))))


def icon(phase: str) -> str:
    """The phase's shape."""
    return ICONS.get(phase, "•")


def segments(history: Sequence[Sequence[Any]], now: float) -> list[Segment]:
    """The stretches of a history in order; the last one of an action that has not ended runs until `now`.

    Steps of one name, such as those of an image that is built, are one stretch.
    """
    out: list[Segment] = []
    for i, (phase, at, attempt, *step) in enumerate(history):
        if phase in TERMINAL:
            break
        is_last = i + 1 == len(history)
        end = now if is_last else history[i + 1][1]
        name = "retry wait" if phase == "queued" and attempt > 0 else _SEGMENTS.get(phase, word(phase))
        name = next(filter(None, step), name)
        length = max(0.0, end - at)
        if out and (out[-1].phase, out[-1].name, out[-1].attempt) == (phase, name, attempt):
            length += out.pop().seconds
        out.append(Segment(phase, name, length, attempt, is_last))
    return out


def span(action: Mapping[str, Any], now: float, created: float | None = None) -> float:
    """Seconds from the first to the last thing known about an action, or to `now` while it goes on."""
    history = action.get("history") or []
    begin = min([float(history[0][1])] if history else [now], default=now)
    if created is not None:
        begin = min(begin, created)
    end = float(history[-1][1]) if history and history[-1][0] in TERMINAL else now
    return max(0.0, end - begin)


def seconds(value: float) -> str:
    """A duration in the units a person would use."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def clock(at: float, *, now: float | None = None) -> str:
    """A moment as local time, with the date unless it is the day of `now`."""
    moment = time.localtime(at)
    today = now is not None and time.localtime(now)[:3] == moment[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", moment)
