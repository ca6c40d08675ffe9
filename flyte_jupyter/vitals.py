"""What an attempt shows of itself while it runs: how far it is, what it uses, that its report has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MOST_SAMPLES = 60
"""Of an attempt; when it runs longer than so many seconds, each stands for more of them."""


class Sample(NamedTuple):
    """What the processes of an attempt used together.

    Attributes:
        at: the end of the time that it is of, in seconds since the epoch; cores: on average; memory: bytes at most.
    """

    at: float
    cores: float
    memory: float


@dataclass(frozen=True, kw_only=True)
class VitalsEvent:
    """News of an attempt that runs. What is None has not changed.

    Attributes:
        bars: all its progress bars, as `bars.Progress.to_json` gives them.
        report: {"tabs": their names, "size": in bytes}; what is in it is in the store.
        samples: those that are new; every: seconds that each stands for when they are all so far, else 0.
    """

    run: str
    action: str
    attempt: int
    bars: tuple[Mapping[str, Any], ...] | None = None
    report: Mapping[str, Any] | None = None
    samples: tuple[Sample, ...] = ()
    every: int = 0

    @property
    def is_only_samples(self) -> bool:
        """Whether it says nothing that a card has to be drawn anew for."""
        return self.bars is None and self.report is None

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value not in (None, (), 0) or name == "attempt"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VitalsEvent:
        bars = data.get("bars")
        known = {
            "bars": tuple(bars) if bars is not None else None,
            "samples": tuple(Sample(*sample) for sample in data.get("samples", ())),
        }
        return cls(**{**data, **known})


class Vitals:
    """All that an attempt has shown so far: a fold over its events.

    Attributes:
        bars, report: as last told, None for none; samples: each stands for `every` seconds, but perhaps the last.
    """

    def __init__(self) -> None:
        self.bars: tuple[Mapping[str, Any], ...] | None = None
        self.report: Mapping[str, Any] | None = None
        self.samples: list[Sample] = []
        self.every = 1
        self._in_last = 1

    def __repr__(self) -> str:
        return f"<Vitals [{len(self.bars or ())} bars, {len(self.samples)} samples]>"

    def apply(self, event: VitalsEvent) -> None:
        """Take news in; what was told before changes nothing."""
        self.bars = event.bars if event.bars is not None else self.bars
        self.report = event.report if event.report is not None else self.report
        if event.every:
            self.samples, self.every, self._in_last = list(event.samples), event.every, event.every
            return
        for sample in event.samples:
            if not self.samples or sample.at > self.samples[-1].at:
                self._add(sample)

    def _add(self, sample: Sample) -> None:
        if self.samples and self._in_last < self.every:
            self.samples[-1] = merged(self.samples[-1], self._in_last, sample, 1)
            self._in_last += 1
            return
        self.samples.append(sample)
        self._in_last = 1
        if len(self.samples) > MOST_SAMPLES:
            self._thin()

    def _thin(self) -> None:
        """Two become one; an odd last one waits for another."""
        pairs = zip(self.samples[::2], self.samples[1::2], strict=False)
        last = self.samples[-1:] if len(self.samples) % 2 else []
        self.samples = [*(merged(one, 1, other, 1) for one, other in pairs), *last]
        self._in_last = self._in_last if last else 2 * self.every
        self.every *= 2

    def to_json(self) -> dict[str, Any]:
        """As a card has it."""
        return {"bars": list(self.bars or ()), "report": self.report, "samples": [list(s) for s in self.samples]}

    def event(self, run: str, action: str, attempt: int) -> VitalsEvent:
        """All of it as one event, for who has heard nothing yet."""
        every = self.every if self.samples else 0
        told: dict[str, Any] = {"bars": self.bars, "report": self.report, "samples": tuple(self.samples)}
        return VitalsEvent(run=run, action=action, attempt=attempt, every=every, **told)

    def __bool__(self) -> bool:
        return bool(self.bars or self.report or self.samples)


def merged(one: Sample, weight: int, other: Sample, its_weight: int) -> Sample:
    """Two that follow each other as one: the average of the cores, the most of the memory."""
    cores = (one.cores * weight + other.cores * its_weight) / (weight + its_weight)
    return Sample(other.at, round(cores, 4), max(one.memory, other.memory))


def as_bytes(event: VitalsEvent) -> bytes:
    """What is kept of an attempt that has ended."""
    return json.dumps(event.to_json()).encode()


def from_bytes(data: bytes | memoryview) -> VitalsEvent:
    """The same, read back."""
    return VitalsEvent.from_json(json.loads(bytes(data)))
