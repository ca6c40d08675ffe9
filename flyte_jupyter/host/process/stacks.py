"""Where an attempt is stuck when its time is over, or has crashed.

On a signal of the Host the attempt writes the stacks of its threads onto a paper, a file in memory that both have open.
That is done by `faulthandler`, in C, so that it also works while compiled code holds the interpreter. When the
interpreter comes to itself before it is killed, it writes the same again with more: lines of code, and where the tasks
of the event loop wait. A crash in compiled code has the stacks written too.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import json
import mmap
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import CodeType, FrameType
from typing import Any

from ...errors import is_ours
from ...pack.failure import of_user, text_of
from ...pods import Failure, FrameName

SIGNAL: int = getattr(signal, "SIGRTMAX", 0) - 3 if hasattr(signal, "SIGRTMAX") else getattr(signal, "SIGINFO", 29)
"""One that hardly anybody uses; a task that does gets it, and then there is no stack."""
WAKE: int = signal.SIGURG
"""One that nobody minds: who does not ask for it never sees it."""
_MAX_TEXT = 24 * 1024
_MAX_SHOWN = 20
"""Threads and tasks besides the main one."""
_DEEPEST = 200


def new_paper() -> int:
    """An empty one: its file descriptor."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("stacks", os.MFD_CLOEXEC)
    file, name = tempfile.mkstemp()
    os.unlink(name)
    return file


def read(paper: int) -> str:
    """What is written there."""
    size = os.fstat(paper).st_size
    return os.pread(paper, size, 0).decode("utf-8", "replace")


def clear(paper: int, *, but_mark: bool = False) -> None:
    """Have an empty one again; whoever writes on it begins anew too.

    Args:
        but_mark: the line of a `Marker` stays.
    """
    begin = _MARKED if but_mark else 0
    if os.fstat(paper).st_size > begin:
        os.ftruncate(paper, begin)
        os.lseek(paper, begin, os.SEEK_SET)


def running_call(paper: int) -> int | None:
    """Which of several calls had the event loop at the end, as `Marker` has written it; None when none had."""
    written = os.pread(paper, _MARKED, 0)
    return int(written) or None if written.strip().isdigit() else None


class Marker:
    """The first line of a paper, which says at any time which of several calls has the event loop.

    Args:
        paper: what is written on it from then on comes below that line.
    """

    def __init__(self, paper: int) -> None:
        os.ftruncate(paper, _MARKED)
        os.lseek(paper, _MARKED, os.SEEK_SET)
        self._line = mmap.mmap(paper, _MARKED)
        self.set(0)

    def set(self, call: int) -> None:
        """That call, 0 for none, has the event loop."""
        self._line[:] = b"%15d\n" % call


_MARKED = 16


# --- in the attempt ---------------------------------------------------------------------------------------------------


def write_on_signal(paper: int) -> None:
    """From now on the signal, or a crash, has all threads written down. Called on the main thread."""
    faulthandler.enable(paper)
    faulthandler.register(SIGNAL, file=paper, all_threads=True, chain=False)


def wake_on_signal() -> None:
    """From now on `WAKE` interrupts what the main thread waits for. Called there.

    Python runs its handlers between two steps of the main thread. For a signal that comes right before a system call,
    or that another thread takes, that is when the call returns: for a task that is stuck, never.
    """
    signal.signal(WAKE, lambda *_: None)


def write(paper: int, main: FrameType | None) -> None:
    """Write down where everything is.

    Args:
        main: the innermost frame of the main thread, where this is called.
    """
    with contextlib.suppress(Exception):  # it is for people; the attempt ends in any case
        text = json.dumps(_everything(main))
        os.write(paper, f"\n{_MARK}{text}\n".encode())


def write_task(paper: int, task: asyncio.Task[Any]) -> None:
    """Write down where a task of the event loop is."""
    with contextlib.suppress(Exception):
        frames = of_user(_of_task(_of_coroutine(task.get_coro())))
        os.write(paper, f"\n{_MARK}{json.dumps({'frames': frames, 'traceback': text_of(frames)})}\n".encode())


_MARK = "json "


def _everything(main: FrameType | None) -> dict[str, Any]:
    tasks = list(_waiting_tasks())
    frames = of_user(_of_task(_of_frame(main)))
    if tasks and asyncio.current_task() is None:  # the main thread waits for events; the first task is the whole one's
        frames = tasks.pop(0)[1]
    others = [*_other_threads(), *((f"{name} waits", chain) for name, chain in tasks)]
    told = [text_of(frames), *(f"{name}:\n{text_of(chain)}" for name, chain in others[:_MAX_SHOWN])]
    return {"frames": frames, "traceback": "\n".join(filter(None, told))[:_MAX_TEXT]}


def _of_task(frames: list[FrameName]) -> list[FrameName]:
    """Without what the main thread was started with, before this package called the task."""
    ours = next((n for n, frame in enumerate(frames) if is_ours(frame.file)), 0)
    return frames[ours:]


def _of_frame(frame: FrameType | None) -> list[FrameName]:
    """Outermost first."""
    frames: list[FrameName] = []
    while frame is not None:
        frames.append(_name(frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return frames[::-1]


def _name(code: CodeType, line: int | None) -> FrameName:
    return FrameName(code.co_filename, line or code.co_firstlineno, code.co_name, code.co_firstlineno)


def _other_threads() -> Iterator[tuple[str, list[FrameName]]]:
    # not `enumerate`: it takes a lock, which the main thread may hold where the signal has met it
    names = {thread.ident: thread.name for thread in threading._enumerate()}  # type: ignore[attr-defined]
    for ident, frame in sys._current_frames().items():
        chain = of_user(_of_frame(frame)) if ident != threading.get_ident() else []
        if chain:
            yield f"Thread {names.get(ident, ident)}", chain


def _waiting_tasks() -> Iterator[tuple[str, list[FrameName]]]:
    """The tasks of the event loop that runs here, in the order they were made as far as their names tell."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    current = asyncio.current_task(loop)
    tasks = [task for task in asyncio.all_tasks(loop) if task is not current]
    for task in sorted(tasks, key=lambda task: (len(task.get_name()), task.get_name())):
        chain = of_user(_of_coroutine(task.get_coro()))
        if chain:
            yield f"Task {task.get_name()}", chain


def _of_coroutine(waiting: Any) -> list[FrameName]:
    """What awaits what, outermost first."""
    frames: list[FrameName] = []
    while waiting is not None and len(frames) < _DEEPEST:
        kind = _kind(waiting)
        if kind is None:  # such as what an `async for` awaits: it holds the generator, and does not say so
            waiting = next((held for held in gc.get_referents(waiting) if _kind(held)), None)
            continue
        frame = getattr(waiting, f"{kind}_frame")
        if frame is not None:
            frames.append(_name(frame.f_code, frame.f_lineno))
        waiting = getattr(waiting, f"{kind}_yieldfrom" if kind == "gi" else f"{kind}_await")
    return frames


def _kind(waiting: Any) -> str | None:
    """The prefix of its attributes: of a coroutine, an asynchronous generator or a generator."""
    return next((kind for kind in ("cr", "ag", "gi") if hasattr(waiting, f"{kind}_frame")), None)


# --- in the Host ------------------------------------------------------------------------------------------------------


def told(failure: Failure, written: str) -> Failure:
    """The failure, with where the attempt was: pure."""
    frames, text = _parsed(written)
    return replace(failure, frames=tuple(frames), traceback=text) if frames or text else failure


def _parsed(written: str) -> tuple[list[FrameName], str]:
    from_python = [line for line in written.splitlines() if line.startswith(_MARK)]
    for line in from_python:
        with contextlib.suppress(ValueError, LookupError, TypeError):  # cut off by its end
            found = json.loads(line.removeprefix(_MARK))
            return [FrameName(*frame) for frame in found["frames"]], str(found["traceback"])
    threads = dict(_threads(written))
    name = _CURRENT if _CRASH in written and _CURRENT in threads else next(reversed(threads), "")
    frames = of_user(_of_task(threads.pop(name, [])))
    chains = [of_user(_of_task(other)) for other in threads.values()]
    shown = [text_of(frames), *(f"Another thread:\n{text_of(chain)}" for chain in chains[:_MAX_SHOWN] if chain)]
    return frames, "\n".join(filter(None, shown))[:_MAX_TEXT]


_CRASH, _CURRENT = "Fatal Python error", "Current thread"


def _threads(written: str) -> Iterator[tuple[str, list[FrameName]]]:
    """Each thread with its frames, the newest one first, as Python writes them; the main one is the last."""
    name, lines = "", list[str]()
    for line in [*written.splitlines(), _END]:
        if line.endswith(_END):
            if frames := _of_lines(lines):
                yield name, frames
            name, lines = _CURRENT if line.startswith(_CURRENT) else line, []
        else:
            lines.append(line)


_END = "(most recent call first):"
_LINE = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)')


def _of_lines(lines: Iterable[str]) -> list[FrameName]:
    """Outermost first."""
    found = [match for match in map(_LINE.fullmatch, lines) if match]
    return [FrameName(m["file"], int(m["line"]), m["function"], 0) for m in reversed(found)]
