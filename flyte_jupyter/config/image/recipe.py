"""Recipe: what an image comes to on this machine, as plain data: steps for `uv`, files by digest, variables, a folder.

It is made where the image is used, from the layers and the files that they name, and done by the Host.  Its `digest`,
and that of its virtual environment, are keys: the same for the same, another one when anything in it is different.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .files import Content

FORMAT = 1
"""Of what is written down: a change makes all environments anew."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command that puts packages into the environment.

    Attributes:
        what: what it does, for people.
        command: arguments of uv; `{python}` is the environment's interpreter.
        env_vars: those of the layers before it.
        folder: where it runs, below the folder of the files.
        secrets: names of the secrets that the layer is made with, as plain data.
    """

    what: str
    command: tuple[str, ...]
    env_vars: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    secrets: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Step:
        return cls(**{**data, "command": tuple(data["command"]), "secrets": tuple(data["secrets"])})


@dataclass(frozen=True, kw_only=True)
class Venv:
    """A virtual environment.

    Attributes:
        interpreter: what it is made from; version: of that.
        package: this package's version and place, which its tasks use; needs: requirements of this package.
        settings: of uv, as far as the environment variables say what is installed.
        steps: in order; files: what they read.
    """

    interpreter: str
    version: str
    package: tuple[str, str]
    needs: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    files: tuple[Content, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            **vars_of(self),
            "format": FORMAT,
            "steps": [vars_of(step) for step in self.steps],
            "files": [content.to_json() for content in self.files],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Venv:
        known = {name: value for name, value in data.items() if name != "format"}
        return cls(
            **{
                **known,
                "package": tuple(data["package"]),
                "needs": tuple(data["needs"]),
                "steps": tuple(map(Step.from_json, data["steps"])),
                "files": tuple(map(Content.from_json, data["files"])),
            }
        )

    @cached_property
    def key(self) -> str:
        """Of its content, fit for the name of a folder."""
        return _digest(self.to_json())[:32]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an image comes to.

    Attributes:
        venv: where its tasks run; None for the environment of the one who calls.
        env_vars: below those of the task.
        workdir: relative to the folder that stands for the image's root; None when no layer says anything of it.
        files: what is in that folder.
    """

    venv: Venv | None = None
    env_vars: Mapping[str, str] = field(default_factory=dict)
    workdir: str | None = None
    files: tuple[Content, ...] = ()

    @property
    def has_folder(self) -> bool:
        """Whether each attempt gets a folder of its own, with the image's files."""
        return self.workdir is not None or bool(self.files)

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing: its tasks run where those without an image do."""
        return self.venv is None and not self.env_vars and not self.has_folder

    @cached_property
    def contents(self) -> dict[str, Content]:
        """Everything that has to be in the store, by digest."""
        return {content.digest: content for content in (*self.files, *(self.venv.files if self.venv else ()))}

    def to_json(self) -> dict[str, Any]:
        return {
            "venv": self.venv.to_json() if self.venv is not None else None,
            "env_vars": dict(self.env_vars),
            "workdir": self.workdir,
            "files": [content.to_json() for content in self.files],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        venv = data["venv"]
        return cls(
            venv=Venv.from_json(venv) if venv is not None else None,
            env_vars=data["env_vars"],
            workdir=data["workdir"],
            files=tuple(map(Content.from_json, data["files"])),
        )

    @cached_property
    def digest(self) -> str:
        """Of all of it."""
        return _digest(self.to_json())


def vars_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, without what it has computed."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
