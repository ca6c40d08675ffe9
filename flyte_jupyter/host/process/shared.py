"""A replica in which several calls run at a time, on one event loop.

Each call has a context of its own (`contextvars`), which its event loop tasks and `asyncio.to_thread` inherit: by it
prints find the log of their call, and `flyte.ctx()` what it tells. Variables and working directory are of all.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import threading
import types
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TextIO

from ...pods import PodRequest
from ..machine import limits
from ..wire import Channel
from . import stacks
from .call import Call, Stopped
from .replica import Replica

_call: ContextVar[int] = ContextVar("flyte_jupyter_call", default=0)
_OF_ONE_CALL = ("RUN_NAME", "ACTION_NAME", "FLYTE_ATTEMPT_NUMBER")
"""Variables that say nothing where there are several."""
_FAILED = 70
"""EX_SOFTWARE: something of ours failed."""


class Shared(Replica):
    """Serves calls of coroutines as they come."""

    def __init__(self, channel: Channel, request: dict[str, Any], paper: int) -> None:
        self._marker = stacks.Marker(paper)  # first: the event loop is made with it
        super().__init__(channel, request, paper)
        self._tasks: dict[int, tuple[Call, asyncio.Task[None]]] = {}
        self._sending = threading.Lock()
        self._bound = limits.memory_bound()
        for name in _OF_ONE_CALL:
            os.environ.pop(name, None)
        sys.stdout = _Stream(sys.stdout, "stdout", self._send)
        sys.stderr = _Stream(sys.stderr, "stderr", self._send)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return _Loop(self._marker.set)

    def serve(self) -> None:
        self._bound = limits.memory_bound()
        self._loop.add_reader(self._channel.socket, self._read)
        self._loop.call_soon(self._read)  # what has come together with the request
        with limits.files_of_at_most(self._request["file_size"]):
            while not self._loop.is_closed():
                with contextlib.suppress(SystemExit, KeyboardInterrupt):  # of what a task has left
                    self._loop.run_forever()

    def stop(self, _number: int, _frame: types.FrameType | None) -> None:
        """The Host ends the process; single calls it asks for by message."""
        os._exit(0)

    def _send(self, message: dict[str, Any]) -> None:
        with self._sending:
            self._channel.send(message)

    def _read(self) -> None:
        messages, is_there = self._channel.receive_now()
        for message in messages:
            if message["op"] == "call":
                _call.set(message["call"])  # in the context of this callback, which the task begins with a copy of
                self._begin(message)
                _call.set(0)
            elif message["op"] == "cancel" and message["call"] in self._tasks:
                self._cancel(*self._tasks[message["call"]])
        if not is_there:
            os._exit(0)

    def _begin(self, message: dict[str, Any]) -> None:
        number = message["call"]
        told = {**self._request, "attempt": message["attempt"]}

        def send(news: dict[str, Any]) -> None:
            self._send({**news, "call": number})

        if not self._tasks:
            limits.forget_peak()
        call = Call(PodRequest.from_json(message["pod"]), told, self._mask, self._inside, self._codes, send)
        self._tasks[number] = call, self._loop.create_task(self._run(call, number, send))

    def _cancel(self, call: Call, task: asyncio.Task[None]) -> None:
        if not call.is_stopped:
            call.is_stopped = True
            stacks.write_task(self._paper, task)
            task.cancel()

    async def _run(self, call: Call, number: int, send: Callable[[dict[str, Any]], None]) -> None:
        try:
            try:
                done = await call.arun(lambda: send({"op": "running"}))
            except Stopped:
                done = {"op": "stopped"}
            call.close()
            limits.bound_again(self._bound)
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, _Stream):
                    stream.flush()
            del self._tasks[number]
            send(done)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(_FAILED)


class _Loop(asyncio.SelectorEventLoop):
    """Marks whose turn it is, so that the Host knows which call a crash was of."""

    def __init__(self, mark: Callable[[int], None]) -> None:
        super().__init__()
        self._mark = mark

    def call_soon(  # type: ignore[override]  # its types say which arguments go with which callback
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        return super().call_soon(self._step, callback, *args, context=context)

    def _step(self, callback: Callable[..., Any], *args: Any) -> None:
        call = _call.get()
        if not call:
            callback(*args)
            return
        self._mark(call)
        try:
            callback(*args)
        finally:
            self._mark(0)


class _Stream(io.TextIOBase):
    """What a call prints goes to its log, whole lines at a time; what belongs to no call, where it went before."""

    def __init__(self, outside: TextIO, name: str, send: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._outside = outside
        self._stream = name
        self._send = send
        self._open: dict[int, str] = {}

    def write(self, text: str) -> int:
        call = _call.get()
        if not call:
            return self._outside.write(text)
        whole = self._open.pop(call, "") + text
        lines, end, rest = whole.rpartition("\n")
        if rest and "\r" in rest:  # a progress bar: as it is now
            lines, end, rest = whole, "", ""
        if rest:
            self._open[call] = rest
        if lines or end:
            self._send({"op": "print", "call": call, "stream": self._stream, "text": lines + end})
        return len(text)

    def flush(self) -> None:
        rest = self._open.pop(_call.get(), "")
        if rest:
            self._send({"op": "print", "call": _call.get(), "stream": self._stream, "text": rest})
        self._outside.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._outside.fileno()

    @property
    def buffer(self) -> Any:
        """For bytes: they belong to no call."""
        return self._outside.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read only here
        return self._outside.encoding
