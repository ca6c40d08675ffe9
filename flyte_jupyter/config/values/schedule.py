"""When a trigger fires: pure.  All times are aware, and those that come out are in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from . import cron
from .trigger import Cron, FixedRate

if TYPE_CHECKING:
    from .trigger import Automation


def next_after(automation: Automation | None, after: datetime, activated_at: datetime) -> datetime | None:
    """The first time after both `after` and `activated_at`; None when no clock fires it, or never again.

    A rate counts from its start, or from when it was activated; so its times do not move when one is missed.
    """
    return next(upcoming(automation, after, activated_at), None)


def upcoming(automation: Automation | None, after: datetime, activated_at: datetime) -> Iterator[datetime]:
    """The times after both `after` and `activated_at`, in order, without end but for that of the calendar."""
    after = max(after, activated_at)
    try:
        if isinstance(automation, Cron):
            yield from cron.times(automation.expression, zone(automation), after)
        elif isinstance(automation, FixedRate):
            yield from _rate(automation, after, activated_at)
    except OverflowError:
        return  # after the year 9999


def zone(automation: Automation | None) -> tzinfo:
    """The time zone that an automation is told in."""
    name = automation.timezone if isinstance(automation, Cron) else "UTC"
    if name == "UTC":
        return timezone.utc
    import zoneinfo

    return zoneinfo.ZoneInfo(name)


def _rate(rate: FixedRate, after: datetime, activated_at: datetime) -> Iterator[datetime]:
    interval = timedelta(minutes=rate.interval_minutes)
    start = rate.start_time or activated_at + interval
    start = start.replace(tzinfo=timezone.utc) if start.tzinfo is None else start.astimezone(timezone.utc)
    moment = start + max(0, (after - start) // interval + 1) * interval
    while True:
        yield moment
        moment += interval
