"""RetryStrategy and Backoff: how often a failed task is tried again, and how long to wait."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..accept import optional
from ..field import edited
from ..refusal import nearest_number, raise_all, wrong_type, wrong_value
from .value import Value


@dataclass(frozen=True, repr=False)
class Backoff(Value):
    """The wait before a retry: `min(base * factor**n, cap)` before retry `n`, counted from 0.

    Attributes:
        base: the first wait, a timedelta of 0 or more.
        factor: what each wait is multiplied by, 1 or more.
        cap: the longest wait; required when `factor` is above 1.

    Raises:
        ConfigTypeError: `base` or `cap` is not a timedelta. ConfigValueError: a value out of its range.
    """

    base: timedelta = field(metadata=edited("duration", least=0, examples=(timedelta(seconds=1),)))
    factor: float = field(default=1.0, metadata=edited("number", least=1, is_whole=False, examples=(2.0,)))
    cap: timedelta | None = field(default=None, metadata=edited("duration", least=0, examples=(timedelta(minutes=5),)))

    def __post_init__(self) -> None:
        problems = self._canonical(base=_wait("base"), factor=_factor, cap=optional(_wait("cap")))
        if not problems and self.factor > 1 and self.cap is None:
            allowed = "a timedelta, because factor is above 1"
            problems.append(wrong_value("Backoff.cap", None, allowed, "try cap=timedelta(minutes=5)"))
        raise_all(problems)

    def compute_delay(self, attempt: int) -> timedelta:
        """The wait before retry `attempt`, counted from 0; a wait too long to count is the cap.

        Raises:
            ConfigValueError: `attempt` is negative.
        """
        if attempt < 0:
            raise wrong_value("Backoff.compute_delay", attempt, "0 or more")
        try:
            delay = self.base * float(self.factor) ** attempt
        except OverflowError:
            longest = self.cap if self.cap is not None else timedelta.max
            delay = longest if self.base else self.base
        return delay if self.cap is None else min(delay, self.cap)


@dataclass(frozen=True, repr=False)
class RetryStrategy(Value):
    """How often a task is tried again after its own errors.

    Attributes:
        count: retries, 0 or more; there are `count + 1` attempts.
        backoff: the wait between attempts; None is none.

    Raises:
        ConfigValueError: `count` is not an int of 0 or more. ConfigTypeError: `backoff` is not a Backoff.
    """

    count: int = field(metadata=edited("number", least=0, examples=(3,)))
    backoff: Backoff | None = field(default=None, metadata=edited("fields", of=("retry.Backoff",)))

    def __post_init__(self) -> None:
        raise_all(self._canonical(count=_count, backoff=optional(_backoff)))

    @classmethod
    def of(cls, value: Any) -> RetryStrategy:
        """A RetryStrategy, or a number of retries. Raises ConfigValueError."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, int):
            raise _wrong(value)
        return cls(value)

    @property
    def attempts(self) -> int:
        """How often the task runs at most."""
        return self.count + 1


def _wait(name: str) -> Callable[[Any], timedelta]:
    def accept(value: Any) -> timedelta:
        if not isinstance(value, timedelta):
            hint = f"try {name}=timedelta(seconds={value})" if isinstance(value, (int, float)) else ""
            raise wrong_type(f"Backoff.{name}", value, "a timedelta", hint)
        if value < timedelta():
            raise wrong_value(f"Backoff.{name}", value, "0 or more", "the nearest is timedelta(0)")
        return value

    return accept


def _factor(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 1:
        hint = nearest_number(value, 1, is_whole=False)
        raise wrong_value("Backoff.factor", value, "a finite number of 1 or more", hint)
    return value  # type: ignore[no-any-return]  # it is a number


def _backoff(value: Any) -> Backoff:
    if not isinstance(value, Backoff):
        raise wrong_type("RetryStrategy.backoff", value, "Backoff(base, factor=1.0, cap=None)")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise _wrong(value)
    return int(value)  # True is 1


def _wrong(value: Any) -> Exception:
    allowed = "an int of 0 or more, or RetryStrategy(count, backoff=None)"
    return wrong_value("retries must be an int or RetryStrategy", value, allowed, nearest_number(value, 0))
