"""The index of runs."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.engine.journal import Journal, Query, Used


def made(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"r{number:014}",
        "phase": "succeeded",
        "task": "env.square",
        "title": "square",
        "environment": "env",
        "notebook": None,
        "reason": "",
        "trigger": None,
        **changes,
    }


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def names(journal: Journal, query: Query = Query(), offset: int = 0, limit: int = 100) -> list[int]:  # noqa: B008 - immutable
    return [int(found["name"][1:]) for found in journal.page(query, offset, limit)[0]]


def test_pages_begin_with_the_newest_run(journal: Journal) -> None:
    journal.put(made(number) for number in range(25))
    assert [24, 23, 22] == names(journal, limit=3)
    assert [2, 1, 0] == names(journal, offset=22, limit=10)
    assert ([], 25) == journal.page(Query(), 30, 10)


def test_a_run_that_is_put_again_is_changed(journal: Journal) -> None:
    journal.put([made(1, phase="running")])
    journal.put([made(1, phase="failed", reason="ValueError")])
    assert ([made(1, phase="failed", reason="ValueError")], 1) == journal.page(Query(), 0, 10)
    assert made(1, phase="failed", reason="ValueError") == journal.get(made(1)["name"])
    assert journal.get("r2") is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(phases=["failed"]), [1]),
        (Query(phases=["failed", "running"]), [2, 1]),
        (Query(task="env.cube"), [2]),
        (Query(task="cube"), [2]),
        (Query(notebook="/here/a.ipynb"), [3]),
        (Query(text="SQUARE"), [3, 1, 0]),
        (Query(text="square memory"), [1]),
        (Query(text="50%"), [1]),
        (Query(text="%"), [1]),
        (Query(text="a.ipynb"), [3]),
        (Query(text="it's \" ' OR 1"), []),
        (Query(text="square", phases=["failed"], notebook="/here/b.ipynb"), []),
    ],
)
def test_a_query_finds_what_it_says(journal: Journal, query: Query, found: list[int]) -> None:
    journal.put(
        [
            made(0),
            made(1, phase="failed", reason="Out of memory at 50%"),
            made(2, phase="running", task="env.cube", title="cube"),
            made(3, notebook="/here/a.ipynb"),
        ]
    )
    assert found == names(journal, query)
    assert len(found) == journal.page(query, 0, 1)[1]


def test_notebooks_are_counted_the_last_used_first(journal: Journal) -> None:
    journal.put([made(1, notebook="/a.ipynb"), made(2), made(3, notebook="/b.ipynb", phase="failed")])
    journal.put([made(4, notebook="/a.ipynb", phase="failed")])
    found = [("/a.ipynb", 2, f"r{4:014}"), ("/b.ipynb", 1, f"r{3:014}"), (None, 1, f"r{2:014}")]
    assert found == journal.notebooks(Query())
    assert [("/a.ipynb", 1), ("/b.ipynb", 1)] == [row[:2] for row in journal.notebooks(Query(phases=["failed"]))]
    assert [2] == names(journal, Query(notebook=""))


def test_actions_of_a_run_are_kept_until_it_is_removed(journal: Journal) -> None:
    run = made(1)["name"]
    journal.put([made(1)], {run: [{"name": "a0"}, {"name": "a1"}]})
    assert [{"name": "a0"}, {"name": "a1"}] == journal.actions(run)
    journal.remove([run])
    assert journal.actions(run) is None
    assert ([], 0) == journal.page(Query(), 0, 10)


def test_tasks_that_were_used_are_counted(journal: Journal) -> None:
    journal.put([made(1), made(2), made(3, task="other.cube", title="cube", environment="other")])
    assert [
        Used("other", "other.cube", "cube", 1, made(3)["name"]),
        Used("env", "env.square", "square", 2, made(2)["name"]),
    ] == journal.used()
    assert made(1)["name"] == journal.before(made(2)["name"], "env.square")
    assert journal.before(made(1)["name"], "env.square") is None


def test_the_file_is_private(journal: Journal) -> None:
    journal.put([made(1)])
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in journal.path.parent.iterdir()}


def test_a_file_that_is_no_index_is_made_anew(journal: Journal) -> None:
    journal.path.write_text("no index " * 1000)
    journal.put([made(1)])
    assert [1] == names(journal)


def test_a_deleted_file_is_noticed(journal: Journal) -> None:
    journal.put([made(1)])
    assert journal.is_there()
    journal.path.unlink()
    assert not journal.is_there()
    journal.close()
    assert [] == names(journal)


def put_many(folder: Path, first: int) -> None:
    journal = Journal(folder)
    for number in range(first, first + 200):
        journal.put([made(number)], {made(number)["name"]: [{"name": "a0"}]})
    journal.close()


def test_several_processes_write_at_once(journal: Journal) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=put_many, args=(journal.path.parent, 1000 * n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [0, 0, 0] == [writer.exitcode for writer in writers]
    assert 600 == journal.page(Query(), 0, 1)[1]
