"""What the Host and a process of its workers tell each other while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ...pods import PodEvent
from ..wire import Frames, encode, receive_now
from .forks import Worker


class Conversation:
    """What one attempt tells, from its start to its last message.

    Attributes:
        done: the attempt's last message, None when it was stopped; told: done when it came.
        on_start: called when the task's own code begins.

    Args:
        shown: called with what it shows of itself while it runs; recalled: with the end of an action that it has called
            and that nobody runs.
    """

    def __init__(
        self,
        started: Callable[[], None],
        shown: Callable[[dict[str, Any]], None],
        recalled: Callable[[PodEvent], None],
    ) -> None:
        self.done: dict[str, Any] | None = None
        self.told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_start: Callable[[], Any] = lambda: None
        self._started = started
        self._shown = shown
        self._recalled = recalled

    def take(self, message: dict[str, Any]) -> None:
        """One message of the attempt's."""
        if message["op"] == "running":
            self._started()
            self.on_start()
        elif message["op"] == "shows":
            self._shown(message)
        elif message["op"] == "recalled":
            self._recalled(PodEvent.from_json(message["event"]))
        elif message["op"] in ("done", "stopped"):
            self.done = message if message["op"] == "done" else None
            if not self.told.done():
                self.told.set_result(None)


class Line:
    """The socket between the Host and a worker.

    Args:
        take: called with each message as it comes.
    """

    def __init__(self, worker: Worker, take: Callable[[dict[str, Any]], None]) -> None:
        self._take = take
        self._socket = worker.control
        self._frames = Frames()
        self._unsent = b""
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def send(self, message: dict[str, Any]) -> None:
        """Also large environments: what the socket does not take at once follows when it can."""
        self._unsent += encode(message)
        self._write()

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self._unsent = b""  # it has ended; how, its exit tells
        if self._unsent:
            loop.add_writer(self._socket, self._write)
        else:
            loop.remove_writer(self._socket)

    def _read(self) -> None:
        messages, is_there = receive_now(self._socket, self._frames)
        for message in messages:
            self._take(message)
        if not is_there:
            asyncio.get_running_loop().remove_reader(self._socket)

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        loop.remove_writer(self._socket)
        self._socket.close()
