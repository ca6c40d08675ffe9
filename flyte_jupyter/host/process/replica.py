"""A replica of a pool, in its process: serves the calls that the Host sends until the Host hangs up.

Between calls stay: what modules and the globals of tasks hold, threads, child processes, open files. Environment
variables, working directory, import path and `sys.argv` are made anew for each call that is alone in the process.
"""

from __future__ import annotations

import asyncio
import os
import types
from collections.abc import Coroutine
from typing import Any

from ...pods import PodRequest
from ..machine import limits
from ..wire import Channel
from . import stacks
from .attempt import listen
from .call import Call, Codes, Stopped, flush
from .inside import Inside
from .surroundings import enter, receive, reseed


def serve(channel: Channel, request: dict[str, Any], memory: int | None, paper: int) -> int:
    """Until the Host hangs up; the exit code.

    Args:
        request: of the first call, with what holds for all of them; memory: bytes that the process may use.
    """
    if request["concurrency"] > 1:
        from .shared import Shared

        replica: Replica = Shared(channel, request, paper)
    else:
        replica = Replica(channel, request, paper)
    listen(paper, replica.stop)
    limits.bound_memory(memory)
    channel.send({"op": "ready"})
    replica.serve()
    return 0


class Replica:
    """One call after the other, on the main thread; coroutines on one event loop, which rests between calls."""

    def __init__(self, channel: Channel, request: dict[str, Any], paper: int) -> None:
        self._channel = channel
        self._request = request
        self._paper = paper
        self._environ: dict[str, str] = request["environ"]
        self._inside = Inside(request["image"])
        self._secrets, self._mask = receive(request["secrets"])
        self._codes = Codes()
        self._cores: list[int] | None = None
        self._runs = False
        self._loop = self.new_loop()
        asyncio.set_event_loop(self._loop)
        enter(PodRequest.from_json(request["pod"]), 0, self._environ, self._secrets, self._inside)
        limits.keep_to_cores(request["cores"])
        reseed()

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """That coroutines run on."""
        return asyncio.new_event_loop()

    def serve(self) -> None:
        """Until the Host hangs up."""
        bound = limits.memory_bound()
        while (message := self._channel.receive()) is not None:
            self._serve(message)
            limits.bound_again(bound)

    def stop(self, _number: int, frame: types.FrameType | None) -> None:
        """The Host asks the task to end; when there is none, the process."""
        if not self._runs:
            flush()
            os._exit(0)
        self._runs = False
        stacks.write(self._paper, frame)
        raise Stopped

    def _serve(self, message: dict[str, Any]) -> None:
        number = message["call"]
        pod = PodRequest.from_json(message["pod"])
        self._environ = message.get("environ", self._environ)
        if message["cores"] != self._cores:
            self._cores = message["cores"]
            limits.keep_to_cores(self._cores)
        enter(pod, message["attempt"], self._environ, self._secrets, self._inside)
        limits.forget_peak()
        told = {**self._request, "attempt": message["attempt"]}

        def send(news: dict[str, Any]) -> None:
            self._channel.send({**news, "call": number})

        call = Call(pod, told, self._mask, self._inside, self._codes, send)
        self._runs = True
        try:
            done = call.run(lambda: send({"op": "running"}), self._complete)
        except Stopped:
            flush()
            done = {"op": "stopped"}
        finally:
            self._runs = False
        call.close()
        send(done)

    def _complete(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end; when that is not its own, let it clean up."""
        task = self._loop.create_task(coroutine)
        try:
            return self._loop.run_until_complete(task)
        except BaseException:
            if not task.done():
                task.cancel()
                self._loop.run_until_complete(asyncio.wait({task}))
            raise
