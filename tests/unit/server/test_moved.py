"""Notebooks that were renamed: which runs go along."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.server.feed.moved import Move, followed, kernels_of

RENAMED = Move(10.0, "/work/a.ipynb", "/work/b.ipynb", ["its"])


def a_run(notebook: str | None, created: float, kernel: str | None = None) -> Any:
    return {"notebook": notebook, "created": created, "kernel": kernel}


@pytest.mark.parametrize(
    ("why", "run", "expected"),
    [
        ("it was there before", a_run("/work/a.ipynb", 9.0), "/work/b.ipynb"),
        ("its kernel does not know better", a_run("/work/a.ipynb", 11.0, "its"), "/work/b.ipynb"),
        ("another notebook has that name since", a_run("/work/a.ipynb", 11.0, "new"), "/work/a.ipynb"),
        ("another notebook", a_run("/work/a.ipynb.bak", 9.0), "/work/a.ipynb.bak"),
        ("no notebook", a_run(None, 9.0), None),
    ],
)
def test_a_run_goes_where_its_notebook_goes(why: str, run: Any, expected: str | None) -> None:
    assert (why, expected) == (why, followed([RENAMED], run))


def test_a_notebook_is_followed_again_and_again_and_within_folders() -> None:
    moves = [RENAMED, Move(20.0, "/work", "/play"), Move(30.0, "/play/b.ipynb", "/play/a.ipynb")]
    assert ["/play/a.ipynb", "/play/a.ipynb"] == [
        followed(moves, a_run("/work/a.ipynb", 1.0)),
        followed(moves, a_run("/work/b.ipynb", 15.0)),
    ]


def test_kernels_are_those_of_the_notebooks_whether_they_were_told_already_or_not() -> None:
    sessions = {"before": "a.ipynb", "after": "b.ipynb", "other": "c.ipynb"}
    assert ["before", "after"] == kernels_of("a.ipynb", "b.ipynb", sessions)
    assert ["within"] == kernels_of("old", "new", {"within": "old/a.ipynb", "other": "older/a.ipynb"})
