"""When a trigger fires, what it misses, and what the clock may do meanwhile."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_jupyter.config.values.schedule import upcoming
from flyte_jupyter.config.values.trigger import Automation, Cron, FixedRate, OnArtifact
from flyte_jupyter.host.trigger.due import LATE, MOST, Standing, look, next_time

HOURLY = Cron("0 * * * *")
MINUTELY = Cron("* * * * *")


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-03-05T{text}+00:00").timestamp()


def since(text: str) -> Standing:
    return Standing().activate(at(text))


def test_it_fires_at_its_time_and_once() -> None:
    due, standing = look(HOURLY, since("10:30"), at("10:59:59"))
    assert (None, at("10:59:59")) == (due, standing.until)
    due, standing = look(HOURLY, standing, at("11:00:00.200"))
    assert at("11:00") == due
    due, standing = look(HOURLY, standing, at("11:00:01"))
    assert (None, 0) == (due, standing.missed)


def test_a_little_late_is_in_time() -> None:
    due, standing = look(HOURLY, since("10:30"), at("11:00") + LATE - 1)
    assert (at("11:00"), 0) == (due, standing.missed)


def test_what_was_slept_through_is_counted_and_not_made_up() -> None:
    due, standing = look(HOURLY, since("10:30"), at("14:20"))
    assert (None, 4, at("11:00")) == (due, standing.missed, standing.since)
    due, standing = look(HOURLY, standing, at("16:00:10"))
    assert (at("16:00"), 5, at("11:00")) == (due, standing.missed, standing.since)


def test_of_several_that_are_late_the_last_is_fired() -> None:
    due, standing = look(MINUTELY, since("10:00"), at("10:05:10"))
    assert (at("10:05"), 4, at("10:01")) == (due, standing.missed, standing.since)


def test_a_year_off_is_counted_up_to_a_bound() -> None:
    before = Standing().activate(at("10:00") - 365 * 24 * 3600)
    due, standing = look(MINUTELY, before, at("10:00:30"))
    assert (at("10:00"), MOST) == (due, standing.missed)
    assert MOST == look(MINUTELY, standing, at("18:00"))[1].missed


def test_a_clock_that_is_set_back_fires_no_time_twice() -> None:
    due, standing = look(HOURLY, since("10:30"), at("12:00:01"))
    assert at("12:00") == due
    for moment in ("11:00:30", "11:59", "12:00:01", "12:30"):
        due, standing = look(HOURLY, standing, at(moment))
        assert due is None
    assert at("13:00") == look(HOURLY, standing, at("13:00"))[0]
    assert 1 == standing.missed  # 11:00


def test_a_clock_that_was_wrong_by_days_counts_from_now_on() -> None:
    _, standing = look(HOURLY, since("10:30"), at("10:30") + 400 * 24 * 3600)
    due, standing = look(HOURLY, standing, at("10:59"))
    assert (None, at("11:00")) == (due, next_time(HOURLY, standing, at("10:59")))
    assert at("11:00") == look(HOURLY, standing, at("11:00:01"))[0]


def test_what_is_not_active_neither_fires_nor_misses() -> None:
    standing = since("10:30").deactivate()
    assert (None, standing) == look(HOURLY, standing, at("14:20"))
    assert next_time(HOURLY, standing, at("14:20")) is None
    due, again = look(HOURLY, standing.activate(at("14:20")), at("14:21"))
    assert (None, 0) == (due, again.missed)


def test_to_activate_what_is_active_changes_nothing() -> None:
    _, standing = look(HOURLY, since("10:30"), at("14:20"))
    assert standing == standing.activate(at("15:00"))


@pytest.mark.parametrize("automation", [OnArtifact("model"), None])
def test_what_no_clock_fires(automation: Automation | None) -> None:
    assert look(automation, since("10:30"), at("14:20"))[0] is None
    assert next_time(automation, since("10:30"), at("14:20")) is None


def test_a_rate_keeps_its_times_whatever_was_missed() -> None:
    rate = FixedRate(30)
    assert at("10:40") == next_time(rate, since("10:10"), at("10:10"))
    due, standing = look(rate, since("10:10"), at("11:30"))
    assert (None, 2) == (due, standing.missed)  # 10:40 and 11:10
    assert at("11:40") == next_time(rate, standing, at("11:30"))


def test_a_rate_with_a_start() -> None:
    rate = FixedRate(30, datetime(2026, 3, 5, 12, 5, tzinfo=timezone.utc))
    assert at("12:05") == next_time(rate, since("10:10"), at("10:10"))
    assert at("12:35") == next_time(rate, since("12:05"), at("12:05"))


def test_a_standing_is_json_and_back() -> None:
    standing = look(HOURLY, since("10:30"), at("14:20"))[1].has_fired(at("14:00"), "r1")
    assert standing == Standing.from_json(standing.to_json())


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([MINUTELY, HOURLY, Cron("*/7 3-20 * * 1-5", "America/Santiago"), FixedRate(13)]),
    st.lists(st.integers(1, 4000), min_size=1, max_size=60),
)
def test_every_time_is_fired_once_or_counted_as_missed(automation: Automation, steps: list[int]) -> None:
    """However the Host sleeps: as many as there were."""
    begin = at("10:00")
    standing, now, fired = Standing().activate(begin), begin, []
    for step in steps:
        now += step
        due, standing = look(automation, standing, now)
        fired += [due] if due is not None else []
    first, last = (datetime.fromtimestamp(moment, timezone.utc) for moment in (begin, now))
    there_were = itertools.takewhile(lambda moment: moment <= last, upcoming(automation, first, first))
    assert min(MOST, len(list(there_were))) == min(MOST, len(fired) + standing.missed)
    assert sorted(set(fired)) == fired
