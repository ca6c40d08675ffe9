"""What is said of an action that has not started yet, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ....config.values.quantity import rough_bytes
from ....pods import Failure, Phase
from .. import primary

Object = Mapping[str, Any]

IMAGE, CONTAINER, VOLUMES, QUEUE, QUOTA = "image", "container", "volumes", "queue", "quota"
"""What is waited for, within the phase."""
_BYTES = {"memory": "memory", "ephemeral-storage": "disk"}
"""Of what a node has, with our names for it."""


@dataclass(frozen=True)
class Reason:
    """Why an action has not started yet.

    Attributes:
        phase: where it stands; step: what is waited for, in a word; text: one sentence for people.
        failure: why it never can start as it is, None while it may.
        instead: what it could ask for, fields of `Requirements` with other values: what the button sets. Empty where
            nothing of that kind would help.
    """

    phase: Phase
    step: str
    text: str
    failure: Failure | None = None
    instead: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether waiting does not help."""
        return self.failure is not None


def never(phase: Phase, step: str, text: str, code: str, instead: Mapping[str, Any] | None = None) -> Reason:
    failure = Failure(code=code, kind="user", message=f"It can never start: {text}.", recoverable=False)
    return Reason(phase, step, text, failure, instead or {})


def instead_of(most: Mapping[str, Decimal]) -> dict[str, Any]:
    """In the fields of `Requirements`; nothing where even a little is too much."""
    found: dict[str, Any] = {}
    for name, value in most.items():
        plain = name.removeprefix("limits.").removeprefix("requests.")
        if value <= 0:
            return {}
        if plain == "cpu":
            found["cpu"] = float(value)
        elif plain in _BYTES:
            found[_BYTES[plain]] = int(value) >> 20 << 20  # whole MiB
        elif "/" in plain:
            found["gpu"] = int(value)
    return found


def say(name: str, value: Decimal) -> str:
    """Such as "2 cores", "1.5 GiB of memory", "8 nvidia.com/gpu"."""
    if name == "cpu":
        return f"{number(name, value)} core{'' if value == 1 else 's'}"
    return f"{number(name, value)} of {name}" if name in _BYTES else f"{number(name, value)} {name}"


def number(name: str, value: Decimal) -> str:
    if name in _BYTES:
        return rough_bytes(int(value))
    return f"{value.normalize():f}"


def tail(word: str) -> str:
    return f": {word.strip().rstrip('.')}" if word.strip() else ""


def told_at(event: Object) -> str:
    """When it was told last."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def lasted(event: Object) -> float:
    """Seconds between the first and the last time that it was told."""
    first, last = event.get("firstTimestamp") or event.get("eventTime"), told_at(event)
    return primary.seconds(last) - primary.seconds(first) if first and last else 0.0


def condition_of(pod: Object, type: str) -> Object:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == type), {})
