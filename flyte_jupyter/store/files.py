"""A store in a folder of this machine."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from ..errors import StoreError
from .keys import checked

T = TypeVar("T")

_MAP_FROM = 256 * 1024
"""Blobs of this size and more get pages of their own, which are not filled with zeros before."""
_TRIES = 20
"""Times that a folder is made for a file: when the last file in it is removed, it goes too."""


class FileStore:
    """A folder. Written aside and renamed, so that a blob is whole or absent; not synced to the disk, which costs
    milliseconds: a power cut may lose the last seconds, and the signature tells.

    Args:
        url: `file:///absolute/folder`.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "file" or not parts.path:
            raise StoreError(f"A file store needs a URL like file:///folder, not {url!r}.")
        self.url = url
        self.root = Path(unquote(parts.path))

    def __repr__(self) -> str:
        return f"FileStore({self.url!r})"

    def path(self, key: str) -> str:
        """Where a key is; for the Host, which appends logs."""
        return f"{self.root}/{checked(key)}"

    def put(self, key: str, parts: Sequence[bytes | memoryview]) -> None:
        path = self.path(key)
        draft = self._write_draft(path, parts)
        os.replace(draft, path)

    def put_if_absent(self, key: str, parts: Sequence[bytes | memoryview]) -> bool:
        path = self.path(key)
        if os.path.exists(path):
            return False
        draft = self._write_draft(path, parts)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            os.unlink(draft)
        return True

    def get(self, key: str) -> memoryview:
        try:
            with open(self.path(key), "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size >= _MAP_FROM:
                    return memoryview(_mapped(file, size))
                data = bytearray(size)
                file.readinto(data)
                return memoryview(data)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise KeyError(key) from None
        except OSError as error:
            raise StoreError(f"{key} cannot be read from {self.url}: {error.strerror}.") from error

    def list(self, prefix: str) -> list[str]:
        try:
            names = os.listdir(self.path(prefix))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in names if not name.startswith("."))

    def copy(self, key: str, to: str) -> None:
        """A second name of the same file, which nobody ever writes to."""
        path, target = self.path(key), self.path(to)
        draft = _draft(target)
        try:
            _linked(path, draft)
        except FileNotFoundError:
            raise KeyError(key) from None
        except OSError as error:
            raise StoreError(f"{self.url} cannot be written: {error.strerror}.") from error
        os.replace(draft, target)
        if os.path.lexists(draft):  # both were the same file already, and nothing was replaced
            os.unlink(draft)

    def delete(self, key: str) -> None:
        path = self.path(key)
        try:
            os.unlink(path)
        except OSError as error:
            if not os.path.lexists(path) or os.path.isdir(path):  # whatever the platform calls that
                return
            raise StoreError(f"{key} cannot be removed from {self.url}: {error.strerror}.") from error
        folder = os.path.dirname(path)
        with contextlib.suppress(OSError):  # until one that is not empty
            while folder != str(self.root):
                os.rmdir(folder)
                folder = os.path.dirname(folder)

    def _write_draft(self, path: str, parts: Sequence[bytes | memoryview]) -> str:
        draft = _draft(path)
        try:
            descriptor = _create(draft)
        except OSError as error:
            raise StoreError(f"{self.url} cannot be written: {error.strerror}.") from error
        try:
            for part in parts:
                _write_all(descriptor, memoryview(part).cast("B"))
        except OSError as error:
            os.unlink(draft)
            raise StoreError(f"{self.url} cannot be written: {error.strerror}.") from error
        finally:
            os.close(descriptor)
        return draft


def _mapped(file: io.FileIO, size: int) -> mmap.mmap:
    """Private memory with a file's content that holds no descriptor: arrays may live as long as the kernel."""
    if sys.version_info >= (3, 13):  # where a mapping need not keep one, pages are shared until they are written
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY, trackfd=False)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    view, at = memoryview(memory), 0
    while at < size and (count := file.readinto(view[at:])):  # at most 2 GB at a time
        at += count
    return memory


def _draft(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name}.{secrets.token_hex(8)}"  # process ids come again, and a draft of a killed writer stays


def _create(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return _in_its_folder(path, lambda: os.open(path, flags, 0o600))


def _linked(source: str, path: str) -> None:
    if not os.path.isfile(source):
        raise FileNotFoundError(source)
    _in_its_folder(path, lambda: os.link(source, path))


def _in_its_folder(path: str, make: Callable[[], T]) -> T:
    """Make a file, and its folder when that is not there."""
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            return make()
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return make()


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
