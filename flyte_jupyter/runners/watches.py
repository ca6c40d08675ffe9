"""What happens to pods, as a Host tells it over a channel until somebody closes that."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from ..host.wire import Channel, as_event
from ..pods import Event, Synced


class Watches:
    """The channels that are read; any thread may close them all."""

    def __init__(self) -> None:
        self._open: set[Channel] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def events(self, channel: Channel, *messages: dict[str, Any]) -> Iterator[Event | Synced]:
        """Send these, the last of which asks for a watch, and pass on what is told until the channel is closed."""
        with self._lock:
            self._open.add(channel)
        try:
            for message in messages:
                channel.send(message)
            while (told := channel.receive()) is not None:
                if (event := as_event(told)) is not None:
                    yield event
                elif told["op"] == "synced":
                    yield Synced()
        except OSError:
            return  # closed under our hands, as `close` does
        finally:
            with self._lock:
                self._open.discard(channel)
            channel.close()

    def close(self) -> None:
        with self._lock:
            for channel in self._open:  # closed by the threads that read them
                with contextlib.suppress(OSError):
                    channel.socket.shutdown(socket.SHUT_RDWR)
