"""What a task is for, in the words of the one who wrote it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .say import said
from .spec import PARAMS
from .words import in_words

if TYPE_CHECKING:
    from .effective import EffectiveConfig
    from .spec import TaskSpec


def documentation(spec: TaskSpec, func: Callable[..., Any]) -> str:
    """What `docs` says, else the docstring; "" for neither."""
    return spec.docs.description if spec.docs is not None else inspect.getdoc(func) or ""


def about(config: EffectiveConfig, name: str, func: Callable[..., Any]) -> str:
    """What `task?` says, in a few lines."""
    spec = config.resolved.spec
    parts = [f"{spec.short_name} ({name})"] if spec.short_name not in (None, func.__name__) else []
    if documented := documentation(spec, func):
        parts.append(documented)
    rest = []
    if spec.description:
        rest.append(f"Environment {spec.name}: {spec.description}")
    for trigger in spec.triggers:
        when = in_words(trigger.automation)
        rest.append(f"Trigger {trigger.name}: {when}; deploy the environment to activate it, flyte.deploy(...)")
    settings = [key for key in config if config.level(key) != "default" and key not in _SAID]
    given = [f"{key} {said(PARAMS[key], config[key])}" for key in settings]
    if given:
        rest.append(f"Settings: {'; '.join(given)} (.effective_config() says where they come from)")
    return "\n\n".join([*parts, *(["\n".join(rest)] if rest else [])])


_SAID = frozenset({"name", "short_name", "docs", "description", "triggers"})
