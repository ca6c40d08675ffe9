"""Every rule about when a trigger fires, pure: no clock, no file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ...config.values.schedule import next_after, upcoming

if TYPE_CHECKING:
    from ...config.values.trigger import Automation

LATE = 90.0
"""Seconds after its time at which a trigger is still fired: a busy machine, a short sleep. Later, it was missed."""
MOST = 1000
"""Missed times are counted up to here: all those of a minutely trigger in a year off would take long to find."""
_SET_BACK = 24 * 3600.0
"""A clock that is back by this much has been wrong before, and counts from now on."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a trigger is; all times in seconds since the epoch.

    Attributes:
        activated: when it was made active; None while it is not.
        until: its times up to here were fired or missed.
        missed: how many were missed since it was activated; since: the first of them.
        fired: the last time that was fired; run: the run of it.
        problem: why the last firing came to nothing, "" when it did not.
    """

    activated: float | None = None
    until: float = 0.0
    missed: int = 0
    since: float | None = None
    fired: float | None = None
    run: str = ""
    problem: str = ""

    def activate(self, now: float) -> Standing:
        """Active from now on; one that is active stays as it is."""
        return self if self.activated is not None else replace(self, activated=now, until=now, missed=0, since=None)

    def deactivate(self) -> Standing:
        return replace(self, activated=None)

    def has_fired(self, at: float, run: str) -> Standing:
        """A run was started for the time `at`."""
        return replace(self, until=max(self.until, at), fired=at, run=run, problem="")

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Standing:
        return cls(**data)


def look(automation: Automation | None, standing: Standing, now: float) -> tuple[float | None, Standing]:
    """The time that is to be fired now, if any, and the standing after that.

    Of several times that have passed the last is fired when it is not too late; the others were missed, and are counted
    and not made up.  No time is fired twice, whatever the clock does.
    """
    if standing.activated is None:
        return None, standing
    until = now if now < standing.until - _SET_BACK else standing.until
    began = _moment(standing.activated)
    fresh = max(until, now - LATE)
    missed = list(itertools.islice(_between(automation, until, fresh, began), MOST))
    recent = list(_between(automation, fresh, now, began))
    due = recent.pop() if recent else None
    missed += recent
    if missed:
        since = standing.since if standing.since is not None else missed[0]
        standing = replace(standing, missed=min(MOST, standing.missed + len(missed)), since=since)
    return due, replace(standing, until=max(until, now))


def next_time(automation: Automation | None, standing: Standing, now: float) -> float | None:
    """When it fires next; None when no clock fires it, it is not active, or never again."""
    if standing.activated is None:
        return None
    found = next_after(automation, _moment(max(now, standing.until)), _moment(standing.activated))
    return found.timestamp() if found is not None else None


def _between(automation: Automation | None, after: float, to: float, began: datetime) -> Iterator[float]:
    """The times after the one and not after the other."""
    times = itertools.takewhile(lambda moment: moment <= _moment(to), upcoming(automation, _moment(after), began))
    return (moment.timestamp() for moment in times)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, timezone.utc)
