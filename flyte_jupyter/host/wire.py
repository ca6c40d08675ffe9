"""Messages between processes of one user: a length, then JSON; and the check of who is on the other end."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ..pods import Event, LogEvent, PodEvent
from ..vitals import VitalsEvent

_LENGTH = struct.Struct(">I")
_MAX = 64 * 1024 * 1024
PROTOCOL = 1
_EVENTS: dict[str, type[Event]] = {"event": PodEvent, "log": LogEvent, "vitals": VitalsEvent}


def as_message(event: Event) -> dict[str, Any]:
    """News of a pod as a message; "op" says which."""
    op = next(op for op, kind in _EVENTS.items() if isinstance(event, kind))
    return {"op": op, **event.to_json()}


def as_event(message: Mapping[str, Any]) -> Event | None:
    """The news that a message is; None for another one."""
    kind = _EVENTS.get(message["op"])
    return kind.from_json({name: value for name, value in message.items() if name != "op"}) if kind else None


def encode(message: dict[str, Any]) -> bytes:
    body = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Bytes in, messages out."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The messages that are complete with these bytes. Raises `ValueError` for what is no message."""
        self._pending += data
        while len(self._pending) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending)
            if length > _MAX:
                raise ValueError(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._pending) < end:
                return
            message = json.loads(self._pending[_LENGTH.size : end])
            del self._pending[:end]
            if not isinstance(message, dict):
                raise ValueError(f"a message that is a {type(message).__name__}")
            yield message


def receive_now(sock: socket.socket, frames: Frames) -> tuple[list[dict[str, Any]], bool]:
    """The messages that are there now, without waiting, and whether the other end is still there."""
    try:
        data = sock.recv(65536)
    except BlockingIOError:
        return [], True
    except ConnectionResetError:
        data = b""
    return list(frames.feed(data)), bool(data)


class Channel:
    """One end of a socket, used by one thread, blocking."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._frames = Frames()
        self._ready: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.socket.sendall(encode(message))

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the other end is gone."""
        while not self._ready:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._ready.extend(self._frames.feed(data))
        return self._ready.pop(0)

    def receive_now(self) -> tuple[list[dict[str, Any]], bool]:
        """The messages that are there now, without waiting, and whether the other end is still there."""
        messages, self._ready = self._ready, []
        try:
            data = self.socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return messages, True
        except ConnectionResetError:
            data = b""
        return [*messages, *self._frames.feed(data)], bool(data)

    def close(self) -> None:
        self.socket.close()


def peer_uid(sock: socket.socket) -> int:
    """The user on the other end of a Unix socket, told by the kernel."""
    linux: int | None = getattr(socket, "SO_PEERCRED", None)
    if linux is not None:
        return int(struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, linux, struct.calcsize("3i")))[1])
    # macOS and the BSDs: struct xucred {u_int version; uid_t uid; …}, option LOCAL_PEERCRED at level 0
    return int(struct.unpack_from("Ii", sock.getsockopt(0, 1, 76))[1])


def is_me(sock: socket.socket) -> bool:
    """Whether the other end is this user. Nobody else may talk to a Host, or play one."""
    return peer_uid(sock) == os.getuid()
