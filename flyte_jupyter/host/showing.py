"""What the attempts of one action show of themselves: told to who watches, and kept with the action."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from ..credentials.mask import Mask
from ..pods import PodRequest
from ..store import Store, keys
from ..vitals import Vitals, VitalsEvent, as_bytes

_KEPT_AT_HAND = 10
"""Attempts whose vitals are told to who comes to watch; those of all are in the store."""


class Showing:
    """The vitals of a pod's attempts.

    Args:
        store: that they are kept in.
        tell: passes an event on to those who watch; mask: gives what takes secrets out, as it is now.
    """

    def __init__(
        self, request: PodRequest, store: Store, tell: Callable[[VitalsEvent], None], mask: Callable[[], Mask]
    ) -> None:
        self._request = request
        self._store = store
        self._tell = tell
        self._mask = mask
        self._of: dict[int, Vitals] = {}
        self._reports: dict[int, dict[str, Any]] = {}  # written by attempts, and not yet passed on
        self._passing_on: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Showing {self._of}>"

    def __iter__(self) -> Iterator[VitalsEvent]:
        """What there is, for who comes to watch."""
        return (of.event(self._request.run, self._request.action, attempt) for attempt, of in self._of.items())

    def take(self, attempt: int, message: dict[str, Any]) -> None:
        """What an attempt says of itself."""
        if "bars" in message:
            self.add(attempt, bars=tuple(self._mask().within(message["bars"])))
        if "report" in message:
            self._reports[attempt] = message["report"]
            if self._passing_on is None or self._passing_on.done():
                self._passing_on = asyncio.get_running_loop().create_task(self._pass_on())

    def add(self, attempt: int, **said: Any) -> None:
        """News of an attempt; `said` is the rest of a `VitalsEvent`."""
        event = VitalsEvent(run=self._request.run, action=self._request.action, attempt=attempt, **said)
        self._of.setdefault(attempt, Vitals()).apply(event)
        self._tell(event)

    async def close(self, attempt: int) -> None:
        """The attempt has ended: write down what it has shown, if anything."""
        if self._passing_on is not None:
            await self._passing_on
        vitals = self._of.get(attempt)
        if vitals is None:
            return
        request = self._request
        self._store.put(
            keys.vitals(request.run, request.action, attempt),
            [as_bytes(vitals.event(request.run, request.action, attempt))],
        )
        self._store.delete(keys.new_report(request.run, request.action, attempt))
        for old in list(self._of)[:-_KEPT_AT_HAND]:
            del self._of[old]

    async def _pass_on(self) -> None:
        while self._reports:
            attempt, news = self._reports.popitem()
            mask = self._mask()
            await asyncio.to_thread(self._masked, attempt, mask)
            self.add(attempt, report={**news, "tabs": mask.within(news["tabs"])})

    def _masked(self, attempt: int, mask: Mask) -> None:
        """The report in its place, without secrets that the attempt itself does not know."""
        where = (self._request.run, self._request.action, attempt)
        new, place = keys.new_report(*where), keys.report(*where)
        if not mask:
            self._store.copy(new, place)
            return
        told = json.loads(bytes(self._store.get(new)))
        self._store.put(place, [json.dumps(mask.within(told), ensure_ascii=False).encode("utf-8", "replace")])
