"""What an image comes to, on its way to the Host: the recipe and its files into the store; and whether uv is here."""

from __future__ import annotations

import hashlib
import mmap
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..config.image.files import Content
from ..config.image.recipe import Recipe
from ..errors import ConfigValueError
from ..pack.image import seal_recipe
from ..store import Store, keys


def send(store: Store, key: bytes, recipe: Recipe) -> None:
    """Put a recipe and what it refers to into the store. Raises ConfigValueError when a file changes meanwhile."""
    send_files(store, recipe.contents.values())
    store.put(keys.image(recipe.digest), seal_recipe(key, recipe, find_uv()))


def send_files(store: Store, contents: Iterable[Content]) -> None:
    """Put files into the store that it has not. Raises ConfigValueError when one changes meanwhile."""
    for content in contents:
        if content.source is not None:
            store.put_if_absent(keys.file(content.digest), [_data(content)])


def require_uv() -> None:
    """Raises ConfigValueError when there is no uv, without which no image can be built."""
    if find_uv() is None:
        raise ConfigValueError(
            "image: uv is not installed, which makes the virtual environments of images\n"
            '  pip install "flyte_jupyter[image]"\n'
            '  or leave out image=: the task then runs in the environment of this kernel ("auto")'
        )


def find_uv() -> str | None:
    """The program uv: the one that is installed with this Python, else the one on PATH."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("uv")


def _data(content: Content) -> bytes | memoryview:
    """The bytes, without copying those of a large file into memory."""
    if isinstance(content.source, Path):
        with content.source.open("rb") as file:
            if content.source.stat().st_size:
                data: bytes | memoryview = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            else:
                data = b""
        if hashlib.sha256(data).hexdigest() != content.digest:
            raise ConfigValueError(f"{content.source} changed while it was read\n  run it again")
        return data
    assert content.source is not None
    return content.source
