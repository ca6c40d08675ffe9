"""Secrets that are asked for in a notebook: a real kernel, and a front end that answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flyte_jupyter.home import Home
from tests.kernel.front import START, Cell, Front, Person

VALUE = "typed-by-hand-9c41"
TASK = """
import os
needy = flyte.TaskEnvironment(name="needy", secrets=[flyte.Secret("api-key", group="db")])

@needy.task
def length() -> int:
    print("it is", os.environ["DB_API_KEY"])
    return len(os.environ["DB_API_KEY"])

@env.task
def calls() -> int:
    return length()
"""


@pytest.fixture
def front(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    monkeypatch.delenv("DB_API_KEY", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.chdir(tmp_path)
    with Front(home, START, TASK) as made:
        yield made


def shown(cell: Cell) -> str:
    """Everything that the front end was told, and would save."""
    return repr(cell)


def test_what_nobody_has_is_asked_for_once_and_unseen(front: Front, home: Home) -> None:
    person = Person(front, VALUE)
    cell = front.run("flyte.run(calls).outputs()[0]", person)
    assert ['Secret "api-key" of group "db" for needy.length (kept in memory only): '] == person.prompts
    assert ("ok", str(len(VALUE))) == (cell.status, cell.result)
    again = front.run("run = flyte.run(length); print(*run.get_logs()); print(flyte.secrets.list())")
    assert "it is ***" in again.stdout
    assert "what this kernel was given" in again.stdout
    for each in (cell, again):
        assert VALUE not in shown(each)
    for path in home.path.rglob("*"):
        assert not path.is_file() or VALUE.encode() not in path.read_bytes()
    front.restart()
    front.run(START)
    front.run(TASK)
    person = Person(front, "other")
    assert "5" == front.run("flyte.run(length).outputs()[0]", person).result
    assert 1 == len(person.prompts)


def test_set_asks_and_refuses_what_stands_in_the_cell(front: Front) -> None:
    person = Person(front, VALUE)
    assert "ok" == front.run("flyte.secrets.set('api-key', group='db')", person).status
    assert ['Secret "api-key" of group "db" (kept in memory only): '] == person.prompts
    assert str(len(VALUE)) == front.run("flyte.run(length).outputs()[0]").result
    cell = front.run("flyte.secrets.set('api-key', group='db', value='in-the-notebook')")
    assert "its value stands in this cell, and so in the notebook" in cell.error
    assert "ok" == front.run("flyte.secrets.set('api-key', group='db', value=str(10**5))").status
    assert "6" == front.run("flyte.run(length).outputs()[0]").result


def test_a_cell_that_is_a_task_asks_too(front: Front) -> None:
    person = Person(front, VALUE)
    source = "%%flyte_task --env my_env --secrets db/api-key=KEY -o total\nimport os\ntotal = len(os.environ['KEY'])"
    cell = front.run(source, person)
    assert ("ok", 1) == (cell.status, len(person.prompts))
    assert str(len(VALUE)) == front.run("total").result
    assert VALUE not in shown(cell)


def test_without_an_answer_nothing_starts(front: Front) -> None:
    person = Person(front, "")
    cell = front.run("flyte.run(length)", person)
    assert 1 == len(person.prompts)
    assert "MissingSecretError: A secret has no value; nothing was started" in cell.error
    assert [] == cell.displays
    assert "[]" == front.run("list(flyte.runs())").result


def test_a_front_end_that_takes_no_input_is_told_what_to_do(front: Front) -> None:
    front.client.allow_stdin = False
    cell = front.run("flyte.run(length)")
    assert "not asked for: this front end takes no input" in cell.error
    assert "flyte.secrets.set('api-key', group='db')" in cell.error
    cell = front.run("flyte.secrets.set('api-key', group='db')")
    assert "this front end takes no input" in cell.error


def test_in_another_thread_nobody_is_asked(front: Front) -> None:
    cell = front.run(
        "import asyncio\ntry:\n    await asyncio.to_thread(flyte.run, length)\n"
        "except flyte.errors.MissingSecretError as error:\n    print(error)"
    )
    assert "not asked for outside the main thread" in cell.stdout


def test_interrupting_the_question_starts_nothing(front: Front) -> None:
    person = Person(front)

    def interrupt(_: Cell) -> None:
        if not person.prompts:
            person.is_asked()
            front.interrupt()

    cell = front.run("flyte.run(length)", interrupt)
    assert "error" == cell.status
    assert "[]" == front.run("list(flyte.runs())").result


def test_a_credential_that_is_captured_is_refused_until_it_is_allowed(front: Front) -> None:
    front.run("API_KEY = 'a1b2c3d4e5f6a7b8c9d0'\n@env.task\ndef uses() -> int:\n    return len(API_KEY)")
    cell = front.run("flyte.run(uses)")
    assert "CaptureError: my_env.uses → global 'API_KEY': looks like a credential" in cell.error
    assert "a1b2c3" not in cell.error
    front.run("flyte.secrets.allow('API_KEY')")
    assert "20" == front.run("flyte.run(uses).outputs()[0]").result
