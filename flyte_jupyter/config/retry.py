"""RetryStrategy and Backoff: how often a failed task is tried again, and how long to wait."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from .field import edited
from .refusal import wrong_type, wrong_value
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
        bounds: dict[str, Any] = {"base": self.base, "cap": self.cap}
        for name, value in bounds.items():
            if value is None and name == "cap":
                continue
            if not isinstance(value, timedelta):
                hint = f"try {name}=timedelta(seconds={value})" if isinstance(value, (int, float)) else ""
                raise wrong_type(f"Backoff.{name}", value, "a timedelta", hint)
            if value < timedelta():
                raise wrong_value(f"Backoff.{name}", value, "0 or more")
        factor: Any = self.factor
        if isinstance(factor, bool) or not isinstance(factor, (int, float)):
            raise wrong_type("Backoff.factor", self.factor, "a number of 1 or more")
        if not math.isfinite(self.factor) or self.factor < 1:
            raise wrong_value("Backoff.factor", self.factor, "a finite number of 1 or more")
        if self.factor > 1 and self.cap is None:
            raise wrong_value(
                "Backoff.cap", None, "a timedelta, because factor is above 1", "try cap=timedelta(minutes=5)"
            )

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
            delay = self.cap if self.cap is not None else timedelta.max
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
        count: Any = self.count
        if not isinstance(count, int) or count < 0:
            raise _wrong(count)
        object.__setattr__(self, "count", int(self.count))  # True is 1
        backoff: Any = self.backoff
        if backoff is not None and not isinstance(backoff, Backoff):
            raise wrong_type("RetryStrategy.backoff", backoff, "Backoff(base, factor=1.0, cap=None)")

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


def _wrong(value: Any) -> Exception:
    return wrong_value(
        "retries must be an int or RetryStrategy", value, "an int of 0 or more, or RetryStrategy(count, backoff=None)"
    )
