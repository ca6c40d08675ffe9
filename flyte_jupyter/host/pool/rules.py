"""Every rule about pools, pure: which replica takes a call, when there is one more, when one ends.

A replica in which a parent waits for what it has called takes no calls and does not count: what it waits for may need
a replica too, and its event loop may be blocked. So a pool never waits for itself, however small it is; for as long as
parents wait it may have more replicas than its policy says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...pods import Reuse


@dataclass(frozen=True)
class Standing:
    """How a replica stands.

    Attributes:
        calls: that it has; waits: whether one of them waits for what it has called.
        is_warm: whether its process is there.
        idle_since: when it had its last call, in seconds of some clock.
    """

    calls: int = 0
    waits: bool = False
    is_warm: bool = True
    idle_since: float = 0.0


def taker(replicas: Sequence[Standing], policy: Reuse) -> int | None:
    """Which one takes the next call: the least busy, of idle ones the last that was busy, so that others can end."""
    able = [n for n, it in enumerate(replicas) if not it.waits and it.calls < policy.concurrency]
    return min(
        able,
        key=lambda n: (replicas[n].calls, not replicas[n].is_warm, -replicas[n].idle_since),
        default=None,
    )


def may_start(replicas: Sequence[Standing], policy: Reuse) -> bool:
    """Whether there may be one more."""
    return sum(not it.waits for it in replicas) < policy.most


def to_end(replicas: Sequence[Standing], policy: Reuse, now: float, *, drains: bool = False) -> list[int]:
    """Those that end now, the longest idle first.

    Args:
        drains: whether another pool has taken this one's place.
    """
    idle = sorted((n for n, it in enumerate(replicas) if not it.calls), key=lambda n: replicas[n].idle_since)
    if drains or (len(idle) == len(replicas) and _is_over(replicas, policy, now)):
        return idle
    over = sum(not it.waits for it in replicas) - policy.most
    above = [n for n in idle if now - replicas[n].idle_since >= policy.scaledown_ttl]
    return idle[: max(over, min(len(above), len(replicas) - policy.least), 0)]


def _is_over(replicas: Sequence[Standing], policy: Reuse, now: float) -> bool:
    return now - max((it.idle_since for it in replicas), default=now) >= policy.idle_ttl


def is_over(replicas: Sequence[Standing], policy: Reuse, now: float, used: float, *, drains: bool = False) -> bool:
    """Whether nothing is left of a pool that was used then last: one that has lost its replicas is kept as long as if
    it had them.
    """
    return not replicas and (drains or now - used >= policy.idle_ttl)


def next_look(replicas: Sequence[Standing], policy: Reuse, now: float, used: float) -> float | None:
    """Seconds until the rules may say something else by themselves; None for never."""
    times: list[float] = [] if replicas else [used + policy.idle_ttl]
    idle = [it.idle_since for it in replicas if not it.calls]
    if idle and len(replicas) > policy.least:
        times.append(min(idle) + policy.scaledown_ttl)
    if idle and len(idle) == len(replicas):
        times.append(max(idle) + policy.idle_ttl)
    return max(0.0, min(times) - now) if times else None


def gives_way(idle: Sequence[tuple[float, int, bool]], used: int, memory: int) -> list[int]:
    """Which idle replicas end, because others need what they keep.

    Args:
        idle: of each since when, bytes that it may keep, and whether somebody else has got one of its GPUs.
        used: bytes that busy ones have; memory: of the machine.
    """
    gone = [n for n, (_, _, is_taken) in enumerate(idle) if is_taken]
    kept = sum(size for n, (_, size, _) in enumerate(idle) if n not in gone)
    for n, (_, size, _) in sorted(enumerate(idle), key=lambda each: each[1][0]):
        if n not in gone and size and used + kept > memory:
            gone.append(n)
            kept -= size
    return gone
