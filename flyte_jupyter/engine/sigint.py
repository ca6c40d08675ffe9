"""Ctrl-C and ■, told to those that wait in an event loop."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

_listening: set[Callable[[], object]] = set()
_before: Any = None


@contextlib.contextmanager
def told(listener: Callable[[], object]) -> Iterator[None]:
    """Within it an interrupt calls the listener and does nothing else. Several may listen at once."""
    global _before  # noqa: PLW0603 - a process has one handler
    _listening.add(listener)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is not _heard:
        _before = signal.signal(signal.SIGINT, _heard)
    try:
        yield
    finally:
        _listening.discard(listener)
        if is_main and not _listening and signal.getsignal(signal.SIGINT) is _heard:  # else the cell is over
            signal.signal(signal.SIGINT, _before)


def is_untold() -> bool:
    """Whether an interrupt would stop the event loop and leave its coroutines where they are: IPython in a terminal has
    it so. ipykernel and `asyncio.run` cancel them.
    """
    ipython = sys.modules.get("IPython")
    return (
        ipython is not None
        and ipython.get_ipython() is not None
        and threading.current_thread() is threading.main_thread()
        and (_before if (now := signal.getsignal(signal.SIGINT)) is _heard else now) is signal.default_int_handler
    )


def _heard(*_: object) -> None:
    for listener in list(_listening):
        listener()
