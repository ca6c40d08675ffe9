"""One replica of a pool: a process, what it has of the machine, and who sits in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from ...pods import PodRequest
from ..image.images import Image
from ..lifecycle import Exit
from ..logs import AttemptLog
from ..process import stacks
from ..process.conversation import Conversation, Line
from ..process.forks import ForkError, Worker
from ..running import Machinery, forked, remove_folder, told, variables
from ..shares import Share
from ..stop import KILL_AFTER
from .rules import Standing
from .seat import Seat


class Replica:
    """A process that serves the calls of a pool, one after the other or several at a time.

    While it is idle it has no slot and no cores. Its memory and its GPUs it keeps, until others need them.

    Args:
        pool, number: what people call it; name: for what it has of the machine.
        concurrency: calls at a time.
        changed: called when it has become idle, or has ended.

    Attributes:
        calls: the pods that have a place in it, or are about to.
        served: calls that it has begun; started_in: seconds until it could begin the first.
        is_worn: whether it takes no more calls.
    """

    def __init__(
        self,
        pool: str,
        number: int,
        name: str,
        concurrency: int,
        host: Machinery,
        image: Image | None,
        changed: Callable[[Replica], None],
    ) -> None:
        self.pool = pool
        self.number = number
        self.name = name
        self.concurrency = concurrency
        self.calls: set[str] = set()
        self.served = 0
        self.idle_since = time.monotonic()
        self.born = time.time()
        self.started_in = 0.0
        self.has_ended = False
        self._host = host
        self._image = image
        if image is not None:
            host.images.hold(image)
        self._changed = changed
        self._seats: dict[int, Seat] = {}
        self._waking: asyncio.Task[None] | None = None
        self._has_share = asyncio.Event()
        self._share: Share | None = None
        self._worker: Worker | None = None
        self._line: Line | None = None
        self._ready: asyncio.Future[None] | None = None
        self._secrets: dict[str, Any] | None = None
        self._environ: Mapping[str, str] | None = None
        self.is_worn = False
        self._killed_for: Seat | None = None

    def __repr__(self) -> str:
        return f"<Replica {self.name} [{len(self.calls)} calls, {self.served} served]>"

    @property
    def worker(self) -> Worker:
        assert self._worker is not None  # it is awake
        return self._worker

    @property
    def pid(self) -> int | None:
        return self._worker.pid if self._worker is not None else None

    @property
    def image(self) -> str | None:
        """The key of the virtual environment that it uses."""
        return self._image.key if self._image is not None else None

    @property
    def notes(self) -> tuple[str, ...]:
        return self._share.notes if self._share is not None else ()

    @property
    def memory(self) -> int:
        """Bytes that it may keep while it is idle."""
        return (self._share.request.resources.memory or 0) if self._share is not None else 0

    @property
    def accelerators(self) -> tuple[str, ...]:
        return self._share.grant.accelerators if self._share is not None else ()

    @property
    def ran_out_of_memory(self) -> bool:
        return self._share is not None and self._share.ran_out_of_memory

    def memory_of_its_own(self) -> int:
        """Bytes that it does not share with the process that it was forked from, nor with other replicas."""
        try:
            found = psutil.Process(self.pid).memory_full_info() if self.pid is not None else None
        except psutil.Error:  # it has just ended, or the system does not tell
            return 0
        return int(found.uss) if found is not None else 0

    def standing(self) -> Standing:
        waits = self._host.shares.waits(self.name)
        return Standing(len(self.calls), waits, self._worker is not None, self.idle_since)

    # --- from idle to busy and back -----------------------------------------------------------------------------------

    async def awake(self, request: PodRequest, environ: Mapping[str, str], admitted: Callable[[], None]) -> None:
        """Wait until it has what it needs of the machine, which is told, and a process.

        Raises `ForkError`, `OSError`, `HostError`.
        """
        if self._waking is None:
            self._has_share = asyncio.Event()
            self._waking = asyncio.get_running_loop().create_task(self._wake(request, environ))
            self._waking.add_done_callback(lambda task: task.cancelled() or task.exception())
        waking = self._waking
        has_share = asyncio.ensure_future(self._has_share.wait())
        try:
            await asyncio.wait({has_share, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            has_share.cancel()
        admitted()
        await asyncio.shield(waking)
        if self.has_ended:
            raise ForkError("it ended before it had begun")

    async def _wake(self, request: PodRequest, environ: Mapping[str, str]) -> None:
        try:
            if self._share is None:
                self._share = await self._host.shares.acquire(request, environ, self.name)
            else:
                await self._host.shares.again(self._share, request)
            self._has_share.set()
            if self._worker is None and self.calls:
                await self._start(self._share, request, environ)
        except BaseException:
            self.is_worn = True
            raise
        finally:
            if not self.calls:  # they have been stopped meanwhile
                self._rest()

    async def _start(self, share: Share, request: PodRequest, environ: Mapping[str, str]) -> None:
        host, since = self._host, time.monotonic()
        what = {
            "op": "replica",
            "concurrency": self.concurrency,
            **told(host, request, environ, share, self._image, self.name),
        }
        worker = await forked(host, request, share, self._image)
        remove_folder(host, self._image, worker, self.name)
        try:
            self._secrets = host.vault.hand_out(request, self.name, environ)
        except BaseException:
            worker.discard()
            raise
        self._worker = worker
        self._environ = environ
        self._ready = asyncio.get_running_loop().create_future()
        self._line = Line(worker, self._take)
        self._line.send({**what, "secrets": self._secrets, **share.hold(worker)})
        worker.exited.add_done_callback(lambda _: self._gone())
        either: list[asyncio.Future[Any]] = [self._ready, worker.exited]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        self.started_in = time.monotonic() - since

    def _take(self, message: dict[str, Any]) -> None:
        if message["op"] == "ready":
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(None)
            return
        seat = self._seats.get(message["call"])
        if seat is None:
            return
        if message["op"] == "print":
            seat.log.feed(message["stream"], message["text"])
            return
        failure = message.get("failure")
        if failure is not None and failure["code"] == "OOMError":
            self.is_worn = True
        seat.conversation.take(message)

    def let_go(self, pod: str) -> None:
        """That pod does not want its place any more, before it has begun."""
        self.calls.discard(pod)
        if not self.calls and (self._waking is None or self._waking.done()):
            self._rest()

    def _rest(self) -> None:
        """Nothing to do: what it has of the machine is for others."""
        self._host.shares.release(self.name)
        self._waking = None
        self.idle_since = time.monotonic()
        if self._worker is None:
            self._close()
        elif self.is_worn or self.ran_out_of_memory:
            self.end()
        self._changed(self)

    # --- calls --------------------------------------------------------------------------------------------------------

    def sit(self, request: PodRequest, environ: Mapping[str, str], log: AttemptLog, conversation: Conversation) -> Seat:
        """A seat for a pod that has its place here."""
        self.served += 1
        self._host.shares.sit(request.name, self.name)
        seat = self._seats[self.served] = Seat(self, self.served, request, environ, log, conversation)
        self._follow()
        return seat

    def begin(self, seat: Seat, attempt: int) -> None:
        """Have the process run a call."""
        if self._line is None or self._share is None:
            return
        if seat.is_alone:
            stacks.clear(self.worker.paper)
        message: dict[str, Any] = {"op": "call", "call": seat.number, "attempt": attempt, "cores": self._share.cores}
        if seat.environ is not self._environ:
            self._environ = seat.environ
            message["environ"] = variables(seat.environ, self._share)
        self._line.send({**message, "pod": seat.request.to_json()})

    def write_stacks(self, seat: Seat) -> None:
        if not seat.is_alone:
            stacks.clear(self.worker.paper, but_mark=True)
        self.worker.write_stacks()

    def ask_to_end(self, seat: Seat) -> None:
        """Have the task of a seat end by itself, if it does."""
        if seat.is_alone:
            self.worker.signal(signal.SIGTERM)
        elif self._line is not None:
            self._line.send({"op": "cancel", "call": seat.number})

    def kill_for(self, seat: Seat) -> None:
        """A task does not end: its replica does."""
        self._killed_for = seat
        self.worker.signal(signal.SIGKILL)

    def is_to_blame(self, seat: Seat) -> bool:
        """Whether the process has ended through that task, and not through another one in it."""
        if self._killed_for is not None:
            return self._killed_for is seat
        return seat.is_alone or stacks.running_call(self.worker.paper) == seat.number

    def explain(self, exit: Exit) -> Exit:
        return self._share.explain(exit) if self._share is not None else exit

    def leave(self, seat: Seat) -> None:
        """A call is over."""
        seat.log.unfollow()
        self._host.shares.stand(seat.request.name)
        del self._seats[seat.number]
        self.calls.discard(seat.request.name)
        if self.has_ended:
            self._close_if_left()
            if not self.calls:
                self._host.shares.release(self.name)
            return
        self._follow()
        if not self.calls:
            self._rest()
        else:
            self._changed(self)

    def _follow(self) -> None:
        """What the process prints, and no call of it in particular, is in the log of the oldest one."""
        oldest = next(iter(self._seats.values()), None)
        if oldest is not None and self._worker is not None and not oldest.log.is_following:
            oldest.log.follow(os.dup(self._worker.stdout), os.dup(self._worker.stderr))

    # --- its end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """End it, once and for all; it has no calls."""
        if not self.has_ended:
            self.has_ended = True
            if self._worker is None:
                self._close()
            else:
                self._ending = asyncio.get_running_loop().create_task(self._worker.end(KILL_AFTER))

    def _gone(self) -> None:
        """Its process has ended; those who sit there look at what it has left before it is closed."""
        self.has_ended = True
        if self._ready is not None and not self._ready.done():
            self._ready.cancel()
        self._close_if_left()
        self._changed(self)

    def _close_if_left(self) -> None:
        if not self._seats and self._worker is not None and self._worker.exited.done():
            self._close()

    def _close(self) -> None:
        self.has_ended = True
        worker, self._worker = self._worker, None
        if self._line is not None:
            self._line.close()
        if self._secrets is not None:
            self._host.vault.take_back(self._secrets)
        if worker is not None:
            for file in (worker.stdout, worker.stderr, worker.paper):
                with contextlib.suppress(OSError):
                    os.close(file)
        if self._share is not None:
            self._share.let_go(worker)
        image, self._image = self._image, None
        if image is not None:
            self._host.images.release(image)
