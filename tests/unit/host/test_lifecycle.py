"""Every rule about attempts, one line each."""

from __future__ import annotations

import signal
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.config.values.duration import seconds
from flyte_jupyter.config.values.retry import Backoff
from flyte_jupyter.errors import CODED
from flyte_jupyter.host.lifecycle import (
    ABORTED,
    LOST,
    LOST_WITH_HOST,
    MAX_LOST,
    Attempts,
    Exit,
    Finish,
    Repeat,
    aborted,
    advance,
    time_limit,
    unexplained,
)
from flyte_jupyter.pods import Failure, Phase, PodRequest, Requirements

FAILED = Failure(code="ValueError", kind="user", message="text")
FINAL = Failure(code="NonRecoverableError", kind="user", message="text", recoverable=False)
CANCELLED = aborted("Enough.")
RAN_TOO_LONG = Failure(code="MaxRuntimeExceededError", kind="user", message="late")
ALL_TOO_LONG = Failure(code="DeadlineExceededError", kind="user", message="late", recoverable=False)


def pod(**settings: Any) -> PodRequest:
    base = {"run": "r1", "action": "a0", "task": "env.work", "title": "work", "store": "file:///s", "python": "python"}
    return PodRequest(**{**base, **settings})  # type: ignore[arg-type]


def standing(**settings: Any) -> Attempts:
    return Attempts(**{"accepted_at": 100.0, "queued_at": 200.0, **settings})


def again(failure: Failure, *, charged: bool = True, delay: float = 0.0) -> Repeat:
    return Repeat(delay, charged=charged, failure=failure)


# name: (retries, failed before, lost before, failure, stopped, what follows)
RULES: dict[str, tuple[int, int, int, Failure | None, Failure | None, Finish | Repeat]] = {
    "success": (0, 0, 0, None, None, Finish(Phase.SUCCEEDED, None)),
    "success of the last attempt": (3, 3, 3, None, None, Finish(Phase.SUCCEEDED, None)),
    "failed without retries": (0, 0, 0, FAILED, None, Finish(Phase.FAILED, FAILED)),
    "failed with a retry left": (1, 0, 0, FAILED, None, again(FAILED)),
    "failed with the last retry used": (1, 1, 0, FAILED, None, Finish(Phase.FAILED, FAILED)),
    "failed, the others were lost": (1, 0, 3, FAILED, None, again(FAILED)),
    "failed for good": (5, 0, 0, FINAL, None, Finish(Phase.FAILED, FINAL)),
    "lost without retries": (0, 0, 0, LOST_WITH_HOST, None, again(LOST_WITH_HOST, charged=False)),
    "lost, one left": (0, 0, 2, LOST_WITH_HOST, None, again(LOST_WITH_HOST, delay=2.0, charged=False)),
    "lost too often": (0, 0, 3, LOST_WITH_HOST, None, Finish(Phase.FAILED, LOST_WITH_HOST)),
    "lost too often, retries do not help": (9, 0, 3, LOST_WITH_HOST, None, Finish(Phase.FAILED, LOST_WITH_HOST)),
    "lost after all retries": (1, 1, 0, LOST_WITH_HOST, None, again(LOST_WITH_HOST, charged=False)),
    "cancelled": (0, 0, 0, FAILED, CANCELLED, Finish(Phase.ABORTED, CANCELLED)),
    "cancelled with retries left": (5, 0, 0, FAILED, CANCELLED, Finish(Phase.ABORTED, CANCELLED)),
    "cancelled, and it succeeded anyway": (0, 0, 0, None, CANCELLED, Finish(Phase.ABORTED, CANCELLED)),
    "cancelled and lost": (0, 0, 0, LOST_WITH_HOST, CANCELLED, Finish(Phase.ABORTED, CANCELLED)),
    "ran too long": (0, 0, 0, LOST_WITH_HOST, RAN_TOO_LONG, Finish(Phase.TIMED_OUT, RAN_TOO_LONG)),
    "ran too long, with a retry left": (1, 0, 0, None, RAN_TOO_LONG, again(RAN_TOO_LONG)),
    "ran too long in the last attempt": (1, 1, 0, FAILED, RAN_TOO_LONG, Finish(Phase.TIMED_OUT, RAN_TOO_LONG)),
    "over the deadline": (5, 0, 0, FAILED, ALL_TOO_LONG, Finish(Phase.TIMED_OUT, ALL_TOO_LONG)),
}


@pytest.mark.parametrize("rule", RULES)
def test_what_follows_on_the_end_of_an_attempt(rule: str) -> None:
    retries, failed, lost, failure, stopped, expected = RULES[rule]
    attempts = standing(number=failed + lost, failed=failed, lost=lost)
    assert expected == advance(attempts, pod(retries=retries), failure, stopped)


@pytest.mark.parametrize(
    ("retries", "ends", "expected"),
    [
        (0, [FAILED], "F"),
        (2, [FAILED] * 3, "rrF"),
        (2, [FAILED, None], "rS"),
        (0, [LOST_WITH_HOST] * 4, "lllF"),
        (1, [LOST_WITH_HOST, FAILED, LOST_WITH_HOST, LOST_WITH_HOST, FAILED], "lrllF"),
        (0, [LOST_WITH_HOST] * MAX_LOST + [None], "lllS"),
    ],
)
def test_a_whole_action(retries: int, ends: list[Failure | None], expected: str) -> None:
    attempts, story = standing(), ""
    for end in ends:
        step = advance(attempts, pod(retries=retries), end, None)
        if isinstance(step, Finish):
            story += step.phase.name[0]
        else:
            story += "r" if step.charged else "l"
            attempts = attempts.next(300.0, charged=step.charged)
    assert (expected, len(ends) - 1) == (story, attempts.number)


def test_the_standing_at_the_next_attempt() -> None:
    first = standing(started_at=250.0)
    assert standing(queued_at=300.0, number=1, failed=1) == first.next(300.0, charged=True)
    assert standing(queued_at=300.0, number=1, lost=1) == first.next(300.0, charged=False)


# --- back-off ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backoff", "delays"),
    [
        (None, [0.0, 0.0, 0.0]),
        ((2.0, 1.0, 1e9), [2.0, 2.0, 2.0]),
        ((1.0, 2.0, 1e9), [1.0, 2.0, 4.0, 8.0]),
        ((1.0, 2.0, 5.0), [1.0, 2.0, 4.0, 5.0, 5.0]),
        ((0.0, 2.0, 5.0), [0.0, 0.0]),
        ((7.0, 2.0, 5.0), [5.0]),
    ],
)
def test_the_wait_before_a_retry(backoff: Any, delays: list[float]) -> None:
    request = pod(retries=100, backoff=backoff)
    steps = [advance(standing(failed=n), request, FAILED, None) for n in range(len(delays))]
    assert [again(FAILED, delay=delay) for delay in delays] == steps


def test_only_charged_attempts_count_for_the_wait() -> None:
    request = pod(retries=9, backoff=(1.0, 2.0, 100.0))
    assert again(FAILED, delay=4.0) == advance(standing(number=5, failed=2, lost=3), request, FAILED, None)


def test_a_lost_attempt_is_repeated_at_once() -> None:
    request = pod(retries=9, backoff=(60.0, 2.0, 600.0))
    assert again(LOST_WITH_HOST, charged=False) == advance(standing(), request, LOST_WITH_HOST, None)


def test_a_wait_too_long_to_count_is_the_cap() -> None:
    request = pod(retries=10_000, backoff=(1.0, 10.0, 60.0))
    assert again(FAILED, delay=60.0) == advance(standing(failed=5000), request, FAILED, None)


@given(st.floats(0, 1000), st.floats(1, 10), st.floats(0, 10_000), st.integers(0, 400))
def test_the_wait_is_that_of_the_configuration(base: float, factor: float, cap: float, n: int) -> None:
    backoff = Backoff(base=timedelta(seconds=base), factor=factor, cap=timedelta(seconds=cap))
    asked = (seconds(backoff.base), backoff.factor, seconds(backoff.cap) if backoff.cap is not None else 0.0)
    step = advance(standing(failed=n), pod(retries=1000, backoff=asked), FAILED, None)
    assert isinstance(step, Repeat)
    assert backoff.compute_delay(n).total_seconds() == pytest.approx(step.delay, abs=2e-6)


# --- time limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "started_at", "expected"),
    [
        ({}, 250.0, None),
        ({"max_runtime": 10.0}, None, None),
        ({"max_runtime": 10.0}, 250.0, (260.0, "MaxRuntimeExceededError", True)),
        ({"max_queued_time": 10.0}, None, (210.0, "MaxQueuedTimeExceededError", True)),
        ({"max_queued_time": 10.0}, 250.0, None),
        ({"deadline": 10.0}, None, (110.0, "DeadlineExceededError", False)),
        ({"deadline": 200.0, "max_runtime": 10.0}, 250.0, (260.0, "MaxRuntimeExceededError", True)),
        ({"deadline": 155.0, "max_runtime": 10.0}, 250.0, (255.0, "DeadlineExceededError", False)),
        ({"deadline": 200.0, "max_queued_time": 10.0}, None, (210.0, "MaxQueuedTimeExceededError", True)),
    ],
)
def test_when_an_attempt_has_to_be_stopped(limits: dict[str, float], started_at: float | None, expected: Any) -> None:
    found = time_limit(standing(started_at=started_at), pod(**limits))
    told = None if found is None else (found[0], found[1].code, found[1].recoverable)
    assert expected == told


def test_building_an_image_is_no_queue() -> None:
    building = replace(standing(), queued_at=None)
    limit = time_limit(building, pod(max_queued_time=10.0, deadline=20.0))
    assert limit is not None
    assert (120.0, "DeadlineExceededError") == (limit[0], limit[1].code)
    assert time_limit(building, pod(max_queued_time=10.0)) is None


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"max_runtime": 1.5}, "work ran longer than its timeout allows: max_runtime is 1.5 s."),
        ({"deadline": 60.0}, "work took longer, all attempts together, than its timeout allows: deadline is 60 s."),
    ],
)
def test_a_time_limit_says_which(limits: dict[str, float], expected: str) -> None:
    found = time_limit(standing(started_at=250.0), pod(**limits))
    assert found is not None
    assert (expected, "user") == (found[1].message, found[1].kind)


def test_every_stop_has_an_error_of_its_own() -> None:
    codes = {
        limit[1].code
        for started in (None, 1.0)
        for name in ("max_runtime", "max_queued_time", "deadline")
        if (limit := time_limit(standing(started_at=started), pod(**{name: 1.0}))) is not None
    }
    assert {"MaxRuntimeExceededError", "MaxQueuedTimeExceededError", "DeadlineExceededError"} == codes
    assert codes | {ABORTED} <= set(CODED)


def test_a_cancelled_action_says_why() -> None:
    assert ("Enough.", "user", False) == (CANCELLED.message, CANCELLED.kind, CANCELLED.recoverable)
    assert "The run was cancelled." == aborted("").message


# --- how a process ended ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exit", "settings", "code", "message"),
    [
        (Exit(code=0), {}, "WorkerCrashedError", "work ended its process with exit code 0 before it returned"),
        (Exit(code=3, peak_memory=2**20), {}, "WorkerCrashedError", "exit code 3 .*it had used 1 MiB"),
        (Exit(signal=signal.SIGSEGV), {}, "WorkerCrashedError", "work was killed by SIGSEGV .a crash in compiled code"),
        (Exit(signal=signal.SIGABRT), {}, "WorkerCrashedError", "SIGABRT .a crash in compiled code"),
        (Exit(signal=signal.SIGTERM), {}, "WorkerCrashedError", r"work was killed by SIGTERM\.$"),
        (Exit(signal=61), {}, "WorkerCrashedError", r"work was killed by signal 61\.$"),
        (Exit(signal=signal.SIGKILL), {}, "OOMError", "killed by SIGKILL, as the system does when memory runs out"),
        (
            Exit(signal=signal.SIGKILL, peak_memory=3 * 2**30, memory_ran_out=True),
            {"resources": Requirements(memory=2**31)},
            "OOMError",
            r"killed by SIGKILL, as the system does .* it had used 3.00 GiB of 2.00 GiB\.\nGive it more: work.override",
        ),
        (
            Exit(signal=signal.SIGKILL, peak_memory=2**31, memory_ran_out=True, at_limit=True),
            {"resources": Requirements(memory=2**30, memory_limit=2**31)},
            "OOMError",
            r"all its processes together needed more memory than its limit of 2.00 GiB; it had used 2.00 GiB\.\n",
        ),
        (
            Exit(signal=signal.SIGKILL, memory_ran_out=False),
            {},
            "TaskInterruptedError",
            "killed by SIGKILL from outside, not for its memory",
        ),
    ],
)
def test_an_attempt_without_an_outcome(exit: Exit, settings: dict[str, Any], code: str, message: str) -> None:
    failure = unexplained(exit, pod(**settings))
    assert (code, "user", True) == (failure.code, failure.kind, failure.recoverable)
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(failure.message)
    assert code in CODED


def test_an_attempt_lost_with_what_started_it() -> None:
    assert (LOST, "system") == (unexplained(Exit(), pod()).code, unexplained(Exit(), pod()).kind)
