"""Cron expressions: which are accepted, and when they fire.

What is accepted is what a CronJob of Kubernetes takes, and 7 for Sunday.  `cronsim` finds the times; each expression
is written for it so that it means what it means there.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple

from ..refusal import did_you_mean, raise_all, wrong_value


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    _Field("day of week", 0, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
)
_USUAL = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LONGEST = {month: 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in range(1, 13)}
_ITEM = re.compile(r"(?:[*?]|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?", re.ASCII)


def check(expression: Any) -> None:
    """Refuse what is no cron expression, and one that never fires.

    Raises:
        ConfigValueError: not five fields, items that a field does not have (all in one error), or a day that none of
            the months has.
    """
    _standard(expression)


def times(expression: str, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """When it fires after an aware time, in order, in UTC.

    A time that the clocks of the zone leave out in spring is the end of the gap, and one that they show twice in autumn
    is the first of the two.  Where minute or hour begins with `*`, it fires whenever the clocks show such a time.
    """
    from cronsim import CronSim

    minute, hour = expression.split()[:2]
    moments = _shown if minute[0] in "*?" or hour[0] in "*?" else _once
    here = after.astimezone(zone).replace(tzinfo=None)
    both = _moments(here, zone)
    last = after
    for moment in moments(CronSim(_standard(expression), here - (both[-1] - both[0])), zone):
        if moment > last:
            last = moment
            yield moment


def _shown(walls: Iterator[datetime], zone: tzinfo) -> Iterator[datetime]:
    """Each moment at which clocks show one of these times."""
    again: deque[datetime] = deque()  # those of the second time, when an hour comes twice
    for wall in walls:
        moments = _moments(wall, zone)
        while moments and again and again[0] < moments[0]:
            yield again.popleft()
        yield from moments[:1]
        again.extend(moments[1:])


def _once(walls: Iterator[datetime], zone: tzinfo) -> Iterator[datetime]:
    """The first moment at which clocks show each of these times, or have passed it."""
    for wall in walls:
        while not (moments := _moments(wall, zone)):
            wall += timedelta(minutes=1)  # noqa: PLW2901 - until the gap is over
        yield moments[0]


def _moments(wall: datetime, zone: tzinfo) -> list[datetime]:
    """When the clocks of the zone show a time: twice at the end of summer, never at its start."""
    both = {wall.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)}
    return sorted(moment for moment in both if moment.astimezone(zone).replace(tzinfo=None) == wall)


def _standard(expression: Any) -> str:
    """The expression as cronsim should read it. Raises ConfigValueError."""
    parts = expression.split() if isinstance(expression, str) else []
    if len(parts) != len(FIELDS):
        allowed = 'five fields: minute, hour, day of month, month, day of week, such as "0 6 * * 1-5"'
        usual = _USUAL.get(parts[0].lower()) if parts else None
        raise wrong_value("Cron.expression", expression, allowed, f"write {usual!r}" if usual else "")
    raise_all(
        [
            wrong_value(f"Cron.expression: {field.name}", item, _allowed(field), _nearest(item, field))
            for part, field in zip(parts, FIELDS, strict=True)
            for item in part.split(",")
            if not _numbers(item, field)
        ]
    )
    minutes, hours, days, months, weekdays = (
        {number for item in part.split(",") for number in _numbers(item, field)}
        for part, field in zip(parts, FIELDS, strict=True)
    )
    _, _, day, month, weekday = parts
    is_any_day, is_any_weekday = _is_any(day), _is_any(weekday)
    longest = max(_LONGEST[number] for number in months)
    if min(days) > longest:
        if is_any_weekday:
            allowed = f"1-{longest} with month {month}, else it never fires"
            raise wrong_value("Cron.expression: day of month", day, allowed, f"the nearest is {longest}")
        is_any_day = True  # of two restrictions one is enough, and this one is never met
    return " ".join(
        [
            _listed(minutes),
            _listed(hours),
            "*" if is_any_day else _listed(days),
            _listed(months),
            "*" if is_any_weekday else _listed({number % 7 for number in weekdays}),
        ]
    )


def _is_any(part: str) -> bool:
    """Whether a field of days leaves the choice to the other one."""
    return any(item in ("*", "?", "*/1", "?/1") for item in part.split(","))


def _listed(numbers: set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def _numbers(item: str, field: _Field) -> range:
    """What an item of a list stands for; empty for what is not accepted."""
    match = _ITEM.fullmatch(item)
    if match is None or (match[3] and not int(match[3])):
        return range(0)
    begin, end, step = match.groups()
    first = field.low if begin is None else _number(begin, field)
    if first is None:
        return range(0)
    open_end = max(first, 6 if field is FIELDS[-1] else field.high)  # day 7 is day 0 again
    last = _number(end, field) if end else open_end if step or begin is None else first
    return range(0) if last is None else range(first, last + 1, int(step or 1))


def _number(text: str, field: _Field) -> int | None:
    if text.upper() in field.words:
        return field.words.index(text.upper()) + field.low
    return int(text) if text.isdecimal() and len(text) <= 2 and field.low <= int(text) <= field.high else None


def _allowed(field: _Field) -> str:
    words = f" or {field.words[0]}-{field.words[-1]}" if field.words else ""
    return f"{field.low}-{field.high}{words}, *, ranges a-b, steps /n, lists a,b"


def _nearest(item: str, field: _Field) -> str:
    begin, _, end = item.partition("-")
    if _numbers(begin, field) and _numbers(end, field):
        low, high = (field.words[0], field.words[-1]) if field.words else (field.low, field.high)
        return f"write {begin}-{high},{low}" + f"-{end}" * (end.upper() != str(low))
    if item.isdecimal():
        return f"the nearest is {field.low if int(item[:9]) < field.low else field.high}"
    return did_you_mean(item, field.words)
