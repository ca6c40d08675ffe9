"""What the attempts of one action show of themselves: told to who watches, and kept with the action."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..credentials.mask import Mask
from ..pods import PodRequest
from ..store import keys
from ..store.files import FileStore
from ..vitals import Vitals, VitalsEvent, as_bytes

_KEPT_AT_HAND = 10
"""Attempts whose vitals are told to who comes to watch; those of all are in the store."""


class Showing:
    """The vitals of a pod's attempts.

    Args:
        tell: passes an event on to those who watch; mask: gives what takes secrets out, as it is now.
    """

    def __init__(self, request: PodRequest, tell: Callable[[VitalsEvent], None], mask: Callable[[], Mask]) -> None:
        self._request = request
        self._tell = tell
        self._mask = mask
        self._of: dict[int, Vitals] = {}

    def __repr__(self) -> str:
        return f"<Showing {self._of}>"

    def __iter__(self) -> Iterator[VitalsEvent]:
        """What there is, for who comes to watch."""
        return (of.event(self._request.run, self._request.action, attempt) for attempt, of in self._of.items())

    def take(self, attempt: int, message: dict[str, Any]) -> None:
        """What an attempt says of itself."""
        bars = tuple(self._mask().within(message["bars"])) if "bars" in message else None
        self.add(attempt, bars=bars)

    def add(self, attempt: int, **said: Any) -> None:
        """News of an attempt; `said` is the rest of a `VitalsEvent`."""
        event = VitalsEvent(run=self._request.run, action=self._request.action, attempt=attempt, **said)
        self._of.setdefault(attempt, Vitals()).apply(event)
        self._tell(event)

    def close(self, attempt: int) -> None:
        """The attempt has ended: write down what it has shown, if anything."""
        vitals = self._of.get(attempt)
        if vitals is None:
            return
        request = self._request
        event = vitals.event(request.run, request.action, attempt)
        FileStore(request.store).put(keys.vitals(request.run, request.action, attempt), [as_bytes(event)])
        for old in list(self._of)[:-_KEPT_AT_HAND]:
            del self._of[old]
