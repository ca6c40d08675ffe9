"""Where the actions of a run stand: the fold over events, and what is shown of it."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flyte_jupyter.engine.action import LOG_TAIL, SHOWN_ACTIONS, Action, RunState
from flyte_jupyter.pods import Failure, LogEvent, Phase, PodEvent

FAILED = Failure(code="ValueError", kind="user", message="text")
OTHER = Failure(code="KeyError", kind="user", message="other")
times = itertools.count(1000)


def event(phase: Phase, action: str = "a0", attempt: int = 0, **more: Any) -> PodEvent:
    parent = None if action == "a0" else "a0"
    given = {"run": "r1", "task": f"env.{action[0]}", "title": action[0], "at": float(next(times)), "parent": parent}
    return PodEvent(action=action, phase=phase, attempt=attempt, **{**given, **more})  # type: ignore[arg-type]


def log(start: int, *texts: str, action: str = "a0", attempt: int = 0) -> LogEvent:
    lines = tuple((1.0, "stdout", text) for text in texts)
    return LogEvent(run="r1", action=action, attempt=attempt, start=start, lines=lines)


def folded(*events: PodEvent | LogEvent) -> RunState:
    state = RunState("r1")
    for each in events:
        state.apply(each)
    return state


def root(*events: PodEvent | LogEvent) -> Action:
    action = folded(*events).get("a0")
    assert action is not None
    return action


def tail(action: Action) -> list[str]:
    return [text for _, _, _, text in action.tail]


SUCCESS = [event(phase) for phase in (Phase.QUEUED, Phase.INITIALIZING, Phase.RUNNING, Phase.SUCCEEDED)]


# --- phases -----------------------------------------------------------------------------------------------------------


def test_nothing_yet() -> None:
    state = RunState("r1")
    assert (Phase.QUEUED, 0, {}) == (state.phase, state.version, dict(state.counts()))
    assert "<RunState r1 [no actions]>" == repr(state)


def test_one_action() -> None:
    for n in range(1, len(SUCCESS) + 1):
        state = folded(*SUCCESS[:n])
        assert (SUCCESS[n - 1].phase, n) == (state.phase, state.version)
    action = root(*SUCCESS)
    assert [(e.phase, e.at, 0, "") for e in SUCCESS] == action.history
    assert None is action.failure


def test_a_snapshot_that_is_told_again_changes_nothing() -> None:
    for n in range(len(SUCCESS) + 1):
        again = folded(*SUCCESS[:n], *SUCCESS)
        assert folded(*SUCCESS).view() == again.view()
    running = folded(*SUCCESS[:3], *SUCCESS[:2])
    assert Phase.RUNNING == running.phase


@pytest.mark.parametrize("end", [Phase.SUCCEEDED, Phase.FAILED, Phase.ABORTED, Phase.TIMED_OUT])
@pytest.mark.parametrize("late", list(Phase))
def test_an_end_is_never_left(end: Phase, late: Phase) -> None:
    ended = event(end, peak_memory=5)
    state = folded(*SUCCESS[:3], ended, event(late, attempt=7, failure=FAILED, retry_in=3.0, peak_memory=9))
    assert folded(*SUCCESS[:3], ended).view() == state.view()
    assert end == state.phase


def test_an_action_may_be_known_by_its_end_alone() -> None:
    assert Phase.FAILED == root(event(Phase.FAILED, failure=FAILED)).phase


def test_lines_may_come_after_the_end() -> None:
    assert ["last words"] == tail(root(*SUCCESS, log(0, "last words")))


# --- attempts ---------------------------------------------------------------------------------------------------------


def test_failures_of_attempts_are_kept() -> None:
    story = [
        event(Phase.RUNNING),
        event(Phase.QUEUED, attempt=1, failure=FAILED, retry_in=2.5, peak_memory=30),
        event(Phase.RUNNING, attempt=1),
        event(Phase.FAILED, attempt=1, failure=OTHER, peak_memory=20),
    ]
    waiting = root(*story[:2])
    assert (Phase.QUEUED, 1, 2.5, FAILED) == (waiting.phase, waiting.attempt, waiting.retry_in, waiting.failure)
    running = root(*story[:3])
    assert (None, {0: FAILED}) == (running.retry_in, running.failures)
    failed = root(*story)
    assert ({0: FAILED, 1: OTHER}, OTHER, 30) == (failed.failures, failed.failure, failed.peak_memory)


def test_a_success_after_failures_has_no_failure() -> None:
    action = root(event(Phase.QUEUED, attempt=1, failure=FAILED), event(Phase.SUCCEEDED, attempt=1))
    assert (None, {0: FAILED}) == (action.failure, action.failures)


# --- logs -------------------------------------------------------------------------------------------------------------


def test_lines_are_taken_once() -> None:
    told = [log(0, "a", "b"), log(2, "c"), log(3, "d", "e")]
    for first, second in itertools.product(range(4), repeat=2):
        again = root(SUCCESS[0], *told[:first], *told[:second], *told)
        assert ["a", "b", "c", "d", "e"] == tail(again)
        assert {0: 5} == again.printed


def test_lines_that_overlap_are_cut() -> None:
    assert ["a", "b", "c", "d"] == tail(root(SUCCESS[0], log(0, "a", "b", "c"), log(1, "b", "c", "d")))


def test_a_watch_that_begins_late_counts_what_it_missed() -> None:
    action = root(SUCCESS[0], log(1000, "late"))
    assert (["late"], {0: 1001}) == (tail(action), action.printed)


def test_attempts_have_lines_of_their_own() -> None:
    action = root(SUCCESS[0], log(0, "a"), log(0, "b", attempt=1), log(0, "a"))
    assert [(0, "a"), (1, "b")] == [(attempt, text) for attempt, _, _, text in action.tail]
    assert {0: 1, 1: 1} == action.printed


def test_the_tail_is_bounded() -> None:
    action = root(SUCCESS[0], *(log(n, f"line {n}") for n in range(LOG_TAIL + 50)))
    assert [f"line {n}" for n in range(50, LOG_TAIL + 50)] == tail(action)
    assert {0: LOG_TAIL + 50} == action.printed


def test_lines_of_an_unknown_action_are_left_out() -> None:
    assert None is folded(log(0, "a", action="unknown")).get("unknown")


# --- several actions --------------------------------------------------------------------------------------------------


def test_actions_are_counted_without_the_first() -> None:
    state = folded(*SUCCESS[:3], event(Phase.RUNNING, "b1"), event(Phase.FAILED, "b2"), event(Phase.RUNNING, "c1"))
    assert {"running": 2, "failed": 1} == dict(state.counts())
    assert "<RunState r1 [1 failed, 2 running]>" == repr(state)
    view = state.view()
    assert {"b": {"running": 1, "failed": 1}, "c": {"running": 1}} == view["tasks"]
    assert (4, ["a0", "b1", "b2", "c1"]) == (view["total"], [action["name"] for action in view["actions"]])


def test_the_view_is_json() -> None:
    state = folded(
        *SUCCESS[:3], log(0, "a"), event(Phase.QUEUED, attempt=1, failure=FAILED), event(Phase.RUNNING, "b1")
    )
    view = state.view()
    assert json.loads(json.dumps(view)) == json.loads(json.dumps(state.view()))
    assert ("r1", "a0", "queued") == (view["run"], view["root"], view["phase"])
    assert {"a0": {"printed": 1, "lines": [[0, 1.0, "stdout", "a"]]}, "b1": {"printed": 0, "lines": []}} == view["logs"]
    assert {"0": FAILED.to_json()} == view["actions"][0]["failures"]


def test_a_view_lists_all_up_to_a_bound() -> None:
    state = folded(SUCCESS[0], *(event(Phase.SUCCEEDED, f"b{n}") for n in range(SHOWN_ACTIONS)))
    assert SHOWN_ACTIONS + 1 == len(state.view()["actions"])


def test_a_view_of_5000_actions_is_small_and_shows_what_matters() -> None:
    phases = (
        [Phase.SUCCEEDED] * 4990 + [Phase.FAILED] * 3 + [Phase.TIMED_OUT] * 2 + [Phase.ABORTED, *[Phase.RUNNING] * 4]
    )
    random.Random(1).shuffle(phases)
    state = folded(SUCCESS[0], *(event(phase, f"b{n}") for n, phase in enumerate(phases)))
    for n in range(5000):
        state.apply(log(0, "x" * 100, action=f"b{n}"))
    view = state.view()
    assert (5001, {"b": 4990}) == (view["total"], {"b": view["tasks"]["b"]["succeeded"]})
    assert 11 == len(view["actions"]) == len(view["logs"])
    phase, *others = [action["phase"] for action in view["actions"]]
    assert ("queued", {"failed": 3, "timed_out": 2, "aborted": 1, "running": 4}) == (phase, dict(Counter(others)))
    assert len(json.dumps(view)) < 20_000


def test_events_may_come_from_any_thread() -> None:
    state = RunState("r1")
    ready = threading.Barrier(4)
    stories = [[event(phase, f"{'bcde'[me]}{n}") for n in range(200) for phase in Phase] for me in range(4)]

    def go(me: int) -> None:
        ready.wait(10)
        for each in stories[me]:
            state.apply(each)
            if each.phase is Phase.RUNNING:
                state.counts()
        state.view()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, range(4)))
    assert ({"succeeded": 800}, 4 * 200 * len(Phase)) == (dict(state.counts()), state.version)


def test_why_it_waits_is_told_until_it_goes_on() -> None:
    building = event(Phase.INITIALIZING, step="image", reason="pip install pandas")
    action = root(event(Phase.QUEUED), building)
    assert (Phase.INITIALIZING, building.at, 0, "image") == action.history[-1]
    assert "pip install pandas" == action.to_json()["reason"]
    assert "" == root(event(Phase.QUEUED), building, event(Phase.RUNNING)).reason
    assert building == PodEvent.from_json(json.loads(json.dumps(building.to_json())))


def test_lines_of_the_many_that_succeeded_are_not_kept() -> None:
    state = folded(SUCCESS[0], log(0, "root"), *(event(Phase.RUNNING, f"b{n}") for n in range(SHOWN_ACTIONS + 1)))
    for n in range(3):
        state.apply(log(0, "a line", action=f"b{n}"))
    state.apply(event(Phase.SUCCEEDED, "b0"))
    state.apply(event(Phase.FAILED, "b1", failure=FAILED))
    state.apply(log(1, "too late", action="b0"))
    found = [state.get(name) for name in ("a0", "b0", "b1", "b2")]
    assert [["root"], [], ["a line"], ["a line"]] == [tail(each) for each in found if each is not None]
    assert [1, 2, 1, 1] == [sum(each.printed.values()) for each in found if each is not None]


def test_a_view_has_fewer_lines_of_each_when_there_are_many() -> None:
    state = folded(SUCCESS[0], *(event(Phase.RUNNING, f"b{n}") for n in range(40)))
    for name in ("a0", *(f"b{n}" for n in range(40))):
        state.apply(log(0, *map(str, range(LOG_TAIL)), action=name))
    lines = {name: of["lines"] for name, of in state.view()["logs"].items()}
    assert (LOG_TAIL, 9, "199") == (len(lines["a0"]), len(lines["b0"]), lines["b0"][-1][3])


def test_counts_follow_whatever_is_told() -> None:
    rng = random.Random(2)
    names = [f"{letter}{n}" for letter in "bcd" for n in range(30)]
    state = RunState("r1")
    for _ in range(2000):
        state.apply(event(rng.choice(list(Phase)), rng.choice(names), is_cached=rng.random() < 0.2))
        view = state.view()
        told = [action for name in names if (action := state.get(name)) is not None]
        expected: dict[str, Counter[str]] = {}
        for action in told:
            expected.setdefault(action.title, Counter())[action.phase.value] += 1
        assert expected == view["tasks"]
        assert Counter(action.phase.value for action in told) == state.counts()
        assert sum(action.is_cached for action in told) == view["cached"]


def test_what_has_no_end_yet_is_below_the_last_lines_until_it_has_one() -> None:
    state = RunState("r1", task="env.work", title="work")
    state.apply(
        PodEvent(run="r1", action="a0", parent=None, task="env.work", title="work", phase=Phase.RUNNING, at=1.0)
    )

    def lines() -> list[str]:
        return [text for *_, text in state.view()["logs"]["a0"]["lines"]]

    state.apply(LogEvent(run="r1", action="a0", attempt=0, start=0, lines=((1.0, "stdout", "one"),)))
    state.apply(LogEvent(run="r1", action="a0", attempt=0, start=1, lines=(), unfinished={"stderr": "10%\n20%"}))
    assert ["one", "10%", "20%"] == lines()
    state.apply(LogEvent(run="r1", action="a0", attempt=0, start=1, lines=((2.0, "stderr", "100%"),)))
    assert ["one", "100%"] == lines()
    assert 2 == state.view()["logs"]["a0"]["printed"]


def test_of_what_has_not_changed_a_view_has_the_same_objects() -> None:
    state = folded(*(event(Phase.RUNNING, name) for name in ("a0", "b", "c")))
    for name in ("a0", "b", "c"):
        state.apply(log(0, "begun", action=name))
    before = state.view()
    state.apply(event(Phase.SUCCEEDED, "b"))
    state.apply(log(1, "more", action="c"))
    after = state.view()
    assert [True, False, True] == [of is was for of, was in zip(after["actions"], before["actions"], strict=True)]
    assert [True, True, False] == [after["logs"][name] is before["logs"][name] for name in ("a0", "b", "c")]
    assert "succeeded" == after["actions"][1]["phase"]
    assert ["begun", "more"] == [line[3] for line in after["logs"]["c"]["lines"]]


def test_what_is_not_stored_yet_of_a_log_is_told() -> None:
    state = folded(log(0, "a", "b", "c"), log(0, "x", attempt=1))
    assert (["b", "c"], ["x"]) == tuple(
        [text for *_, text in state.lines("a0", n, after)] for n, after in ((0, 1), (1, 0))
    )
    assert [] == state.lines("a0", 0, 3) == state.lines("a0", 2, 0) == state.lines("a7", 0, 0)
    many = folded(*(log(i, str(i)) for i in range(LOG_TAIL + 5)))
    assert [] == many.lines("a0", 0, 4)  # the fifth is not known any more
    assert LOG_TAIL == len(many.lines("a0", 0, 5))
