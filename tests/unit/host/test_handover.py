"""What one pod of an action leaves to the next."""

from __future__ import annotations

from dataclasses import replace

from flyte_jupyter.host.handover import Handover
from flyte_jupyter.host.lifecycle import LOST_WITH_POD, Attempts, Finish
from flyte_jupyter.pods import Failure, Phase, PodRequest

REQUEST = PodRequest(run="r1", action="a0", task="t", title="train", store="s", python="p", retries=1)
OOM = Failure(code="OOMError", kind="user", message="too much")
GONE = Failure(code="PodEvicted", kind="system", message="evicted")
LATE = Failure(code="MaxQueuedTimeExceededError", kind="user", message="waited longer")
FIRST = Handover(Attempts(accepted_at=1.0, queued_at=2.0), pod="first")


def after(handover: Handover, failure: Failure, *, is_late: bool = False) -> Handover:
    found = handover.after(REQUEST, failure, 10.0, is_late=is_late)
    assert isinstance(found, Handover)
    return found


def counted(handover: Handover) -> tuple[int, int, int]:
    """Number, failed, lost."""
    return handover.attempts.number, handover.attempts.failed, handover.attempts.lost


def test_what_is_left_is_read_back() -> None:
    for handover in (FIRST, after(FIRST, OOM), replace(FIRST, pod="")):
        assert replace(handover, attempts=replace(handover.attempts, queued_at=9.0)) == Handover.of(
            handover.to_bytes(), 9.0
        )


def test_a_pod_that_nobody_has_seen_end_is_lost_and_charged_to_nobody() -> None:
    coming = FIRST.coming(10.0)
    assert ((1, 0, 1), LOST_WITH_POD, 10.0) == (counted(coming), coming.why, coming.attempts.queued_at)


def test_one_that_was_seen_is_counted_once_and_the_next_pod_knows_why() -> None:
    coming = after(FIRST, GONE).coming(10.0)
    assert ((1, 0, 1), GONE, None) == (counted(coming), coming.why, coming.pod)


def test_memory_that_ran_out_is_a_retry_of_the_user_and_the_last_one_is_the_end() -> None:
    second = after(FIRST, OOM)
    assert ((1, 1, 0), OOM) == (counted(second), second.why)
    assert Finish(Phase.FAILED, OOM) == replace(second, pod="second").after(REQUEST, OOM, 20.0)
    assert (2, 1, 1) == counted(after(replace(second, pod="second"), GONE))


def test_one_that_waits_too_long_waits_again_as_often_as_it_may_be_retried() -> None:
    second = after(Handover(FIRST.attempts), LATE, is_late=True)
    assert (1, 1, 0) == counted(second)
    assert Finish(Phase.TIMED_OUT, LATE) == second.coming(20.0).after(REQUEST, LATE, 20.0, is_late=True)


def test_what_another_attempt_would_not_mend_is_the_end() -> None:
    hopeless = replace(GONE, recoverable=False)
    assert Finish(Phase.FAILED, hopeless) == FIRST.after(REQUEST, hopeless, 10.0)
