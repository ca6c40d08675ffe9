"""What an attempt prints: split into lines, kept in the store as it comes, passed on to whoever watches.

Of a line that is written over again, as progress bars do, only the last state is stored; those who watch are told its
present one a few times a second.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from ..credentials.mask import Mask
from ..pods import LogEvent, PodRequest
from .terminal import Terminal

_MAX_LINE = 64 * 1024
_READ = 256 * 1024
_PIPE = 1024 * 1024
"""The most that a pipe can hold, unless root has made it larger."""
_TAIL_LINES = 200
_TAIL_CHARACTERS = 512 * 1024
_TELL_EVERY = 0.2
"""Seconds between two states of unfinished lines that are told."""
_TOLD = 4096
"""Characters of them."""
STREAMS = ("stdout", "stderr")
_NO_MASK = Mask(())


class AttemptLog:
    """Reads the two pipes of one attempt.

    Args:
        path: the log file: a line each of seconds since the epoch, stream and text, separated by tabs.
        publish: takes the lines as they come.
        mask: gives what takes the values of secrets out of them, as it is now.
    """

    def __init__(
        self,
        pod: PodRequest,
        attempt: int,
        path: str,
        publish: Callable[[LogEvent], None],
        mask: Callable[[], Mask] = lambda: _NO_MASK,
    ) -> None:
        self._pod = pod
        self._attempt = attempt
        self._path = path
        self._publish = publish
        self._mask = mask
        self._lines = 0
        self._terminals = {stream: Terminal() for stream in STREAMS}
        self._unfinished: dict[str, str] = {}
        self._telling: asyncio.TimerHandle | None = None
        self._decoders = {s: codecs.getincrementaldecoder("utf-8")("backslashreplace") for s in STREAMS}
        self._pipes: dict[str, int] = {}
        self._file: int | None = None

    def follow(self, stdout: int, stderr: int) -> None:
        """Read the pipes from now on, whenever something is there."""
        loop = asyncio.get_running_loop()
        for stream, pipe in zip(STREAMS, (stdout, stderr), strict=True):
            os.set_blocking(pipe, False)
            self._pipes[stream] = pipe
            loop.add_reader(pipe, self._read, stream)

    @property
    def is_following(self) -> bool:
        return bool(self._pipes)

    def unfollow(self) -> None:
        """Read what is there, and let go of the pipes."""
        self.drain()
        for stream in STREAMS:
            self._let_go(stream)

    def feed(self, stream: str, text: str) -> None:
        """Text that no pipe has brought."""
        if lines := self._split(stream, text):
            self._take(stream, lines)
        elif self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TELL_EVERY, self._tell)

    def write(self, stream: str, lines: list[str]) -> None:
        """Lines that no pipe has brought."""
        self._take(stream, [self._mask()(line) for line in lines])

    def drain(self) -> None:
        """Read what is there now: at most what a pipe holds, since somebody may still be writing."""
        for stream in list(self._pipes):
            for _ in range(_PIPE // _READ):
                if stream not in self._pipes or not self._read(stream):
                    break

    def close(self) -> None:
        """Read the rest, end an unfinished line, let go of the pipes."""
        self.drain()
        if self._telling is not None:
            self._telling.cancel()
        for stream in STREAMS:
            lines = self._split(stream, self._decoders[stream].decode(b"", final=True))
            lines += self._terminals[stream].close()
            if lines:
                self._take(stream, lines)
            self._let_go(stream)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self, stream: str) -> bool:
        try:
            data = os.read(self._pipes[stream], _READ)
        except BlockingIOError:
            return False
        if not data:
            self._let_go(stream)
            return False
        self.feed(stream, self._decoders[stream].decode(data))
        return True

    def _split(self, stream: str, text: str) -> list[str]:
        """The lines that are whole with this text, without secrets; the longest in pieces."""
        mask, terminal = self._mask(), self._terminals[stream]
        text = mask(terminal.pull() + text)
        lines = terminal.feed(text)
        if len(text) > _MAX_LINE:
            lines = [line[at : at + _MAX_LINE] for line in lines for at in range(0, len(line) or 1, _MAX_LINE)]
        # with room to spare, else the cut might go through a secret that is still to come
        return [*lines, *terminal.cut(_MAX_LINE, mask.longest)]

    def _tell(self) -> None:
        """Pass unfinished lines on as they are now, unless nothing is new."""
        self._telling = None
        if self._unfinished != self._open_lines():
            self._say(())

    def _open_lines(self) -> dict[str, str]:
        mask = self._mask()
        open_lines = {stream: mask.without_beginning(of.unfinished) for stream, of in self._terminals.items()}
        return {stream: text[-_TOLD:] for stream, text in open_lines.items() if text}

    def _let_go(self, stream: str) -> None:
        pipe = self._pipes.pop(stream, None)
        if pipe is not None:
            asyncio.get_running_loop().remove_reader(pipe)
            os.close(pipe)

    def _take(self, stream: str, lines: list[str]) -> None:
        now = round(time.time(), 6)
        if self._file is None:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        entries = tuple((now, stream, line) for line in lines)
        record = written(entries)
        while record:
            record = record[os.write(self._file, record) :]
        self._say(entries)

    def _say(self, entries: tuple[tuple[float, str, str], ...]) -> None:
        pod, start = self._pod, self._lines
        self._lines += len(entries)
        self._unfinished = told = self._open_lines()
        self._publish(
            LogEvent(run=pod.run, action=pod.action, attempt=self._attempt, start=start, lines=entries, unfinished=told)
        )


class Tail:
    """The last lines of a log, in the events that told them: at least so many lines, and about so many characters."""

    def __init__(self) -> None:
        self._events: deque[tuple[LogEvent, int]] = deque()
        self._lines = self._characters = 0
        self._unfinished: LogEvent | None = None

    def __iter__(self) -> Iterator[LogEvent]:
        yield from (event for event, _ in self._events)
        if self._unfinished is not None:
            yield self._unfinished

    def add(self, event: LogEvent) -> None:
        self._unfinished = None if event.lines else event
        if not event.lines:
            return
        size = sum(len(text) for _, _, text in event.lines)
        self._events.append((event, size))
        self._lines += len(event.lines)
        self._characters += size
        while len(self._events) > 1 and (self._has_enough_without_first() or self._characters > _TAIL_CHARACTERS):
            first, size = self._events.popleft()
            self._lines -= len(first.lines)
            self._characters -= size

    def _has_enough_without_first(self) -> bool:
        return self._lines - len(self._events[0][0].lines) >= _TAIL_LINES


def written(lines: Iterable[tuple[float, str, str]]) -> bytes:
    """Lines as a log file has them: (seconds, stream, text)."""
    return "".join(f"{at}\t{stream}\t{text}\n" for at, stream, text in lines).encode("utf-8", "backslashreplace")


def parse(data: bytes) -> list[tuple[float, str, str]]:
    """The lines of a log file, or of a part that begins with a whole line: (seconds, stream, text)."""
    lines: list[tuple[float, str, str]] = []
    for record in data.decode("utf-8", "replace").split("\n"):
        at, _, rest = record.partition("\t")
        stream, tab, text = rest.partition("\t")
        if tab:
            lines.append((float(at), stream, text))
    return lines
