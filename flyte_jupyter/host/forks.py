"""The Host's side of zygotes: which one serves which attempt, and the attempts that wait ready for work."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from .lifecycle import Exit
from .limits import kills_for_memory, raise_open_files
from .logs import STREAMS
from .program import command
from .wire import Frames, encode, receive_now

_PARKED = 5.0
"""Seconds that a worker is kept ready: for the next cell of somebody who is running cells."""
_WARM_IDLE = 300.0
"""Seconds after which a zygote with libraries in it ends when nobody uses it."""


class ForkError(Exception):
    """No process could be made."""


@dataclass(frozen=True)
class _Ends:
    """What connects a worker to the Host: control socket, stdout and stderr, from both sides."""

    control: socket.socket
    outputs: tuple[int, int]
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
        return cls(control, (reading[0], reading[1]), given)

    @property
    def ours(self) -> tuple[socket.socket, int, int]:
        return (self.control, *self.outputs)

    def close(self) -> None:
        self.control.close()
        for pipe in self.outputs:
            os.close(pipe)


@dataclass(eq=False)
class Worker:
    """A forked process and what connects it to the Host.

    Attributes:
        exited: done when it has ended.
    """

    zygote: Zygote
    pid: int
    control: socket.socket
    stdout: int
    stderr: int
    exited: asyncio.Future[Exit] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def signal(self, number: int) -> None:
        """Signal its process group, unless it has been reaped."""
        if not self.exited.done():
            self.zygote.signal(self.pid, number)

    def discard(self) -> None:
        """Let go of a worker that was never given work."""
        self.signal(signal.SIGKILL)
        self.control.close()
        os.close(self.stdout)
        os.close(self.stderr)


class Zygote:
    """One zygote process, made by `Zygotes`. Raises `ForkError` when it cannot be started.

    Args:
        files: how many files its attempts may open; the Host itself may open more.
    """

    def __init__(
        self, python: str, modules: frozenset[str], files: int, log: IO[bytes], on_lost: Callable[[Zygote], None]
    ) -> None:
        self.python = python
        self.modules = modules
        self.used = time.monotonic()
        self.ready: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        """Done with None when it can fork, with a module's name when that module makes forking unsafe."""
        self.lost = False
        self.retired = False
        self.workers: dict[int, Worker] = {}
        self._on_lost = on_lost
        self._forks: dict[int, tuple[asyncio.Future[Worker], _Ends]] = {}
        self._tokens = itertools.count()
        self._frames = Frames()
        self._kills = kills_for_memory()
        self._socket, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [*command(python, "host.zygote"), str(theirs.fileno()), str(files), *sorted(modules)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"},
            )
        except OSError as error:
            self._socket.close()
            raise ForkError(f"{python} cannot be started: {error.strerror}") from None
        finally:
            theirs.close()
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    async def fork(self) -> Worker:
        """A new worker. Raises `ForkError`."""
        self.used = time.monotonic()
        if self.lost:
            raise ForkError("the zygote has ended")
        token = next(self._tokens)
        forked: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self.last_fork = forked
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            try:
                ends = _Ends.open(ours, theirs)
                self._forks[token] = forked, ends
                # a few hundred bytes: never more than the socket's buffer takes
                socket.send_fds(self._socket, [encode({"op": "fork", "token": token})], ends.theirs)
            except OSError as error:  # too many open files, or the zygote is just ending
                self._forks.pop(token, None)
                raise ForkError(error.strerror or str(error)) from None
            ours.pop_all()  # from here on they belong to the worker, or to what becomes of the fork
        return await forked

    @property
    def is_busy(self) -> bool:
        """Whether it has workers, or is about to."""
        return bool(self.workers or self._forks)

    def signal(self, pid: int, number: int) -> None:
        if self.lost:
            return
        try:
            self._socket.send(encode({"op": "signal", "pid": pid, "signal": number}))
        except (BlockingIOError, BrokenPipeError):  # it is behind, or ending: not through it, then
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

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
            forked, ends = self._forks.pop(message["token"])
            # here and not where it is awaited: the news of its end may be right behind
            worker = self.workers[message["pid"]] = Worker(self, message["pid"], *ends.ours)
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
        forked, ends = self._forks.pop(token)
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


class Zygotes:
    """All zygotes of a Host: per interpreter a bare one, and one with the libraries that tasks turned out to use.

    A worker is kept ready per zygote in use, so that the fork is not on a task's way.
    """

    def __init__(self, log: IO[bytes]) -> None:
        self._log = log
        self._files = raise_open_files()
        self._bare: dict[str, Zygote] = {}
        self._warm: dict[str, Zygote] = {}
        self._unsafe: dict[str, set[str]] = {}
        self._imports: dict[str, frozenset[str]] = {}
        self._parked: dict[Zygote, asyncio.Task[Worker]] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._idle_check: asyncio.TimerHandle | None = None

    def learn(self, task: str, imported: list[str]) -> None:
        """A task has imported these libraries itself."""
        if imported:
            self._imports[task] = self._imports.get(task, frozenset()).union(imported)

    def start(self, python: str) -> Zygote:
        """The bare zygote of an interpreter, started when needed."""
        zygote = self._bare.get(python)
        if zygote is None or zygote.lost:
            zygote = self._bare[python] = Zygote(python, frozenset(), self._files, self._log, self._forget)
        return zygote

    async def worker(self, python: str, task: str, modules: tuple[str, ...], *, plain: bool) -> Worker:
        """A worker for an attempt.

        Args:
            task: its name: what it imported the last time, it will import again.
            modules: what is known of this call's imports.
            plain: without them, as when the attempt's environment variables may change how they load.
        """
        zygote = self.start(python)
        wanted = self._imports.get(task, frozenset()).union(modules)
        if not plain and wanted and sys.platform == "linux":  # frameworks of macOS do not survive a fork
            warm = self._warm_for(python, wanted)
            if warm is not None and warm.ready.done() and not warm.lost:
                zygote = warm
        if not zygote.ready.done():
            await asyncio.shield(zygote.ready)
        if zygote.lost:
            raise ForkError(f"the zygote of {python} ended while it was starting; the end of the Host's log says why")
        worker = await self._unpark(zygote)
        # not now: forking another would slow this one down
        worker.exited.add_done_callback(lambda _: self._park(zygote))
        return worker

    async def _unpark(self, zygote: Zygote) -> Worker:
        parked = self._parked.pop(zygote, None)
        if parked is not None:
            with contextlib.suppress(ForkError):
                worker = await parked
                if not worker.exited.done():
                    zygote.used = time.monotonic()
                    return worker
                worker.discard()
        return await zygote.fork()

    def _park(self, zygote: Zygote) -> None:
        if zygote not in self._parked and not zygote.lost and not zygote.retired:
            parked = self._parked[zygote] = asyncio.get_running_loop().create_task(zygote.fork())
            asyncio.get_running_loop().call_later(_PARKED, self._unused, zygote, parked)

    def _unused(self, zygote: Zygote, parked: asyncio.Task[Worker]) -> None:
        if self._parked.get(zygote) is parked and parked.done():
            del self._parked[zygote]
            if parked.exception() is None:
                parked.result().discard()

    def _warm_for(self, python: str, modules: frozenset[str]) -> Zygote | None:
        unsafe = self._unsafe.setdefault(python, set())
        wanted = modules - unsafe
        if not wanted:
            return None
        warm = self._warm.get(python)
        if warm is None or warm.lost:
            return self._heat(python, wanted)
        if wanted <= warm.modules:
            return warm
        if warm.ready.done():  # one at a time; the old one serves until its successor is asked for
            self._retire(warm)
            self._heat(python, wanted | warm.modules)
        return None

    def _heat(self, python: str, modules: frozenset[str]) -> Zygote:
        warm = self._warm[python] = Zygote(python, modules, self._files, self._log, self._forget)

        def learn(ready: asyncio.Future[str | None]) -> None:
            if ready.result():
                self._unsafe[python].add(str(ready.result()))

        warm.ready.add_done_callback(learn)
        if self._idle_check is None:
            self._idle_check = asyncio.get_running_loop().call_later(_WARM_IDLE, self._cool)
        return warm

    def _cool(self) -> None:
        self._idle_check = None
        for warm in list(self._warm.values()):
            if time.monotonic() - warm.used >= _WARM_IDLE:
                self._retire(warm)
        if self._warm:
            self._idle_check = asyncio.get_running_loop().call_later(_WARM_IDLE / 2, self._cool)

    def _retire(self, zygote: Zygote) -> None:
        """No more work for it; it ends when its last worker has."""
        zygote.retired = True
        self._warm = {python: z for python, z in self._warm.items() if z is not zygote}
        parked = self._parked.pop(zygote, None)

        async def end() -> None:
            if parked is not None:
                with contextlib.suppress(ForkError):
                    (await parked).discard()
            while zygote.is_busy:
                awaited: list[asyncio.Future[Any]] = [worker.exited for worker in zygote.workers.values()]
                await asyncio.wait(awaited or [zygote.last_fork])
            zygote.end()

        retiring = asyncio.get_running_loop().create_task(end())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _forget(self, zygote: Zygote) -> None:
        parked = self._parked.pop(zygote, None)
        if parked is not None and parked.done() and parked.exception() is None:
            parked.result().discard()

    def end(self) -> None:
        """End all of them."""
        for zygote in [*self._bare.values(), *self._warm.values()]:
            zygote.end()
