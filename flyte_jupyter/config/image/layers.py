"""The layers of an image: what is put on its base, in order.  Records only; builders read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ..values.secret import Secret
from .index_url import hide

InstallMode: TypeAlias = Literal["dependencies_only", "install_project"]
PathLike: TypeAlias = "str | Path"
Urls: TypeAlias = "str | Sequence[str] | None"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One step in making an image."""

    secret_mounts: tuple[Secret, ...] = ()

    def in_words(self) -> str:
        """What kind of step it is: "pip packages"."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", type(self).__name__).lower()


@dataclass(frozen=True, kw_only=True)
class Index(Layer):
    """Where packages come from, and options for the installer."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    pre: bool = False
    extra_args: str | None = None


@dataclass(frozen=True, kw_only=True)
class PipPackages(Index):
    """Packages by requirement."""

    packages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Requirements(Index):
    """Packages of a requirements file (.txt)."""

    file: Path


@dataclass(frozen=True, kw_only=True)
class UVProject(Index):
    """A project that uv manages; the lock file is beside it when not given."""

    pyproject: Path
    uvlock: Path | None = None
    project_install_mode: InstallMode = "dependencies_only"


@dataclass(frozen=True, kw_only=True)
class UVScript(Index):
    """The packages that a script names in its header (PEP 723)."""

    script: Path


@dataclass(frozen=True, kw_only=True)
class PoetryProject(Layer):
    """A project that Poetry manages."""

    pyproject: Path
    poetry_lock: Path | None = None
    extra_args: str | None = None
    project_install_mode: InstallMode = "dependencies_only"


@dataclass(frozen=True, kw_only=True)
class PixiProject(Layer):
    """A project that pixi manages."""

    manifest: Path
    pixi_lock: Path | None = None
    environment: str = "default"
    extra_args: str | None = None
    project_install_mode: InstallMode = "dependencies_only"


@dataclass(frozen=True, kw_only=True)
class PixiScript(Layer):
    """The packages that a script names for pixi in its header."""

    script: Path
    environment: str = "default"
    extra_args: str | None = None


@dataclass(frozen=True, kw_only=True)
class AptPackages(Layer):
    """Packages of the Debian base."""

    packages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Commands(Layer):
    """Shell commands, one after the other."""

    commands: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EnvVars(Layer):
    """Environment variables of the image."""

    env_vars: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class WorkDir(Layer):
    """The working directory."""

    path: str


@dataclass(frozen=True, kw_only=True)
class SourceFolder(Layer):
    """A folder, copied to `dst`; or only what is in it."""

    src: Path
    dst: str = "."
    copy_contents_only: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceFiles(Layer):
    """Files, copied to `dst`; no two of one name."""

    src: tuple[Path, ...]
    dst: str = "."


@dataclass(frozen=True, kw_only=True)
class CodeBundle(Layer):
    """The user's code: the modules that are loaded, or all files."""

    copy_style: Literal["loaded_modules", "all"] = "loaded_modules"
    dst: str = "."


@dataclass(frozen=True, kw_only=True)
class DockerIgnore(Layer):
    """A .dockerignore file that filters the copied folders."""

    path: Path


def without_credentials(layer: Layer) -> Layer:
    """The layer with `***` for the credentials in its URLs."""

    def hidden(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(hidden(item) for item in value)
        return hide(value) if isinstance(value, str) and "@" in value else value

    changed = {f.name: hidden(getattr(layer, f.name)) for f in fields(layer)}
    return replace(layer, **changed)
