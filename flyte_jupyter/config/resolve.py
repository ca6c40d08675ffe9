"""From what was given at each level to one `TaskSpec`, and where each value came from.

A layer is a dict of what was given at one level, its values canonical.  Absent means not given, so `0`, `{}`, `False`
and `[]` count.  What `None` and empty words mean, for every parameter and level:

- `None` given by the user is "not given": it never gets into a layer.
- `""` for a str (queue, service_account, pod_template, short_name) and `reusable="off"` take away what a level below
  gave; a canonical layer holds them as None.

Override beats decorator beats environment; values are replaced whole, never merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError, ConfigTypeError, ConfigValueError, nearest
from .refusal import raise_all, wrong_type
from .rules import Layer, Layers, function_problems, plugin_problems, reuse_problems, secret_problems
from .spec import ENV, NOT_PARAMS, OVERRIDE, PARAMS, TASK, Level, Param, TaskSpec, names

LEVEL_NAMES: dict[Level | None, str] = {ENV: "environment", TASK: "decorator", OVERRIDE: "override", None: "default"}
"""How a level is called in what users see; None is nobody."""

PLACES = {ENV: "TaskEnvironment(...)", TASK: "@env.task(...)", OVERRIDE: "task.override(...)"}
"""How a level looks in code."""


@dataclass(frozen=True)
class Resolved:
    """A configuration and where it came from.

    Attributes:
        spec: the values.
        levels: for each parameter that somebody gave, the level that won.
    """

    spec: TaskSpec
    levels: Mapping[str, Level]


def check(
    level: Level, given: Mapping[str, Any], below: Layers = (), func: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """The canonical layer of what was given at `level`, on top of the layers `below`, for the function of the task.

    Raises:
        ConfigTypeError, ConfigValueError: names that do not belong here, values that are not accepted, and what
            the reuse rules refuse, or the function does; all of them in one error.
    """
    layer: dict[str, Any] = {}
    problems: list[ConfigError] = []
    for name, value in given.items():
        p = PARAMS.get(name)
        if p is None or not p.levels & level:
            problems.append(_misplaced(level, name, p))
        elif p.off and value == p.off and level is ENV:
            problems.append(wrong_type(name, value, f'{p.type_text}; "{p.off}" belongs in an override', "leave it out"))
        elif value is not None or name == "name":  # which is always required
            try:
                layer[name] = p.accept(value)
            except ConfigError as problem:
                problems.append(problem)
    problems += reuse_problems(level, layer, below)
    problems += plugin_problems(level, layer, below)
    problems += secret_problems(layer, below)
    if func is not None:
        problems += function_problems(((level, layer),), func)
    if problems:
        raise_all(problems)
    return layer


def resolve(layers: Iterable[tuple[Level, Layer]], **defaults: Any) -> Resolved:
    """The configuration of layers, the later winning; `defaults` stand in for those of the table."""
    values: dict[str, Any] = {}
    levels: dict[str, Level] = {}
    for level, layer in layers:
        values.update(layer)
        levels.update(dict.fromkeys(layer, level))
    present = {name: value for name, value in values.items() if value is not None}
    return Resolved(TaskSpec(**{**defaults, **present}), levels)


def places(p: Param) -> str:
    """Where a parameter may be set, in words."""
    return ", ".join(place for level, place in PLACES.items() if level & p.levels)


def _misplaced(level: Level, name: str, p: Param | None) -> ConfigError:
    """The error for a name that does not belong at a level."""
    here = PLACES[level]
    if p is None:
        if level is OVERRIDE and name in NOT_PARAMS:
            return ConfigValueError(f"{NOT_PARAMS[name]}\n  it is what the function's annotations say")
        from .values.resources import Resources

        if name in Resources.__dataclass_fields__:
            given = f"resources=Resources({name}=...)"
            own = "resources" in names(level)
            hint = f"write {given}" if own else f"for one task: my_task.override({given})"
            return ConfigTypeError(f"{name}: not a parameter of {here}\n  {hint}")
        similar = nearest(name, names(level)) or nearest(name, PARAMS)
        if similar is None:
            return ConfigTypeError(f"{name}: not a parameter of {here}\n  parameters here: {', '.join(names(level))}")
        return ConfigTypeError(f"{name}: not a parameter of {here}\n  did you mean {similar!r}?\n  {_about(similar)}")
    if level is OVERRIDE and p.fixed:
        return ConfigValueError(f"{p.fixed} (given: {name}= in {here})\n  {_about(name)}\n  {_instead(name, level, p)}")
    return ConfigTypeError(f"{name}: not a parameter of {here}\n  {_about(name)}\n  {_instead(name, level, p)}")


def _about(name: str) -> str:
    return f"{name} may be set in {places(PARAMS[name])}"


def _instead(name: str, level: Level, p: Param) -> str:
    if level is OVERRIDE:
        if name == "name":
            return 'for another environment: env.clone_with("another_name")'
        return f"for another environment: env.clone_with(name, {name}=...)" if p.levels is ENV else "set it there"
    if OVERRIDE in p.levels:
        return f"for one task: my_task.override({name}=...)"
    return "set it there"
