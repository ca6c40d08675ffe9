"""What the cache is asked for runs of a trigger: when one is fired, and not when it is deployed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..config.values.duration import seconds
from ..engine.cached import Answer

if TYPE_CHECKING:
    from ..engine.engine import Engine
    from ..engine.options import RunOptions
    from ..task import Task


def ask(
    engine: Engine,
    task: Task[..., Any],
    inputs: Mapping[str, Any],
    options: RunOptions,
    unknown: Collection[str],
) -> tuple[Answer | None, float | None]:
    """Where the result of a run will be kept, and how old one may be that does instead.

    Args:
        unknown: inputs whose values nobody knows yet.

    Returns:
        The answer, which never is a result; and seconds, None for a run that takes no earlier result.
    """
    if not task.cache.is_enabled():
        return None, None
    if not set(unknown) <= set(task.cache.ignored_inputs):
        return Answer("each run has a time of its own, so its result is not stored"), None
    is_told_to_run = options.overwrite_cache or task.cache.behavior == "override"
    answer = engine.ask_cache(task, inputs, options if is_told_to_run else replace(options, overwrite_cache=True))
    if answer is None or not answer.key or is_told_to_run:
        return answer, None
    age = task.cache.max_age
    return replace(answer, reason="nothing was stored when it was fired"), seconds(age) if age else math.inf
