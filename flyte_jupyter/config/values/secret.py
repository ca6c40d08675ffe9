"""Secret: the name of something secret that a task needs; never its value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath, PurePosixPath
from typing import Any, TypeAlias

from ...errors import ConfigError
from ..accept import optional, text
from ..field import edited
from ..refusal import gathered, raise_all, wrong_type, wrong_value
from .value import Value

MOUNT = "/etc/flyte/secrets"
"""The folder under which mounted secrets are found, as in Flyte."""
FOLDER_VARIABLE = "FLYTE_SECRETS_DIR"
"""Tells a task where they are: there, or where that folder cannot be made, in another."""

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
        ConfigValueError: no environment variable, or no file, can have that name, or another folder than the one
            allowed.
        ConfigTypeError: a value that is not a str.
    """

    key: str = field(metadata=edited("text", examples=("api-key",)))
    group: str | None = field(default=None, metadata=edited("text", examples=("db",)))
    mount: PurePath | None = field(default=None, metadata=edited("choice", choices=(MOUNT,)))
    as_env_var: str | None = field(default=None, metadata=edited("text", examples=("DB_API_KEY",)))

    def __post_init__(self) -> None:
        is_derived = not self.as_env_var and not self.mount
        problems = self._canonical(
            key=text("Secret.key", empty=False),
            group=optional(text("Secret.group")),
            mount=_mount,
            as_env_var=optional(text("Secret.as_env_var")),
        )
        if is_derived and not problems:
            object.__setattr__(self, "as_env_var", derived_env_var(self.key, self.group))
        name = self.as_env_var
        if isinstance(name, str) and not _ENV_VAR.fullmatch(name) and (is_derived or name):
            allowed = "capital letters, digits and _, not starting with a digit"
            source = "/".join(part for part in (self.group, self.key) if part)
            nearest = repr(re.sub(r"^(?=\d)|[^A-Z0-9_]", "_", name.upper()))
            hint = f"the nearest is {nearest}"
            if is_derived:
                hint = f"{source!r} cannot be turned into one: give as_env_var={nearest} or mount="
            problems.append(wrong_value("Secret.as_env_var", name, allowed, hint))
        for what in ("key", "group") if self.mount is not None else ():
            part = getattr(self, what)
            if isinstance(part, str) and (part in (".", "..") or re.search(r"[/\0]", part) or part == "" == self.key):
                problems.append(wrong_value(f"Secret.{what}", part, "with mount= the name of a file, without folders"))
        raise_all(problems)

    def in_words(self) -> str:
        """Where it is from, and where it is found."""
        return f"{self.title} as {self.as_env_var or 'a file'}"

    @property
    def title(self) -> str:
        """What people read: "api-key", or "db/api-key" with a group."""
        return f"{self.group}/{self.key}" if self.group else self.key

    @property
    def file(self) -> str | None:
        """Where it is in the folder of mounted secrets, None when it is not mounted."""
        return self.title if self.mount is not None else None

    @property
    def build_variable(self) -> str:
        """The environment variable that a step of an image's making finds it in, also when it is to be a file."""
        return self.as_env_var or re.sub("[^A-Z0-9_]", "_", derived_env_var(self.key, self.group))

    @classmethod
    def of(cls, value: Any) -> tuple[Secret, ...]:
        """The secrets of a str, a Secret or a list or tuple of these; an empty one is none.

        Raises:
            ConfigTypeError: something else. ConfigValueError: two of them want the same environment variable or file.
        """
        if isinstance(value, (str, Secret)):
            return (cls(value) if isinstance(value, str) else value,)
        if not isinstance(value, (list, tuple)):
            raise wrong_type("secrets", value, "a str, a Secret, or a list of these")
        problems: list[ConfigError] = []
        found: list[Secret] = []
        for item in value:
            with gathered(problems):
                found.append(cls._one(item))
        raise_all(problems)
        secrets = tuple(found)
        raise_all(_clashing(secrets))
        return secrets

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Secret:
        """The secret that `plain` was given."""
        return cls(**{name: value for name, value in data.items() if name != "type"})

    @classmethod
    def _one(cls, value: Any) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, str):
            return cls(value)
        raise wrong_type("secrets", value, "a list of str and Secret")


def _mount(value: Any) -> PurePath | None:
    if value is None or value == "":
        return None
    if str(value) != MOUNT:
        raise wrong_value("Secret.mount", str(value), MOUNT)
    return PurePosixPath(MOUNT)


def _clashing(secrets: Sequence[Secret]) -> list[ConfigError]:
    """What is wrong with secrets that want the same place."""
    problems: list[ConfigError] = []
    by_env_var: dict[str, Secret] = {}
    for secret in secrets:
        name = secret.as_env_var
        other = by_env_var.setdefault(name, secret) if name else secret
        if other.title != secret.title:
            hint = f"{name} would hold {other.title!r} or {secret.title!r}: give one of them as_env_var="
            problems.append(wrong_value("secrets", name, "an environment variable for each", hint))
    mounted = [secret for secret in secrets if secret.mount is not None]
    both = {secret.group for secret in mounted}.intersection(secret.file for secret in mounted)
    return problems + [
        wrong_value("secrets", name, "with mount= names that are key or group, not both") for name in both
    ]


def clashes(env_vars: Iterable[str], secrets: Iterable[Secret]) -> list[str]:
    """The environment variables that are also a secret's."""
    return sorted({secret.as_env_var for secret in secrets if secret.as_env_var}.intersection(env_vars))


def derived_env_var(key: str, group: str | None) -> str:
    """The environment variable of a secret that names none: "db" and "api-key" make DB_API_KEY."""
    return "_".join(part for part in (group, key) if part).replace("-", "_").upper()


SecretRequest: TypeAlias = "str | Secret | Sequence[str | Secret]"
"""What the parameter `secrets` takes."""
