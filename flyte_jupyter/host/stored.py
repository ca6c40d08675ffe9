"""What a pod of a cluster leaves behind: in a store that may be far away, or told with its log when there is none."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from ..errors import StoreError
from ..home import Home
from ..pods import PodRequest
from ..store import Store, keys
from ..store.files import FileStore
from . import lifecycle
from .handover import Handover
from .lifecycle import Attempts
from .pod import End
from .spoken import Piece, pieces

MOST = 4 * 1024 * 1024
"""Bytes that a pod may leave which reaches no store: they are told in its log, of which clusters keep 10 MiB."""
_EVERY, _SHARE = 10.0, 10
"""Seconds between two times that a log is stored, and how many times longer than the last time took."""


class StoredRecords:
    """Of one pod (`records.Records`).

    Args:
        store: that takes them; logs are written to a file here first.
        pod: the name of the pod that this is, in its cluster.
        writing: does what is not waited for, one after the other.
        saved: called with key and content of what is to be known when this pod is lost.
    """

    def __init__(
        self,
        store: Store,
        request: PodRequest,
        pod: str,
        home: Home,
        writing: Executor,
        saved: Callable[[str, bytes], None],
    ) -> None:
        self.store = store
        self._request = request
        self._pod = pod
        self._folder = home.path / "logs"
        self._writing = writing
        self._saved = saved
        self._sizes: dict[int, int] = {}  # of logs, as they were stored

    def __repr__(self) -> str:
        return f"<StoredRecords {self.store!r} [{len(self._sizes)} logs]>"

    def log(self, attempt: int) -> str:
        self._sizes[attempt] = 0
        return str(self._folder / f"log.{attempt}")

    async def close_log(self, attempt: int) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writing, self._put_log, attempt)

    async def close_logs(self) -> None:
        """All of them, once more: what could not be stored before may be now."""
        for attempt in list(self._sizes):
            await self.close_log(attempt)

    def save(self, attempts: Attempts, _scratch: Path | None) -> None:
        """Note how far the action is, beside whatever else is done."""
        data = Handover(attempts, self._pod).to_bytes()
        self._writing.submit(self._put, self._key, data)
        self._saved(self._key, data)

    def before(self, now: float) -> Handover | None:
        """How far the action is that another pod has begun, with the attempt that comes; None for the first pod."""
        try:
            return Handover.of(self.store.get(self._key), now).coming(now)
        except KeyError:
            return None

    def close(self, history: bytes) -> None:
        key = keys.status(self._request.run, self._request.action)
        if not self.store.put_if_absent(key, [history]):  # it may have been cancelled meanwhile
            try:
                self.store.get(key)
            except KeyError:
                raise StoreError(f"{key} can neither be written nor read in {self.store.url}.") from None

    async def keep(self, wait: float = _EVERY) -> None:
        """Store the logs now and then, as they are, after so many seconds for the first time; until it is cancelled."""
        while True:
            await asyncio.sleep(wait)
            begin = time.monotonic()
            await self.close_logs()
            wait = max(_EVERY, _SHARE * (time.monotonic() - begin))

    @property
    def _key(self) -> str:
        return keys.attempts(self._request.run, self._request.action)

    def _put_log(self, attempt: int) -> None:
        try:
            data = (self._folder / f"log.{attempt}").read_bytes()
        except FileNotFoundError:  # it has printed nothing
            return
        if len(data) != self._sizes[attempt]:
            self._put(keys.log(self._request.run, self._request.action, attempt), data)
            self._sizes[attempt] = len(data)

    def _put(self, key: str, data: bytes) -> None:
        try:
            self.store.put(key, [data])
        except StoreError as error:  # it is no outcome, and may work the next time
            print(f"host: {key} was not stored: {error}", file=sys.stderr)  # noqa: T201 - its log


class Carried:
    """The store of a pod that reaches none: what the call consists of is in a folder, what it leaves is told.

    Args:
        folder: with a file for each blob, named as `keys.as_file` says; home: where the store is made.
    """

    def __init__(self, folder: Path, home: Home) -> None:
        self.url = home.store_url
        self._folder = folder
        self._store = FileStore(self.url)
        self._poured: set[str] = set()

    def __repr__(self) -> str:
        return f"<Carried {self._folder} [{len(self._poured)} blobs]>"

    def pour(self) -> None:
        """Put what was sent into the store. Raises `StoreError`."""
        for file in self._folder.iterdir():
            if not file.name.startswith("."):  # how Kubernetes changes a volume
                key = keys.of_file(file.name)
                self._store.put(key, [file.read_bytes()])
                self._poured.add(key)

    def bounded(self, end: End, request: PodRequest) -> End:
        """How an attempt has ended that may have left too much to be told: then it has failed, and the largest goes."""
        sizes = {key: size for key, size in self._sizes().items() if not _is_of_another(key, request)}
        total = sum(sizes.values())
        if total <= MOST:
            return end
        largest = sorted(sizes, key=lambda key: -sizes[key])
        named = {key: sizes[key] for key in largest if sizes[key] > total // 10}
        failure = end.failure or lifecycle.left_too_much(request, named, total, MOST)
        while total > MOST:
            key = largest.pop(0)
            self._store.delete(key)
            total -= sizes[key]
        return replace(end, failure=failure, told=False)

    def left(self, request: PodRequest) -> Iterator[Piece]:
        """All that has come since, but the logs: their lines were told already. What the actions have left that it has
        called, their own pods have told too: so it goes last, as far as there is room.
        """
        room, sizes = MOST, self._sizes()
        for key in sorted(sizes, key=lambda key: (_is_of_another(key, request), sizes[key])):
            room -= sizes[key]
            if room >= 0 or not _is_of_another(key, request):
                yield from pieces(key, self._store.get(key))

    def _sizes(self) -> dict[str, int]:
        """Of what has come since, in bytes."""
        root, found = self._store.root, {}
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                key = os.path.relpath(path, root)
                if key not in self._poured and not name.startswith((".", "log.")):
                    found[key] = os.path.getsize(path)
        return found


def _is_of_another(key: str, request: PodRequest) -> bool:
    """Whether another action has left it, or it was sent to one."""
    own = f"{keys.actions(request.run)}{request.action}/"
    return not key.startswith((own, keys.CACHE))
