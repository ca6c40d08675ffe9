"""What makes a task the same task, also in another process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flyte_jupyter.config.plugin import TaskPluginRegistry
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.pack.codec import dumps, loads
from flyte_jupyter.pack.reach import identity
from flyte_jupyter.task import Task

env = TaskEnvironment(name="my_env")


def cell(source: str, **names: Any) -> Callable[..., Any]:
    """The function `f` of a notebook cell."""
    scope: dict[str, Any] = {"__name__": "__main__", **names}
    exec(source, scope)
    return scope["f"]  # type: ignore[no-any-return]


def of(source: str, settings: dict[str, Any] | None = None, **names: Any) -> str:
    return identity(env.task(cell(source, **names)).override(**settings or {}), "")


def test_the_same_again() -> None:
    source = "def f(x: int) -> int: return [y for y in data if y in {'a', 'b'}]"
    assert of(source, data=[1, {"k": (2, {"b", "a"})}]) == of("\n\n" + source, data=[1, {"k": (2, {"a", "b"})}])


def test_what_makes_a_difference() -> None:
    source = "def f(x: int = 1) -> int: return helper(x) + size"
    given: dict[str, Any] = {"helper": cell("def f(x): return x"), "size": 1}
    found = [
        of(source, **given),
        of(source.replace("+", "-"), **given),
        of(source.replace("= 1", "= 2"), **given),
        of(source, **{**given, "size": 2}),
        of(source, **{**given, "size": True}),
        of(source, **{**given, "helper": cell("def f(x): return -x")}),
        of(source, **{**given, "helper": np.arange(3)}),
        of(source, **{**given, "helper": np.arange(4)}),
        of(source, {"env_vars": {"A": "1"}}, **given),
        of(source, {"env_vars": {"A": "2"}}, **given),
        of(source, {"retries": 2}, **given),
    ]
    assert len(found) == len(set(found))


def test_closures() -> None:
    def make(n: Any) -> Task[..., Any]:
        @env.task
        def f() -> Any:
            return n

        return f

    assert identity(make(1), "") == identity(make(1), "")
    assert identity(make(1), "") != identity(make(2), "")
    assert identity(make([1, 2]), "") != identity(make([[1], 2]), "")


@dataclass
class Box:
    size: int

    def half(self) -> float:
        return self.size / 2


class Items(list[int]):
    __slots__ = ("name",)


def test_instances() -> None:
    source = "def f() -> object: return box"
    named = Items([1])
    named.name = "a"
    found = [of(source, box=box) for box in (Box(1), Box(2), Box, Items([1]), Items([2]), named, Path("a"), Path("b"))]
    assert len(found) == len(set(found))
    assert of(source, box=Box(1)) == of(source, box=Box(1))


def test_recursion() -> None:
    def again(x: int) -> int:
        return again(x - 1) if x else 0

    ring: list[Any] = []
    ring.append(ring)
    assert of("def f() -> object: return g", g=again) == of("def f() -> object: return g", g=again)
    assert of("def f() -> object: return ring", ring=ring)
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    assert "otherwise" == identity(env.task(cell("def f() -> object: return deep", deep=deep)), "otherwise")


_OPENS = """
import pickle, sys
from flyte_jupyter.pack.codec import dumps, loads
from flyte_jupyter.pack.reach import identity
task = loads([bytes.fromhex(sys.stdin.read())])
if sys.argv[1] == "1":
    dumps(task.func.__globals__["box"])  # which changes what a pickle of its class looks like
print(identity(task, ""))
"""


def test_in_other_processes() -> None:
    source = """
class Box:
    def __init__(self): self.names = {"alpha", "beta", "gamma"}
box = Box()
def f(x: str) -> bool: return x in {"alpha", "beta", "gamma", "delta"} and x in box.names
"""
    task = loads(dumps(env.task(cell(source))).parts)
    payload = b"".join(bytes(part) for part in dumps(task).parts).hex()
    found = {
        subprocess.run(
            [sys.executable, "-c", _OPENS, str(seed)],
            input=payload,
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert 1 == len(found)


class Config:
    def __init__(self, size: int) -> None:
        self.size = size


class Plugin(Task[Any, Any]):
    async def pre(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"size": 1}


class OtherPlugin(Task[Any, Any]):
    async def pre(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"size": 2}


def test_a_plugin_counts_by_its_hooks_and_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "def f() -> int: return 1"
    OtherPlugin.__qualname__ = Plugin.__qualname__

    def of_plugin(config: Config, plugin: type) -> str:
        monkeypatch.setattr(TaskPluginRegistry, "_found", {Config: plugin})
        return of(source, {"plugin_config": config})

    found = [of_plugin(Config(1), Plugin), of_plugin(Config(2), Plugin), of_plugin(Config(1), OtherPlugin), of(source)]
    assert len(found) == len(set(found))
    assert found[0] == of_plugin(Config(1), Plugin)
