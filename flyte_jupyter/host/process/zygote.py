"""The process that attempts are forked from: it has imported what tasks need, and never started a thread.

It does nothing on its own: the Host asks it to fork, to signal and to reap.  When the Host is gone, so are the
attempts and the zygote.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from typing import Any

from ..machine.limits import bound_open_files
from ..wire import Frames, encode
from .heap import trim
from .orphans import adopt_orphans

_FDS_PER_ATTEMPT = 4
EVERY_ATTEMPT_NEEDS = (
    "flyte_jupyter.host.process.attempt",
    "flyte_jupyter.environment",
    "flyte_jupyter.interface",
    "flyte_jupyter.store.files",
    "flyte_jupyter.config.spec",
)
_TASKS_BRING = (
    "flyte_jupyter.config.image.image",
    "flyte_jupyter.config.image.recipe",
    *(f"flyte_jupyter.config.values.{name}" for name in ("resources", "secret", "reuse", "link", "documentation")),
    "flyte_jupyter.engine.nested",
    "flyte_jupyter.host.process.replica",
)
"""What the configuration of tasks consists of, and what they need to call others: imported as soon as there is nothing
else to do.
"""
_IDLE = 0.05
"""Seconds without a request."""


class Zygote:
    """Serves one Host over one socket, single-threaded.

    Args:
        host: the socket to the Host. Messages carry, for a fork, four descriptors: control socket, stdout, stderr, and
            the paper of `stacks`.
    """

    def __init__(self, host: socket.socket) -> None:
        self._host = host
        self._frames = Frames()
        self._fds: list[int] = []
        self._children: set[int] = set()
        self._wake, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()

    def serve(self) -> None:
        """Until the Host is gone."""
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._send({"op": "ready", "pid": os.getpid()})
        idle: float | None = _IDLE
        while True:
            ready, _, _ = select.select([self._host.fileno(), self._wake], [], [], idle)
            if not ready:
                idle = None
                load(_TASKS_BRING)
                trim()
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._reap()
            if self._host.fileno() in ready and not self._read():
                break
        for pid in self._children:
            _signal_group(pid, signal.SIGKILL)

    def _send(self, message: dict[str, Any]) -> None:
        self._host.sendall(encode(message))

    def _read(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self._host, 65536, 16 * _FDS_PER_ATTEMPT)
        if not data:
            return False
        self._fds.extend(fds)
        for message in self._frames.feed(data):
            if message["op"] == "fork":
                self._fork(message["token"], message["groups"])
            elif message["op"] == "signal" and message["pid"] in self._children:
                _signal(message["pid"], message["signal"], alone=message["alone"])
        return True

    def _fork(self, token: int, groups: list[str]) -> None:
        fds, self._fds = self._fds[:_FDS_PER_ATTEMPT], self._fds[_FDS_PER_ATTEMPT:]
        try:
            pid = os.fork()
        except OSError as error:  # no memory, too many processes: the Host decides what becomes of the action
            self._send({"op": "unforked", "token": token, "reason": error.strerror})
            for fd in fds:
                os.close(fd)
            return
        if pid == 0:
            self._become_attempt(fds, groups)
        for fd in fds:
            os.close(fd)
        self._children.add(pid)
        self._send({"op": "forked", "token": token, "pid": pid})

    def _become_attempt(self, fds: list[int], groups: list[str]) -> None:
        status = 70  # EX_SOFTWARE: something of ours failed
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            self._host.close()
            os.close(self._wake)
            os.close(self._woken)
            from .attempt import attempt
            from .call import flush

            control, stdout, stderr, paper = fds
            status = attempt(control, stdout, stderr, paper, groups)
            flush()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self._children:  # left behind by an attempt, and ended by us
                continue
            self._children.discard(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            self._end_orphans()
            unit = 1 if sys.platform == "darwin" else 1024
            message = {"op": "exit", "pid": pid, "peak_memory": usage.ru_maxrss * unit}
            if os.WIFSIGNALED(status):
                message["signal"] = os.WTERMSIG(status)
            else:
                message["code"] = os.WEXITSTATUS(status)
            self._send(message)

    def _end_orphans(self) -> None:
        """End what an attempt that is gone has left behind, also in sessions of its own: it is a child of ours now."""
        for pid in _children_of_this_process():
            if pid not in self._children:
                _signal_group(pid, signal.SIGKILL)


def _children_of_this_process() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as children:
            return [int(pid) for pid in children.read().split()]
    except OSError:  # not on this system
        return []


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _signal_group(pid: int, number: int) -> None:
    _signal(pid, number, alone=False)


def _signal(pid: int, number: int, *, alone: bool) -> None:
    for send in (os.kill,) if alone else (os.killpg, os.kill):  # before setsid there is no group yet
        try:
            send(pid, number)
            return
        except (ProcessLookupError, PermissionError):
            continue


def preload(modules: list[str]) -> str | None:
    """Import modules for the attempts to find; the name of one after which forking is no longer safe, or None.

    Forking copies one thread only. Libraries that know about it (OpenBLAS) end their threads before a fork; a trial
    fork shows whether all do.
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # the task will meet it too, and tell it better
            print(f"zygote: {name} cannot be imported: {error!r}", file=sys.stderr)  # noqa: T201 - the Host's log
            continue
        if _threads() > 1:
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
            if _threads() > 1:
                return name
    return None


def _threads() -> int:
    if sys.platform != "linux":  # where only our own modules are preloaded
        return 1
    return len(os.listdir("/proc/self/task"))


def main() -> None:
    """Start: descriptor of the socket to the Host, how many files may be open, then the modules to import."""
    host = socket.socket(fileno=int(sys.argv[1]))
    adopt_orphans()
    load(EVERY_ATTEMPT_NEEDS)
    bound_open_files(int(sys.argv[2]))
    unsafe = preload(sys.argv[3:])
    if unsafe is not None:
        host.sendall(encode({"op": "unsafe", "module": unsafe}))
        return
    _keep()
    Zygote(host).serve()


class Half:
    """A zygote that this process is forked into (`forks.Process`)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __repr__(self) -> str:
        return f"<Half {self._pid}>"

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)  # it is not reaped before `wait`

    def wait(self) -> None:
        os.waitpid(self._pid, 0)


def split(files: int, *, close: Iterable[int] = ()) -> tuple[socket.socket, Half]:
    """Fork this process, which has no threads yet; one half is a zygote, the other its Host: nothing is loaded twice.

    Args:
        files: how many the zygote may open; close: those that it must not have.
    """
    load(EVERY_ATTEMPT_NEEDS)
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return ours, Half(pid)
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ours.close()
        for file in close:
            os.close(file)
        adopt_orphans()
        bound_open_files(files)
        Zygote(theirs).serve()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)


def load(modules: Iterable[str]) -> None:
    """Import modules of our own for the attempts to find."""
    for name in modules:
        importlib.import_module(name)
    _keep()


def _keep() -> None:
    """What is here now stays: a collection in a child would touch, and so copy, every page."""
    gc.collect()
    gc.freeze()
