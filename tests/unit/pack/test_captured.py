from __future__ import annotations

import math
from typing import Any

from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.pack.captured import captured, size_of

env = TaskEnvironment("test-captured")
numbers = list(range(10_000))
scale = 2


class Box:
    held = 1


def inner(x: int) -> float:
    return math.floor(x) * scale


def outer(x: int) -> float:
    return inner(x) + len(numbers) + Box.held


@env.task
def child(x: int) -> float:
    return outer(x)


def made(secret: Any) -> Any:
    @env.task
    def parent(x: int, k: int = 5) -> float:
        return child(x) * k + secret

    return parent


def test_what_goes_along_is_found_through_functions_and_tasks_with_the_largest_first() -> None:
    found = captured(made([1.5]))
    by_name = {one.name: one for one in found}
    assert {"child", "outer", "inner", "numbers", "scale", "Box", "secret", "default of 'k'"} == set(by_name)
    assert sorted((one.size for one in found), reverse=True) == [one.size for one in found]
    assert size_of(numbers) == by_name["numbers"].size
    assert ("Task", False) == (by_name["child"].type, by_name["child"].is_data)
    assert ("list", True) == (by_name["secret"].type, by_name["secret"].is_data)


def test_libraries_do_not_go_along() -> None:
    @env.task
    def alone(x: int) -> float:
        return math.sqrt(abs(x))

    assert [] == captured(alone)


def test_what_refers_to_itself_comes_to_an_end() -> None:
    assert [] == captured(again)
    assert {"again"} == {one.name for one in captured(env.task(calls_again))}


def calls_again(x: int) -> int:
    return again(x)


@env.task
def again(x: int) -> int:
    return again(x - 1) if x else 0
