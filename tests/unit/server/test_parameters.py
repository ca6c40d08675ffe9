"""What a request may say: read from signatures, refused with what is allowed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

import pytest

from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.server.shapes.parameters import Attempt, RunName, Within, Words, check, parameters, read, unknown


class Inner(TypedDict):
    id: str


class Body(TypedDict, total=False):
    many: list[Inner]
    how: Literal["so", "other"]
    flag: bool
    number: Annotated[int, Within(1, 3)]
    by_name: dict[str, str]


def _answer(
    here: Any, run: RunName, body: Body, attempt: Attempt = None, text: Annotated[str, Words(most=5)] = ""
) -> None: ...


KNOWN = {each.name: each for each in parameters(_answer, "runs/{run}/what")}


def test_places_follow_from_names() -> None:
    assert {"run": "path", "body": "body", "attempt": "query", "text": "query"} == {
        name: each.place for name, each in KNOWN.items()
    }
    assert ["run", "body"] == [name for name, each in KNOWN.items() if each.is_required]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [("run", "r0mwt0o45upit2l", "r0mwt0o45upit2l"), ("attempt", "3", 3), ("text", "abcde", "abcde")],
)
def test_what_is_right_is_read(name: str, text: str, expected: object) -> None:
    assert expected == read(KNOWN[name], text)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run", "../key", "run: '../key' is not the name of a run."),
        ("run", "r0\n", "run: 'r0\\n' is not the name of a run."),
        ("run", "r" * 200, f"run: '{'r' * 100}…' is not the name of a run."),
        ("attempt", "-1", "attempt: '-1' is not a number from 0 to 100000."),
        ("attempt", "1e3", "attempt: '1e3' is not a number from 0 to 100000."),
        ("attempt", "٣", "attempt: '٣' is not a number from 0 to 100000."),
        ("text", "abcdef", "text: 'abcdef' is not at most 5 characters."),
    ],
)
def test_what_is_wrong_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigValueError) as refused:
        read(KNOWN[name], text)
    assert message == str(refused.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the body is not an object."),
        ({"x": 1}, "the body has 'x'; it may have: many, how, flag, number, by_name."),
        ({"many": {}}, "the body.many is not a list."),
        ({"many": [{}]}, "the body.many[0] lacks 'id'."),
        ({"many": [{"id": 3}]}, "the body.many[0].id is not a text."),
        ({"how": "no"}, "the body.how: 'no' is none of so, other."),
        ({"flag": 1}, "the body.flag is not true or false."),
        ({"number": True}, "the body.number is not a whole number."),
        ({"number": 4}, "the body.number: 4 is not from 1 to 3."),
        ({"by_name": {"a": 1}}, "the body.by_name['a'] is not a text."),
    ],
)
def test_bodies_have_the_form_of_their_type(body: Any, message: str) -> None:
    with pytest.raises(ConfigValueError) as refused:
        check(body, Body)
    assert message == str(refused.value)


def test_a_body_that_is_right_is_let_pass() -> None:
    check({"many": [{"id": "a"}], "how": "so", "flag": True, "number": 2, "by_name": {"a": "b"}}, Body)


def test_names_that_are_not_known_are_refused() -> None:
    unknown({"token": 1, "attempt": 1}, list(KNOWN.values()))
    with pytest.raises(ConfigValueError, match="'atempt' is no parameter here; did you mean 'attempt'"):
        unknown({"atempt": 1}, list(KNOWN.values()))
