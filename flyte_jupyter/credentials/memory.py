"""What a kernel was told of secrets: in its memory alone, as long as it lives."""

from __future__ import annotations

from ..config.values.secret import Secret

remembered: dict[tuple[str | None, str], str] = {}
"""The values that were given with `flyte.secrets.set` or at a prompt, by group and key."""


def memory(secret: Secret) -> str | None:
    """What was given before in this process."""
    return remembered.get((secret.group or None, secret.key))
