"""Large values through a bucket, that of the tests (see tests/contract/s3.py), beside what obstore does alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from flyte_jupyter.pack.envelope import seal, unseal
from flyte_jupyter.store import open_store
from tests.benchmarks.measures import Measured
from tests.contract.s3 import bucket

_TURNS = 5
_SIZE = 100_000_000
_KEY = bytes(32)


def there() -> Measured:
    """Milliseconds to write 100 MB."""
    import obstore
    from obstore.store import from_url

    data = os.urandom(_SIZE)
    with bucket() as url:
        store, bare = open_store(url), from_url(url, client_options={"allow_http": True})
        return _in_turns(lambda: store.put("ours", [data]), lambda: obstore.put(bare, "bare", data))


def back() -> Measured:
    """Milliseconds to read 100 MB into memory that can be written."""
    import obstore
    from obstore.store import from_url

    with bucket() as url:
        store, bare = open_store(url), from_url(url, client_options={"allow_http": True})
        store.put("k", [os.urandom(_SIZE)])
        return _in_turns(lambda: store.get("k"), lambda: obstore.get(bare, "k").bytes())


def sealed() -> Measured:
    """Milliseconds for 100 MB there and back, signed and verified."""
    import obstore
    from obstore.store import from_url

    data, place = os.urandom(_SIZE), {"kind": "benchmark"}
    with bucket() as url:
        store, bare = open_store(url), from_url(url, client_options={"allow_http": True})

        def ours() -> None:
            store.put("ours", seal(_KEY, place, [data]))
            unseal(_KEY, store.get("ours"), what="benchmark", is_for=place)

        def alone() -> None:
            obstore.put(bare, "bare", data)
            obstore.get(bare, "bare").bytes()

        return _in_turns(ours, alone)


def _in_turns(ours: Callable[[], object], alone: Callable[[], object]) -> Measured:
    measured = Measured()
    for _ in range(_TURNS):
        for what, samples in ((alone, measured.floors), (ours, measured.samples)):
            begin = time.perf_counter()
            what()
            samples.append((time.perf_counter() - begin) * 1000)
    return measured
