"""The Host's side of a zygote process and of the workers forked from it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, TypeAlias

from ..lifecycle import Exit
from ..logs import STREAMS
from ..machine.cgroups import Group
from ..machine.limits import kills_for_memory, thread_variables
from ..program import command
from ..wire import Frames, encode, receive_now
from . import stacks

_IMAGE = ((), ("flyte_jupyter.config.image.image", "flyte_jupyter.config.image.recipe"))
"""What tasks need besides: those with an image know it."""
WAKE_AFTER = 0.1
"""Seconds until a process that was asked to end, and does not, is woken: it may not have noticed."""
_OF_PYTHON = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


class ForkError(Exception):
    """No process could be made."""


@dataclass(frozen=True)
class _Ends:
    """What connects a worker to the Host: control socket, stdout and stderr, and a paper that both can write on."""

    control: socket.socket
    outputs: tuple[int, int]
    paper: int
    theirs: list[int]

    @classmethod
    def open(cls, ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> _Ends:
        """Open them; the stacks close them. Raises `OSError` when there are too many open files."""
        control, its_control = socket.socketpair()
        ours.callback(control.close)
        theirs.callback(its_control.close)
        control.setblocking(False)
        reading: list[int] = []
        given = [its_control.fileno()]
        for _ in STREAMS:
            read, write = os.pipe()
            ours.callback(os.close, read)
            theirs.callback(os.close, write)
            reading.append(read)
            given.append(write)
        paper = stacks.new_paper()
        ours.callback(os.close, paper)
        return cls(control, (reading[0], reading[1]), paper, [*given, paper])

    @property
    def ours(self) -> tuple[socket.socket, int, int, int]:
        return (self.control, *self.outputs, self.paper)

    def close(self) -> None:
        self.control.close()
        for file in (*self.outputs, self.paper):
            os.close(file)


@dataclass(eq=False)
class Worker:
    """A forked process and what connects it to the Host.

    Attributes:
        exited: done when it has ended; group: that it is in from its start, if any.
    """

    zygote: Zygote
    pid: int
    group: Group | None
    control: socket.socket
    stdout: int
    stderr: int
    paper: int
    exited: asyncio.Future[Exit] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def signal(self, number: int) -> None:
        """Signal its process group, unless it has been reaped."""
        if not self.exited.done():
            self.zygote.signal(self.pid, number)

    def write_stacks(self) -> None:
        """Have it write down where it is, for `stacks`; the processes that it has started are not asked."""
        if not self.exited.done():
            self.zygote.signal(self.pid, stacks.SIGNAL, alone=True)

    def wake(self) -> None:
        """Have it notice the signals that it has got."""
        if not self.exited.done():
            self.zygote.signal(self.pid, stacks.WAKE, alone=True)

    async def end(self, grace: float) -> None:
        """Ask it to end, kill it after so many seconds, and wait until it is gone."""
        self.signal(signal.SIGTERM)
        for seconds in (min(WAKE_AFTER, grace), grace):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.exited), seconds)
            self.wake()
        self.signal(signal.SIGKILL)
        await self.exited

    def stacks(self) -> str:
        """What it has written."""
        return stacks.read(self.paper)

    def discard(self) -> None:
        """Let go of a worker that was never given work."""
        self.signal(signal.SIGKILL)
        self.control.close()
        for file in (self.stdout, self.stderr, self.paper):
            os.close(file)


class Process(Protocol):
    """A child of this process."""

    def kill(self) -> None:
        """End it, if it still runs."""

    def wait(self) -> object:
        """Until it has ended."""


Born: TypeAlias = tuple[socket.socket, Process]
"""A zygote's process, and the socket to it."""


class Zygote:
    """One zygote process, made by `Zygotes`. Raises `ForkError` when it cannot be started.

    Args:
        files: how many files its attempts may open; the Host itself may open more.
        of_image: whether it belongs to an image: variables for Python itself are not for it.
        threads: that libraries are to use; None for as many as they like.
        born: its process and the socket to it, when it is there already.
    """

    def __init__(
        self,
        python: str,
        modules: frozenset[str],
        files: int,
        log: IO[bytes],
        on_lost: Callable[[Zygote], None],
        *,
        of_image: bool = False,
        threads: int | None = None,
        born: Born | None = None,
    ) -> None:
        self.python = python
        self.modules = modules
        self.installed: dict[str, int] = {}
        """The folders that they are from, each with its time of change before they were loaded."""
        self.used = time.monotonic()
        self.ready: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        """Done with None when it can fork, with a module's name when that module makes forking unsafe."""
        self.lost = False
        self.retired = False
        self.workers: dict[int, Worker] = {}
        self._on_lost = on_lost
        self._forks: dict[int, tuple[asyncio.Future[Worker], _Ends, Group | None]] = {}
        self._tokens = itertools.count()
        self._frames = Frames()
        self._kills = kills_for_memory()
        self._socket, self._process = born or _started(python, modules, files, log, of_image=of_image, threads=threads)
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    async def fork(self, group: Group | None = None) -> Worker:
        """A new worker, in that group. Raises `ForkError`."""
        self.used = time.monotonic()
        if self.lost:
            raise ForkError("the zygote has ended")
        token = next(self._tokens)
        forked: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self.last_fork = forked
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            try:
                ends = _Ends.open(ours, theirs)
                self._forks[token] = forked, ends, group
                message = {"op": "fork", "token": token, "groups": group.entries if group is not None else []}
                # a few hundred bytes: never more than the socket's buffer takes
                socket.send_fds(self._socket, [encode(message)], ends.theirs)
            except OSError as error:  # too many open files, or the zygote is just ending
                self._forks.pop(token, None)
                raise ForkError(error.strerror or str(error)) from None
            ours.pop_all()  # from here on they belong to the worker, or to what becomes of the fork
        return await forked

    @property
    def is_busy(self) -> bool:
        """Whether it has workers, or is about to."""
        return bool(self.workers or self._forks)

    def signal(self, pid: int, number: int, *, alone: bool = False) -> None:
        """Signal the group of a process, or that process alone."""
        if self.lost:
            return
        try:
            self._socket.send(encode({"op": "signal", "pid": pid, "signal": number, "alone": alone}))
        except (BlockingIOError, BrokenPipeError):  # it is behind, or ending: not through it, then
            with contextlib.suppress(ProcessLookupError, PermissionError):
                (os.kill if alone else os.killpg)(pid, number)

    def end(self) -> None:
        """End it and everything it has forked."""
        if not self.lost:
            self._lose()
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        messages, is_there = receive_now(self._socket, self._frames)
        for message in messages:
            self._take(message)
        if not is_there:
            self.end()

    def _take(self, message: dict[str, Any]) -> None:
        op = message["op"]
        if op == "ready":
            self.ready.set_result(None)
        elif op == "unsafe":
            self.ready.set_result(message["module"])
        elif op == "forked":
            forked, ends, group = self._forks.pop(message["token"])
            # here and not where it is awaited: the news of its end may be right behind
            worker = self.workers[message["pid"]] = Worker(self, message["pid"], group, *ends.ours)
            if forked.cancelled():
                worker.discard()
            else:
                forked.set_result(worker)
        elif op == "unforked":
            self._unfork(message["token"], message["reason"])
        elif op == "exit":
            ended = self.workers.pop(message["pid"], None)
            if ended is not None:
                ended.exited.set_result(self._exit(message))

    def _exit(self, message: dict[str, Any]) -> Exit:
        ran_out: bool | None = None
        if message.get("signal") == signal.SIGKILL:
            before, self._kills = self._kills, kills_for_memory()
            ran_out = None if before is None or self._kills is None else self._kills > before
        return Exit(message.get("code"), message.get("signal"), message["peak_memory"], ran_out)

    def _unfork(self, token: int, reason: str) -> None:
        forked, ends, _ = self._forks.pop(token)
        ends.close()
        if not forked.done():
            forked.set_exception(ForkError(reason))

    def _lose(self) -> None:
        self.lost = True
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if not self.ready.done():
            self.ready.set_result("")
        for token in list(self._forks):
            self._unfork(token, "the zygote has ended")
        for pid, worker in self.workers.items():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # nobody else can any more
            worker.exited.set_result(Exit())
        self.workers.clear()
        self._on_lost(self)


def _started(
    python: str, modules: frozenset[str], files: int, log: IO[bytes], *, of_image: bool, threads: int | None
) -> Born:
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [
                *command(python, "host.process.zygote"),
                str(theirs.fileno()),
                str(files),
                *sorted(modules),
                *_IMAGE[of_image],
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={
                **{name: value for name, value in os.environ.items() if not (of_image and name in _OF_PYTHON)},
                "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
                **thread_variables(threads),
            },
        )
    except OSError as error:
        ours.close()
        raise ForkError(f"{python} cannot be started: {error.strerror}") from None
    finally:
        theirs.close()
    return ours, process
