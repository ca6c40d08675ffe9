"""Reaching the local Host, and starting it when there is none."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from typing import Any

from ..errors import HostError
from ..home import Home
from .program import command
from .wire import PROTOCOL, Channel, is_me

_START_WITHIN = 20.0
_NO_ANSWER = "The local Host does not answer; its log is {}."
_starting = threading.Lock()


def connect(home: Home, timeout: float | None = None) -> Channel | None:
    """A channel to the running Host, or None when there is none.

    Args:
        timeout: seconds that it may take to answer; None for no bound.

    Raises:
        HostError: somebody else listens there, a Host of another protocol, or one that does not answer in time.
    """
    channel = reach(home, timeout)
    if channel is None:
        return None
    try:
        channel.send({"op": "hello"})
        hello = channel.receive()
    except (BrokenPipeError, ConnectionResetError):
        hello = None
    except TimeoutError:
        channel.close()
        raise HostError(_NO_ANSWER.format(home.log)) from None
    if hello is None:  # it was just ending
        channel.close()
        return None
    if hello.get("protocol") != PROTOCOL:
        channel.close()
        raise HostError("The running Host speaks another protocol. Stop it: python -m flyte_jupyter.host --stop")
    channel.socket.settimeout(None)
    return channel


def reach(home: Home, timeout: float | None = None) -> Channel | None:
    """The same, before anything was said. Raises `HostError` when somebody else listens there."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(str(home.socket))
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    except (TimeoutError, BlockingIOError):
        sock.close()
        raise HostError(_NO_ANSWER.format(home.log)) from None
    if not is_me(sock):
        sock.close()
        raise HostError(f"{home.socket} is served by another user; it is not used.")
    return Channel(sock)


def connect_or_start(home: Home) -> Channel:
    """A channel to the Host; starts it when there is none. Raises `HostError` when that does not work in time."""
    deadline = time.monotonic() + _START_WITHIN
    while True:
        channel = connect(home)
        if channel is not None:
            return channel
        left = deadline - time.monotonic()
        if left <= 0:
            raise HostError(f"The local Host did not start within {_START_WITHIN:g} s.\n{_last_lines(home)}")
        with _starting:  # one thread of this process starts it, the others find it
            channel = connect(home)
            if channel is not None:
                return channel
            _start(home, left)


def call(home: Home, message: dict[str, Any]) -> dict[str, Any] | None:
    """One question to the running Host; None when there is none."""
    channel = connect(home)
    if channel is None:
        return None
    with contextlib.closing(channel):
        try:
            channel.send(message)
        except (BrokenPipeError, ConnectionResetError):  # it was just ending
            return None
        return channel.receive()


def _start(home: Home, timeout: float) -> None:
    """Start a Host and wait until it is ready or has ended, as it does when another one was faster."""
    home.make()
    ours, theirs = os.pipe()
    try:
        with open(home.log, "ab") as log:
            process = subprocess.Popen(
                [*command(sys.executable, "host.__main__"), "--home", str(home.path), "--ready-fd", str(theirs)],
                pass_fds=[theirs],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home.path,
                start_new_session=True,  # it outlives the kernel, and Ctrl-C is not for it
            )
    finally:
        os.close(theirs)
    try:
        ready = select.poll()  # not select(): a kernel may have thousands of files open
        ready.register(ours, select.POLLIN)
        told = os.read(ours, 1) if ready.poll(timeout * 1000) else b""
    finally:
        os.close(ours)
    if not told:
        code = process.poll()
        if code:
            raise HostError(f"The local Host could not start (exit code {code}).\n{_last_lines(home)}")
        time.sleep(0.02)  # another Host holds the lock and is about to listen
    # reaped when it ends, so that no zombie is left in a kernel that lives for days
    threading.Thread(target=process.wait, name="flyte-jupyter-host-reaper", daemon=True).start()


def _last_lines(home: Home) -> str:
    try:
        lines = home.log.read_text(errors="replace").splitlines()[-10:]
    except FileNotFoundError:
        return f"There is no log at {home.log}."
    return "\n".join([f"The end of {home.log}:", *lines])
