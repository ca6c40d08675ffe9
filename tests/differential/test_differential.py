"""A program written for flyte means the same with us: every snippet in both packages, each in a process of its own."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import lacking

from . import table_environments, table_images, table_levels, table_pods, table_resources, table_triggers, table_values
from .snippet import Outcome, Snippet, agrees, problem, text, told
from .venv import Unavailable, flyte_python

ROOT = Path(__file__).parents[2]
TABLES = (
    table_resources,
    table_values,
    table_triggers,
    table_images,
    table_pods,
    table_levels,
    table_environments,
)
SNIPPETS: list[Snippet] = [snippet for table in TABLES for snippet in table.SNIPPETS]
ROW = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)


def evaluated(python: Path, package: str) -> list[Outcome]:
    """What all snippets come to with a package."""
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("evaluate.py")), package],
        input=json.dumps([snippet.code for snippet in SNIPPETS]),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT) if package == "flyte_jupyter" else ""},
    )
    if done.returncode:
        pytest.fail(f"evaluating the snippets with {package} failed:\n{done.stderr[-3000:]}", pytrace=False)
    found: list[Outcome] = json.loads(done.stdout)
    return found


@functools.cache
def python_or_why_not() -> Path | str:
    """The interpreter that has flyte, or why there is none."""
    try:
        return flyte_python()
    except Unavailable as error:
        return str(error)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, tuple[Outcome, Outcome]]:
    """By code, what flyte makes of it and what we do."""
    python = python_or_why_not()
    if isinstance(python, str):
        lacking(f"flyte to compare with, which could not be installed: {python.splitlines()[-1]}")
    both = zip(evaluated(python, "flyte"), evaluated(Path(sys.executable), "flyte_jupyter"), strict=True)
    return dict(zip((snippet.code for snippet in SNIPPETS), both, strict=True))


@pytest.mark.parametrize("snippet", SNIPPETS, ids=[snippet.code for snippet in SNIPPETS])
def test_a_snippet_means_the_same(snippet: Snippet, outcomes: dict[str, tuple[Outcome, Outcome]]) -> None:
    flyte, ours = outcomes[snippet.code]
    wrong = problem(snippet, flyte, ours)
    if wrong:
        row = f"\n  row of docs/differences.md: {snippet.differs}" if snippet.differs else ""
        pytest.fail(f"{wrong}\n  {snippet.code}\n  flyte: {told(flyte)}\n  ours:  {told(ours)}{row}", pytrace=False)


VALUE = {"value": "1", "warned": False}
OTHER = {"value": "2", "warned": False}
WARNED = {"value": "1", "warned": True}
ERROR = {"error": ["ValueError"], "message": "Not so", "warned": False}
OURS = {"error": ["ConfigValueError", "ConfigError", "ValueError"], "message": "x: Not so", "warned": False}
TYPE = {"error": ["TypeError"], "message": "Not so", "warned": False}


@pytest.mark.parametrize(
    ("snippet", "flyte", "ours", "expected"),
    [
        (Snippet("", "accepted"), VALUE, VALUE, None),
        (Snippet("", "accepted"), VALUE, OTHER, "the packages differ"),
        (Snippet("", "accepted"), WARNED, VALUE, "the packages differ"),
        (Snippet("", "accepted"), ERROR, ERROR, "flyte: expected accepted"),
        (Snippet("", "accepted"), VALUE, ERROR, "ours: expected accepted, as flyte"),
        (Snippet("", "ValueError: not so"), ERROR, OURS, None),
        (Snippet("", "ValueError: not so"), ERROR, TYPE, "ours: expected ValueError: not so, as flyte"),
        (Snippet("", "ValueError: other"), ERROR, OURS, "flyte: expected ValueError: other"),
        (Snippet("", "Exception"), ERROR, OURS, "flyte: expected Exception"),
        (Snippet("", "1", "2", "row"), VALUE, OTHER, None),
        (Snippet("", "1", "2", "row"), OTHER, OTHER, "flyte: expected 1"),
        (Snippet("", "1", "2", "row"), VALUE, VALUE, "ours: expected 2"),
        (Snippet("", "1", "accepted", "row"), VALUE, VALUE, "the packages do not differ any more"),
        (Snippet("", "ValueError", "ValueError: x:", "row"), ERROR, OURS, None),
        (Snippet("", "ValueError", "ValueError: not", "row"), ERROR, OURS, "the packages do not differ any more"),
    ],
)
def test_what_is_not_as_a_snippet_says_is_noticed(
    snippet: Snippet, flyte: Outcome, ours: Outcome, expected: str | None
) -> None:
    assert expected == problem(snippet, flyte, ours)


def test_attributes_that_we_add_are_no_difference() -> None:
    flyte = {"type": "Device", "parts": ["tuple", {"type": "Part", "a": "1"}]}
    ours = {"type": "Device", "parts": ["tuple", {"type": "Part", "a": "1", "b": "2"}], "more": "3"}
    assert (True, False) == (agrees(flyte, ours), agrees(ours, flyte))
    assert "Device(parts=(Part(a=1),))" == text(flyte)


def listed() -> list[str]:
    """The ids of the rows about configuration, in docs/differences.md."""
    text = (ROOT / "docs" / "differences.md").read_text()
    return ROW.findall(text.partition("## Configuration")[2].partition("\n## ")[0])


def test_every_listed_difference_is_shown_and_every_shown_one_is_listed() -> None:
    ids = listed()
    assert sorted(set(ids)) == sorted(ids)
    assert set(ids) == {snippet.differs for snippet in SNIPPETS if snippet.differs}


def test_there_are_many_snippets_and_none_is_there_twice() -> None:
    codes = [snippet.code for snippet in SNIPPETS]
    assert [] == sorted(code for code in set(codes) if codes.count(code) > 1)
    assert len(codes) >= 300
