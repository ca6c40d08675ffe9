"""Why and when a pod has to end before its task does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ..pods import Failure
from .lifecycle import ABORTED

KILL_AFTER = 2.0
"""Seconds a stopped attempt has for its `finally` blocks."""
_TELL_AFTER, _TELL_EVERY = 0.25, 1.0
"""Seconds that somebody waits before it is told what for, and until that is told again."""


class Stop:
    """Somebody asks for it, or a time is over.

    Args:
        limit: the next of its time limits as things stand, and the failure that it is; None for none.

    Attributes:
        reason: why it has to end, None while it has not; grace: seconds until it is killed.
    """

    def __init__(self, limit: Callable[[], tuple[float, Failure] | None]) -> None:
        self.reason: Failure | None = None
        self.grace = KILL_AFTER
        self._limit = limit
        self._asked = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Stop [{self.reason.code if self.reason is not None else 'not asked for'}]>"

    def ask(self, failure: Failure, grace: float) -> None:
        """End it as soon as possible; the first reason given is kept, but for a time limit when somebody cancels."""
        if self.reason is None or (failure.code == ABORTED != self.reason.code):
            self.reason = failure
            self.grace = grace
            self._asked.set()

    def forget(self) -> None:
        """Its time was over, and it may try again."""
        self.reason = None
        self._asked.clear()

    @property
    def is_late(self) -> bool:
        """Whether it has to end because a time is over."""
        return self.reason is not None and self.reason.code != ABORTED

    async def wait(self) -> None:
        """Until somebody asks for it, or the next of its time limits."""
        limit = self._limit()
        if limit is None:
            await self._asked.wait()
            return
        when, failure = limit
        try:
            await asyncio.wait_for(self._asked.wait(), max(0.0, when - time.time()))
        except asyncio.TimeoutError:
            self.ask(failure, KILL_AFTER)

    async def unless(self, waiting: Awaitable[Any], tell: Callable[[], None] | None = None) -> bool:
        """Wait for something; False when the pod has to end before, and it is not waited for any more.

        Args:
            tell: called now and then while it takes its time.
        """
        task = asyncio.ensure_future(waiting)
        stop = asyncio.ensure_future(self.wait())
        pause = _TELL_AFTER if tell is not None else None
        while not (await asyncio.wait({task, stop}, timeout=pause, return_when=asyncio.FIRST_COMPLETED))[0]:
            if tell is not None:
                tell()
                pause = _TELL_EVERY
        stop.cancel()
        if task.done():
            task.result()
            return self.reason is None
        task.cancel()
        await asyncio.wait({task})
        return False
