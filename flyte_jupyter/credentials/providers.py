"""Where the values of secrets come from: each provider is asked in turn, and the first that has one wins.

A provider of somebody else's, for a password manager or a cloud's secret store, comes with
`flyte.secrets.add_provider`, or as an entry point of the group `flyte_jupyter.secrets`, under the name that people see.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..config.values.secret import Secret, derived_env_var

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "flyte_jupyter.secrets"
DOTENV = ".env"
_PROJECT = (".git", "pyproject.toml", "setup.py", "setup.cfg")
"""What lies in the topmost folder of somebody's project."""

Find: TypeAlias = Callable[[Secret], "str | None"]


class Unavailable(Exception):
    """A provider cannot be asked here; its text says why."""


@dataclass(frozen=True)
class Provider:
    """A place to look in.

    Attributes:
        name: as people read it: "looked in: NAME".
        find: the value of a secret, None when it has none. Raises `Unavailable`; anything else is an error to show.
    """

    name: str
    find: Find


def variables(secret: Secret) -> list[str]:
    """The environment variables that may hold it: the one that the task wants, and the one made of group and key."""
    names = (secret.as_env_var, derived_env_var(secret.key, secret.group))
    return list(dict.fromkeys(name for name in names if name is not None and name.isidentifier()))


def from_variables(secret: Secret, values: Mapping[str, str | None]) -> str | None:
    """The first of its variables that is there and not empty."""
    return next((value for name in variables(secret) if (value := values.get(name))), None)


def environment(secret: Secret) -> str | None:
    """From the environment variables of this process."""
    return from_variables(secret, os.environ)


def dotenv(secret: Secret, folder: Path | None = None) -> str | None:
    """From the `.env` file that has it and is nearest to a folder, the working one; read anew. Raises `Unavailable`."""
    try:
        from dotenv import dotenv_values
    except ImportError:  # in an image, which need not have it
        raise Unavailable("python-dotenv is not installed here") from None
    for path in dotenv_files(folder or Path.cwd()):
        value = from_variables(secret, dotenv_values(path, interpolate=False))
        if value:
            return value
    return None


def dotenv_files(folder: Path) -> list[Path]:
    """`.env` in the working folder and those above it, as far up as the project goes; without one in that folder alone.

    What lies above a project may be anybody's.
    """
    folders = [folder, *folder.parents]
    top = next((i for i, each in enumerate(folders) if any((each / mark).exists() for mark in _PROJECT)), 0)
    return [path for each in folders[: top + 1] if (path := each / DOTENV).is_file()]


added: dict[str, Provider] = {}
"""The user's own of this process, by name."""


@cache
def _installed() -> tuple[Provider, ...]:
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return tuple(Provider(point.name, _Loading(point)) for point in found)


@dataclass(frozen=True)
class _Loading:
    """Loaded when it is asked, so that what fails then is told of it."""

    point: EntryPoint

    def __call__(self, secret: Secret) -> str | None:
        value: str | None = self.point.load()(secret)
        return value


def own() -> Iterator[Provider]:
    """The user's own, and those that packages bring."""
    yield from added.values()
    yield from (provider for provider in _installed() if provider.name not in added)
