from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_jupyter import Cron, FixedRate, OnArtifact
from flyte_jupyter.config.values import cron
from flyte_jupyter.config.values.schedule import next_after, upcoming
from flyte_jupyter.errors import ConfigValueError

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"]
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def first(expression: str, zone: str, after: str, count: int = 3) -> list[str]:
    """The next times as the clocks in the zone show them, from a wall time there."""
    there = ZoneInfo(zone)
    moment = datetime.fromisoformat(after).replace(tzinfo=there).astimezone(timezone.utc)
    found = itertools.islice(upcoming(Cron(expression, zone), moment, LONG_AGO), count)
    return [f"{moment.astimezone(there):%m-%d %H:%M%z}" for moment in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/20 * * * *", ["03-05 10:20+0000", "03-05 10:40+0000", "03-05 11:00+0000"]),
        ("0 0 * * 0", ["03-10 00:00+0000", "03-17 00:00+0000", "03-24 00:00+0000"]),
        ("0 0 * * 7", ["03-10 00:00+0000", "03-17 00:00+0000", "03-24 00:00+0000"]),
        ("30 6 1 * ?", ["04-01 06:30+0000", "05-01 06:30+0000", "06-01 06:30+0000"]),
        ("0 9 * * fri-sat", ["03-08 09:00+0000", "03-09 09:00+0000", "03-15 09:00+0000"]),
        ("0 0 29 FEB *", ["02-29 00:00+0000", "02-29 00:00+0000", "02-29 00:00+0000"]),
        ("0 0 8 * 5", ["03-08 00:00+0000", "03-15 00:00+0000", "03-22 00:00+0000"]),  # the 8th, and Fridays
        ("0 0 30 2 1", ["02-03 00:00+0000", "02-10 00:00+0000", "02-17 00:00+0000"]),  # Mondays are left
        ("50/5 10 5 3 *", ["03-05 10:50+0000", "03-05 10:55+0000", "03-05 10:50+0000"]),
    ],
)
def test_a_cron_fires_at_its_times(expression: str, expected: list[str]) -> None:
    assert first(expression, "UTC", "2024-03-05T10:00") == expected


def test_a_time_that_spring_leaves_out_is_the_end_of_the_gap() -> None:
    expected = ["03-30 02:30+0100", "03-31 03:00+0200", "04-01 02:30+0200"]
    assert first("30 2 * * *", "Europe/Berlin", "2024-03-29T12:00") == expected


def test_a_time_that_autumn_shows_twice_counts_once() -> None:
    expected = ["10-26 02:30+0200", "10-27 02:30+0200", "10-28 02:30+0100"]
    assert first("30 2 * * *", "Europe/Berlin", "2024-10-25T12:00") == expected


def test_every_hour_is_every_hour_when_the_clocks_change() -> None:
    assert first("0 * * * *", "Europe/Berlin", "2024-03-31T01:30", 2) == ["03-31 03:00+0200", "03-31 04:00+0200"]
    expected = ["10-27 02:00+0200", "10-27 02:00+0100", "10-27 03:00+0100"]
    assert first("0 * * * *", "Europe/Berlin", "2024-10-27T01:30") == expected


def test_nothing_fires_twice_in_the_hour_that_comes_twice() -> None:
    in_the_second = datetime(2024, 10, 27, 2, 15, fold=1, tzinfo=BERLIN)
    found = next_after(Cron("30 2 * * *", "Europe/Berlin"), in_the_second, LONG_AGO)
    assert found == utc("2024-10-28T01:30")


def test_nothing_fires_before_it_is_active_and_at_the_time_itself() -> None:
    active = utc("2024-05-01T12:00")
    assert next_after(Cron("0 * * * *"), LONG_AGO, active) == utc("2024-05-01T13:00")
    assert next_after(FixedRate(10, LONG_AGO), LONG_AGO, active) == utc("2024-05-01T12:10")


def test_a_rate_counts_from_its_activation() -> None:
    active = utc("2024-05-01T12:34:56")
    found = itertools.islice(upcoming(FixedRate(90), active, active), 3)
    assert list(found) == [utc("2024-05-01T14:04:56"), utc("2024-05-01T15:34:56"), utc("2024-05-01T17:04:56")]
    assert next_after(FixedRate(90), utc("2024-05-03T00:00"), active) == utc("2024-05-03T00:34:56")


@pytest.mark.parametrize("start", ["2024-05-01T06:30", "2024-05-01T08:30+02:00"])
def test_a_rate_counts_from_its_start(start: str) -> None:
    rate = FixedRate(24 * 60, datetime.fromisoformat(start))  # without an offset it is UTC
    assert next_after(rate, LONG_AGO, LONG_AGO) == utc("2024-05-01T06:30")
    assert next_after(rate, utc("2024-05-01T06:30"), LONG_AGO) == utc("2024-05-02T06:30")
    assert next_after(rate, utc("2024-06-09T12:00"), utc("2024-06-09T11:00")) == utc("2024-06-10T06:30")


def test_what_no_clock_fires_has_no_time() -> None:
    assert next_after(None, LONG_AGO, LONG_AGO) is None
    assert next_after(OnArtifact("model"), LONG_AGO, LONG_AGO) is None


def test_time_ends_with_the_calendar() -> None:
    late = utc("9999-12-31T23:30")
    assert next_after(Cron("0 0 * * *"), late, LONG_AGO) is None
    assert next_after(Cron("0 0 * * *", "Asia/Tokyo"), late, LONG_AGO) is None
    assert next_after(FixedRate(10**6), late, LONG_AGO) is None
    assert next_after(FixedRate(10**18), LONG_AGO, LONG_AGO) is None


# --- what is accepted, and what it means


def test_what_is_wrong_with_an_expression_is_said_at_once() -> None:
    with pytest.raises(ConfigValueError) as caught:
        Cron("60 22-2 * JANUARY FRI-SUN")
    assert str(caught.value).splitlines()[0] == "4 problems"
    for part in [
        "Cron.expression: minute: '60' is not accepted\n  allowed: 0-59, *, ranges a-b, steps /n, lists a,b",
        "the nearest is 59",
        "hour: '22-2' is not accepted",
        "write 22-23,0-2",
        "month: 'JANUARY' is not accepted\n  allowed: 1-12 or JAN-DEC",
        "write FRI-SAT,SUN",
    ]:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 0 30 2 *", "'30' is not accepted\n  allowed: 1-29 with month 2, else it never fires\n  the nearest is 29"),
        ("0 0 31 4,JUN ?", "allowed: 1-30 with month 4,JUN"),
        ("@daily", "write '0 0 * * *'"),
        ("0 0 L * *", "day of month: 'L'"),
        ("0 0 * * 5#2", "day of week: '5#2'"),
        ("0 0 0 * *", "the nearest is 1"),
        ("* * * * * *", "five fields"),
        ("*/0 * * * *", "minute: '*/0'"),
        ("1,,2 * * * *", "minute: ''"),
        ("٣ * * * *", "minute: '٣'"),
        (f"{'9' * 5000} * * * *", "minute: '9"),
        (f"*/{'9' * 5000} * * * *", "minute: '*/9"),
        ("", "five fields"),
    ],
)
def test_expressions_that_are_refused(expression: str, said: str) -> None:
    with pytest.raises(ConfigValueError) as caught:
        Cron(expression)
    assert said in str(caught.value)


def items(field: cron._Field) -> st.SearchStrategy[str]:
    """What may stand in a field, and some that may not."""
    words = st.sampled_from(field.words) if field.words else st.nothing()
    number = st.integers(field.low, field.high).map(str) | words
    item = st.sampled_from("*?") | number | st.tuples(number, number).map("-".join)
    stepped = st.tuples(item, st.integers(0, 70).map(str)).map("/".join)
    return st.lists(item | stepped, min_size=1, max_size=2).map(",".join)


EXPRESSIONS = st.tuples(*(items(field) for field in cron.FIELDS)).map(" ".join)
MOMENTS = st.integers(0, 2 * 365 * 24 * 3600).map(lambda seconds: utc("2024-01-01") + timedelta(seconds=seconds))


@settings(deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), MOMENTS)
def test_what_is_accepted_fires(expression: str, zone: str, after: datetime) -> None:
    try:
        accepted = Cron(expression, zone)
    except ConfigValueError:
        return
    times = list(itertools.islice(upcoming(accepted, after, LONG_AGO), 5))
    assert len(times) == 5
    assert times == sorted(set(times))
    assert times[0] > after
    assert all(next_after(accepted, before, LONG_AGO) == then for before, then in itertools.pairwise(times))


CLOCKS = st.sampled_from(["*", "?", "*/2", "*/15", "2", "1-3", "0,30", "2-3/2", "23", "45/5"])
DAYS = st.sampled_from(["* * *", "* * *", "*/2 * 1", "1-31 * 1", "? * SAT,7", "30-31 * ?", "8 3,10 5/1"])
AROUND_CHANGES = st.sampled_from(
    ["2024-03-10", "2024-03-31", "2024-04-07", "2024-09-08", "2024-10-06", "2024-10-27"]
).map(utc)


@settings(deadline=None, max_examples=60)
@given(CLOCKS, CLOCKS, DAYS, st.sampled_from(ZONES), AROUND_CHANGES, st.integers(-24 * 60, 24 * 60))
def test_times_are_those_of_a_minute_by_minute_search(
    minute: str, hour: str, days: str, zone: str, day: datetime, minutes: int
) -> None:
    try:
        accepted = Cron(f"{minute} {hour} {days}", zone)
    except ConfigValueError:
        return
    after = day + timedelta(minutes=minutes)
    until = after + timedelta(days=3)
    expected = sorted({moment for moment in searched(accepted, after) if after < moment <= until})
    assert list(itertools.takewhile(lambda moment: moment <= until, upcoming(accepted, after, LONG_AGO))) == expected


def searched(accepted: Cron, after: datetime) -> Iterator[datetime]:
    """Every fire time of four days, by the definition: wall times when both clocks are given, else elapsed minutes."""
    there = ZoneInfo(accepted.timezone)
    minute, hour, day, month, weekday = accepted.expression.split()
    is_wall = minute[0] not in "*?" and hour[0] not in "*?"
    start = (after - timedelta(days=1)).astimezone(there if is_wall else timezone.utc)
    if is_wall:
        start = start.replace(tzinfo=None)
    for n in range(5 * 24 * 60):
        step = start + timedelta(minutes=n)
        shown = step if is_wall else step.astimezone(there)
        is_day, is_weekday = holds(day, shown.day, 2), holds(weekday, shown.isoweekday() % 7, 4)
        either = "*" != day != "?" and "*" != weekday != "?"
        is_right_day = is_day or is_weekday if either else is_day and is_weekday
        if (
            is_right_day
            and holds(month, shown.month, 3)
            and holds(hour, shown.hour, 1)
            and holds(minute, shown.minute, 0)
        ):
            yield existing(shown, there) if is_wall else step


def holds(part: str, number: int, position: int) -> bool:
    field = cron.FIELDS[position]
    for item in part.split(","):
        bounds, _, step = item.partition("/")
        begin, _, end = bounds.partition("-")
        value = {"*": field.low, "?": field.low}.get(begin)
        low = value if value is not None else field.words.index(begin) if begin in field.words else int(begin)
        high = int(end) if end else low if value is None and not step else 6 if position == 4 else field.high
        wanted = [number, 7] if position == 4 and number == 0 else [number]
        if any(low <= n <= max(low, high) and (n - low) % int(step or 1) == 0 for n in wanted):
            return True
    return False


def existing(wall: datetime, there: ZoneInfo) -> datetime:
    """The moment of a wall time; in a gap the end of it."""
    while True:
        moment = wall.replace(tzinfo=there).astimezone(timezone.utc)
        if moment.astimezone(there).replace(tzinfo=None) == wall:
            return moment
        wall += timedelta(minutes=1)
