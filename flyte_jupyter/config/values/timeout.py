"""Timeout: how long a task may wait and run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from ..accept import optional
from ..field import edited
from ..refusal import nearest_number, raise_all, wrong_value
from .duration import is_duration, seconds
from .value import Value

Seconds: TypeAlias = "int | float | timedelta"

_BOUND = edited("duration", unit="seconds", least=0, is_whole=False, examples=(60, timedelta(hours=1)))


@dataclass(frozen=True, repr=False)
class Timeout(Value):
    """Bounds in seconds (or timedelta); None and 0 are no bound.

    Attributes:
        max_runtime: of the running phase of one attempt.
        max_queued_time: of the time that one attempt waits before it runs.
        deadline: from first queued to the end, all attempts taken together; what it ends is not retried.

    Raises:
        ConfigValueError: a bound is negative, or not a number of seconds or a timedelta.
    """

    max_runtime: Seconds | None = field(default=None, metadata=_BOUND)
    max_queued_time: Seconds | None = field(default=None, metadata=_BOUND)
    deadline: Seconds | None = field(default=None, metadata=_BOUND)

    def __post_init__(self) -> None:
        names = ("max_runtime", "max_queued_time", "deadline")
        raise_all(self._canonical(**{name: optional(_seconds(name)) for name in names}))

    @classmethod
    def of(cls, value: Any) -> Timeout:
        """A Timeout, or a bound of the run time alone; 0 lifts it. Raises ConfigValueError."""
        if isinstance(value, cls):
            return value
        if not is_duration(value):
            allowed = "seconds or a timedelta, 0 or more, or Timeout(max_runtime, max_queued_time, deadline)"
            raise wrong_value("timeout", value, allowed, _nearest(value))
        return cls(max_runtime=value) if value else cls()

    @property
    def max_runtime_seconds(self) -> float | None:
        """Seconds that one attempt may run; None for no bound."""
        return _bound(self.max_runtime)

    @property
    def max_queued_seconds(self) -> float | None:
        """Seconds that one attempt may wait; None for no bound."""
        return _bound(self.max_queued_time)

    @property
    def deadline_seconds(self) -> float | None:
        """Seconds that all attempts may take together; None for no bound."""
        return _bound(self.deadline)


TimeoutType: TypeAlias = "Timeout | int | float | timedelta"
"""What the parameter `timeout` takes."""


def _seconds(name: str) -> Callable[[Any], Seconds]:
    def accept(value: Any) -> Seconds:
        if not is_duration(value):
            raise wrong_value(f"Timeout.{name}", value, "seconds or a timedelta, 0 or more", _nearest(value))
        return value  # type: ignore[no-any-return]  # it is one of these

    return accept


def _nearest(value: Any) -> str:
    return nearest_number(value.total_seconds() if isinstance(value, timedelta) else value, 0, is_whole=False)


def _bound(value: Seconds | None) -> float | None:
    return seconds(value) if value else None
