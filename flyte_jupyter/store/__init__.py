"""Bytes under keys: the place where calls, outcomes, records and logs are, whoever runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from ..errors import StoreError

BUCKETS = ("s3", "gs", "az", "abfs", "abfss")
"""The schemes of URLs of buckets."""


class Store(Protocol):
    """Blobs under keys such as `runs/r1/a0/outcome`; `tests/contract/test_store.py` is the contract.

    Attributes:
        url: what another process is given to open the same store with `open_store`.
    """

    url: str

    def put(self, key: str, parts: Sequence[bytes | memoryview]) -> None:
        """Write the parts one after the other as one blob: whole or absent, also when the writer dies."""
        ...

    def put_if_absent(self, key: str, parts: Sequence[bytes | memoryview]) -> bool:
        """Like `put`, unless the key is there; says whether it was written. Exactly one of several callers wins."""
        ...

    def get(self, key: str) -> memoryview:
        """The blob, as private memory: arrays in it can be changed, the store cannot. Raises `KeyError` when absent."""
        ...

    def list(self, prefix: str) -> list[str]:
        """The names directly below a prefix that ends with "/", sorted; [] when there are none."""
        ...

    def copy(self, key: str, to: str) -> None:
        """Put the blob at another key too, without moving its bytes where that is possible. Raises `KeyError`."""
        ...

    def delete(self, key: str) -> None:
        """Remove a blob; who has got it before keeps it. Absent is fine."""
        ...


def open_store(url: str) -> Store:
    """Open the store of a URL: `file://…`, a bucket (`s3://…`, `gs://…`, `az://…`, `abfss://…`), or a scheme that an
    entry point of group `flyte_jupyter.stores` serves.

    Raises:
        StoreError: nothing serves the scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme == "file":
        from .files import FileStore

        return FileStore(url)
    if scheme == "memory":
        from .memory import MemoryStore

        return MemoryStore.at(url)
    if scheme in BUCKETS:
        from .objects import ObjectStore

        return ObjectStore(url)
    from importlib.metadata import entry_points

    for entry in entry_points(group="flyte_jupyter.stores", name=scheme):
        store: Store = entry.load()(url)
        return store
    schemes = ", ".join(f"{name}://" for name in ("file", "memory", *BUCKETS))
    raise StoreError(f"No store serves {url!r}.\nBuilt in: {schemes}. Others are installed as plug-ins.")
