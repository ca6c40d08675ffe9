"""What a task is for, in the words of the one who wrote it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
    said = [f"{spec.short_name} ({name})"] if spec.short_name not in (None, func.__name__) else []
    if documented := documentation(spec, func):
        said.append(documented)
    rest = []
    if spec.description:
        rest.append(f"Environment {spec.name}: {spec.description}")
    for trigger in spec.triggers:
        when = in_words(trigger.automation)
        rest.append(f"Trigger {trigger.name}: {when}; deploy the environment to activate it, flyte.deploy(...)")
    given = [f"{key}={config[key]!r}" for key in config if config.level(key) != "default" and key not in _SAID]
    if given:
        rest.append(f"Settings: {', '.join(given)}; .effective_config() says where they come from")
    return "\n\n".join([*said, *(["\n".join(rest)] if rest else [])])


_SAID = frozenset({"name", "short_name", "docs", "description", "triggers", "env_vars", "pod_template", "depends_on"})
"""Said already, or with values that are not for everybody's eyes."""
