"""A store in a bucket: of Amazon S3 and what speaks its protocol, of Google Cloud Storage, of Azure Blob Storage."""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ..errors import StoreError, StoreRefusedError
from . import aws, refused
from .keys import checked

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore as Bucket

T = TypeVar("T")

_PART = 16 * 1024 * 1024
"""Bytes of one request: larger blobs travel in parts, several at a time."""
_AT_ONCE = 8
"""Parts of one blob that travel at a time."""
_MOST_PARTS = 10_000
"""Of one blob, in S3."""
_TIMEOUT = 300
"""Seconds for one request, with its part of a blob."""
_SLOWEST = 250_000
"""Bytes per second at which a blob that cannot go in parts has to travel at least."""
_RETRIES: dict[str, Any] = {
    "max_retries": 10,
    "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=5), "base": 2},
    "retry_timeout": timedelta(seconds=60),
}
_USED_BY: set[int] = set()
"""The process, once it has used a bucket, and those that it was forked from."""


class ObjectStore:
    """A bucket, or what is below a prefix in it. Interrupts end its requests.

    Which server it is and who asks, the variables and files of the vendors' own tools say (such as `AWS_ENDPOINT_URL`,
    `AWS_ACCESS_KEY_ID`, `~/.aws`, `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_NAME`); else it is the
    identity that the cloud gives to the machine or the pod.

    Args:
        url: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or
            `abfss://container@account.dfs.core.windows.net/prefix`.

    Raises:
        StoreError: the URL is not of a bucket, has credentials in it, or obstore is not installed.
    """

    def __init__(self, url: str) -> None:
        _check(url)
        self.url = url.rstrip("/")
        self._bucket = _connect(self.url, _TIMEOUT)

    def __repr__(self) -> str:
        return f"ObjectStore({self.url!r})"

    def put(self, key: str, parts: Sequence[bytes | memoryview]) -> None:
        import obstore

        views = _bytes_of(parts)
        size = sum(view.nbytes for view in views)
        if size <= _PART:
            self._do(obstore.put, key, b"".join(views), use_multipart=False)
            return
        part, stop = max(_PART, -(-size // _MOST_PARTS)), threading.Event()
        options: dict[str, Any] = {"use_multipart": True, "chunk_size": part, "max_concurrency": _AT_ONCE}
        self._do(obstore.put, key, _cut(views, part, stop), stop=stop, **options)

    def put_if_absent(self, key: str, parts: Sequence[bytes | memoryview]) -> bool:
        """As the protocol says; in one request, which S3 allows up to 5 GiB."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        data, bucket = b"".join(_bytes_of(parts)), self._bucket
        if len(data) > _PART:
            if self._is_there(key):
                return False
            bucket = _connect(self.url, _TIMEOUT + len(data) // _SLOWEST)
        try:
            self._do(obstore.put, key, data, mode="create", bucket=bucket)
        except AlreadyExistsError:
            return False
        return True

    def get(self, key: str) -> memoryview:
        stop = threading.Event()
        return self._do(_get, key, stop, stop=stop)

    def list(self, prefix: str) -> list[str]:
        import obstore

        found = self._do(obstore.list_with_delimiter, prefix)
        paths = [*found["common_prefixes"], *(each["path"] for each in found["objects"])]
        return sorted({path.rpartition("/")[2] for path in paths})

    def copy(self, key: str, to: str) -> None:
        """As the protocol says; the server copies, which S3 does up to 5 GiB."""
        import obstore

        if checked(to) != key:
            self._do(obstore.copy, key, to)
        elif not self._is_there(key):
            raise KeyError(key)

    def delete(self, key: str) -> None:
        import obstore

        with contextlib.suppress(KeyError):  # which only some say
            self._do(obstore.delete, key)

    def _is_there(self, key: str) -> bool:
        import obstore

        try:
            self._do(obstore.head, key)
        except KeyError:
            return False
        return True

    def _do(
        self,
        ask: Callable[..., T],
        key: str,
        *more: Any,
        bucket: Bucket | None = None,
        stop: threading.Event | None = None,
        **options: Any,
    ) -> T:
        """Ask, and wait for the answer.

        Args:
            stop: set when the wait is interrupted; what travels in parts ends then.
        """
        from obstore.exceptions import AlreadyExistsError, BaseError

        checked(key)
        _check_process()
        try:
            return _interruptible(lambda: ask(bucket or self._bucket, key, *more, **options))
        except AlreadyExistsError:
            raise
        except FileNotFoundError as error:
            if refused.is_without_bucket(str(error)):
                raise refused.error(self.url, key, str(error)) from None
            raise KeyError(key) from None
        except (BaseError, OSError, ValueError) as error:
            raise refused.error(self.url, key, str(error)) from None
        except BaseException:
            if stop is not None:
                stop.set()
            raise


def _get(bucket: Bucket, key: str, stop: threading.Event) -> memoryview:
    """What fits into one part comes with the first answer; with the first part of what does not comes its size."""
    import obstore
    from obstore.exceptions import GenericError, PreconditionError

    try:
        first = obstore.get(bucket, key, options={"range": (0, _PART)})
    except GenericError as error:
        if " 416 " not in str(error):  # an empty blob has no first byte
            raise
        return memoryview(bytearray(obstore.get(bucket, key).bytes()))
    size, tag = first.meta["size"], first.meta["e_tag"]
    if size <= _PART:
        return memoryview(bytearray(first.bytes()))
    whole = memoryview(mmap.mmap(-1, size))  # its pages are not filled with zeros before

    def fetch(at: int) -> None:
        if not stop.is_set():
            end = min(at + _PART, size)
            options: GetOptions = {"range": (at, end), "if_match": tag}
            whole[at:end] = (obstore.get(bucket, key, options=options) if at else first).bytes()

    try:
        with ThreadPoolExecutor(_AT_ONCE, "flyte_jupyter-store") as pool:
            for _ in pool.map(fetch, range(0, size, _PART)):
                pass
    except PreconditionError:  # somebody has put another one there meanwhile
        return _get(bucket, key, stop)
    return whole


def _check(url: str) -> None:
    parts = urlsplit(url)
    is_account = parts.scheme in ("abfs", "abfss") and parts.password is None
    if parts.password is not None or (parts.username is not None and not is_account):
        raise StoreError(
            f"The URL of the store at {parts.hostname} has credentials in it, which would be seen wherever it is.\n"
            "Give them as environment variables, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if not parts.netloc or parts.query or parts.fragment:
        raise StoreError(f"{url!r} is no bucket: write {parts.scheme}://bucket or {parts.scheme}://bucket/folder.")


def _connect(url: str, seconds: int) -> Bucket:
    """A client with connections of its own.

    Args:
        seconds: that one request may take.
    """
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise StoreRefusedError(
            f"{url} needs obstore, which is not installed.\npip install 'flyte_jupyter[kubernetes]'"
        ) from None
    options = aws.options(os.environ) if url.startswith("s3:") else {"client_options": {}}
    options["client_options"]["timeout"] = timedelta(seconds=seconds)
    options["retry_config"] = _RETRIES
    try:
        connected: Bucket = from_url(url, **options)
    except (BaseError, ValueError) as error:
        raise refused.error(url, "", str(error)) from None
    return connected


def _bytes_of(parts: Sequence[bytes | memoryview]) -> list[memoryview]:
    return [view for view in (memoryview(part).cast("B") for part in parts) if view.nbytes]


def _cut(views: list[memoryview], size: int, stop: threading.Event) -> Iterator[bytes | memoryview]:
    """The same bytes in pieces of that size, without copying what lies in one piece."""
    pending: list[memoryview] = []
    room = size
    for view in views:
        at = 0
        while at < view.nbytes:
            piece = view[at : at + room]
            pending.append(piece)
            at += piece.nbytes
            room -= piece.nbytes
            if not room:
                if stop.is_set():
                    raise InterruptedError
                yield pending[0] if len(pending) == 1 else b"".join(pending)
                pending, room = [], size
    if pending:
        yield b"".join(pending)


def _interruptible(work: Callable[[], T]) -> T:
    """Wait for another thread to do it, where interrupts come: while one waits for obstore they are not noticed.

    Its calls for event loops are not for us: the last of them may make a process that ends crash.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    done: Future[T] = Future()

    def do() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # raised where it is waited for
            done.set_exception(error)

    threading.Thread(target=do, name="flyte_jupyter-store", daemon=True).start()
    return done.result()


def _check_process() -> None:
    """Raises `StoreError` in a process that was forked by one that had used a bucket: its threads are not there."""
    _USED_BY.add(os.getpid())
    if len(_USED_BY) > 1:
        raise StoreError(
            "This process was forked by one that had used a bucket, so it cannot use one itself.\n"
            "Start it in another way, as with multiprocessing.get_context('spawn')."
        )
