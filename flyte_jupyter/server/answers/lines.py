"""The lines of logs by their numbers: where some of them begin is remembered, so that pages are read alone."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable

from ...host.logs import parse
from ...store import Store
from ...store.files import FileStore

Line = tuple[float, str, str]
_STYLE = re.compile(rb"\x1b\[([0-9;:]*)m")
_MOST_STYLES = 64
_STRIDE = 1000
"""Lines between two of which it is known where they begin."""
_READ = 1 << 20
_MOST_BYTES = 64 << 20
"""Of logs that are not files here, and are kept in memory."""
_MOST_LOGS = 1000


def style_after(style: bytes, data: bytes) -> bytes:
    """The escape sequences of colours that are in effect behind some text, with those before it.

    Those before the last reset count no more, nor do those that come again: they set the same another time.
    """
    if b"\x1b[" not in data:
        return style
    found = [match[0] for match in _STYLE.finditer(style + data)]
    resets = [at for at, each in enumerate(found) if each in (b"\x1b[m", b"\x1b[0m")]
    counting = reversed(found[resets[-1] + 1 :] if resets else found)
    return b"".join(reversed(list(dict.fromkeys(counting))[:_MOST_STYLES]))


class Index:
    """Where lines begin in what grows, and in which style.

    Attributes:
        size: bytes that were looked at, up to the end of a line; lines: there are in them.
    """

    def __init__(self) -> None:
        self.size = self.lines = 0
        self._begins, self._styles = [0], [b""]
        self._style = b""

    def feed(self, data: bytes) -> None:
        """What follows what was looked at; the rest behind the last line end is not taken."""
        styled = last = -1
        at = data.find(b"\n")
        while at >= 0:
            self.lines += 1
            if self.lines % _STRIDE == 0:
                self._begins.append(self.size + at + 1)
                self._style = style_after(self._style, data[styled + 1 : at + 1])
                self._styles.append(self._style)
                styled = at
            last, at = at, data.find(b"\n", at + 1)
        self._style = style_after(self._style, data[styled + 1 : last + 1])
        self.size += last + 1

    def style(self, first: int) -> bytes:
        """What is in effect at the beginning of a line that `around` has named."""
        return self._styles[first // _STRIDE]

    def around(self, start: int, limit: int) -> tuple[int, int, int]:
        """The bytes from which to which these lines are, and the number of the first line in them."""
        first = min(start, self.lines) // _STRIDE
        behind = (min(start + limit, self.lines) + _STRIDE - 1) // _STRIDE
        end = self._begins[behind] if behind < len(self._begins) else self.size
        return self._begins[first], end, first * _STRIDE


class _Log:
    """One of them, as it is known so far."""

    def __init__(self) -> None:
        self.index = Index()
        self.file: tuple[int, int] | None = None
        self.data: memoryview | None = None
        self.lock = threading.Lock()


class Lines:
    """Pages of the logs of many attempts. Any thread may ask."""

    def __init__(self) -> None:
        self._logs: OrderedDict[tuple[str, str], _Log] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Lines [{len(self._logs)} logs]>"

    def page(
        self, store: Store, key: str, start: int, limit: int, *, is_over: Callable[[], bool]
    ) -> tuple[list[Line], int, str]:
        """Lines from one on, how many there are now, and the escape sequences that are in effect at the first one.

        Args:
            is_over: whether no more will come, so that one that is far away is read once.
        """
        log = self._log(store.url, key)
        with log.lock:
            return (
                self._of_file(log, store.path(key), start, limit)
                if isinstance(store, FileStore)
                else self._of_blob(log, store, key, start, limit, is_over)
            )

    def _log(self, store: str, key: str) -> _Log:
        with self._lock:
            log = self._logs.setdefault((store, key), _Log())
            self._logs.move_to_end((store, key))
            held = sum(each.data.nbytes for each in self._logs.values() if each.data is not None)
            while len(self._logs) > 1 and (len(self._logs) > _MOST_LOGS or held > _MOST_BYTES):
                _, old = self._logs.popitem(last=False)
                held -= old.data.nbytes if old.data is not None else 0
            return log

    @staticmethod
    def _of_file(log: _Log, path: str, start: int, limit: int) -> tuple[list[Line], int, str]:
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(open(path, "rb", buffering=0))
            except FileNotFoundError:
                return [], 0, ""
            found = os.fstat(file.fileno())
            if log.file != (found.st_dev, found.st_ino) or found.st_size < log.index.size:
                log.index, log.file = Index(), (found.st_dev, found.st_ino)
            rest = b""
            while log.index.size + len(rest) < found.st_size:
                data = os.pread(file.fileno(), _READ, log.index.size + len(rest))
                before = log.index.size
                log.index.feed(rest + data)
                rest = (rest + data)[log.index.size - before :]
                if not data:
                    break
            begin, end, first = log.index.around(start, limit)
            data = os.pread(file.fileno(), end - begin, begin)
        return _cut(log.index, data, first, start, limit)

    @staticmethod
    def _of_blob(
        log: _Log, store: Store, key: str, start: int, limit: int, is_over: Callable[[], bool]
    ) -> tuple[list[Line], int, str]:
        if log.data is None:
            stays = is_over()
            try:
                data = store.get(key)
            except KeyError:
                return [], 0, ""
            log.index = Index()
            log.index.feed(bytes(data))
            log.data = data if stays else None
        else:
            data = log.data
        begin, end, first = log.index.around(start, limit)
        return _cut(log.index, bytes(data[begin:end]), first, start, limit)


def _cut(index: Index, data: bytes, first: int, start: int, limit: int) -> tuple[list[Line], int, str]:
    """The page within lines of which the first one has a number."""
    lines, before = parse(data), start - first
    skipped = "".join(text for _, _, text in lines[:before]).encode("utf-8", "backslashreplace")
    return lines[before : before + limit], index.lines, style_after(index.style(first), skipped).decode()
