"""How an attempt gets into its image: variables, import path, and a private copy of the image's files to work in."""

from __future__ import annotations

import hashlib
import os
import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import RuntimeSystemError
from ...store import Store, keys
from ...store.files import FileStore

if TYPE_CHECKING:
    from ...config.image.files import Content
    from ...config.image.recipe import Recipe

_PART = 1 << 20
ROOT_VARIABLE = "FLYTE_JUPYTER_IMAGE"
"""Names the folder that stands for the root of the image's file system."""


class Inside:
    """An attempt's image, as the Host has told it.

    Attributes:
        recipe: what it is, None for none; venv: the folder of its virtual environment, None for that of the kernel.
        root: where its files go, None when it has none.
    """

    def __init__(self, told: Mapping[str, Any] | None) -> None:
        self.recipe = _recipe(told["recipe"]) if told is not None else None
        self.venv: str | None = told["venv"] if told is not None else None
        self.root = Path(told["root"]) if told is not None and told["root"] is not None else None
        self._has_files = False

    def environ(self, kernel: Mapping[str, str]) -> dict[str, str]:
        """The variables of the kernel with those of the image; in these `$NAME` is what it was before, as in Docker."""
        environ = dict(kernel)
        if self.venv is not None:
            environ.pop("PYTHONHOME", None)
            local = [entry for entry in environ.pop("PYTHONPATH", "").split(os.pathsep) if not _is_installed(entry)]
            if local:
                environ["PYTHONPATH"] = os.pathsep.join(local)
            environ["VIRTUAL_ENV"] = self.venv
            environ["PATH"] = os.pathsep.join([f"{self.venv}/bin", environ.get("PATH", os.defpath)])
        if self.root is not None:
            environ[ROOT_VARIABLE] = str(self.root)
        for name, value in self.recipe.env_vars.items() if self.recipe is not None else ():
            environ[name] = string.Template(value).safe_substitute(environ)
        return environ

    def path(self, kernel: Sequence[str], cwd: str) -> list[str]:
        """Where modules come from, given where the kernel has them from: its installed ones are not for this one.

        Args:
            cwd: of the kernel.
        """
        kernel = [entry or cwd for entry in kernel] if self._workdir is not None else kernel
        folder = [str(self._workdir)] if self._workdir is not None else []
        if self.venv is None:
            return [*folder, *(kernel or sys.path)]
        own = [entry for entry in sys.path if entry]
        local = [entry for entry in kernel if entry not in own and not _is_installed(entry)]
        first = next((i for i, entry in enumerate(kernel) if entry not in local), len(kernel))
        leading = [entry for entry in kernel[:first] if entry in local]
        return [*folder, *leading, *own, *(entry for entry in local if entry not in leading)]

    def folder(self, kernel: str) -> str:
        """The working directory: one that nobody else has when the image has files, else that of the kernel."""
        if self._workdir is None:
            return kernel
        self._workdir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return str(self._workdir)

    @property
    def _workdir(self) -> Path | None:
        return self.root / (self.recipe.workdir or "") if self.root is not None and self.recipe is not None else None

    def put_files(self, store: Store) -> None:
        """Copy the image's files, once. Raises RuntimeSystemError when one is not what it was."""
        if self.root is None or self.recipe is None or self._has_files:
            return
        self._has_files = True
        for content in self.recipe.files:
            put_file(store, content, self.root / content.path)


def _recipe(told: Mapping[str, Any]) -> Recipe:
    from ...config.image.recipe import Recipe  # 20 ms, and most attempts have none

    return Recipe.from_json(told)


def put_file(store: Store, content: Content, to: Path) -> None:
    """Copy a file of an image from the store. Raises RuntimeSystemError when it is not what it was."""
    to.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with to.open("wb") as file:
        for part in _parts(store, keys.file(content.digest)):
            digest.update(part)
            file.write(part)
    if digest.hexdigest() != content.digest:
        raise RuntimeSystemError("FileDamaged", f"{content.path} is damaged in the store.\nRun it again.")
    to.chmod(content.mode | 0o600)


def _parts(store: Store, key: str) -> Iterator[bytes | memoryview]:
    """What lies there, piece by piece: it may be larger than memory."""
    try:
        if not isinstance(store, FileStore):
            yield store.get(key)
            return
        with open(store.path(key), "rb") as file:
            while part := file.read(_PART):
                yield part
    except (KeyError, FileNotFoundError):
        return  # which its digest tells


def _is_installed(entry: str) -> bool:
    """Whether an entry of an import path is of a Python installation: what is there is not for another one."""
    parts = Path(entry).parts
    return any(part in ("site-packages", "dist-packages", "lib-dynload") for part in parts) or entry.startswith(
        (os.path.join(sys.base_prefix, "lib", "python"), os.path.join(sys.prefix, "lib", "python"))
    )
