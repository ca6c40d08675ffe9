"""Why a result was not found, in words."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.engine.differences import told_apart

HERE = "/tmp/ipykernel_1/2.py"


def told(**more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"version": {"types": "t", "Python": "3.11"}, "parts": {}, "inputs": {}}
    return {**nothing, **more}


def parts(**digests: str) -> dict[str, Any]:
    return told(parts={name.replace("__", " "): digest for name, digest in digests.items()})


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (parts(function__scale="1"), parts(function__scale="2"), f'`scale` changed in File "{HERE}", line 3'),
        (parts(class__Box="1"), parts(class__Box="2"), "`Box` changed"),
        (parts(global__size="1"), parts(global__size="2"), "global `size` changed"),
        (parts(library__numpy="1.0"), parts(library__numpy="2.0"), "library `numpy` 1.0 → 2.0"),
        (parts(library__numpy=""), parts(library__numpy="2.0"), "library `numpy` unknown → 2.0"),
        (parts(), parts(function__scale="1"), f'`scale` is new in File "{HERE}", line 3'),
        (parts(function__scale="1"), parts(), "`scale` is not used any more"),
        (parts(function__f="1"), parts(function__f="2", function__scale="1"), "`f` changed"),
        (
            parts(function__a="1", function__b="1", function__c="1", function__d="1", global__e="1"),
            parts(function__a="2", function__b="2", function__c="2", function__d="2", global__e="2"),
            "`a` changed, `b` changed, `c` changed and 2 more",
        ),
        (told(), told(), "it is not stored any more"),
        (told(), told(version={"types": "u", "Python": "3.11"}), "the types of inputs or outputs changed"),
        (parts(function__f="1"), {**parts(function__f="2"), "version": {"Python": "3.12"}}, "Python 3.11 → 3.12"),
        (
            told(),
            told(version={"types": "t", "Python": "3.11", "version_override": "2"}),
            "version_override none → 2",
        ),
        (told(inputs={"x": {"": "1"}}), told(inputs={"x": {"": "2"}}), "input `x` differs"),
        (told(inputs={"x": {"": "1"}}), told(inputs={"y": {"": "1"}}), "input `y` is new and input `x` is gone"),
        (
            told(inputs={"x": {"": "1", "class Box": "1"}}),
            told(inputs={"x": {"": "1", "class Box": "2"}}),
            "`Box` changed",
        ),
        (
            told(parts={"class Box": "1"}, inputs={"x": {"": "1", "class Box": "1"}}),
            told(parts={"class Box": "2"}, inputs={"x": {"": "1", "class Box": "2"}}),
            "`Box` changed",
        ),
    ],
)
def test_what_is_different(before: dict[str, Any], now: dict[str, Any], said: str) -> None:
    assert said == told_apart(before, now, {"function scale": (f'File "{HERE}"', 3), "class Box": ("", 2)})


def test_names_are_those_that_people_have_written() -> None:
    name = "closure n of make.<locals>.inner"
    assert "closure `n` of `inner` changed" == told_apart(told(parts={name: "1"}), told(parts={name: "2"}), {})
