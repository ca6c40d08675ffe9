"""Who needs which secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from ..config.values.secret import Secret
from ..pods import SecretRef

if TYPE_CHECKING:
    from ..task import Task

Needs: TypeAlias = "frozenset[tuple[Secret, str]]"
"""Secrets, each with the name of a task that needs it."""


def ref_of(secret: Secret) -> SecretRef:
    """A secret as the Host knows it."""
    return SecretRef(secret.key, secret.group or None, secret.as_env_var or None, secret.mount is not None)


def needs_of(tasks: Iterable[Task[..., Any]]) -> Needs:
    """The secrets that tasks ask for, and those that their images are made with."""
    return frozenset(need for task in tasks for need in _of(task))


def _of(task: Task[..., Any]) -> Iterator[tuple[Secret, str]]:
    yield from ((secret, task.name) for secret in task.spec.secrets)
    image = task.spec.image
    if not isinstance(image, str):
        for layer in image.layers:
            yield from ((secret, f"the image of {task.name}") for secret in layer.secret_mounts)
