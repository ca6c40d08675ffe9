"""News on the standard output of a pod's container, between which its log stays readable.

A line that begins with the mark is a frame: JSON with "op", as on the Host's socket. A frame of log says how many lines
follow; they are as the task has printed them, but that one which begins with the mark gets another one in front. So
what a task prints is never taken for a frame, wherever one begins to read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from ..pods import Event, LogEvent, PodEvent, PodRequest
from .wire import as_event, as_message

MARK = "\x1e"
_PIECE = 9 * 1024
"""Bytes of a blob in one frame: with them it has less than the 16 KiB at which container runtimes cut lines."""


class Piece(NamedTuple):
    """A part of a blob that the action has left in its store: the number of the part, and of how many."""

    key: str
    part: int
    of: int
    data: bytes


class Recalled(NamedTuple):
    """The end of an action that this one has called, and that no pod runs: its result was kept from an earlier call."""

    event: PodEvent


class Ended(NamedTuple):
    """All has been said: what an action has left is complete."""


class Other(NamedTuple):
    """A line that is no news; something else has printed it, or it is damaged."""

    text: str


News: TypeAlias = Event | Piece | Recalled | Ended | Other


def pieces(key: str, data: bytes | memoryview) -> Iterator[Piece]:
    """A blob in parts; an empty one is one part."""
    view = memoryview(data)
    of = max(1, -(-len(view) // _PIECE))
    for part in range(of):
        yield Piece(key, part, of, bytes(view[part * _PIECE : (part + 1) * _PIECE]))


def encode(news: News) -> bytes:
    """The lines that say it."""
    if isinstance(news, Other):
        return _line(_escaped(news.text))
    if isinstance(news, Ended):
        return _frame({"op": "end"})
    if isinstance(news, Piece):
        return _frame({"op": "blob", **news._asdict(), "data": base64.b64encode(news.data).decode()})
    if isinstance(news, Recalled):
        return _frame({**news.event.to_json(), "op": "recalled"})
    message = as_message(news)
    del message["run"], message["action"]  # whose pod it is, everybody knows
    if not isinstance(news, LogEvent):
        return _frame(message)
    alike = groupby(news.lines, lambda line: line[:2])
    message["lines"] = [[at, stream, sum(1 for _ in lines)] for (at, stream), lines in alike]
    return _frame(message) + b"".join(_line(_escaped(text)) for _, _, text in news.lines)


def _frame(message: Mapping[str, Any]) -> bytes:
    return _line(MARK + json.dumps(message, separators=(",", ":")))


def _line(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _escaped(text: str) -> str:
    return MARK + text if text.startswith(MARK) else text


class Decoder:
    """Bytes or lines of the log of one action's container in, news out; nothing that is in it is an error.

    Args:
        run, action: whose it is, whatever it says itself.
    """

    def __init__(self, run: str, action: str) -> None:
        self._whose = {"run": run, "action": action}
        self._pending = b""
        self._log: dict[str, Any] | None = None  # whose lines are still to come
        self._awaited: list[tuple[float, str]] = []
        self._texts: list[str] = []

    @classmethod
    def of(cls, request: PodRequest) -> Decoder:
        """For the container of that request."""
        return cls(request.run, request.action)

    def __repr__(self) -> str:
        return f"<Decoder {self._whose['run']}-{self._whose['action']} [{len(self._awaited)} lines to come]>"

    def feed(self, data: bytes) -> Iterator[News]:
        """The news that are complete with these bytes."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            yield from self.line(line.decode("utf-8", "replace"))

    def line(self, text: str) -> Iterator[News]:
        """The news that are complete with this line, given without its end."""
        is_frame = text[:1] == MARK and text[1:2] != MARK
        if is_frame:
            yield from self._cut()
            yield from self._take(text)
            return
        text = text[1:] if text[:1] == MARK else text
        if self._log is None:
            yield Other(text)
            return
        self._texts.append(text)
        if len(self._texts) == len(self._awaited):
            yield from self._cut()

    def close(self) -> Iterator[News]:
        """Nothing follows: what has come of a frame of log that is not complete."""
        if self._pending:
            rest, self._pending = self._pending, b""
            yield from self.line(rest.decode("utf-8", "replace"))
        yield from self._cut()

    def _take(self, text: str) -> Iterator[News]:
        try:
            message = json.loads(text[1:])
            op = message["op"]
            if op == "end":
                yield Ended()
            elif op == "blob":
                data = base64.b64decode(message["data"], validate=True)
                yield Piece(str(message["key"]), int(message["part"]), int(message["of"]), data)
            elif op == "recalled":
                whose = {"run": self._whose["run"], "parent": self._whose["action"]}
                known = {name: value for name, value in message.items() if name != "op"}
                yield Recalled(PodEvent.from_json({**known, **whose}))
            elif op == "log":
                self._awaited = [(at, stream) for at, stream, count in message["lines"] for _ in range(count)]
                self._log = message
                if not self._awaited:
                    yield from self._cut()
            elif (event := as_event({**message, **self._whose})) is not None:
                yield event
            else:
                yield Other(text)
        except (ValueError, LookupError, TypeError, AttributeError):  # cut off, or of another version
            yield Other(text)

    def _cut(self) -> Iterator[News]:
        """The lines of log that have come, when there is a frame that has announced them."""
        if self._log is None:
            return
        message, texts, self._log, self._texts = self._log, self._texts, None, []
        lines = tuple((at, stream, text) for (at, stream), text in zip(self._awaited, texts, strict=False))
        event = as_event({**message, **self._whose, "lines": lines})
        if event is not None:
            yield event
