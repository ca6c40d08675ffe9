"""Durations as users write them: seconds, a timedelta, or text such as "90s" and "1h30m"."""

from __future__ import annotations

import math
import re
from datetime import timedelta

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|d|h|m|s)")


def seconds(value: float | timedelta) -> float:
    """The number of seconds of a number or timedelta."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def to_timedelta(value: int | timedelta) -> timedelta | None:
    """The timedelta of seconds; None when there is none so long."""
    try:
        return value if isinstance(value, timedelta) else timedelta(seconds=value)
    except OverflowError:
        return None


def is_duration(value: object) -> bool:
    """Whether `value` is a finite number (not a bool) or a timedelta, and not negative."""
    if isinstance(value, timedelta):
        return value >= timedelta()
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def parse_duration(text: str) -> int | float | timedelta | None:
    """A bare number is seconds and stays a number; "1h30m" is a timedelta; None when it is neither."""
    text = text.strip()
    if re.fullmatch(r"\d+", text):
        return int(text)
    if re.fullmatch(r"\d*\.\d+(e[+-]?\d+)?|\d+\.?\d*e[+-]?\d+", text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    total = timedelta()
    for number, unit in parts:
        total += (
            timedelta(microseconds=int(number)) if unit == "us" else timedelta(seconds=float(number) * _UNITS[unit])
        )
    return total


def rough_duration(seconds: float) -> str:
    """A number of seconds as people say it, in its largest unit: "3 h"."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def format_duration(value: float | timedelta) -> str:
    """Text that `parse_duration` turns back into `value`."""
    if not isinstance(value, timedelta):
        return str(value)
    whole = value.days * 86400 + value.seconds
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    if value.microseconds:
        parts.append(f"{value.microseconds}us")
    return "".join(parts) or "0s"
