"""A store inside one process; it passes the same contract as the real ones."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import ClassVar

from .keys import checked


class MemoryStore:
    """A dictionary. Stores of one URL are the same store within a process.

    Args:
        url: `memory://name`.
    """

    _by_url: ClassVar[dict[str, MemoryStore]] = {}
    _making = threading.Lock()

    def __init__(self, url: str) -> None:
        self.url = url
        self._blobs: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @classmethod
    def at(cls, url: str) -> MemoryStore:
        """The store of that URL."""
        with cls._making:
            return cls._by_url.setdefault(url, cls(url))

    def __repr__(self) -> str:
        return f"<MemoryStore {self.url} [{len(self._blobs)} blobs]>"

    def put(self, key: str, parts: Sequence[bytes | memoryview]) -> None:
        with self._lock:
            self._blobs[checked(key)] = b"".join(parts)

    def put_if_absent(self, key: str, parts: Sequence[bytes | memoryview]) -> bool:
        with self._lock:
            if checked(key) in self._blobs:
                return False
            self._blobs[key] = b"".join(parts)
            return True

    def get(self, key: str) -> memoryview:
        with self._lock:
            return memoryview(bytearray(self._blobs[checked(key)]))

    def list(self, prefix: str) -> list[str]:
        checked(prefix)
        with self._lock:
            return sorted({key[len(prefix) :].split("/")[0] for key in self._blobs if key.startswith(prefix)})

    def copy(self, key: str, to: str) -> None:
        checked(key), checked(to)
        with self._lock:
            self._blobs[to] = self._blobs[key]

    def delete(self, key: str) -> None:
        with self._lock:
            self._blobs.pop(checked(key), None)
