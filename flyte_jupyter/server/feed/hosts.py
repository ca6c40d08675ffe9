"""The Hosts of a state folder, of whatever copies of the package: each is watched once it is there, none is started."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
from typing import NamedTuple, Protocol

from ...errors import HostError
from ...home import Home
from ...host.client import reach
from ...host.wire import PROTOCOL, Channel, as_event
from ...pods import PodEvent
from .changes import Changes

_TRIES = 20
"""Looks at a socket that nobody listens on: it was left over, unless its Host is just about to."""
_log = logging.getLogger("flyte_jupyter")


class Hearer(Protocol):
    """Who is told."""

    def heard(self, host: str, event: PodEvent) -> None:
        """Something has happened to a pod of a Host."""

    def synced(self, host: str) -> None:
        """All has been told that is open in that Host."""

    def lost(self, host: str) -> None:
        """It is gone."""


class _Socket(NamedTuple):
    """A socket as the file system has it: the next Host makes another one under the same name."""

    host: str
    inode: int
    changed: int


class Hosts:
    """A watch of each Host. One thread calls it, but for `wake`.

    Args:
        home: the state folder; hearer: who is told, on that thread.
    """

    def __init__(self, home: Home, hearer: Hearer) -> None:
        self._home = home
        self._hearer = hearer
        self._selector = selectors.DefaultSelector()
        self._channels: dict[str, Channel] = {}
        self._tried: dict[_Socket, int] = {}
        self._folder = Changes(home.sockets)
        self._rung, self._bell = socket.socketpair()
        self._rung.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._rung, selectors.EVENT_READ)

    def __repr__(self) -> str:
        return f"<Hosts {self._home.path} [{', '.join(self._channels) or 'none'}]>"

    def __contains__(self, host: str) -> bool:
        return host in self._channels

    def look(self) -> None:
        """Begin to watch what has come since the last look."""
        if not self._folder.are_there() and not any(tries < _TRIES for tries in self._tried.values()):
            return
        there = {}
        for home in self._home.hosts():
            with contextlib.suppress(FileNotFoundError):
                found = os.stat(home.socket)
                there[_Socket(home.host, found.st_ino, found.st_mtime_ns)] = home
        self._tried = {seen: self._tried.get(seen, 0) for seen in there}
        for seen, home in there.items():
            if home.host not in self._channels and self._tried[seen] < _TRIES:
                self._tried[seen] += 1
                self._watch(home)

    def _watch(self, home: Home) -> None:
        try:
            channel = reach(home, 0.0)
            if channel is None:
                return
            channel.send({"op": "hello"})  # it is not waited for: one that does not answer holds up nobody
            channel.send({"op": "watch", "labels": {}, "looks_on": True, "phases": True})
        except (HostError, OSError) as error:  # whatever there is wrong with it, the others are watched
            _log.info("The Host %s is not watched: %s", home.host, error)
            return
        self._channels[home.host] = channel
        self._selector.register(channel.socket, selectors.EVENT_READ, home.host)

    def wait(self, seconds: float) -> bool:
        """Take in what is told within that time; returns when there was something, or when it is called: whether so."""
        found = self._selector.select(seconds)
        for key, _ in found:
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._rung.recv(4096)
            else:
                self._read(key.data)
        return bool(found)

    def wake(self) -> None:
        """End the wait, from any thread."""
        with contextlib.suppress(BlockingIOError, OSError):  # it rings already, or has ended
            self._bell.send(b"\0")

    def _read(self, host: str) -> None:
        channel = self._channels[host]
        try:
            messages, is_there = channel.receive_now()
            for message in messages:
                event = as_event(message)
                if isinstance(event, PodEvent):
                    self._hearer.heard(host, event)
                elif message["op"] == "synced":
                    self._hearer.synced(host)
                elif message["op"] == "hello" and message["protocol"] != PROTOCOL:
                    raise ValueError(f"protocol {message['protocol']}")
        except (OSError, ValueError, LookupError, TypeError):  # another version, perhaps, whose news are not ours
            _log.exception("The Host %s says what is not understood; it is asked again.", host)
            is_there = False
        if not is_there:
            self._selector.unregister(channel.socket)
            self._channels.pop(host).close()
            self._hearer.lost(host)

    def close(self) -> None:
        """Let go of all; they run on."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self._selector.close()
        self._rung.close()
        self._bell.close()
