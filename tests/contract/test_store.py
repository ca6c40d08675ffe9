"""What every `Store` promises. A new store is one more line in `STORES`."""

from __future__ import annotations

import array
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from flyte_jupyter.errors import StoreError
from flyte_jupyter.store import Store, open_store
from flyte_jupyter.store.files import FileStore
from flyte_jupyter.store.memory import MemoryStore
from flyte_jupyter.store.objects import ObjectStore
from tests.contract.s3 import bucket, decides_at_once

STORES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "file": lambda folder: nullcontext((folder / "a store").as_uri()),
    "memory": lambda _: nullcontext(f"memory://{uuid.uuid4().hex}"),
    "bucket": lambda _: bucket(),
}
SHARED_BY_PROCESSES = ("file", "bucket")
NOT_KEYS = ("../outside", "runs/../../outside", "runs/..", "/etc/passwd")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with STORES[request.param](tmp_path) as url:
        yield open_store(url)


@pytest.fixture(params=SHARED_BY_PROCESSES)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with STORES[request.param](tmp_path) as url:
        yield open_store(url)


@pytest.fixture
def python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a program with arguments in a process of its own; none is left at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


# --- one writer -------------------------------------------------------------------------------------------------------


def test_what_was_put_is_there(store: Store) -> None:
    store.put("runs/r1/outcome", [b"value"])
    assert b"value" == bytes(store.get("runs/r1/outcome"))
    assert b"value" == bytes(open_store(store.url).get("runs/r1/outcome"))


def test_parts_become_one_blob(store: Store) -> None:
    numbers = array.array("d", [1.0, 2.0])
    store.put("k", [b"ab", memoryview(b"-cd-")[1:3], b"", memoryview(b""), memoryview(numbers), bytearray(b"ef")])
    assert b"abcd" + numbers.tobytes() + b"ef" == bytes(store.get("k"))


def test_nothing_can_be_put(store: Store) -> None:
    store.put("k", [])
    assert b"" == bytes(store.get("k"))


@pytest.mark.parametrize("size", [1, 256 * 1024 - 1, 256 * 1024, 5_000_000])
def test_what_is_got_can_be_changed_and_the_store_cannot(store: Store, size: int) -> None:
    data = os.urandom(size)
    store.put("k", [data])
    found = store.get("k")
    assert (data, False, "B", 1) == (bytes(found), found.readonly, found.format, found.ndim)
    found[0] ^= 255
    assert data == bytes(store.get("k"))


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_reader_keeps_what_it_got_when_the_key_is_written_again(store: Store, size: int) -> None:
    store.put("k", [b"1" * size])
    before = store.get("k")
    store.put("k", [b"2"])
    assert (b"1" * size, b"2") == (bytes(before), bytes(store.get("k")))


@pytest.mark.parametrize("key", ["absent", "runs", "runs/r1/absent", "runs/r1/outcome/below"])
def test_get_of_what_is_absent(store: Store, key: str) -> None:
    store.put("runs/r1/outcome", [b"value"])
    with pytest.raises(KeyError):
        store.get(key)


def test_put_if_absent_says_whether_it_wrote(store: Store) -> None:
    assert store.put_if_absent("code/abc", [b"first", b"!"]) is True
    assert store.put_if_absent("code/abc", [b"second"]) is False
    assert b"first!" == bytes(store.get("code/abc"))
    assert ["abc"] == store.list("code/")


def test_list_names_what_is_directly_below(store: Store) -> None:
    for key in ("runs/r2/record.json", "runs/r10/record.json", "runs/r1/actions/a0/log.0", "runs/r1/x", "code/c"):
        store.put(key, [b""])
    assert ["r1", "r10", "r2"] == store.list("runs/")
    assert ["actions", "x"] == store.list("runs/r1/")
    assert [] == store.list("runs/r3/")
    assert [] == store.list("code/c/")


@pytest.mark.parametrize("size", [0, 10, 300_000])
def test_a_copy_is_there_for_itself(store: Store, size: int) -> None:
    store.put("a/one", [b"1" * size])
    store.copy("a/one", "b/deep/two")
    store.copy("a/one", "b/deep/two")
    assert (["two"], ["one"]) == (store.list("b/deep/"), store.list("a/"))
    store.put("a/one", [b"2"])
    assert b"1" * size == bytes(store.get("b/deep/two"))
    store.delete("a/one")
    found = store.get("b/deep/two")
    assert b"1" * size == bytes(found)
    if size:
        found[0] = 0
        assert b"1" * size == bytes(store.get("b/deep/two"))


def test_a_copy_takes_the_place_of_what_was_there(store: Store) -> None:
    store.put("one", [b"1"])
    store.put("two", [b"2"])
    store.copy("one", "two")
    assert b"1" == bytes(store.get("two"))
    store.copy("two", "two")
    assert (b"1", ["one", "two"]) == (bytes(store.get("two")), store.list(""))


@pytest.mark.parametrize("key", ["absent", "runs", "runs/r1/outcome/below"])
def test_copying_what_is_absent(store: Store, key: str) -> None:
    store.put("runs/r1/outcome", [b"value"])
    with pytest.raises(KeyError):
        store.copy(key, "copy")
    assert ["runs"] == store.list("")


def test_what_was_deleted_is_absent(store: Store) -> None:
    for key in ("a/b/one", "a/b/two", "a/three"):
        store.put(key, [b"value"])
    store.delete("a/b/one")
    with pytest.raises(KeyError):
        store.get("a/b/one")
    assert ["two"] == store.list("a/b/")
    store.delete("a/b/two")
    assert ["three"] == store.list("a/")
    store.delete("a/three")
    assert [] == store.list("a/")
    store.put("a/b/one", [b"again"])
    assert b"again" == bytes(store.get("a/b/one"))


@pytest.mark.parametrize("key", ["absent", "absent/below", "runs", "runs/r1", "runs/r1/outcome/below"])
def test_deleting_what_is_absent(store: Store, key: str) -> None:
    store.put("runs/r1/outcome", [b"value"])
    store.delete(key)
    assert b"value" == bytes(store.get("runs/r1/outcome"))


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_reader_keeps_what_was_deleted(store: Store, size: int) -> None:
    store.put("k", [b"1" * size])
    before = store.get("k")
    store.delete("k")
    assert b"1" * size == bytes(before)


@pytest.mark.parametrize("key", NOT_KEYS)
def test_nothing_leaves_the_store(store: Store, key: str) -> None:
    for use in (
        lambda: store.put(key, [b""]),
        lambda: store.put_if_absent(key, [b""]),
        lambda: store.get(key),
        lambda: store.list(f"{key}/"),
        lambda: store.delete(key),
        lambda: store.copy(key, "k"),
        lambda: store.copy("k", key),
    ):
        with pytest.raises(StoreError, match="is not a key"):
            use()


def test_dots_in_a_name_are_no_way_out(store: Store) -> None:
    store.put("runs/a..b", [b"value"])
    assert b"value" == bytes(store.get("runs/a..b"))


# --- several writers --------------------------------------------------------------------------------------------------


def test_put_if_absent_has_one_winner_among_threads(store: Store) -> None:
    threads, rounds = 8, 20
    ready = threading.Barrier(threads)

    def write(me: int) -> list[bool]:
        won = []
        for n in range(rounds):
            ready.wait(10)
            won.append(open_store(store.url).put_if_absent(f"lease/{n}", [b"%d" % me, b"%d" % me]))
        return won

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(write, range(threads)))
    winners = [[me for me in range(threads) if results[me][n]] for n in range(rounds)]
    assert set(range(1, _most_winners(store) + 1)) >= {len(w) for w in winners}
    for n in range(rounds):
        assert bytes(store.get(f"lease/{n}")) in [b"%d%d" % (me, me) for me in winners[n]]


def test_put_if_absent_has_one_winner_among_processes(
    shared: Store, python: Callable[..., subprocess.Popen[str]]
) -> None:
    rounds = 30 if isinstance(shared, ObjectStore) else 200
    program = """
import sys
from flyte_jupyter.store import open_store
store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(*[n for n in range(int(sys.argv[3])) if store.put_if_absent(f"lease/{n}", [sys.argv[2].encode()])])
"""
    processes = {str(me): python(program, shared.url, str(me), str(rounds)) for me in range(3)}
    for process in processes.values():
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
    for process in processes.values():
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    won = {me: process.communicate(timeout=30)[0].split() for me, process in processes.items()}
    for n in map(str, range(rounds)):
        winners = [me for me in won if n in won[me]]
        assert 1 <= len(winners) <= _most_winners(shared)
        assert bytes(shared.get(f"lease/{n}")).decode() in winners


def _most_winners(store: Store) -> int:
    return 1 if not isinstance(store, ObjectStore) or decides_at_once() else 8


@pytest.mark.parametrize("size", [100, 300_000])
def test_a_reader_sees_one_whole_value_while_it_is_replaced(store: Store, size: int) -> None:
    store.put("k", [b"0" * size])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for digit in (b"1", b"2"):
                store.put("k", [digit * (size // 2)] * 2)

    times = 30 if isinstance(store, ObjectStore) else 200
    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write) for _ in range(2)]
        found = [bytes(store.get("k")) for _ in range(times)]
        stop.set()
        assert [None, None] == [w.result(10) for w in writing]
    assert {size} == {len(data) for data in found}
    assert {1} == {len(set(data)) for data in found}


def test_what_is_put_while_its_neighbours_are_deleted_is_there(store: Store) -> None:
    """Folders come and go with what is in them."""
    times = 15 if isinstance(store, ObjectStore) else 150

    def put_and_delete(me: int) -> None:
        for n in range(times):
            key = f"a/{n % 3}/deep/{me}"
            store.put(key, [b"%d" % n])
            assert b"%d" % n == bytes(store.get(key))
            store.delete(key)

    with ThreadPoolExecutor(4) as pool:
        assert [None] * 4 == list(pool.map(put_and_delete, range(4)))
    assert [] == store.list("a/")


def test_a_blob_appears_when_it_is_whole(store: Store) -> None:
    halfway, go_on = threading.Event(), threading.Event()

    def slow_parts() -> Iterator[bytes]:
        yield b"first half, "
        halfway.set()
        assert go_on.wait(10)
        yield b"second half"

    class Parts(list[bytes]):
        __iter__ = staticmethod(slow_parts)  # type: ignore[assignment]

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(store.put, "runs/r1/outcome", Parts())
        assert halfway.wait(10)
        if isinstance(store, FileStore):
            with pytest.raises(KeyError):
                store.get("runs/r1/outcome")
            assert [] == store.list("runs/r1/")
            # somebody else in this process writes the same key meanwhile, and is not in the way
            open_store(store.url).put("runs/r1/outcome", [b"quick"])
            assert b"quick" == bytes(store.get("runs/r1/outcome"))
        go_on.set()
        writing.result(10)
    assert b"first half, second half" == bytes(store.get("runs/r1/outcome"))


@pytest.mark.parametrize("method", ["put", "put_if_absent"])
def test_a_writer_that_is_killed_leaves_nothing(
    shared: Store, python: Callable[..., subprocess.Popen[str]], method: str
) -> None:
    program = """
import signal, sys
from flyte_jupyter.store import open_store
def parts():
    yield b"x" * 300_000
    print("halfway", flush=True)
    signal.pause()
getattr(open_store(sys.argv[1]), sys.argv[2])("runs/r1/outcome", parts())
"""
    writer = python(program, shared.url, method)
    assert writer.stdout is not None
    assert "halfway\n" == writer.stdout.readline()
    writer.kill()
    assert -signal.SIGKILL == writer.wait(10)
    with pytest.raises(KeyError):
        shared.get("runs/r1/outcome")
    assert [] == shared.list("runs/r1/")
    assert shared.put_if_absent("runs/r1/outcome", [b"another"]) is True
    assert (b"another", ["outcome"]) == (bytes(shared.get("runs/r1/outcome")), shared.list("runs/r1/"))


# --- opening ----------------------------------------------------------------------------------------------------------


def test_a_blob_in_a_file_store_is_private(tmp_path: Path) -> None:
    store = FileStore((tmp_path / "s").as_uri())
    store.put("runs/r1/outcome", [b"value"])
    assert 0o600 == (tmp_path / "s" / "runs" / "r1" / "outcome").stat().st_mode & 0o777


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_large_blobs_hold_no_descriptors(store: Store) -> None:
    blob = bytes(range(256)) * 4096
    store.put("large", [blob])
    before = len(os.listdir("/proc/self/fd"))
    kept = [store.get("large") for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) < before + len(kept)  # others come and go
    assert all(blob == bytes(each) for each in kept)


def test_memory_stores_of_one_url_are_one() -> None:
    url = f"memory://{uuid.uuid4().hex}"
    assert MemoryStore.at(url) is open_store(url)
    assert MemoryStore.at(url) is not open_store(f"{url}-2")
    open_store(url).put("k", [b"v"])
    assert f"<MemoryStore {url} [1 blobs]>" == repr(open_store(url))


@pytest.mark.parametrize("url", ["nobody-serves://this", "no scheme", ""])
def test_a_url_that_nothing_serves(url: str) -> None:
    with pytest.raises(StoreError, match="No store serves"):
        open_store(url)


def test_a_file_url_needs_a_folder() -> None:
    with pytest.raises(StoreError, match="file:///folder"):
        open_store("file://")


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = open_store((tmp_path / "file" / "store").as_uri())
    with pytest.raises(StoreError, match="cannot be written"):
        store.put("k", [b"v"])
    with pytest.raises(KeyError):
        store.get("k")
