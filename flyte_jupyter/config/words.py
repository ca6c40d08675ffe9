"""Configuration in words: "every day at 06:00 (Europe/Berlin)".  Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .values.cron import FIELDS
from .values.trigger import Cron, FixedRate, OnArtifact

if TYPE_CHECKING:
    from .values.trigger import Automation

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def together(parts: Sequence[str]) -> str:
    """ "a, b and c"; "" of nothing."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def in_words(automation: Automation | None) -> str:
    """When it fires; the expression itself where words would be longer."""
    if isinstance(automation, Cron):
        said, has_clock = _cron(automation.expression.split())
        return f"{said} ({automation.timezone})" if has_clock else said
    if isinstance(automation, FixedRate):
        every = _every(automation.interval_minutes, "minute")
        start = automation.start_time
        return f"{every} from {start.isoformat(' ', 'minutes')}" if start is not None else every
    if isinstance(automation, OnArtifact):
        return f"when the artifact {automation.name} appears"
    return "on demand"


def _cron(fields: list[str]) -> tuple[str, bool]:
    """The words, and whether they depend on the time zone."""
    minute, hour, day, month, weekday = ("*" if field == "?" else field for field in fields)
    every_day = day == month == weekday == "*"
    if hour == "*" and every_day:
        step = re.fullmatch(r"\*(?:/(\d+))?", minute)
        if step and 60 % int(step[1] or 1) == 0:
            return _every(int(step[1] or 1), "minute"), False
        if minute.isdecimal():
            return ("every hour" if minute == "0" else f"every hour at minute {minute}"), minute != "0"
    hours = hour.split(",")
    if minute.isdecimal() and month == "*" and all(part.isdecimal() for part in hours):
        at = together([f"{int(part):02}:{int(minute):02}" for part in hours])
        if every_day:
            return f"every day at {at}", True
        if day == "*" and (days := _weekdays(weekday)):
            return f"every {days} at {at}", True
        if weekday == "*" and day.isdecimal():
            return f"on day {int(day)} of every month at {at}", True
    return f"cron {' '.join(fields)}", True


def _every(number: int, unit: str) -> str:
    return f"every {unit}" if number == 1 else f"every {number} {unit}s"


def _weekdays(field: str) -> str:
    """ "Monday to Friday", "Monday and Thursday"; "" for what has steps."""
    names = []
    for item in field.split(","):
        ends = [_weekday(end) for end in item.split("-")]
        if None in ends or len(ends) > 2:
            return ""
        names.append(" to ".join(_DAYS[end] for end in ends if end is not None))
    return together(names)


def _weekday(text: str) -> int | None:
    if text.upper() in FIELDS[-1].words:
        return FIELDS[-1].words.index(text.upper())
    return int(text) if text.isdecimal() else None
