"""Where this user's state lives: one private folder, and the names of what is in it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
import sys
import tempfile
from pathlib import Path

from .errors import HostError

HOME_VARIABLE = "FLYTE_JUPYTER_HOME"
_SOCKET_PATH_LIMIT = 100
"""The kernel's limit is 104 bytes on macOS and 108 on Linux."""


class Home:
    """The folder of one user: store, signing key, and the Host's socket, lock, log and open work.

    Args:
        path: the folder; by default `$FLYTE_JUPYTER_HOME`, else the platform's place for application state.
        host: which of its Hosts is meant, as `hosts` names them; by default that of this copy of the package.

    Attributes:
        host: kernels with another version or another copy of this package have a Host of their own.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, host: str | None = None) -> None:
        given = path or os.environ.get(HOME_VARIABLE)
        self.path = Path(given).expanduser().absolute() if given else _default()
        self.host = host or _identity()

    def __repr__(self) -> str:
        return f"Home({str(self.path)!r})"

    def make(self) -> Home:
        """Create the folder, 0700; refuse one that belongs to somebody else or that others may enter."""
        private_folder(self.path)
        return self

    @property
    def store_url(self) -> str:
        return (self.path / "store").as_uri()

    @property
    def settings(self) -> Path:
        """What this user has written down for the Host: beside the state when that has a place of its own, else where
        the platform has configuration.
        """
        import platformdirs

        folder = Path(platformdirs.user_config_dir("flyte_jupyter", appauthor=False))
        return (folder if self.path == _default() else self.path) / "settings.toml"

    @property
    def identity(self) -> str:
        """Of the Host that serves this folder for this version of the package: for names elsewhere on the machine."""
        return f"{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]}-{self.host}"

    @property
    def lock(self) -> Path:
        return self.path / f"host-{self.host}.lock"

    @property
    def log(self) -> Path:
        return self.path / f"host-{self.host}.log"

    @property
    def open_pods(self) -> Path:
        """Requests the Host has accepted and not finished, one file each."""
        return self.path / f"host-{self.host}.open"

    def noted(self, run: str) -> str | None:
        """The Host that has something of a run open, also one that has died; None when none has."""
        for note in self.path.glob(f"host-*.open/{run}-*"):
            return note.parent.name.removeprefix("host-").removesuffix(".open")
        return None

    def open_runs(self) -> set[str]:
        """The names of the runs of which any Host has something open."""
        return {note.name.partition("-")[0] for note in self.path.glob("host-*.open/r*-*")}

    @property
    def unseen(self) -> Path:
        """Runs that have ended while nobody listened, one empty file each; shared by all Hosts of this folder."""
        return self.path / "unseen"

    def unseen_runs(self) -> list[str]:
        """Their names, the newest first."""
        return _names_in(self.unseen)

    @property
    def remote(self) -> Path:
        """Runs in clusters that are not known to have ended, one empty file each; shared by all kernels."""
        return self.path / "remote"

    def remote_runs(self) -> list[str]:
        """Their names, the newest first."""
        return _names_in(self.remote)

    @property
    def environs(self) -> Path:
        """The environments of kernels with open runs, one file each."""
        return self.path / f"host-{self.host}.environ"

    @property
    def images(self) -> Path:
        """The virtual environments of images, by what is in them; shared by all Hosts of this folder."""
        return self.path / "images"

    @property
    def workdirs(self) -> Path:
        """The folders of attempts whose images have files, one each."""
        return self.path / f"host-{self.host}.work"

    @property
    def triggers(self) -> Path:
        """The triggers that were deployed, one file each; each says which Host fires it."""
        return self.path / "triggers"

    def is_served(self, host: str) -> bool:
        """Whether that Host runs; it holds its lock as long."""
        try:
            with open(self.path / f"host-{host}.lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass
        return False

    @property
    def socket(self) -> Path:
        """In the folder itself when the name is short enough, else in a private folder under the temporary one."""
        if self._is_near:
            return self.path / f"host-{self.host}.sock"
        private_folder(_far())
        return _far() / f"host-{self.identity}.sock"

    @property
    def _is_near(self) -> bool:
        return len(os.fsencode(self.path / f"host-{self.host}.sock")) <= _SOCKET_PATH_LIMIT

    @property
    def sockets(self) -> Path:
        """The folder of the sockets of all its Hosts; it changes when one comes."""
        return self.path if self._is_near else _far()

    def hosts(self) -> list[Home]:
        """This folder with each of its Hosts, as far as there are sockets; one that was killed has left its own."""
        start = "host-" if self._is_near else f"host-{self.identity.partition('-')[0]}-"
        ids = (path.name.removeprefix(start).removesuffix(".sock") for path in self.sockets.glob(f"{start}*.sock"))
        return [Home(self.path, host) for host in sorted(ids)]

    def key(self) -> bytes:
        """The key that signs every payload of this user; made on first use, mode 0600."""
        path = self.path / "key"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            self.make()
        draft = path.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(draft, path)  # whoever links first wins; a reader never sees half a key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_bytes()


def write_privately(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all. Raises `OSError`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def private_folder(path: Path) -> None:
    """Make `path` a folder that only this user can enter, or raise `HostError`."""
    with contextlib.suppress(FileExistsError):  # no folder: told below
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise HostError(
            f"{path} is not a folder of yours, so it is not used for private state.\n"
            f"Set {HOME_VARIABLE} to a folder that belongs to you."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=True)
    except FileNotFoundError:
        return []


def _far() -> Path:
    """Where the sockets are of folders with a long name."""
    return Path(tempfile.gettempdir()) / f"flyte-jupyter-{os.getuid()}"


def _default() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("flyte_jupyter", appauthor=False))


def _identity() -> str:
    """Kernels with another version or another copy of this package get a Host of their own."""
    from . import __version__

    where = os.path.dirname(os.path.realpath(__file__))  # virtual environments of images have a link to it
    return hashlib.sha256(f"{__version__}\0{where}\0{sys.version_info[:2]}".encode()).hexdigest()[:8]
