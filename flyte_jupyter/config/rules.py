"""The rules between parameters, and between a parameter and the function.  Pure: layers in, problems out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ..errors import ConfigError, ConfigValueError
from .plugin import works_reused
from .refusal import did_you_mean, wrong_value
from .spec import OVERRIDE, PARAMS, TASK, Level
from .values.secret import clashes

Layer: TypeAlias = "Mapping[str, Any]"
Layers: TypeAlias = "tuple[tuple[Level, Layer], ...]"

_LOCKED = tuple(name for name, p in PARAMS.items() if p.reuse_locked)
_OF_FUNCTION = frozenset({"cache", "reusable", "triggers"})


def value_in(layers: Iterable[tuple[Level, Layer]], name: str) -> Any:
    """The value that wins, canonical; None when it was taken away or never given."""
    found = None
    for _, layer in layers:
        if name in layer:
            found = layer[name]
    return found


def reuse_problems(level: Level, layer: Layer, below: Layers) -> list[ConfigError]:
    """What is wrong with setting `layer` on top of `below` because the task is, or becomes, reusable."""
    if level is OVERRIDE:
        reusable = layer["reusable"] if "reusable" in layer else value_in(below, "reusable")
        if reusable is None:
            return []
        return [_locked(name) for name in _LOCKED if name in layer]
    if level is TASK and value_in(below, "reusable") is not None:
        problems: list[ConfigError] = []
        if "pod_template" in layer:
            problems.append(_of_the_pool("pod_template", layer["pod_template"]))
        account = layer.get("service_account")
        if "service_account" in layer and account != value_in(below, "service_account"):
            problems.append(_of_the_pool("service_account", account))
        return problems
    return []


def plugin_problems(level: Level, layer: Layer, below: Layers) -> list[ConfigError]:
    """What is wrong with a plugin that is, or becomes, one of a reusable environment."""
    if "plugin_config" not in layer and "reusable" not in layer:
        return []
    layers = (*below, (level, layer))
    config, reusable = value_in(layers, "plugin_config"), value_in(layers, "reusable")
    if config is None or reusable is None or works_reused(config):
        return []
    hint = "leave out reusable=, or set supports_reuse_policy = True in the plugin's class"
    return [wrong_value("plugin_config", config, "a plugin that works when the environment is reusable", hint)]


def secret_problems(layer: Layer, below: Layers) -> list[ConfigError]:
    """Environment variables that `layer`, on top of `below`, gives both a value and a secret."""
    if "env_vars" not in layer and "secrets" not in layer:
        return []
    env_vars, secrets = (layer.get(name, value_in(below, name)) or () for name in ("env_vars", "secrets"))
    return [secret_and_variable(name) for name in clashes(env_vars, secrets)] if env_vars and secrets else []


def secret_and_variable(name: str, where: str = "env_vars") -> ConfigValueError:
    """The error for an environment variable that is given openly, and is a secret's too."""
    return ConfigValueError(
        f"secrets: {name} is in {where} too, and a variable has one value\n"
        "  leave it out there, or give the secret another variable: Secret(..., as_env_var=...)"
    )


def function_problems(layers: Layers, func: Callable[..., Any]) -> list[ConfigError]:
    """What does not fit the function: its kind, and the names of its inputs."""
    problems: list[ConfigError] = []
    if all(_OF_FUNCTION.isdisjoint(layer) for _, layer in layers):
        return problems
    reusable = value_in(layers, "reusable")
    if reusable is not None and reusable.concurrency > 1 and not inspect.iscoroutinefunction(func):
        hint = f"write `async def {func.__name__}`, or use concurrency=1"
        problems.append(
            wrong_value("reusable: concurrency", reusable.concurrency, "1, because the task is not async", hint)
        )
    cache, triggers = value_in(layers, "cache"), value_in(layers, "triggers") or ()
    if not triggers and (cache is None or not cache.ignored_inputs):
        return problems
    inputs = list(inspect.signature(func).parameters)
    if cache is not None:
        problems += [
            _no_input("cache: ignored_inputs", name, inputs) for name in cache.ignored_inputs if name not in inputs
        ]
    for trigger in triggers:
        what = f"Trigger {trigger.name!r}: inputs"
        problems += [_no_input(what, name, inputs) for name in trigger.inputs or () if name not in inputs]
    return problems


def _locked(name: str) -> ConfigValueError:
    return ConfigValueError(
        f"{name}: cannot be overridden while the task is reusable\n"
        "  the warm processes of the environment are made with it\n"
        f'  set reusable="off" too: override({name}=..., reusable="off")'
    )


def _of_the_pool(name: str, value: Any) -> ConfigValueError:
    return ConfigValueError(
        f"{name}: cannot be set in @env.task(...) of a reusable environment (given: {value!r})\n"
        "  the warm processes are the environment's, and the same for all its tasks\n"
        f'  set it on the environment, or on one call: override({name}=..., reusable="off")'
    )


def _no_input(what: str, name: str, inputs: list[str]) -> ConfigValueError:
    return wrong_value(
        what, name, f"inputs of the function: {', '.join(inputs) or 'it has none'}", did_you_mean(name, inputs)
    )
