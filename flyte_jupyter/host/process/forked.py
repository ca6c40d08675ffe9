"""Processes that a task forks by itself, as pools do: they end and crash like any other, not like an attempt."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading

_mask = threading.local()


def reset_in_children(stop: object) -> None:
    """From now on SIGTERM ends those processes without a word, and a crash of theirs goes to the log.

    Args:
        stop: this process's own handler. Another one, of the task, is theirs too.
    """

    def hold() -> None:  # or a signal that comes right after the fork would be lost
        _mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, _mask.before)

    def reset() -> None:
        if signal.getsignal(signal.SIGTERM) is stop:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        faulthandler.enable()
        release()

    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=reset)
