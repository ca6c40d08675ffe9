"""One attempt, in the process that was forked for it: take the call, run the task, leave the outcome."""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Mapping
from typing import Any

from ...config.values.secret import FOLDER_VARIABLE
from ...credentials.mask import Mask
from ...pods import PodRequest
from ..machine import limits
from ..machine.cgroup_trees import join
from ..mounts import show
from ..wire import Channel
from . import stacks
from .call import Call, Codes, Stopped
from .forked import reset_in_children
from .inside import Inside
from .orphans import adopt_orphans, die_with_parent


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
    stacks.write_on_signal(paper)
    stacks.wake_on_signal()
    stop = functools.partial(_stop, paper)
    signal.signal(signal.SIGTERM, stop)
    reset_in_children(stop)
    try:
        _serve(channel, request, None if is_grouped and request["grouped"] else request["memory"])
    except Stopped:
        return 128 + signal.SIGTERM
    return 0


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
    _enter(pod, int(request["attempt"]), request["environ"], inside)
    mask = _receive(request["secrets"])

    def ready() -> None:
        limits.bound_memory(memory)
        channel.send({"op": "running"})

    call = Call(pod, request, mask, inside, Codes(), channel.send)
    channel.send(call.run(ready))


def _until_the_host_is_gone(channel: Channel) -> None:
    while channel.socket.recv(1):
        pass
    os.killpg(0, signal.SIGKILL)


def _enter(pod: PodRequest, number: int, environ: dict[str, str], inside: Inside) -> None:
    """The environment, folder and import path of the kernel or of the image."""
    os.environ.clear()
    os.environ.update(inside.environ(environ))
    os.environ.update(pod.env)
    time.tzset()
    tempfile.tempdir = None  # it may be another folder now
    os.environ.update(RUN_NAME=pod.run, ACTION_NAME=pod.action, FLYTE_ATTEMPT_NUMBER=str(number))
    if folder := inside.folder(pod.cwd):
        os.chdir(folder)
    sys.path[:] = inside.path(pod.path, pod.cwd)
    sys.argv = [pod.title]
    _reseed()


def _receive(secrets: Mapping[str, Any]) -> Mask:
    """The secrets as the task wants them, and what keeps their values out of what is told of it."""
    os.environ.update(secrets["env"])
    if secrets["folder"] is not None:
        os.environ[FOLDER_VARIABLE] = show(secrets["folder"])
    return Mask(value for _, value in secrets["values"])


def _reseed() -> None:
    """Random numbers of libraries that were loaded before the fork: `random` does this itself."""
    for name, seed in (("numpy.random", "seed"), ("torch", "seed")):
        library = sys.modules.get(name)
        if library is not None:
            getattr(library, seed)()
