"""Hooks of plugins, seen from inside the task."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.extend import AsyncFunctionTaskTemplate, TaskPluginRegistry

pytestmark = [pytest.mark.one_host, pytest.mark.usefixtures("home")]


@dataclass
class Database:
    url: str
    fails: str = ""


@dataclass
class Doubled:
    pass


@dataclass(kw_only=True)
class DatabaseTask(AsyncFunctionTaskTemplate):  # type: ignore[type-arg]  # as users write it
    plugin_config: Database
    task_type: str = "database"

    async def pre(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        print(f"pre {self.plugin_config.url} {args} {kwargs} {flyte.ctx().data}")
        if self.plugin_config.fails == "pre":
            raise ConnectionError("no database")
        return {"connection": self.plugin_config.url, "loop": id(asyncio.get_running_loop())}

    async def post(self, return_vals: Any) -> Any:
        print(f"post {return_vals} {(flyte.ctx().data or {})['connection']}")
        if self.plugin_config.fails == "post":
            raise ConnectionError("gone away")
        return "not used"


class DoubledTask(AsyncFunctionTaskTemplate):  # type: ignore[type-arg]
    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        return 2 * await super().execute(*args, **kwargs)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskPluginRegistry, "_found", {Database: DatabaseTask, Doubled: DoubledTask})


def async_task(config: object) -> Any:
    env = flyte.TaskEnvironment("plugin_async", plugin_config=config)

    @env.task
    async def work(x: int) -> list[Any]:
        data = flyte.ctx().data or {}
        print(f"work {x}")
        return [data.get("connection"), data.get("loop") == id(asyncio.get_running_loop()), x]

    return work


def sync_task(config: object) -> Any:
    env = flyte.TaskEnvironment("plugin_sync", plugin_config=config)

    @env.task
    def work(x: int, /, y: int = 1) -> list[Any]:
        data = flyte.ctx().data or {}
        print(f"work {x}")
        elsewhere: list[Any] = []
        thread = threading.Thread(target=lambda: elsewhere.append((flyte.ctx().data or {}).get("connection")))
        thread.start()
        thread.join()
        return [data.get("connection"), elsewhere[0], asyncio.run(asyncio.sleep(0, x + y))]

    return work


def logs(run: Any) -> list[str]:
    return [line.rstrip() for line in run.get_logs()]


def test_pre_and_post_are_around_an_async_function() -> None:
    run = flyte.run(async_task(Database("sqlite://")), 3)
    assert [["sqlite://", True, 3]] == list(run.outputs())
    assert ["pre sqlite:// () {'x': 3} {}", "work 3", "post ['sqlite://', True, 3] sqlite://"] == logs(run)


def test_pre_and_post_are_around_a_function_that_is_not_async() -> None:
    run = flyte.run(sync_task(Database("sqlite://")), 3)
    assert [["sqlite://", "sqlite://", 4]] == list(run.outputs())
    assert ["pre sqlite:// () {'x': 3, 'y': 1} {}", "work 3", "post ['sqlite://', 'sqlite://', 4] sqlite://"] == logs(
        run
    )


@pytest.mark.parametrize("make", [async_task, sync_task])
def test_execute_has_the_last_word(make: Any) -> None:
    value = flyte.run(make(Doubled()), 3).outputs()[0]
    assert (6, [None]) == (len(value), value[:1])


@pytest.mark.parametrize("make", [async_task, sync_task])
@pytest.mark.parametrize(("hook", "said"), [("pre", "no database"), ("post", "gone away")])
def test_a_hook_that_fails_fails_the_task(make: Any, hook: str, said: str) -> None:
    with pytest.raises(ConnectionError, match=said) as caught:
        flyte.run(make(Database("sqlite://", fails=hook)), 3)
    assert isinstance(caught.value, errors.RuntimeUserError)


def test_the_configuration_of_an_override_reaches_the_hooks() -> None:
    task = async_task(Database("sqlite://")).override(plugin_config=Database("postgres://"))
    assert "postgres://" == flyte.run(task, 3).outputs()[0][0]


def test_tasks_without_a_plugin_have_no_data() -> None:
    env = flyte.TaskEnvironment("no_plugin")

    @env.task
    def work() -> str:
        return repr(flyte.ctx().data)

    assert ["{}"] == list(flyte.run(work).outputs())
    assert flyte.ctx().data is None


def test_children_have_the_hooks_too() -> None:
    child = sync_task(Database("child"))
    env = flyte.TaskEnvironment("parents", plugin_config=Database("parent"))

    @env.task
    def parent(x: int) -> list[Any]:
        return [*child(x), (flyte.ctx().data or {})["connection"]]

    assert [["child", "child", 4, "parent"]] == list(flyte.run(parent, 3).outputs())


def test_what_a_platform_would_be_told_is_said_on_the_card() -> None:
    view = flyte.run(async_task(Database("sqlite://")), 3).view()
    assert "plugin_config: this machine applies its hooks, and nothing that a platform would be told." in str(view)
