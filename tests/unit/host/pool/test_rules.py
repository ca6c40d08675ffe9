"""Which replica takes a call, when there is one more, and when one ends."""

from __future__ import annotations

import pytest

from flyte_jupyter.host.pool.rules import Standing, gives_way, is_over, may_start, next_look, taker, to_end
from flyte_jupyter.pods import Reuse

POLICY = Reuse(environment="e", least=1, most=3, idle_ttl=100.0, scaledown_ttl=10.0)
WIDE = Reuse(environment="e", least=0, most=2, concurrency=2)
BUSY, PARENT = Standing(calls=1), Standing(calls=1, waits=True)


def idle(since: float = 0.0) -> Standing:
    return Standing(idle_since=since)


@pytest.mark.parametrize(
    ("replicas", "chosen"),
    [
        ([], None),
        ([BUSY], None),
        ([BUSY, idle()], 1),
        ([idle(1), idle(5), idle(3)], 1),
        ([Standing(is_warm=False), idle()], 1),
        ([PARENT, BUSY], None),
    ],
    ids=["none", "busy", "idle", "the last that was busy", "a warm one first", "no parent's"],
)
def test_a_call_goes_to(replicas: list[Standing], chosen: int | None) -> None:
    assert chosen == taker(replicas, POLICY)


def test_several_calls_at_a_time_go_to_the_least_busy_one() -> None:
    assert 1 == taker([Standing(calls=2), BUSY], WIDE)
    assert None is taker([Standing(calls=2), Standing(calls=2)], WIDE)
    assert None is taker([Standing(calls=1, waits=True)], WIDE)


def test_there_are_as_many_as_the_policy_says_and_parents_that_wait_do_not_count() -> None:
    assert may_start([BUSY, BUSY], POLICY)
    assert not may_start([BUSY, BUSY, BUSY], POLICY)
    assert may_start([BUSY, BUSY, PARENT, PARENT], POLICY)


def test_what_is_above_the_minimum_ends_after_the_scaledown_ttl_the_longest_idle_first() -> None:
    replicas = [idle(5), idle(0), BUSY]
    assert [] == to_end(replicas, POLICY, now=9.9)
    assert [1] == to_end(replicas, POLICY, now=10.0)
    assert [1, 0] == to_end(replicas, POLICY, now=15.0)
    assert [0] == to_end([idle(0), idle(50)], POLICY, now=60.0)


def test_the_minimum_ends_after_the_idle_ttl() -> None:
    assert [] == to_end([idle(0)], POLICY, now=99.0)
    assert [0] == to_end([idle(0)], POLICY, now=100.0)
    assert [] == to_end([idle(0), BUSY], Reuse(environment="e", least=2, most=2, idle_ttl=30), now=1000.0)


def test_what_parents_had_started_beyond_the_policy_ends_as_soon_as_it_is_idle() -> None:
    assert [1] == to_end([BUSY, idle(7), BUSY, BUSY], POLICY, now=7.0)


def test_a_pool_whose_place_was_taken_ends_as_its_calls_do() -> None:
    assert [1] == to_end([BUSY, idle(7)], POLICY, now=7.0, drains=True)
    assert is_over([], POLICY, now=7.0, used=7.0, drains=True)


def test_a_pool_that_has_lost_its_replicas_is_kept_for_the_idle_ttl() -> None:
    assert not is_over([], POLICY, now=50.0, used=0.0)
    assert is_over([], POLICY, now=100.0, used=0.0)
    assert 60.0 == next_look([], POLICY, now=40.0, used=0.0)


def test_nobody_looks_again_before_something_changes_by_itself() -> None:
    assert None is next_look([BUSY], POLICY, now=0.0, used=0.0)
    assert 100.0 == next_look([idle(0)], POLICY, now=0.0, used=0.0)
    assert 6.0 == next_look([idle(0), BUSY], POLICY, now=4.0, used=0.0)


def test_idle_replicas_give_way_to_what_needs_their_memory_or_gpus() -> None:
    kept = [(5.0, 4, False), (1.0, 4, False), (3.0, 0, False)]
    assert [] == gives_way(kept, used=2, memory=10)
    assert [1] == gives_way(kept, used=3, memory=10)
    assert [1, 0] == gives_way(kept, used=10, memory=10)
    assert [2] == gives_way([(5.0, 4, False), (1.0, 4, False), (3.0, 4, True)], used=2, memory=10)
