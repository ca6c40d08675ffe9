"""ReusePolicy: warm processes that serve many tasks of an environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from ..field import edited
from ..refusal import did_you_mean, nearest_number, raise_all, warn, whole, wrong_type, wrong_value
from .duration import seconds, to_timedelta
from .value import Value

_SHORTEST = timedelta(seconds=30)
_TTL = edited("duration", unit="seconds", least=seconds(_SHORTEST), examples=(60, timedelta(minutes=5)))
_REPLICAS = edited("number", least=0, is_pair=True, examples=(2, (1, 4)))


@dataclass(frozen=True, repr=False)
class ReusePolicy(Value):
    """A pool of warm processes for an environment.

    Attributes:
        replicas: how many, or `(min, max)`; kept as the pair.
        idle_ttl: the pool ends when idle for so long: seconds or a timedelta, at least 30 s; kept as a timedelta.
        concurrency: tasks at a time in one process, 1 or more; above 1 for async tasks only.
        scaledown_ttl: a process above the minimum ends when idle for so long; as `idle_ttl`.
        scope: "global", or "run" for a pool per run.

    Raises:
        ConfigValueError: a value of a wrong type or out of its range.

    Warns:
        one process with `concurrency` 1, which a task that calls tasks of its environment occupies while it waits.
    """

    replicas: int | tuple[int, int] = field(default=(2, 2), metadata=_REPLICAS)
    idle_ttl: int | timedelta = field(default=_SHORTEST, metadata=_TTL)
    concurrency: int = field(default=1, metadata=edited("number", least=1, examples=(4,)))
    scaledown_ttl: int | timedelta = field(default=_SHORTEST, metadata=_TTL)
    scope: Literal["global", "run"] = field(default="global", metadata=edited("choice", choices=("global", "run")))

    def __post_init__(self) -> None:
        raise_all(
            self._canonical(
                replicas=_replicas,
                idle_ttl=lambda value: _ttl("idle_ttl", value),
                concurrency=_concurrency,
                scaledown_ttl=lambda value: _ttl("scaledown_ttl", value),
                scope=_scope,
            )
        )
        if self.max_replicas == 1 and self.concurrency == 1:
            warn(
                "ReusePolicy: with one replica and concurrency=1 a task that calls tasks of its own environment "
                "occupies the only process; this machine starts another one meanwhile, Flyte's platform does not. "
                'Take replicas=2 or more, or reusable="off" for the caller'
            )

    @classmethod
    def of(cls, value: Any) -> ReusePolicy | None:
        """A ReusePolicy; the word "off" (in an override) is None. Raises ConfigTypeError."""
        if isinstance(value, cls):
            return value
        if value == "off":
            return None
        raise wrong_type("reusable", value, 'ReusePolicy(replicas=2, ...), or "off" in an override')

    @property
    def min_replicas(self) -> int:
        """Processes that are kept while the pool lives."""
        return self.replicas[0] if isinstance(self.replicas, tuple) else self.replicas

    @property
    def max_replicas(self) -> int:
        """Processes at most."""
        return self.replicas[1] if isinstance(self.replicas, tuple) else self.replicas

    def get_scaledown_ttl(self) -> timedelta:
        """`scaledown_ttl` as a timedelta."""
        return (
            self.scaledown_ttl if isinstance(self.scaledown_ttl, timedelta) else timedelta(seconds=self.scaledown_ttl)
        )


def _replicas(value: Any) -> tuple[int, int]:
    pair = (value, value) if whole(value, 0) else value
    if isinstance(pair, tuple) and len(pair) == 2 and all(whole(n, 0) for n in pair) and pair[0] <= pair[1]:
        return pair
    hint = nearest_number(value, 0)
    if isinstance(pair, tuple) and len(pair) == 2 and all(whole(n, 0) for n in pair):
        hint = f"try {pair[::-1]}"
    raise wrong_value("ReusePolicy.replicas", value, "an int of 0 or more, or a tuple (min, max)", hint)


def _concurrency(value: Any) -> int:
    if not whole(value, 1):
        raise wrong_value("ReusePolicy.concurrency", value, "an int of 1 or more", nearest_number(value, 1))
    return int(value)


def _scope(value: Any) -> str:
    if value not in ("global", "run"):
        hint = did_you_mean(str(value), ["global", "run"])
        raise wrong_value("ReusePolicy.scope", value, '"global" or "run"', hint)
    return str(value)


def _ttl(name: str, value: Any) -> timedelta:
    ttl = to_timedelta(value) if whole(value, 0) else value
    if not isinstance(ttl, timedelta) or ttl < _SHORTEST:
        hint = nearest_number(seconds(value) if isinstance(value, timedelta) else value, int(seconds(_SHORTEST)))
        raise wrong_value(f"ReusePolicy.{name}", value, "seconds (int) or a timedelta, at least 30 seconds", hint)
    return ttl
