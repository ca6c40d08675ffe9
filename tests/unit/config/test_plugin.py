"""Plugins: what they are registered for, and what a subclass of a task may be."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import Any

import pytest

from flyte_jupyter.config.plugin import TaskPluginRegistry
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.extend import AsyncFunctionTaskTemplate


@dataclass
class Cluster:
    workers: int = 2


@dataclass
class Pool:
    pass


@dataclass(kw_only=True)
class ClusterTask(AsyncFunctionTaskTemplate[Any, Any]):
    plugin_config: Cluster
    task_type: str = "cluster"
    seen: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.size = self.plugin_config.workers + 1


class PoolTask(AsyncFunctionTaskTemplate[Any, Any]):
    supports_reuse_policy = True


async def work(path: str) -> str:
    return path


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskPluginRegistry, "_found", {Cluster: ClusterTask, Pool: PoolTask})


def test_the_registry() -> None:
    assert [Cluster, Pool] == TaskPluginRegistry.list_plugins()
    assert (ClusterTask, None) == (TaskPluginRegistry.find(config_type=Cluster), TaskPluginRegistry.find(int))


def test_what_is_no_plugin_is_not_registered() -> None:
    with pytest.raises(TypeError, match=r"2 problems(.|\n)*config_type: 3(.|\n)*AsyncFunctionTaskTemplate"):
        TaskPluginRegistry.register(3, dict)


def test_an_unknown_configuration_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"No task plugin found(.|\n)*Cluster, Pool(.|\n)*register\(int"):
        TaskEnvironment("unknown", plugin_config=3).task(work)


def test_a_dataclass_as_in_flyte() -> None:
    task = TaskEnvironment("dataclass", plugin_config=Cluster(4)).task(work)
    assert isinstance(task, ClusterTask)
    assert (task.plugin_config.workers, task.task_type, task.seen, task.size) == (4, "cluster", [], 5)


def test_it_is_compared_and_shown_as_a_task() -> None:
    env = TaskEnvironment("compared", plugin_config=Cluster())
    one, other = env.task(work), env.task(work)
    assert one != other
    assert len({one, other, one}) == 2
    assert repr(one) == "<Task compared.work(path: 'str') -> 'str'>"


def test_an_override_makes_it_again() -> None:
    task: Any = TaskEnvironment("overridden", plugin_config=Cluster()).task(work)
    assert task.override(retries=1).size == 3
    assert task.override(plugin_config=Cluster(9)).size == 10
    assert type(task.override(plugin_config=Pool())) is PoolTask


def test_what_it_has_computed_travels() -> None:
    task: Any = TaskEnvironment("travelling", plugin_config=Cluster(4)).task(work)
    task.size = 7
    copy = pickle.loads(pickle.dumps(task))
    assert (type(copy), copy.size, copy.plugin_config, copy.seen) == (ClusterTask, 7, Cluster(4), [])


def test_an_init_of_its_own_is_refused() -> None:
    with pytest.raises(TypeError, match="write __post_init__ instead"):

        class Wrong(AsyncFunctionTaskTemplate[Any, Any]):
            def __init__(self) -> None: ...


def test_a_field_without_a_value_is_refused() -> None:
    @dataclass(kw_only=True)
    class Missing(AsyncFunctionTaskTemplate[Any, Any]):
        address: str

    TaskPluginRegistry.register(Cluster, Missing)
    with pytest.raises(TypeError, match=r"Missing\.address: no value"):
        TaskEnvironment("missing", plugin_config=Cluster()).task(work)


def test_only_some_plugins_work_in_a_reusable_environment() -> None:
    assert TaskEnvironment("pool", plugin_config=Pool(), reusable=ReusePolicy()).task(work).reusable == ReusePolicy()
    env = TaskEnvironment("cluster", plugin_config=Cluster())
    for make in (
        lambda: TaskEnvironment("both", plugin_config=Cluster(), reusable=ReusePolicy()),
        lambda: TaskEnvironment("unknown", plugin_config=3, reusable=ReusePolicy()),
        lambda: env.clone_with("reused", reusable=ReusePolicy()),
        lambda: setattr(env, "reusable", ReusePolicy()),
        lambda: env.task(work).override(reusable=ReusePolicy()),
        lambda: TaskEnvironment("p", reusable=ReusePolicy()).task(work).override(plugin_config=Cluster()),
    ):
        with pytest.raises(ValueError, match="works when the environment is reusable"):
            make()


def test_what_a_platform_would_be_told_is_there_for_subclasses() -> None:
    task = TaskEnvironment("told").task(work)
    assert (task.config(None), task.custom_config(None), task.supports_reuse_policy) == ({}, {}, False)
