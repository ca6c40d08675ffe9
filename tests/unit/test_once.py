"""What is made once of the parts of a view."""

from __future__ import annotations

import weakref
from typing import Any

from flyte_jupyter.engine.action import RunState
from flyte_jupyter.notebook.cards import card
from flyte_jupyter.once import Part, made_once
from flyte_jupyter.pods import LogEvent, Phase, PodEvent
from tests.unit.notebook.views import T, view


def test_the_same_object_is_asked_for_once_and_an_equal_one_again() -> None:
    asked: list[Part] = []

    @made_once
    def make(of: Part, width: int) -> str:
        asked.append(of)
        return f"{of} {width}"

    first, equal = Part({"x": 1}), Part({"x": 1})
    assert ["{'x': 1} 2"] * 4 == [make(of, 2) for of in (first, first, equal, first)]
    assert "{'x': 1} 3" == make(first, 3)
    assert [id(first), id(equal), id(first)] == [id(of) for of in asked]


def test_what_is_made_of_what_was_made_is_kept_too_and_goes_with_the_part() -> None:
    class Told:
        def __init__(self, of: object) -> None:
            self.of = str(of)

    @made_once
    def cut(of: Part) -> dict[str, int]:
        return dict(of)

    @made_once
    def told(of: Part) -> Told:
        return Told(of)

    part = Part({"x": 1})
    assert told(cut(part)) is told(cut(part))
    last = weakref.ref(told(cut(part)))
    assert last() is not None
    del part
    assert last() is None


def test_a_part_keeps_so_much_and_no_more() -> None:
    part = Part({"x": 1})
    double = made_once(lambda of, n: 2 * n)
    assert [2 * n for n in range(1000)] == [double(part, n) for n in range(1000)]
    assert 64 >= len(part.made)


def test_a_card_that_is_drawn_again_and_again_is_the_one_drawn_at_once() -> None:
    """Nothing stale is left of what changed, whatever that is: a phase, a line, how many lines there is room for."""

    def event(name: str, phase: Phase, at: float) -> PodEvent:
        parent = None if name == "a0" else "a0"
        return PodEvent(run="r-1", action=name, parent=parent, task="e.t", title="t", phase=phase, at=T + at)

    def line(name: str, number: int) -> LogEvent:
        lines = ((T, "stdout", f"{name} line {number}"),)
        return LogEvent(run="r-1", action=name, attempt=0, start=number, lines=lines)

    def drawn(state: RunState, at: float) -> dict[str, Any]:
        return card.bundle({**view(phase="running"), **state.view()}, now=T + at)

    events: list[PodEvent | LogEvent] = [event("a0", Phase.RUNNING, 0)]
    for number in range(60):
        name = f"a{number + 1}"
        events += [event(name, Phase.RUNNING, number), line(name, 0), line("a0", number), line(name, 1)]
        events += [event(name, Phase.SUCCEEDED, number + 0.5)] if number % 3 else []
    state = RunState("r-1", task="e.t", title="t")
    for count, each in enumerate(events):
        state.apply(each)
        again = drawn(state, 100 + count)
        if count % 10 == 0:
            anew = RunState("r-1", task="e.t", title="t")
            for before in events[: count + 1]:
                anew.apply(before)
            assert drawn(anew, 100 + count) == again
