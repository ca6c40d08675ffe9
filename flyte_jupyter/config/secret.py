"""Secret: the name of something secret that a task needs; never its value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath, PurePosixPath
from typing import Any, TypeAlias

from .field import edited
from .refusal import wrong_type, wrong_value
from .value import Value

MOUNT = "/etc/flyte/secrets"
"""The folder under which mounted secrets are found, as in Flyte."""

_ENV_VAR = re.compile(r"[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True, repr=False)
class Secret(Value):
    """A secret by name.

    Attributes:
        key: its key.
        group: the group that the key is in.
        mount: the folder to mount it in as a file `<group>/<key>`; only `/etc/flyte/secrets`.
        as_env_var: the environment variable that holds it; derived from group and key when neither this nor `mount` is
            given: `Secret("api-key", "db")` is `DB_API_KEY`.

    Raises:
        ConfigValueError: no environment variable can have that name, or another folder than the one allowed.
        ConfigTypeError: `key` is not a str.
    """

    key: str = field(metadata=edited("text", examples=("api-key",)))
    group: str | None = field(default=None, metadata=edited("text", examples=("db",)))
    mount: PurePath | None = field(default=None, metadata=edited("choice", choices=(MOUNT,)))
    as_env_var: str | None = field(default=None, metadata=edited("text", examples=("DB_API_KEY",)))

    def __post_init__(self) -> None:
        if not isinstance(self.key, str):
            raise wrong_type("Secret.key", self.key, "a str")
        if self.mount is not None:
            if str(self.mount) != MOUNT:
                raise wrong_value("Secret.mount", str(self.mount), MOUNT)
            object.__setattr__(self, "mount", PurePosixPath(MOUNT))
        name = self.as_env_var
        if name is None and self.mount is None:
            name = derived_env_var(self.key, self.group)
            object.__setattr__(self, "as_env_var", name)
        if name is not None and not _ENV_VAR.fullmatch(name):
            hint = (
                f"{self.key!r} cannot be turned into one: give as_env_var= or mount=" if self.as_env_var == name else ""
            )
            raise wrong_value(
                "Secret.as_env_var", name, "capital letters, digits and _, not starting with a digit", hint
            )

    def in_words(self) -> str:
        """Where it is from, and where it is found."""
        source = self.key if self.group is None else f"{self.group}/{self.key}"
        return f"{source} as {self.as_env_var or 'a file'}"

    @classmethod
    def of(cls, value: Any) -> tuple[Secret, ...]:
        """The secrets of a str, a Secret or a list or tuple of these; an empty one is none. Raises ConfigTypeError."""
        if isinstance(value, (str, Secret)):
            return (cls(value) if isinstance(value, str) else value,)
        if not isinstance(value, (list, tuple)):
            raise wrong_type("secrets", value, "a str, a Secret, or a list of these")
        return tuple(cls._one(item) for item in value)

    @classmethod
    def _one(cls, value: Any) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, str):
            return cls(value)
        raise wrong_type("secrets", value, "a list of str and Secret")


def derived_env_var(key: str, group: str | None) -> str:
    """The environment variable of a secret that names none: "db" and "api-key" make DB_API_KEY."""
    return "_".join(part for part in (group, key) if part).replace("-", "_").upper()


SecretRequest: TypeAlias = "str | Secret | Sequence[str | Secret]"
"""What the parameter `secrets` takes."""
