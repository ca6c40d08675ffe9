"""Where the virtual environments of images are, who uses them, and which may go."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARKER = "flyte_jupyter.json"
MOST = 50
MOST_BYTES = 30 * 2**30
UNUSED = 60 * 86400.0
"""Bounds of what is kept: how many, how large all together, seconds since the last use."""


@dataclass(frozen=True)
class Built:
    """A virtual environment that is complete.

    Attributes:
        key: its name; used: when it was used last, seconds since the epoch; size: bytes.
    """

    key: str
    used: float
    size: int


class Venv:
    """The place of one virtual environment; built in place, since scripts name it, and complete once it has a marker.

    Args:
        images: the folder of all; key: of its content.
    """

    def __init__(self, images: Path, key: str) -> None:
        self.key = key
        self.folder = images / key
        self.draft = images / f".{key}"
        """Where its files are while it is built."""
        self._lock = images / f"{key}.lock"
        self._marker = self.folder / MARKER

    def __repr__(self) -> str:
        return f"<Venv {self.key} {'complete' if self.is_complete else 'not there'}>"

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def is_complete(self) -> bool:
        return self._marker.exists()

    def used(self) -> None:
        """Note that it is used now."""
        with contextlib.suppress(OSError):  # it is noted the next time
            os.utime(self._marker)

    def complete(self) -> None:
        """It can be used from now on."""
        draft = self._marker.with_suffix(".draft")
        draft.write_text(json.dumps({"size": _size(self.folder)}))
        draft.replace(self._marker)

    def remove(self) -> None:
        """Leave nothing of it; only for those who have it alone."""
        self._marker.unlink(missing_ok=True)  # first: half of one must not look complete
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.draft, ignore_errors=True)

    def forget_lock(self) -> None:
        """Take the lock's file away; only for those who hold it alone."""
        self._lock.unlink(missing_ok=True)

    def lock(self, *, alone: bool, wait: bool = True) -> int | None:
        """A descriptor that holds the lock as long as it is open; None when it would have to wait and must not.

        Args:
            alone: to build or remove it; else to use it, beside others.
        """
        while True:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                os.close(descriptor)
                return None
            if os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)  # whoever had it has removed the file: another one counts now


def complete_ones(images: Path) -> Iterator[Built]:
    """All that are complete, by what their markers say."""
    for marker in images.glob(f"*/{MARKER}"):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):  # being removed by another Host
            size = int(json.loads(marker.read_text())["size"])
            yield Built(marker.parent.name, marker.stat().st_mtime, size)


def surplus(built: Iterable[Built], now: float) -> list[str]:
    """Which of them are too many, too large, or long unused: those that were not used for longest, first. Pure."""
    newest = sorted(built, key=lambda each: each.used, reverse=True)
    gone: list[str] = []
    size = kept = 0
    for each in newest:
        if kept >= MOST or now - each.used > UNUSED or (kept and size + each.size > MOST_BYTES):
            gone.append(each.key)
        else:
            kept += 1
            size += each.size
    return gone[::-1]


def tidy(images: Path) -> list[str]:
    """Remove what is surplus and not in use; the keys that are gone."""
    gone = []
    for key in surplus(complete_ones(images), time.time()):
        venv = Venv(images, key)
        lock = venv.lock(alone=True, wait=False)
        if lock is None:
            continue
        try:
            venv.remove()
            venv.forget_lock()
            gone.append(key)
        finally:
            os.close(lock)
    return gone


def _size(folder: Path) -> int:
    size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(path, name)).st_blocks * 512
    return size
