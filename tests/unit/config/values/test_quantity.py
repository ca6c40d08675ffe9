"""Quantities and durations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.config.values.duration import format_duration, parse_duration, rough_duration
from flyte_jupyter.config.values.quantity import format_bytes, parse_bytes, parse_cores, rough_bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1", 1),
        ("512Mi", 512 * 1024**2),
        ("1.5Gi", 1536 * 1024**2),
        ("2G", 2 * 10**9),
        ("1e3", 1000),
        ("1E", 10**18),
        ("1E3", 1000),
        (".5Ki", 512),
        ("0.1", 1),
    ],
)
def test_bytes(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "Mi", "-1Mi", "1 Mi", "1mi", "1MiB", "512m", "lots", "1e999"])
def test_not_bytes(text: str) -> None:
    with pytest.raises(ValueError, match="memory"):
        parse_bytes(text)


@pytest.mark.parametrize(("value", "cores"), [(1, 1.0), (0.5, 0.5), ("500m", 0.5), ("2", 2.0), ("1e-1", 0.1)])
def test_cores(value: float | str, cores: float) -> None:
    assert parse_cores(value) == cores


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 10**400, "1e400", "-1", "many", ""])
def test_not_cores(value: float | str) -> None:
    with pytest.raises(ValueError, match="cpu"):
        parse_cores(value)


@given(st.integers(0, 2**63))
def test_bytes_round_trip(count: int) -> None:
    assert parse_bytes(format_bytes(count)) == count


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("60", 60),
        ("0.5", 0.5),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("soon", None),
        ("", None),
    ],
)
def test_durations(text: str, value: object) -> None:
    assert parse_duration(text) == value


@given(st.timedeltas(min_value=timedelta()) | st.integers(0) | st.floats(0, allow_nan=False, allow_infinity=False))
def test_durations_round_trip(value: float | timedelta) -> None:
    again = parse_duration(format_duration(value))
    assert (again, type(again)) == (value, type(value))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (0.6, "1 s"), (59, "59 s"), (90, "2 min"), (7200, "2 h"), (200000, "2 d")]
)
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    assert said == rough_duration(seconds)


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (10 << 20, "10 MiB"), (1010 << 20, "1010 MiB")],
)
def test_bytes_as_people_say_them(count: int, said: str) -> None:
    assert said == rough_bytes(count)
