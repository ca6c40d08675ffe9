"""One attempt, in the process that was forked for it: take the call, run the task, leave the outcome."""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from ...pods import PodRequest
from ..machine import limits
from ..machine.cgroup_trees import join
from ..wire import Channel
from . import stacks
from .call import Call, Codes, Stopped
from .forked import reset_in_children
from .inside import Inside
from .orphans import adopt_orphans, die_with_parent
from .surroundings import enter, receive, reseed


def attempt(control: int, stdout: int, stderr: int, paper: int, groups: list[str]) -> int:
    """Wait for a request, serve it, and return the exit code. Called right after the fork."""
    for fd, target in ((stdout, 1), (stderr, 2), (os.open(os.devnull, os.O_RDONLY), 0)):
        os.dup2(fd, target)
        os.close(fd)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # both are text streams
    channel = Channel(socket.socket(fileno=control))
    die_with_parent()  # the zygote, which dies with the Host
    adopt_orphans()
    is_grouped = bool(groups) and join(groups)
    request = channel.receive()
    if request is None:
        return 0
    os.set_inheritable(paper, False)
    memory = None if is_grouped and request["grouped"] else request["memory"]
    if request["op"] == "replica":
        from .replica import serve

        return serve(channel, request, memory, paper)
    stop = functools.partial(_stop, paper)
    listen(paper, stop)
    try:
        _serve(channel, request, memory)
    except Stopped:
        return 128 + signal.SIGTERM
    return 0


def listen(paper: int, stop: Callable[[int, types.FrameType | None], None]) -> None:
    """To the signals of the Host. Called on the main thread."""
    stacks.write_on_signal(paper)
    stacks.wake_on_signal()
    signal.signal(signal.SIGTERM, stop)
    reset_in_children(stop)


def _stop(paper: int, _number: int, frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    stacks.write(paper, frame)
    raise Stopped


def _serve(channel: Channel, request: dict[str, Any], memory: int | None) -> None:
    pod = PodRequest.from_json(request["pod"])
    if sys.platform != "linux":
        threading.Thread(target=_until_the_host_is_gone, args=(channel,), daemon=True).start()
    inside = Inside(request["image"])
    limits.keep_to_cores(request["cores"])
    secrets, mask = receive(request["secrets"])
    enter(pod, int(request["attempt"]), request["environ"], secrets, inside)
    reseed()

    def ready() -> None:
        limits.bound_memory(memory)
        channel.send({"op": "running"})

    call = Call(pod, request, mask, inside, Codes(), channel.send)
    channel.send(call.run(ready))


def _until_the_host_is_gone(channel: Channel) -> None:
    while channel.socket.recv(1):
        pass
    os.killpg(0, signal.SIGKILL)
