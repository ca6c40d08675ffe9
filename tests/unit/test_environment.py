"""Environments: names, tasks, dependencies, clones."""

from __future__ import annotations

import gc
import inspect
from typing import Any

import pytest

from flyte_jupyter.config.image.image import Image
from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.config.values.trigger import Trigger
from flyte_jupyter.environment import TaskEnvironment, environments
from flyte_jupyter.interface import Interface
from flyte_jupyter.task import Task


async def work(path: str) -> str:
    """Do the work."""
    return path


def plain_work(path: str) -> str:
    return path


@pytest.mark.parametrize("name", ["a", "my_env", "my-env", "1a", "a_b-c", "a1_2"])
def test_names(name: str) -> None:
    assert TaskEnvironment(name).name == name


@pytest.mark.parametrize("name", ["", "A", "a.b", "a b", "_a", "a_", "a__b", "a-_b", "ä"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="snake_case or kebab-case"):
        TaskEnvironment(name)


def test_a_name_is_needed() -> None:
    with pytest.raises(TypeError):
        TaskEnvironment()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="name"):
        TaskEnvironment(3)  # type: ignore[arg-type]


def test_a_wrong_name_comes_with_a_right_one() -> None:
    with pytest.raises(ValueError, match="try 'my_env'"):
        TaskEnvironment("MyEnv")


def test_the_example() -> None:
    another_env = TaskEnvironment(name="another_env")
    env = TaskEnvironment(
        name="data_processing_env",
        image=Image.from_debian_base(),
        resources=Resources(cpu=1, memory="512Mi"),
        env_vars={"MY_VAR": "value"},
        secrets=Secret("token"),
        cache="disable",
        depends_on=[another_env],
        description="Data processing task environment",
    )

    @env.task(
        short_name="process",
        cache="auto",
        report=True,
        max_inline_io_bytes=100 * 1024,
        retries=3,
        timeout=60,
        docs="This task processes data and generates a report.",
    )
    async def process_data(data_path: str) -> str:
        return data_path

    changed = process_data.override(
        resources=Resources(cpu=4, memory="2Gi"),
        env_vars={"MY_VAR": "new_value"},
        cache="enable",
        max_inline_io_bytes=100 * 1024,
        retries=3,
        timeout=60,
    )
    assert (env.depends_on, list(env.tasks)) == ([another_env], ["data_processing_env.process_data"])
    assert (process_data.resources, changed.resources) == (
        Resources(cpu=1, memory="512Mi"),
        Resources(cpu=4, memory="2Gi"),
    )
    assert (changed.env_vars, changed.cache, changed.secrets) == (
        {"MY_VAR": "new_value"},
        Cache("auto"),
        (Secret("token"),),
    )
    assert [changed.effective_config().level(name) for name in ("cache", "short_name", "secrets", "queue")] == [
        "override",
        "decorator",
        "environment",
        "default",
    ]


def test_settings_are_attributes_as_they_were_given() -> None:
    env = TaskEnvironment("attributes", image="python:3.12", cache="auto", include=["a.py"], description="x" * 300)
    env.secrets = "token"
    assert (env.secrets, env.task(work).secrets) == ("token", (Secret("token"),))
    assert (env.image, env.cache, env.include, len(env.description or "")) == ("python:3.12", "auto", ("a.py",), 255)
    blank = TaskEnvironment("blank")
    assert (blank.image, blank.cache, blank.depends_on, blank.resources, blank.interruptible) == (
        "auto",
        "disable",
        [],
        None,
        False,
    )


def test_an_attribute_set_later_counts_for_later_tasks() -> None:
    env = TaskEnvironment("later", queue="old")
    before = env.task(work)
    env.queue = "new"
    assert (before.queue, env.task(work).queue, env.queue) == ("old", "new", "new")
    env.queue = None
    assert env.task(work).queue is None
    with pytest.raises(TypeError):
        env.queue = 3  # type: ignore[assignment]


def test_attributes_that_would_count_nowhere_are_refused() -> None:
    env = TaskEnvironment("attributes")
    with pytest.raises(TypeError, match="retries: not a parameter of TaskEnvironment"):
        env.retries = 3  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="try 'a_b'"):
        env.name = "A b"
    assert ("attributes", False) == (env.name, hasattr(env, "retries"))


def test_settings_of_other_levels_are_refused() -> None:
    with pytest.raises(TypeError, match=r"retries may be set in @env\.task"):
        TaskEnvironment("e", retries=3)  # type: ignore[call-arg]


# --- task


def test_task_bare_and_called() -> None:
    env = TaskEnvironment("bare")
    bare = env.task(work)
    assert (bare.name, bare.func, bare.interface) == ("bare.work", work, Interface.of(work))
    called = env.task(retries=3)(work)
    assert (called.retries.count, env.tasks) == (3, {"bare.work": called})


def test_wrong_settings_are_refused_before_there_is_a_function() -> None:
    with pytest.raises(ValueError, match="retries"):
        TaskEnvironment("early").task(retries=-1)


@pytest.mark.parametrize("func", [3, "work", object])
def test_a_task_needs_a_function(func: Any) -> None:
    with pytest.raises(TypeError, match="a function"):
        TaskEnvironment("function").task(func)


def test_a_task_is_not_made_of_a_task() -> None:
    env = TaskEnvironment("twice")
    with pytest.raises(TypeError, match="override"):
        env.task(env.task(work))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cache": Cache("auto", ignored_inputs="paht")}, "did you mean 'path'"),
        ({"triggers": Trigger("t", inputs={"day": 1})}, "Trigger 't'"),
    ],
)
def test_names_of_inputs_are_checked(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TaskEnvironment("inputs").task(**settings)(work)


def test_several_tasks_at_a_time_need_an_async_function() -> None:
    env = TaskEnvironment("pool", reusable=ReusePolicy(concurrency=2))
    with pytest.raises(ValueError, match="async def plain_work"):
        env.task(plain_work)
    assert env.task(work).reusable == ReusePolicy(concurrency=2)
    with pytest.raises(ValueError, match="async"):
        TaskEnvironment("calm").task(plain_work).override(reusable=ReusePolicy(concurrency=2))


# --- dependencies


def test_environments_compare_by_identity_and_are_hashable() -> None:
    assert TaskEnvironment("same") != TaskEnvironment("same")
    assert len({TaskEnvironment("one"), TaskEnvironment("two")}) == 2


def test_a_dependency_is_added_once() -> None:
    a, b = TaskEnvironment("dep_a"), TaskEnvironment("dep_b")
    given = [a]
    env = TaskEnvironment("dep", depends_on=given)
    env.add_dependency(a, b)
    assert (env.depends_on, given) == ([a, b], [a])


@pytest.mark.parametrize("wrong", [3, "dep_a"])
def test_a_dependency_is_an_environment(wrong: Any) -> None:
    with pytest.raises(TypeError, match="depends_on"):
        TaskEnvironment("dep").add_dependency(wrong)
    with pytest.raises(TypeError, match="depends_on"):
        TaskEnvironment("dep", depends_on=wrong)


def test_an_environment_does_not_depend_on_itself() -> None:
    env = TaskEnvironment("narcissus")
    with pytest.raises(ValueError, match="Cannot add self as a dependency"):
        env.add_dependency(env)


def test_a_circle_is_refused_with_its_path() -> None:
    a = TaskEnvironment("circle_a")
    b = TaskEnvironment("circle_b", depends_on=[a])
    c = TaskEnvironment("circle_c", depends_on=[b])
    with pytest.raises(ValueError, match="circle_a -> circle_c -> circle_b -> circle_a"):
        a.add_dependency(c)
    assert a.depends_on == []


def test_a_diamond_is_fine() -> None:
    top = TaskEnvironment("top")
    sides = [TaskEnvironment("left", depends_on=[top]), TaskEnvironment("right", depends_on=[top])]
    assert TaskEnvironment("bottom", depends_on=sides).depends_on == sides


def test_a_cell_that_runs_again_supersedes_its_environment() -> None:
    old = TaskEnvironment("cell")
    user = TaskEnvironment("user", depends_on=[old])
    new = TaskEnvironment("cell")
    assert (user.depends_on, environments()["cell"]) == ([new], new)


def test_what_superseded_an_environment_stays_where_that_one_is_needed() -> None:
    old = TaskEnvironment("kept")
    user = TaskEnvironment("keeper", depends_on=[old])
    TaskEnvironment("kept", description="new")  # as in a cell that keeps no name of it
    gc.collect()
    assert ["new"] == [env.description for env in user.depends_on if isinstance(env, TaskEnvironment)]


def test_variables_of_a_task_are_changed_by_giving_new_ones() -> None:
    env = TaskEnvironment("variables", env_vars={"A": "1"})
    first, second = env.task(work), TaskEnvironment("without").task(work)
    for held in (first.env_vars, second.env_vars, env.env_vars or {}):
        with pytest.raises(TypeError, match="give a new one"):
            held["B"] = "2"
    env.env_vars = {**(env.env_vars or {}), "B": "2"}
    assert ({"A": "1"}, {}, {"A": "1", "B": "2"}) == (first.env_vars, second.env_vars, env.task(work).env_vars)


def test_environments_that_are_gone_are_not_listed() -> None:
    env = TaskEnvironment("short_lived")
    assert environments()["short_lived"] is env
    del env
    gc.collect()
    assert "short_lived" not in environments()


# --- clones


def test_a_clone_inherits_what_is_not_given() -> None:
    env = TaskEnvironment("original", queue="q", cache="auto", reusable=ReusePolicy(), env_vars={"A": "1"})
    env.task(work)
    clone = env.clone_with("clone", env_vars={}, queue=None)
    assert (clone.name, clone.queue, clone.cache, clone.env_vars, clone.tasks) == ("clone", "q", "auto", {}, {})
    assert (clone.reusable, env.clone_with("cold", reusable=None).reusable) == (ReusePolicy(), None)
    with pytest.raises(TypeError, match="retries"):
        env.clone_with("clone", retries=3)  # type: ignore[call-arg]


def test_an_environment_of_tasks() -> None:
    loose = [Task(f, name=f.__name__, interface=Interface.of(f), layers=()) for f in (work, plain_work)]
    env = TaskEnvironment.from_task("collected", *loose)
    assert env.tasks == {"work": loose[0], "plain_work": loose[1]}
    assert [task.parent_env_name for task in loose] == ["collected", "collected"]
    with pytest.raises(ValueError, match="'collected'"):
        TaskEnvironment.from_task("again", loose[0])


# --- what is shown


def test_repr() -> None:
    a = TaskEnvironment("repr_a")
    assert repr(TaskEnvironment("repr_b", depends_on=[a], cache="auto")) == (
        "TaskEnvironment('repr_b', depends_on=[repr_a], cache='auto')"
    )


def test_the_signature_of_the_class() -> None:
    parameters = inspect.signature(TaskEnvironment).parameters
    assert list(parameters)[:3] == ["name", "image", "depends_on"]
    assert parameters["name"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
