"""What a pod leaves behind, and where: its outcome and log, its phases, and how far it is when its Host is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..home import Home
from ..pods import PodRequest
from ..store import Store, keys
from ..store.files import FileStore
from . import notes
from .lifecycle import Attempts


class Records(Protocol):
    """Of one pod."""

    @property
    def store(self) -> Store:
        """That holds its call and takes its outcome."""

    def log(self, attempt: int) -> str:
        """The file that the log of an attempt is written to."""

    async def close_log(self, attempt: int) -> None:
        """It is complete."""

    def save(self, attempts: Attempts, scratch: Path | None) -> None:
        """Note how far the pod is, so that another Host can go on; and a folder that has to be removed then."""

    def close(self, history: bytes) -> None:
        """It has ended; this is what it has been through."""


class LocalRecords:
    """In the store of this machine, with a note in the state folder while it is open."""

    def __init__(self, home: Home, request: PodRequest) -> None:
        self.store = FileStore(request.store)
        self._home = home
        self._request = request

    def log(self, attempt: int) -> str:
        return self.store.path(keys.log(self._request.run, self._request.action, attempt))

    async def close_log(self, attempt: int) -> None:
        """It is in its place already."""

    def save(self, attempts: Attempts, scratch: Path | None) -> None:
        notes.write(self._home.open_pods, self._request, attempts, scratch)

    def close(self, history: bytes) -> None:
        """The phases into the store, then the note away: in this order nothing is lost between the two."""
        self.store.put(keys.status(self._request.run, self._request.action), [history])
        notes.remove(self._home.open_pods, self._request.name)
