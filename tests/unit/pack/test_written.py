"""The code of tasks as it was sent."""

from __future__ import annotations

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.pack.call import seal_code
from flyte_jupyter.pack.envelope import PayloadError
from flyte_jupyter.pack.written import _masked, written
from flyte_jupyter.task import Task

KEY = b"k" * 32
env = flyte.TaskEnvironment(name="wrote")


@env.task
def inner(x: int) -> int:
    # what is said of it goes along
    return x


@env.task(retries=2)
def outer(x: int) -> int:
    return inner(x) + 1


def test_a_task_and_those_that_it_can_call() -> None:
    assert [
        ("wrote.outer", "@env.task(retries=2)\ndef outer(x: int) -> int:\n    return inner(x) + 1\n"),
        ("wrote.inner", "@env.task\ndef inner(x: int) -> int:\n    # what is said of it goes along\n    return x\n"),
    ] == _written(outer)


def test_one_within_a_function_begins_at_the_margin() -> None:
    @env.task
    def within(x: int) -> int:
        return x

    assert [("wrote.within", "@env.task\ndef within(x: int) -> int:\n    return x\n")] == _written(within)


def test_what_somebody_has_changed_is_not_shown() -> None:
    sealed = seal_code(KEY, inner)
    with pytest.raises(PayloadError):
        written(b"x" * 32, memoryview(b"".join(sealed.payload)), digest=sealed.digest)
    with pytest.raises(PayloadError):
        written(KEY, memoryview(b"".join(sealed.payload)), digest="another")


def test_what_looks_like_a_credential_is_not_shown() -> None:
    text = "password = 'hunter2000x'\nos.environ['API_TOKEN'] = 'a8f3kd93jf02kd92jf'\ntitle: str = 'a long title 123'\n"
    assert "password = '***'\nos.environ['API_TOKEN'] = '***'\ntitle: str = 'a long title 123'\n" == _masked(text)


def _written(task: Task[..., int]) -> list[tuple[str, str]]:
    sealed = seal_code(KEY, task)
    return written(KEY, memoryview(b"".join(sealed.payload)), digest=sealed.digest)
