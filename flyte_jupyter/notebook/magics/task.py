"""From a cell and the variables of a notebook to a task and its inputs; without IPython."""

from __future__ import annotations

import builtins
import keyword
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...environment import TaskEnvironment, environments
from ...errors import nearest
from ...task import Task
from ..cells.extract import CellCode
from .options import OptionError, split_levels

DEFAULT_ENV = "notebook"
_OF_IPYTHON = ("In", "Out", "exit", "quit", "open", "get_ipython")
_kept: dict[str, TaskEnvironment] = {}  # the list of environments holds none of them alive


class UndefinedNames(NameError):
    """A cell reads names that nobody has defined.

    Attributes:
        line: where the first of them stands.
    """

    line: int = 0


@dataclass(frozen=True)
class TaskCell:
    """A task made of a cell, and what it is to be called with."""

    task: Task[..., Any]
    inputs: Mapping[str, Any]
    outputs: tuple[str, ...]

    def bind(self, variables: dict[str, Any]) -> None:
        """Give the task its name in the notebook, unless something else has it."""
        name = self.task.func.__name__
        if name not in self.outputs and isinstance(variables.get(name, self.task), Task):
            variables[name] = self.task


def environment(name: str | None, variables: Mapping[str, Any]) -> TaskEnvironment:
    """By variable or by name; without a name the one that magics use. Raises `OptionError`."""
    if name is None:
        if DEFAULT_ENV not in environments():
            _kept[DEFAULT_ENV] = TaskEnvironment(DEFAULT_ENV)
        return environments()[DEFAULT_ENV]
    if isinstance(found := variables.get(name), TaskEnvironment):
        return found
    if name in environments():
        return environments()[name]
    known = [*(n for n, v in variables.items() if isinstance(v, TaskEnvironment)), *environments()]
    near = nearest(name, known)
    there = f"there are: {', '.join(dict.fromkeys(known))}" if known else f"make it: %flyte_env {name}"
    raise OptionError(f"--env {name}: no such environment; " + (f"did you mean {near}?" if near else there))


def make_environment(name: str, settings: Mapping[str, Any]) -> TaskEnvironment:
    """An environment that stays. Raises `ConfigError`."""
    _kept[name] = env = TaskEnvironment(name, **dict(settings))
    return env


def names_of_user(variables: Iterable[str]) -> list[str]:
    """The names that somebody may mean: neither private ones nor those that IPython puts among the variables."""
    return [name for name in variables if not name.startswith("_") and name not in _OF_IPYTHON]


def task_name(given: str) -> str:
    """The name of the function that a cell becomes. Raises `OptionError`."""
    name = given.replace("-", "_") or "cell"
    if not name.isidentifier() or keyword.iskeyword(name):
        raise OptionError(f"{given!r} cannot be the name of a task: letters, digits and _, not beginning with a digit")
    return name


def inputs_of(cell: CellCode, variables: Mapping[str, Any], given: Sequence[str] | None) -> tuple[str, ...]:
    """The names that become parameters of the task: data that the cell reads, or those that were `given`.

    What the cell both reads and binds has to be a parameter in any case, since it is a local of the function.

    Raises:
        UndefinedNames: it reads what nobody has defined. OptionError: a given name is not there.
    """
    missing = [n for n in (*cell.free, *cell.required) if not _is_known(n, variables)]
    if missing:
        raise _undefined(cell, missing, variables)
    both = [n for n in cell.early if n in variables]
    if given is None:
        return tuple(dict.fromkeys([*(n for n in cell.free if _is_data(n, variables)), *both]))
    for name in given:
        if name not in variables:
            near = nearest(name, names_of_user(variables))
            raise OptionError(f"-i {name}: no such variable" + (f"; did you mean {near}?" if near else ""))
    return tuple(dict.fromkeys([*given, *both]))


def not_assigned(output: str, cell: CellCode) -> str:
    """What is said of an output that the cell does not give."""
    near = nearest(output, cell.assigned)
    there = f"did you mean {near}?" if near else f"it assigns: {', '.join(cell.assigned) or 'nothing'}"
    return f"-o {output}: the cell does not assign it; {there}"


def task_of_body(
    cell: CellCode,
    env: TaskEnvironment,
    variables: dict[str, Any],
    filename: str,
    *,
    name: str = "",
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
) -> TaskCell:
    """The task that a body of statements is. Raises `ConfigError`, `OptionError`, `UndefinedNames`."""
    name = task_name(name)
    chosen = inputs_of(cell, variables, inputs)
    for output in cell.unassigned(outputs, chosen):
        raise OptionError(not_assigned(output, cell))
    code = compile(cell.function(name, chosen, outputs), filename, "exec", dont_inherit=True)
    made: dict[str, Any] = {}
    exec(code, variables, made)  # noqa: S102 - it defines the function, in the notebook's namespace
    function = made[name]
    annotations: dict[str, Any] = dict.fromkeys(chosen, Any)
    several = tuple[tuple(Any for _ in outputs)] if len(outputs) > 1 else Any  # type: ignore[misc]  # made at run time
    annotations["return"] = several if outputs or cell.has_value else None
    function.__annotations__ = annotations
    return TaskCell(
        _declare(env, function, settings or {}, variables), {n: variables[n] for n in chosen}, tuple(outputs)
    )


def tasks_of_functions(
    cell: CellCode, env: TaskEnvironment, variables: dict[str, Any], filename: str, settings: Mapping[str, str]
) -> list[Task[..., Any]]:
    """Define the functions of a cell in the notebook, each as a task. Raises `ConfigError`, or what the cell raises."""
    split_levels(settings, variables)  # before anything is defined
    exec(compile(cell.tree, filename, "exec", dont_inherit=True), variables)  # noqa: S102 - it is the user's cell
    tasks: list[Task[..., Any]] = []
    for name in dict.fromkeys(cell.functions):
        value = variables[name]
        if not isinstance(value, Task):  # else it has a decorator of its own
            value = variables[name] = _declare(env, value, settings, variables)
        tasks.append(value)
    return tasks


def _declare(
    env: TaskEnvironment, function: Any, settings: Mapping[str, str], variables: Mapping[str, Any]
) -> Task[..., Any]:
    decorator, override = split_levels(settings, variables)
    task: Task[..., Any] = env.task(**decorator)(function)
    return task.override(**override) if override else task


def _is_known(name: str, variables: Mapping[str, Any]) -> bool:
    is_special = name.startswith("__") and name.endswith("__")
    return name in variables or hasattr(builtins, name) or is_special


def _is_data(name: str, variables: Mapping[str, Any]) -> bool:
    """Whether a variable is handed over; functions, classes, modules and environments go with the code instead."""
    if name not in variables or (name.startswith("__") and name.endswith("__")):
        return False
    value = variables[name]
    return not (callable(value) or isinstance(value, (types.ModuleType, TaskEnvironment)))


def _undefined(cell: CellCode, missing: Sequence[str], variables: Mapping[str, Any]) -> UndefinedNames:
    known = names_of_user(variables)
    parts = []
    for name in missing:
        near = nearest(name, known)
        parts.append(f"name {name!r} is not defined" + (f"; did you mean {near!r}?" if near else ""))
    error = UndefinedNames("\n".join(parts))
    error.line = cell.line_of(missing[0])
    return error
