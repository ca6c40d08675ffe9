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
from pathlib import Path
from typing import IO, Any

from .lifecycle import Exit
from .limits import kills_for_memory
from .wire import Frames, encode

_PARKED = 5.0
"""Seconds that a worker is kept ready: for the next cell of somebody who is running cells."""
_WARM_IDLE = 300.0
"""Seconds after which a zygote with libraries in it ends when nobody uses it."""
_PACKAGE = str(Path(__file__).resolve().parents[2])
_START = f"""
import sys
sys.path.append({_PACKAGE!r})
from flyte_jupyter.host.zygote import main
main()
"""


class ForkError(Exception):
    """No process could be made."""


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
    """One zygote process. Made by `Zygotes`."""

    def __init__(self, python: str, modules: frozenset[str], log: IO[bytes], on_lost: Callable[[Zygote], None]) -> None:
        self.python = python
        self.modules = modules
        self.used = time.monotonic()
        self.ready: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        """Done with None when it can fork, with a module's name when that module makes forking unsafe."""
        self.lost = False
        self.workers: dict[int, Worker] = {}
        self._on_lost = on_lost
        self._forks: dict[int, asyncio.Future[int]] = {}
        self._tokens = itertools.count()
        self._frames = Frames()
        self._kills = kills_for_memory()
        self._socket, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [python, "-c", _START, str(theirs.fileno()), *sorted(modules)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"},
        )
        theirs.close()
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    async def fork(self) -> Worker:
        """A new worker. Raises `ForkError`."""
        self.used = time.monotonic()
        if self.lost:
            raise ForkError("the zygote has ended")
        control, theirs = socket.socketpair()
        (out_r, out_w), (err_r, err_w) = os.pipe(), os.pipe()
        token = next(self._tokens)
        forked = self._forks[token] = asyncio.get_running_loop().create_future()
        try:
            # a few hundred bytes: never more than the socket's buffer takes
            socket.send_fds(self._socket, [encode({"op": "fork", "token": token})], [theirs.fileno(), out_w, err_w])
        finally:
            for end in (theirs, out_w, err_w):
                end.close() if isinstance(end, socket.socket) else os.close(end)
        try:
            pid = await forked
        except BaseException:
            control.close()
            os.close(out_r)
            os.close(err_r)
            raise
        control.setblocking(False)
        worker = self.workers[pid] = Worker(self, pid, control, out_r, err_r)
        return worker

    def signal(self, pid: int, number: int) -> None:
        if not self.lost:
            self._socket.send(encode({"op": "signal", "pid": pid, "signal": number}))

    def end(self) -> None:
        """End it and everything it has forked."""
        if not self.lost:
            self._lose()
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._lose()
            self._process.kill()
            self._process.wait()
            return
        for message in self._frames.feed(data):
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        op = message["op"]
        if op == "ready":
            self.ready.set_result(None)
        elif op == "unsafe":
            self.ready.set_result(message["module"])
        elif op == "forked":
            forked = self._forks.pop(message["token"])
            if not forked.cancelled():
                forked.set_result(message["pid"])
            else:
                self.signal(message["pid"], signal.SIGKILL)
        elif op == "unforked":
            self._forks.pop(message["token"]).set_exception(ForkError(message["reason"]))
        elif op == "exit":
            worker = self.workers.pop(message["pid"], None)
            if worker is not None:
                worker.exited.set_result(self._exit(message))

    def _exit(self, message: dict[str, Any]) -> Exit:
        ran_out: bool | None = None
        if message.get("signal") == signal.SIGKILL:
            before, self._kills = self._kills, kills_for_memory()
            ran_out = None if before is None or self._kills is None else self._kills > before
        return Exit(message.get("code"), message.get("signal"), message["peak_memory"], ran_out)

    def _lose(self) -> None:
        self.lost = True
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if not self.ready.done():
            self.ready.set_result("")
        for forked in self._forks.values():
            if not forked.done():
                forked.set_exception(ForkError("the zygote has ended"))
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
        self._bare: dict[str, Zygote] = {}
        self._warm: dict[str, Zygote] = {}
        self._unsafe: dict[str, set[str]] = {}
        self._parked: dict[Zygote, asyncio.Task[Worker]] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._idle_check: asyncio.TimerHandle | None = None

    def start(self, python: str) -> Zygote:
        """The bare zygote of an interpreter, started when needed."""
        zygote = self._bare.get(python)
        if zygote is None or zygote.lost:
            zygote = self._bare[python] = Zygote(python, frozenset(), self._log, self._forget)
        return zygote

    async def worker(self, python: str, modules: tuple[str, ...], *, plain: bool) -> Worker:
        """A worker for an attempt.

        Args:
            modules: what the task is going to import.
            plain: without them, as when the attempt's environment variables may change how they load.
        """
        zygote = self.start(python)
        if not plain and modules and sys.platform == "linux":  # frameworks of macOS do not survive a fork
            warm = self._warm_for(python, frozenset(modules))
            if warm is not None and warm.ready.done() and not warm.lost:
                zygote = warm
        if not zygote.ready.done():
            await asyncio.shield(zygote.ready)
        if zygote.lost:
            raise ForkError(f"{python} cannot run flyte_jupyter")
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
        if zygote not in self._parked and not zygote.lost:
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
        warm = self._warm[python] = Zygote(python, modules, self._log, self._forget)

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
        self._warm = {python: z for python, z in self._warm.items() if z is not zygote}
        parked = self._parked.pop(zygote, None)

        async def end() -> None:
            if parked is not None:
                with contextlib.suppress(ForkError):
                    (await parked).discard()
            if zygote.workers:
                await asyncio.wait([worker.exited for worker in zygote.workers.values()])
            zygote.end()

        retiring = asyncio.get_running_loop().create_task(end())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _forget(self, zygote: Zygote) -> None:
        self._parked.pop(zygote, None)

    def end(self) -> None:
        """End all of them."""
        for zygote in [*self._bare.values(), *self._warm.values()]:
            zygote.end()
