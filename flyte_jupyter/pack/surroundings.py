"""What a task's code finds around it because its configuration says so: the image and the environment variables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..task import Task
from .image import prepared


def surroundings(task: Task[..., Any], env_vars: Mapping[str, str] | None = None) -> dict[str, str]:
    """Digests by the name of the parameter; without those that leave all as it is for the caller.

    An image counts by what it says, and by what is in its files now. Nothing is built for that.

    Args:
        env_vars: of the run, laid over those of the task.

    Raises:
        ConfigValueError: a file that the image names is missing or cannot be used, or it has another Python.
    """
    found: dict[str, str] = {}
    image = task.spec.image
    if not isinstance(image, str):
        found["image"] = hashlib.sha256(f"{image.key}\0{prepared(image)[0].recipe}".encode()).hexdigest()[:32]
    if variables := {**task.spec.env_vars, **(env_vars or {})}:
        found["env_vars"] = hashlib.sha256(json.dumps(variables, sort_keys=True).encode()).hexdigest()[:32]
    return found
