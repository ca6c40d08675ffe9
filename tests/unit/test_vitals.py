"""What attempts show of themselves: the fold, and its bounds."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from flyte_jupyter.vitals import MOST_SAMPLES, Sample, Vitals, VitalsEvent, as_bytes, from_bytes

WHO: dict[str, Any] = {"run": "r1", "action": "a0", "attempt": 1}


def sampled(number: int) -> Vitals:
    vitals = Vitals()
    for n in range(number):
        vitals.apply(VitalsEvent(**WHO, samples=(Sample(100.0 + n, n % 2, 10.0 * n),)))
    return vitals


def test_the_last_word_counts_and_what_is_not_said_stays() -> None:
    vitals = Vitals()
    assert not vitals
    vitals.apply(VitalsEvent(**WHO, bars=({"done": 1},)))
    vitals.apply(VitalsEvent(**WHO, report={"tabs": ["main"], "size": 10}))
    vitals.apply(VitalsEvent(**WHO, bars=({"done": 2},)))
    assert {"bars": [{"done": 2}], "report": {"tabs": ["main"], "size": 10}, "samples": []} == vitals.to_json()


@pytest.mark.parametrize("number", [1, 60, 61, 62, 119, 121, 1000, 3601])
def test_however_long_it_runs_the_samples_are_few_and_even(number: int) -> None:
    vitals = sampled(number)
    assert min(number, MOST_SAMPLES // 2) <= len(vitals.samples) <= MOST_SAMPLES
    assert (100.0 + number - 1, 10.0 * (number - 1)) == (vitals.samples[-1].at, vitals.samples[-1].memory)
    ends = [each.at for each in vitals.samples]
    assert {float(vitals.every)} >= {b - a for a, b in itertools.pairwise(ends[:-1])}
    if number > MOST_SAMPLES:
        assert all(0.5 == each.cores for each in vitals.samples[:-1])


def test_who_comes_later_has_the_same_and_nothing_counts_twice() -> None:
    vitals = sampled(200)
    late = Vitals()
    told = vitals.event("r1", "a0", 1)
    for event in (told, told, VitalsEvent(**WHO, samples=(Sample(150.0, 9.0, 9.0),))):
        late.apply(event)
    assert vitals.to_json() == late.to_json()
    new = VitalsEvent(**WHO, samples=(Sample(1000.0, 1.0, 1.0),))
    assert new.is_only_samples
    late.apply(new)
    assert 1000.0 == late.samples[-1].at


@pytest.mark.parametrize(
    "event",
    [
        VitalsEvent(**WHO),
        sampled(100).event("r1", "a0", 1),
        VitalsEvent(run="r1", action="a0", attempt=0, bars=({"done": 1},), report={"tabs": [], "size": 0}),
    ],
)
def test_it_travels(event: VitalsEvent) -> None:
    assert event == from_bytes(as_bytes(event))
