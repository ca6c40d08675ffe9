"""One action under the Host's care, from acceptance to outcome."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..credentials.mask import Mask
from ..home import Home
from ..pack import outcome
from ..pack.envelope import PayloadError
from ..pack.failure import masked
from ..pods import Event, Failure, LogEvent, Phase, PodRequest, history_as_bytes
from ..store import keys
from ..vitals import Sample
from . import lifecycle
from .flights import Flights
from .history import History
from .lifecycle import Attempts, Exit, Finish
from .logs import AttemptLog, Tail
from .process import stacks
from .process.conversation import Conversation
from .records import Records
from .running import Running
from .sampler import Sampler
from .showing import Showing
from .stop import Stop


class Environment(Protocol):
    """What a pod needs of the Host that has it."""

    home: Home
    flights: Flights
    sampler: Sampler

    def records(self, request: PodRequest) -> Records:
        """Where it keeps what it leaves behind."""

    def mask(self, request: PodRequest) -> Mask:
        """What takes the values of secrets out of what its attempts tell, as it is now."""

    def publish(self, labels: Mapping[str, str], event: Event) -> None:
        """Tell those who watch."""

    async def attempt(self, pod: Pod, log: AttemptLog) -> End:
        """Get a process for the attempt that is next, and have the pod watch it."""

    def done(self, request: PodRequest, told: Mapping[str, Any]) -> None:
        """An attempt has told that its task has ended."""

    async def end_children(self, pod: Pod) -> None:
        """End what an attempt has called and not waited for."""


@dataclass(frozen=True)
class End:
    """How an attempt ended.

    Attributes:
        failure: why it failed, None when it did not; told: whether the attempt itself has put its outcome in the store.
    """

    failure: Failure | None = None
    peak_memory: int | None = None
    told: bool = False


class Pod:
    """Runs the attempts of one request and reports each phase.

    Attributes:
        history: its phases so far; tail: the last lines of log; showing: what its attempts show of themselves; all for
            those who come to watch.
        attempts: how far it is; stopping: why it has to end; is_left: whether another Host is to go on with it.

    Args:
        attempts: how far another Host was with it that is gone.
        why: why the attempt before came to nothing, when that is known; else it was lost with another Host, if any.
    """

    def __init__(
        self,
        request: PodRequest,
        host: Environment,
        attempts: Attempts | None = None,
        why: Failure | None = None,
    ) -> None:
        self.request = request
        self._host = host
        self._records = host.records(request)
        self.history = History(request, lambda event: host.publish(request.labels, event), self._close)
        self.tail = Tail()
        self.showing = Showing(
            request,
            self._records.store,
            lambda event: host.publish(request.labels, event),
            lambda: host.mask(request),
        )
        now = time.time()
        self.attempts = attempts or Attempts(accepted_at=now, queued_at=now)
        self.is_adopted = self.attempts.number > 0
        self.is_left = False
        self.stopping = Stop(lambda: lifecycle.time_limit(self.attempts, request))
        self._why = why or (lifecycle.LOST_WITH_HOST if self.attempts.lost else None)
        self._process: Running | None = None

    def __repr__(self) -> str:
        return f"<Pod {self.request.name} [{self.history!r}, attempt {self.attempts.number}]>"

    def stop(self, failure: Failure, grace: float) -> None:
        """End it as soon as possible."""
        self.stopping.ask(failure, grace)

    def leave(self, grace: float) -> None:
        """End the attempt as soon as possible, without an outcome: another Host goes on with the action."""
        self.is_left = True
        self.stopping.ask(lifecycle.TAKEN_AWAY, grace)

    async def run(self) -> None:
        """Until the action has ended and its outcome is in the store; `save` comes before."""
        self.report(Phase.QUEUED, at=self.attempts.queued_at, failure=self._why)  # from when its time limits count
        try:
            if self.request.cache_since is None or not await self._recalled():
                await self._run()
        finally:
            self._host.flights.leave(self.request.name, self.request.cache_key)

    async def _recalled(self) -> bool:
        """Whether another pod has computed the same meanwhile; waits for one that does."""
        request, flights = self.request, self._host.flights
        if not await self.stopping.unless(flights.take(request.name, request.cache_key, self._wait_for)):
            return False
        from .shelf import recall

        found = await asyncio.to_thread(recall, self._host.home.key(), request)
        if found:
            self.report(Phase.SUCCEEDED, cache=found)
        return bool(found)

    def _wait_for(self, pod: str) -> None:
        self.report(Phase.QUEUED, reason=f"{pod} computes the same")

    async def _run(self) -> None:
        while True:
            end = await self._attempt()
            if self.is_left:
                return
            await self._host.end_children(self)
            step = lifecycle.advance(self.attempts, self.request, end.failure, self.stopping.reason)
            if isinstance(step, Finish):
                self._finish(step, end)
                return
            self.stopping.forget()
            self.attempts = self.attempts.next(time.time() + step.delay, charged=step.charged)
            self.save()
            self.report(Phase.QUEUED, failure=step.failure, retry_in=step.delay, peak_memory=end.peak_memory)
            if step.delay:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), step.delay)

    @property
    def is_lost_for_good(self) -> bool:
        """Whether so many Hosts have died with it that it is not tried again: it may be what kills them."""
        return self.attempts.lost > lifecycle.MAX_LOST

    def fail(self, failure: Failure) -> None:
        """End it without another attempt, as far as that is still possible."""
        if not self.history.has_ended:
            self._finish(Finish(Phase.FAILED, failure), End())

    def succeeded_before(self) -> bool:
        """Whether an earlier Host's attempt has left a success, of which only the news was lost; then it ends here."""
        request = self.request
        try:
            data = self._records.store.get(keys.outcome(request.run, request.action))
            found = outcome.unseal_outcome(self._host.home.key(), data, worker=request.name)
        except (KeyError, PayloadError):
            return False
        if found.failure is None:
            self.report(Phase.SUCCEEDED)
        return found.failure is None

    async def _attempt(self) -> End:
        request, number = self.request, self.attempts.number
        log = AttemptLog(request, number, self._records.log(number), self._print, lambda: self._host.mask(request))
        try:
            return await self._host.attempt(self, log)
        finally:
            log.close()
            await self._records.close_log(number)
            await self.showing.close(number)

    def conversation(self) -> Conversation:
        """With the attempt that is next."""
        shown = functools.partial(self.showing.take, self.attempts.number)
        return Conversation(self._started, shown, functools.partial(self._host.publish, self.request.labels))

    async def watch(self, process: Running) -> End:
        """Until the attempt has ended in its process."""
        request, host = self.request, self._host
        self._process = process
        sampling = host.sampler.watching(process.own, self._sample, is_new=not process.replica)
        try:
            with sampling:
                await self._until_done(process)
            done = process.conversation.done
            if done is not None:
                host.done(request, done)
            if done is not None and self.stopping.reason is None:
                said = Failure.from_json(done["failure"]) if done["failure"] else None
                failure = said and masked(said, host.mask(request))  # it knows its own secrets, and no others
                if failure is not None and process.ran_out_of_memory:  # what it says is what came of that
                    exit = process.explain(Exit(signal=signal.SIGKILL)) or Exit()
                    return End(lifecycle.unexplained(exit, request, failure), exit.peak_memory)
                return End(failure, done["peak_memory"], told=done["stored"] and failure == said)
            if self.stopping.reason is not None and self.stopping.is_late:
                where = stacks.told(self.stopping.reason, process.stacks())
                self.stopping.reason = masked(where, host.mask(request))
            if not process.exited.done():  # the replica goes on
                return End()
            exited = process.explain(process.exited.result())
            if exited is None:
                return End(lifecycle.LOST_WITH_ANOTHER)
            failure = lifecycle.unexplained(exited, request)
            if exited.signal is not None:  # it may have crashed
                failure = masked(stacks.told(failure, process.stacks()), host.mask(request))
            return End(failure, exited.peak_memory)
        finally:
            self._process = None
            process.close()

    async def _until_done(self, process: Running) -> None:
        """Until it has told its end, has been ended, or its process is gone."""
        # not when it hangs up: a task may close what it does not know, and still be running
        either: list[asyncio.Future[Any]] = [process.conversation.told, process.exited]
        ended = asyncio.ensure_future(asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED))
        while not ended.done():
            stop = asyncio.ensure_future(self.stopping.wait())
            process.conversation.on_start = stop.cancel  # the limits are others once it runs
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if self.stopping.reason is not None and not ended.done():
                if self.stopping.is_late and self.attempts.started_at is not None:  # else it cannot write yet
                    process.write_stacks()
                await process.end(self.stopping.grace)
                ended.cancel()
                return

    def _started(self) -> None:
        now = time.time()
        self.attempts = replace(self.attempts, started_at=now)
        self.report(Phase.RUNNING, at=now, replica=self._process.replica if self._process is not None else "")

    def _sample(self, sample: Sample) -> None:
        self.showing.add(self.attempts.number, samples=(sample,))

    def _print(self, event: LogEvent) -> None:
        self.tail.add(event)
        self._host.publish(self.request.labels, event)

    def report(self, phase: Phase, **said: Any) -> None:
        self.history.add(phase, self.attempts.number, **said)

    def _finish(self, step: Finish, end: End) -> None:
        request = self.request
        if step.failure is not None and not (end.told and step.failure is end.failure):
            payload = outcome.seal_failure(self._host.home.key(), step.failure, name=request.name)
            self._records.store.put(keys.outcome(request.run, request.action), payload)
        self.report(step.phase, failure=step.failure, peak_memory=end.peak_memory)

    def save(self, scratch: Path | None = None) -> None:
        """Note the request and its standing, so that another Host can go on.

        Args:
            scratch: a folder that has to be removed when this Host cannot.
        """
        self._records.save(self.attempts, scratch)

    def _close(self) -> None:
        self._records.close(history_as_bytes(self.history.events))
