"""Waiting in an event loop for what another thread tells, so that Ctrl-C and ■ are noticed meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from . import sigint

T = TypeVar("T")
SLICE = 0.2
"""Seconds: ipykernel cancels an interrupted cell without waking its loop, which so far wakes up by itself only."""


async def arrival(future: Future[T]) -> T:
    """The result of a future. It is not cancelled when nobody waits for it any more."""
    await any_of([future])
    return future.result()


async def any_of(waited_for: Iterable[Future[Any]]) -> None:
    """Return once one of them is done."""
    futures = list(waited_for)
    if any(future.done() for future in futures):
        return
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(told.set)

    for future in futures:
        future.add_done_callback(tell)
    with _cancelled_by_interrupts():
        while not told.is_set():
            waiting = asyncio.ensure_future(told.wait())
            try:
                await asyncio.wait({waiting}, timeout=SLICE)
            finally:
                waiting.cancel()


def _cancelled_by_interrupts() -> contextlib.AbstractContextManager[None]:
    """Within it an interrupt cancels this coroutine, also where nobody else would do that."""
    task = asyncio.current_task()
    if task is None or not sigint.is_untold():
        return contextlib.nullcontext()
    loop, cancel = asyncio.get_running_loop(), task.cancel
    return sigint.told(lambda: loop.call_soon_threadsafe(cancel))
