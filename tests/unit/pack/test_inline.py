"""What counts as passed inline, and what is said when it is too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest

from flyte_jupyter.errors import InlineIOMaxBytesBreached
from flyte_jupyter.pack.codec import dumps
from flyte_jupyter.pack.inline import check

KB = 1024


@dataclass
class Row:
    text: str


class Model(pydantic.BaseModel):
    text: str


class Opaque:
    def __init__(self, text: str) -> None:
        self.text = text


def checked(values: dict[str, Any], limit: int) -> None:
    check("my_env.work", "input", values, dumps(values), limit)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 20 * KB,
        b"x" * 20 * KB,
        bytearray(20 * KB),
        ["x" * 10 * KB, {"a": "y" * 10 * KB}],
        list(range(20 * KB)),
        Row("x" * 20 * KB),
        Model(text="x" * 20 * KB),
        {"rows": [Row("x" * 20 * KB)]},
    ],
)
def test_plain_data_counts(value: Any) -> None:
    with pytest.raises(InlineIOMaxBytesBreached, match=r"input 'x' has \d+\.?\d* KiB"):
        checked({"x": value}, 10 * KB)
    checked({"x": value}, 100 * KB)


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(20 * KB),
        np.zeros((3, 1000)),
        np.array(["x" * 20 * KB], dtype=object),
        pd.DataFrame({"a": ["text"] * 20 * KB}),
        Opaque("x" * 20 * KB),
        [np.zeros(1000)] * 20,
        {"model": Opaque("x" * 20 * KB)},
        Row(pd.Series(["x"] * 20 * KB)),  # type: ignore[arg-type]
    ],
)
def test_what_goes_as_a_file_in_flyte_does_not(value: Any) -> None:
    checked({"x": value}, 10 * KB)


def test_zero_is_no_bound() -> None:
    checked({"x": "x" * 100 * KB}, 0)


def test_it_is_said_which_and_how_much_and_what_to_do() -> None:
    with pytest.raises(InlineIOMaxBytesBreached) as caught:
        checked({"small": 1, "large": "x" * 2 * KB * KB}, KB * KB)
    assert (
        "my_env.work: input 'large' has 2 MiB; 1 MiB may be passed by value (max_inline_io_bytes).\n"
        "  write it to a file and pass a File, or its path; or allow more: "
        ".override(max_inline_io_bytes=3 * 1024 * 1024)"
    ) == str(caught.value)


def test_several_that_are_too_much_together() -> None:
    with pytest.raises(
        InlineIOMaxBytesBreached,
        match=r"'b' has 6.02 KiB and input 'a' has 5.02 KiB, all inputs together 11 KiB; 10 KiB",
    ):
        checked({"a": "x" * 5 * KB, "b": "x" * 6 * KB, "c": 1}, 10 * KB)


def test_nothing_that_is_pickled_by_value_counts() -> None:
    """Functions and classes of the notebook are code, not data."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(f"def f(): return {'x' * 20 * KB!r}\nclass C:\n    text = {'x' * 20 * KB!r}", scope)
    checked({"f": scope["f"], "c": scope["C"]()}, 10 * KB)
