"""Values are found in every form that they are usually printed in."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.credentials.mask import Mask
from flyte_jupyter.pack.codec import dumps

VALUE = "pä$$ w/xq<\"'>&+=\\end"
mask = Mask([VALUE])


@pytest.mark.parametrize(
    "text",
    [
        VALUE,
        json.dumps({"password": VALUE}),
        json.dumps({"password": VALUE}, ensure_ascii=False),
        repr(VALUE),
        repr([VALUE]),
        repr(VALUE.encode()),
        html.escape(VALUE),
        "https://host/?" + urlencode({"p": VALUE}),
        "https://host/" + quote(VALUE),
        "https://host/" + quote(VALUE, safe=""),
        quote_plus(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
    ],
)
def test_values_are_masked_in_every_form(text: str) -> None:
    masked = mask(f"before {text} after")
    assert "***" in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "xq" not in masked
    assert len("before *** after") + len(text) - len(VALUE) >= len(masked)


@pytest.mark.parametrize("user", ["u", "us", "use", "user"])
def test_basic_authentication_is_masked_whatever_the_user_is_called(user: str) -> None:
    header = base64.b64encode(f"{user}:hunter2-and-more".encode()).decode()
    masked = Mask(["hunter2-and-more"])(f"Authorization: Basic {header}")
    assert "***" in masked
    left = masked.partition("Basic ")[2].replace("***", "")
    assert len(base64.b64encode(f"{user}:".encode())) + 4 >= len(left)


def test_each_line_of_a_longer_value_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n  indented line\nab\n-----END KEY-----\n"
    lines = [f"  > {line}" for line in key.splitlines()]
    assert ["  > ***", "  > ***", "  >   ***", "  > ab", "  > ***"] == [Mask([key])(line) for line in lines]
    assert "***" == Mask([key])(repr(key)[1:-1].removesuffix("\\n"))


def test_what_is_too_short_is_left_alone() -> None:
    assert "abc abc" == Mask(["abc"])("abc abc")
    assert not Mask(["abc", "", "a\nb"])
    assert "*** abcd"[:3] == Mask(["abcd"])("abcd")


def test_the_longer_of_two_values_is_masked_whole() -> None:
    assert "*** ***" == Mask(["password", "password-and-more"])("password-and-more password")


def test_plain_data_is_masked_at_any_depth() -> None:
    value = {"a": ["x hunter2", (b"hunter2",)], "hunter2": {"hunter2"}, "n": 1}
    assert {"a": ["x ***", (b"***",)], "***": {"***"}, "n": 1} == Mask(["hunter2"]).within(value)


def test_pickles_are_searched_also_beside_their_main_part() -> None:
    secret = Mask(["hunter2"])
    assert secret.is_in(dumps(["a", {"b": "hunter2"}]).parts)
    array = np.frombuffer(b"hunter2".ljust(20_000), dtype=np.uint8)
    parts = dumps(array).parts
    assert 2 == len(parts)
    assert secret.is_in(parts)
    assert not secret.is_in(dumps(["hunter3"]).parts)


def test_its_repr_has_no_value() -> None:
    assert "hunter2" not in repr(Mask(["hunter2"])) + str(Mask(["hunter2"]))


@given(st.text(min_size=4, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_value_is_left_anywhere(value: str, before: str, after: str) -> None:
    if len(value.strip()) >= 4 and not set(value) <= {"*"}:
        assert value not in Mask([value])(before + value + after) or value in "***"
