"""Tasks: what they are, what an override makes, what a call does, and that they travel."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import pydoc
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cloudpickle
import pytest

from flyte_jupyter import context
from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import RetryStrategy
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.config.values.trigger import Trigger
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.errors import SyncTaskCallInAsyncContextError
from flyte_jupyter.task import Task

env = TaskEnvironment("tasks", resources=Resources(cpu=1), depends_on=[TaskEnvironment("other")])


@env.task(retries=3, timeout=60)
async def double(x: int) -> int:
    """Twice as much."""
    return 2 * x


@env.task
def triple(x: int, *, times: int = 3) -> int:
    return times * x


# --- what a task is


def test_a_task_looks_like_its_function() -> None:
    assert (double.__name__, double.__doc__, double.__module__) == ("double", "Twice as much.", __name__)
    assert str(inspect.signature(double)) == "(x: 'int') -> 'int'"
    assert pydoc.plain(pydoc.render_doc(double)).splitlines()[2:] == ["double(x: 'int') -> 'int'", "    Twice as much."]
    assert (double.name, double.is_async, triple.is_async) == ("tasks.double", True, False)
    assert double.parent_env is not None
    assert (double.parent_env(), double.parent_env_name) == (env, "tasks")


def test_repr() -> None:
    assert repr(double) == "<Task tasks.double(x: 'int') -> 'int'>"
    assert repr(double.override(queue="q")) == "<Task tasks.double(x: 'int') -> 'int' overridden 1x>"


def test_parameters_are_attributes() -> None:
    assert (double.retries, double.timeout, double.resources) == (RetryStrategy(3), Timeout(60), Resources(cpu=1))
    assert (double.cache, double.short_name, double.report) == (Cache("disable"), "double", False)
    with pytest.raises(AttributeError):
        double.retries = RetryStrategy(1)


def test_tasks_compare_by_identity() -> None:
    assert len({double, double.override(), triple}) == 3


def test_a_task_in_a_class_is_called_like_a_static_method() -> None:
    class Holder:
        task = triple

    assert Holder().task(2) == 6


# --- overriding


def test_an_override_is_a_new_task() -> None:
    changed = double.override(retries=0, queue="q")
    assert (changed.retries.count, changed.queue, changed.name) == (0, "q", "tasks.double")
    assert (double.retries.count, double.queue, env.tasks["tasks.double"]) == (3, None, double)
    assert (changed.func, changed.interface) == (double.func, double.interface)


def test_overrides_chain() -> None:
    changed = double.override(queue="a", retries=1).override(queue="b")
    assert (changed.queue, changed.retries.count, len(changed.layers)) == ("b", 1, 4)


def test_an_empty_short_name_is_the_functions() -> None:
    assert double.override(short_name="s").override(short_name="").short_name == "double"


def test_overrides_have_no_positional_arguments() -> None:
    with pytest.raises(TypeError):
        double.override(3)  # type: ignore[call-arg]


def test_a_reusable_task_has_to_be_switched_off() -> None:
    task = TaskEnvironment("warm", reusable=ReusePolicy()).task(double.func)
    with pytest.raises(ValueError, match='reusable="off"'):
        task.override(env_vars={})
    ordinary = task.override(env_vars={}, reusable="off")
    assert (ordinary.reusable, ordinary.override(env_vars={"A": "1"}).env_vars) == (None, {"A": "1"})


# --- calling


class Threads:
    """A caller that runs tasks in threads and remembers them."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor()
        self.started: list[str] = []

    def start(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Started:
        self.started.append(task.name)
        return Started(self.pool.submit(lambda: asyncio.run(self._run(task, args, kwargs))))

    async def _run(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        value = task.func(*args, **kwargs)
        return await value if task.is_async else value


class Started:
    def __init__(self, future: Future[Any]) -> None:
        self.future = future

    def value(self) -> Any:
        return self.future.result()

    async def avalue(self) -> Any:
        return await asyncio.wrap_future(self.future)

    def cancel(self, reason: str) -> None:
        self.future.cancel()


@pytest.fixture
def inside() -> Iterator[Threads]:
    """As if inside a running task."""
    caller = Threads()
    token = context._here.set(context._Here(context.TaskContext(), caller, None))
    yield caller
    context._here.reset(token)
    caller.pool.shutdown()


def test_outside_a_run_a_call_is_a_call() -> None:
    assert (asyncio.run(double(2)), triple(2), triple.forward(2, times=4)) == (4, 6, 8)
    assert (asyncio.run(double.aio(2)), asyncio.run(triple.aio(2))) == (4, 6)


def test_inside_a_run_a_call_is_an_action(inside: Threads) -> None:
    async def parent() -> tuple[int, int]:
        return await double(2), await triple.aio(2)

    assert (asyncio.run(parent()), triple(2, times=1), triple.forward(1)) == ((4, 6), 2, 3)
    assert inside.started == ["tasks.double", "tasks.triple", "tasks.triple"]


def test_inside_a_run_an_async_call_is_a_real_coroutine(inside: Threads) -> None:
    async def parent() -> list[int]:
        started = asyncio.create_task(double(1))
        return [await started, *await asyncio.gather(double(2), double.override(retries=0)(3))]

    assert asyncio.run(parent()) == [2, 4, 6]


def test_inside_a_run_an_error_is_raised_where_it_is_awaited(inside: Threads) -> None:
    @env.task
    async def fails() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError):
        asyncio.run(fails())


def test_a_sync_call_does_not_block_a_running_loop(inside: Threads) -> None:
    async def parent() -> int:
        return triple(2)

    with pytest.raises(SyncTaskCallInAsyncContextError, match=r"await triple\.aio"):
        asyncio.run(parent())


# --- travelling


@env.task(links=[], triggers=Trigger.daily(), pod_template=PodTemplate({"nodeSelector": {"zone": "a"}}))
async def factorial(n: int) -> int:
    return n * await factorial(n - 1) if n else 1


def by_value(task: Task[..., Any]) -> bytes:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        return cloudpickle.dumps(task)
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_a_recursive_task_travels_by_value() -> None:
    copy = pickle.loads(by_value(factorial.override(queue="q")))
    assert (copy.name, copy.queue, asyncio.run(copy(5)), copy.interface) == (
        "tasks.factorial",
        "q",
        120,
        factorial.interface,
    )
    assert (type(copy.func.__globals__["factorial"]), str(inspect.signature(copy))) == (Task, "(n: 'int') -> 'int'")


def test_what_a_running_task_cannot_use_stays_at_home() -> None:
    copy = pickle.loads(by_value(factorial))
    assert (copy.triggers, copy.spec.depends_on, copy.parent_env) == ((), (), None)
    assert (copy.resources, copy.override(retries=1).retries.count) == (Resources(cpu=1), 1)


def test_a_task_that_is_called_in_a_cluster_knows_its_pod() -> None:
    assert pickle.loads(by_value(factorial)).pod_template == factorial.pod_template


def test_a_task_is_loaded_in_a_process_that_has_never_seen_it() -> None:
    program = (
        "import asyncio, pickle, sys; t = pickle.loads(sys.stdin.buffer.read()); "
        "print(asyncio.run(t(5)), t.spec.resources, 'flyte_jupyter.environment' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], input=by_value(factorial), capture_output=True, check=True)
    assert found.stdout.decode().strip() == "120 Resources(cpu=1) False"
