"""Secrets that are files: a private folder per attempt, in memory where the system has such a place."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..config.values.secret import FOLDER_VARIABLE, MOUNT
from ..home import Home, private_folder

_NEW_MOUNT_NAMESPACE = 0x00020000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _SLAVE = 1, 32, 4096, 16384, 1 << 19


class SecretFiles:
    """The files of one Host's attempts. What a Host that was killed has left, the next one removes.

    Args:
        home: whose Host it is.
    """

    def __init__(self, home: Home) -> None:
        self._folder = in_memory() / f"flyte-jupyter-{os.getuid()}" / home.identity
        shutil.rmtree(self._folder, ignore_errors=True)

    def write(self, attempt: str, files: Mapping[str, str]) -> Path:
        """Make the folder of an attempt, with its files by their paths below it; only this user can read them.

        Raises:
            OSError: they cannot be written. HostError: somebody else's folder is in the way.
        """
        private_folder(self._folder.parent)
        private_folder(self._folder)
        folder = self._folder / attempt
        folder.mkdir(mode=0o700)
        for name, value in files.items():
            path = folder / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.fsencode(value))  # as an environment variable would have it
        return folder

    def remove(self, folder: str | None) -> None:
        """Take them away when the attempt has ended."""
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # others are there
                self._folder.rmdir()


def in_memory() -> Path:
    """A folder that is in memory; the one for temporary files where there is none, as on macOS."""
    for candidate in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108 - a private folder is made in it
        if candidate and os.access(candidate, os.W_OK | os.X_OK) and _is_in_memory(candidate):
            return Path(candidate)
    return Path(tempfile.gettempdir())


def _is_in_memory(path: str) -> bool:
    try:
        with open("/proc/self/mounts") as mounts:
            kinds = {place: kind for _, place, kind, *_ in (line.split() for line in mounts)}
    except OSError:
        return False
    real = Path(os.path.realpath(path))
    return next((kinds[str(each)] for each in (real, *real.parents) if str(each) in kinds), "") in ("tmpfs", "ramfs")


def show(folder: str) -> str:
    """Have this process see its folder of secrets as `/etc/flyte/secrets`; where it is to be found then.

    Only root on Linux can. A user namespace would do it for others, but programs such as ssh do not work in one.
    """
    if sys.platform != "linux" or os.getuid() != 0:
        return folder
    try:
        os.makedirs(MOUNT, exist_ok=True)
        libc = ctypes.CDLL(None, use_errno=True)
        _must(libc.unshare(_NEW_MOUNT_NAMESPACE))
        _must(libc.mount(None, b"/", None, ctypes.c_ulong(_RECURSIVE | _SLAVE), None))
        place = MOUNT.encode()
        _must(libc.mount(os.fsencode(folder), place, None, ctypes.c_ulong(_BIND), None))
        _must(libc.mount(None, place, None, ctypes.c_ulong(_REMOUNT | _BIND | _READ_ONLY), None))
    except OSError as error:
        sys.stderr.write(
            f"flyte_jupyter: {MOUNT} cannot be made here ({error.strerror}); this task's secrets are in {folder}, "
            f"which {FOLDER_VARIABLE} names.\n"
        )
        return folder
    return MOUNT


def _must(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
