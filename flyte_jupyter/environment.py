"""TaskEnvironment: a name and what its tasks have in common."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, overload

from .config.credential import masked
from .config.refusal import gathered, raise_all, wrong_type, wrong_value
from .config.resolve import check
from .config.rules import Layers, function_problems
from .config.signature import positional, sign
from .config.spec import ENV, PARAMS, TASK, names
from .config.values.dependency import Environment, depends_on_of
from .errors import ConfigValueError
from .task import Task, task_class

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .config.settings import EnvironmentAttributes, EnvironmentSettings, TaskSettings
else:

    class EnvironmentAttributes:
        """Made below, from the table."""


P = ParamSpec("P")
R = TypeVar("R")

_newest: weakref.WeakValueDictionary[str, TaskEnvironment] = weakref.WeakValueDictionary()


def environments() -> dict[str, TaskEnvironment]:
    """The environments that are alive, by name; of two with one name the newer."""
    return dict(sorted(_newest.items()))


class TaskEnvironment(EnvironmentAttributes, Environment):
    """A name and the settings that its tasks have in common.

    Every setting is an attribute, as it was given.  Setting an attribute counts for the tasks that are declared
    afterwards.  An environment made again under the same name, as when a cell is run again, takes the place of the
    older one, also in the `depends_on` of others.  Environments compare by identity.

    Attributes:
        name: lower-case letters and digits, in groups joined by single "_" or "-".
        tasks: its tasks by their full names.

    Raises:
        ConfigTypeError: a setting that does not belong here, or a value of a wrong type.
        ConfigValueError: a value that is not accepted, or `depends_on` leads back to this environment.
    """

    def __init__(self, name: str, **settings: Unpack[EnvironmentSettings]) -> None:
        layer = check(ENV, {"name": name, **settings})
        self._given: dict[str, Any] = {key: value for key, value in settings.items() if value is not None}
        self._start(layer)

    def _start(self, layer: dict[str, Any]) -> None:
        _check_cycles(layer["name"], layer.get("depends_on", ()))
        self.name = layer["name"]
        self._layer = layer
        self.tasks: dict[str, Task[..., Any]] = {}
        if self.name in _newest:
            for env in environments().values():  # kept by them from now on, as the older one was
                if "depends_on" in env._layer:
                    env._layer["depends_on"] = tuple(
                        self if other.name == self.name else other for other in env._layer["depends_on"]
                    )
        _newest[self.name] = self

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "name" or (name in PARAMS and not PARAMS[name].levels & ENV):
            check(ENV, {name: value})  # `env.retries = 3` would be heard by nobody
        object.__setattr__(self, name, value)

    # --- tasks

    @overload
    def task(self, func: Callable[P, R], /, **settings: Unpack[TaskSettings]) -> Task[P, R]: ...
    @overload
    def task(self, /, **settings: Unpack[TaskSettings]) -> Callable[[Callable[P, R]], Task[P, R]]: ...
    def task(self, func: Any = None, /, **settings: Unpack[TaskSettings]) -> Any:
        """Make a task of a function: `@env.task`, or `@env.task(retries=3)`.

        A function declared again under the same name replaces the task in `tasks`.

        Raises:
            ConfigTypeError: a setting that does not belong here, a value of a wrong type, or not a function.
            ConfigValueError: a value that is not accepted, or that does not fit the function.
        """
        layer = check(TASK, settings, self._layers())
        if func is None:
            return lambda function: self._declare(function, layer)
        return self._declare(func, layer)

    def _declare(self, func: Callable[P, R], layer: dict[str, Any]) -> Task[P, R]:
        from .interface import Interface

        if isinstance(func, Task) or not inspect.isroutine(func):
            hint = "use .override(...) to change a task" if isinstance(func, Task) else ""
            raise wrong_type("@env.task", func, "a function, and settings by keyword", hint)
        layers = (*self._layers(), (TASK, layer))
        problems = function_problems(layers, func)
        with gathered(problems):
            cls = cast("type[Task[P, R]]", task_class(layers))
        with gathered(problems):
            interface = Interface.of(func)
        raise_all(problems)
        task = cls(
            func,
            name=f"{self.name}.{func.__name__}",
            interface=interface,
            layers=layers,
            parent_env=weakref.ref(self),
        )
        self.tasks[task.name] = task
        return task

    def _layers(self) -> Layers:
        return ((ENV, dict(self._layer)),)  # copied: what is set on the environment later does not reach the task

    @classmethod
    def from_task(
        cls, name: str, *tasks: Task[..., Any], depends_on: list[Environment] | None = None
    ) -> TaskEnvironment:
        """An environment for tasks that belong to none; they keep their names.

        Raises:
            ConfigValueError: a task belongs to an environment, or their images differ.
        """
        for task in tasks:
            if not isinstance(task, Task):
                raise wrong_type("from_task", task, "tasks of no environment")
            if task.parent_env is not None:  # also when that one is gone
                hint = f"it belongs to {task.parent_env_name!r}"
                raise wrong_value("from_task", task.name, "tasks of no environment", hint)
        images = [task.image for task in tasks]
        for image in images:
            if image != images[0]:
                raise wrong_value("from_task", image, f"tasks of one image, such as {images[0]!r}")
        env = cls(name, image=images[0] if images else None, depends_on=depends_on)
        for task in tasks:
            task.parent_env = weakref.ref(env)
            env.tasks[task.name] = task
        return env

    # --- other environments

    @property
    def depends_on(self) -> list[Environment]:
        """The environments that are deployed with this one, each as it was last made under its name."""
        return [_newest.get(env.name, env) for env in self._layer.get("depends_on", ())]

    @depends_on.setter
    def depends_on(self, value: list[Environment]) -> None:
        found = depends_on_of(value)
        _check_cycles(self.name, found)
        self._layer["depends_on"] = found

    def add_dependency(self, *envs: Environment) -> None:
        """Add to `depends_on`; an environment that is there already is not added again.

        Raises:
            ConfigTypeError: not an environment.
            ConfigValueError: this environment itself, or one that leads back to it.
        """
        self.depends_on = [*self.depends_on, *depends_on_of(envs)]

    def clone_with(self, name: str, **settings: Unpack[EnvironmentSettings]) -> TaskEnvironment:
        """A new environment without tasks, with some settings replaced; the others are this one's.

        None inherits; `reusable=None` takes the policy away, as in Flyte.
        """
        if "reusable" in settings and settings["reusable"] is None:
            keep = {key: value for key, value in self._layer.items() if key != "reusable"}
            kept_given = {key: value for key, value in self._given.items() if key != "reusable"}
        else:
            keep, kept_given = self._layer, self._given
        clone = object.__new__(type(self))
        layer = {**keep, **check(ENV, {"name": name, **settings}, ((ENV, keep),))}
        clone._given = {**kept_given, **{key: value for key, value in settings.items() if value is not None}}
        clone._start(layer)
        return clone

    def to_json(self) -> str:
        """Its name."""
        return self.name

    def __repr__(self) -> str:
        given = "".join(f", {key}={_shown(value)}" for key, value in self._given.items())
        return f"TaskEnvironment({self.name!r}{given})"

    def _repr_html_(self) -> str:
        from .shown import environment

        return environment(self)


class _Setting:
    """A parameter as an attribute of an environment."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.__doc__ = PARAMS[name].doc

    def __get__(self, env: TaskEnvironment | None, owner: type | None = None) -> Any:
        if env is None:
            return self
        if self._name in _AS_GIVEN:
            return env._given.get(self._name, _AS_GIVEN[self._name])
        return env._layer.get(self._name, _NOT_GIVEN.get(self._name, PARAMS[self._name].default))

    def __set__(self, env: TaskEnvironment, value: Any) -> None:
        layer = check(ENV, {self._name: value}, env._layers())
        if layer:
            env._layer.update(layer)
            env._given[self._name] = value
        else:
            env._layer.pop(self._name, None)
            env._given.pop(self._name, None)


_AS_GIVEN = {"image": "auto", "cache": "disable", "secrets": None}
"""What Flyte's environments keep as it was written, and its default; a task has it as an object."""
_NOT_GIVEN = {"env_vars": None}
"""What an environment has where a task has something empty."""


def _check_cycles(name: str, dependencies: tuple[Environment, ...]) -> None:
    """Refuse dependencies that lead back to the environment `name`, with the path."""
    if any(env.name == name for env in dependencies):
        raise ConfigValueError(
            f"depends_on: Cannot add self as a dependency (environment {name!r})\n"
            "  leave it out: the tasks of one environment go together"
        )
    for path in _paths(name, dependencies, (name,)):
        if path[-1] == name:
            raise ConfigValueError(
                "depends_on: environments depend on each other in a circle\n"
                f"  {' -> '.join(path)}\n"
                "  take one of these out of depends_on"
            )


def _paths(name: str, dependencies: tuple[Environment, ...], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every way along `depends_on`, until it comes back to `name` or ends."""
    seen: set[str] = set()
    open_ = [(env, (*path, env.name)) for env in dependencies]
    while open_:
        env, here = open_.pop()
        yield here
        if env.name == name or env.name in seen:
            continue
        seen.add(env.name)
        current = _newest.get(env.name, env)
        if isinstance(current, TaskEnvironment):
            open_ += [(below, (*here, below.name)) for below in current.depends_on]


def reached(what: str, first: Any, seen: set[str]) -> list[TaskEnvironment]:
    """An environment and those that it depends on, as they were last made; without those whose names are in `seen`.

    Args:
        what: who asks, for the error; seen: the names are added to it.

    Raises:
        ConfigTypeError: something else than environments of tasks.
    """
    found: list[TaskEnvironment] = []
    waiting = [first]
    while waiting:
        env = waiting.pop(0)
        if not isinstance(env, TaskEnvironment):
            hint = f"its environment is {env.parent_env_name!r}" if isinstance(env, Task) else ""
            raise wrong_type(what, env, "environments of tasks", hint)
        if env.name not in seen:
            seen.add(env.name)
            found.append(env)
            waiting += env.depends_on
    return found


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)) and any(isinstance(item, Environment) for item in value):
        return "[" + ", ".join(item.name for item in value) + "]"
    return repr(masked(value))


def _add_attributes() -> None:
    for name in names(ENV):
        if name not in ("name", "depends_on"):
            setattr(TaskEnvironment, name, _Setting(name))


_add_attributes()
sign(TaskEnvironment.__init__, [positional("self"), positional("name", "str")], ENV, "None")
sign(
    TaskEnvironment.task,
    [
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),
        inspect.Parameter("func", inspect.Parameter.POSITIONAL_ONLY, default=None),
    ],
    TASK,
    "Task[P, R]",
)
sign(TaskEnvironment.clone_with, [positional("self"), positional("name", "str")], ENV, "TaskEnvironment")
