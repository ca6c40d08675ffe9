"""One action under the Host's care, from acceptance to outcome."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..errors import HostError
from ..pack import outcome
from ..pack.envelope import PayloadError
from ..pack.failure import masked
from ..pods import Event, Failure, LogEvent, Phase, PodRequest, history_as_bytes
from ..store import keys
from ..store.files import FileStore
from ..vitals import Sample
from . import lifecycle, notes
from .flights import Flights
from .history import History
from .image.images import Follower, Image, ImageFailed
from .lifecycle import Attempts, Exit, Finish
from .logs import AttemptLog, Tail
from .pool.pools import Pools
from .process import stacks
from .process.conversation import Conversation
from .process.forks import ForkError, Worker
from .running import Alone, Machinery, Running, forked, remove_folder, told
from .sampler import Sampler
from .shares import Share
from .shelf import Pruning, recall
from .showing import Showing
from .stop import Stop


class Environment(Machinery, Protocol):
    """What a pod needs of the Host that has it."""

    flights: Flights
    pruning: Pruning
    pools: Pools
    sampler: Sampler

    def environ(self, pod: PodRequest) -> Mapping[str, str] | None: ...
    def publish(self, labels: Mapping[str, str], event: Event) -> None: ...
    async def end_children(self, pod: Pod) -> None: ...


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
    """

    def __init__(self, request: PodRequest, host: Environment, attempts: Attempts | None = None) -> None:
        self.request = request
        self.history = History(request, lambda event: host.publish(request.labels, event), self._close)
        self.tail = Tail()
        self.showing = Showing(
            request, lambda event: host.publish(request.labels, event), lambda: host.vault.mask(request.session)
        )
        now = time.time()
        self._host = host
        self.is_adopted = attempts is not None
        self._attempts = attempts or Attempts(accepted_at=now, queued_at=now)
        self._process: Running | None = None
        self._stop = Stop(lambda: lifecycle.time_limit(self._attempts, request))

    def __repr__(self) -> str:
        return f"<Pod {self.request.name} [{self.history!r}, attempt {self._attempts.number}]>"

    def stop(self, failure: Failure, grace: float) -> None:
        """End it as soon as possible."""
        self._stop.ask(failure, grace)

    async def run(self) -> None:
        """Until the action has ended and its outcome is in the store; `save` comes before."""
        lost = lifecycle.LOST_WITH_HOST if self._attempts.lost else None
        self._report(Phase.QUEUED, at=self._attempts.queued_at, failure=lost)  # from when its time limits count
        try:
            if self.request.cache_since is None or not await self._recalled():
                await self._run()
        finally:
            self._host.flights.leave(self.request.name, self.request.cache_key)

    async def _recalled(self) -> bool:
        """Whether another pod has computed the same meanwhile; waits for one that does."""
        request, flights = self.request, self._host.flights
        if not await self._stop.unless(flights.take(request.name, request.cache_key, self._wait_for)):
            return False
        found = await asyncio.to_thread(recall, self._host.home.key(), request)
        if found:
            self._report(Phase.SUCCEEDED, cache=found)
        return bool(found)

    def _wait_for(self, pod: str) -> None:
        self._report(Phase.QUEUED, reason=f"{pod} computes the same")

    async def _run(self) -> None:
        while True:
            end = await self._attempt()
            await self._host.end_children(self)
            step = lifecycle.advance(self._attempts, self.request, end.failure, self._stop.reason)
            if isinstance(step, Finish):
                self._finish(step, end)
                return
            self._stop.forget()
            self._attempts = self._attempts.next(time.time() + step.delay, charged=step.charged)
            self.save()
            self._report(Phase.QUEUED, failure=step.failure, retry_in=step.delay, peak_memory=end.peak_memory)
            if step.delay:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), step.delay)

    @property
    def is_lost_for_good(self) -> bool:
        """Whether so many Hosts have died with it that it is not tried again: it may be what kills them."""
        return self._attempts.lost > lifecycle.MAX_LOST

    def fail(self, failure: Failure) -> None:
        """End it without another attempt, as far as that is still possible."""
        if not self.history.has_ended:
            self._finish(Finish(Phase.FAILED, failure), End())

    def succeeded_before(self) -> bool:
        """Whether an earlier Host's attempt has left a success, of which only the news was lost; then it ends here."""
        request = self.request
        try:
            data = FileStore(request.store).get(keys.outcome(request.run, request.action))
            found = outcome.unseal_outcome(self._host.home.key(), data, worker=request.name)
        except (KeyError, PayloadError):
            return False
        if found.failure is None:
            self._report(Phase.SUCCEEDED)
        return found.failure is None

    async def _attempt(self) -> End:
        request, number = self.request, self._attempts.number
        path = FileStore(request.store).path(keys.log(request.run, request.action, number))
        log = AttemptLog(request, number, path, self._print, lambda: self._host.vault.mask(request.session))
        environ = self._host.environ(request)
        if environ is None:
            return End(lifecycle.STRANGER)
        image: Image | None = None
        try:
            if request.image is not None:
                image = await self._image(environ, log)
                if image is None:
                    return End()
            return await self._admitted(environ, image, log)
        except ImageFailed as failed:
            return End(failed.failure)
        finally:
            log.close()
            await self.showing.close(number)
            if image is not None:
                self._host.images.release(image)

    async def _image(self, environ: Mapping[str, str], log: AttemptLog) -> Image | None:
        """What it runs in, once that is there; None when it was stopped before. The wait is no queue."""

        def step(what: str) -> None:
            self._report(Phase.INITIALIZING, step="image", reason=f"image: {what}")

        follower = Follower(self.request.run, step, lambda lines: log.write("image", lines))
        self._attempts = replace(self._attempts, queued_at=None)
        ready = asyncio.ensure_future(self._host.images.ready(self.request, environ, follower))
        is_wanted = await self._stop.unless(ready)
        self._attempts = replace(self._attempts, queued_at=time.time())
        if is_wanted:
            return ready.result()
        if not ready.cancelled() and ready.exception() is None:
            self._host.images.release(ready.result())
        return None

    async def _admitted(self, environ: Mapping[str, str], image: Image | None, log: AttemptLog) -> End:
        request, shares = self.request, self._host.shares
        try:
            if request.queue is not None:
                entering = asyncio.ensure_future(shares.lanes.enter(request.queue, request.name))
                if not await self._waited(entering, Phase.QUEUED, shares.lanes.why):
                    return End()
            if request.reuse is not None:
                return await self._seated(environ, image, log)
            acquiring = asyncio.ensure_future(shares.acquire(request, environ))
            is_wanted = await self._waited(acquiring, Phase.WAITING_FOR_RESOURCES, shares.admission.why)
            if not is_wanted:
                if not acquiring.cancelled() and acquiring.exception() is None:
                    acquiring.result().let_go(None)
                return End()
            return await self._start(acquiring.result(), environ, image, log)
        finally:
            shares.release(request.name)

    async def _seated(self, environ: Mapping[str, str], image: Image | None, log: AttemptLog) -> End:
        """Run in a replica of its pool."""
        request = self.request
        if (end := await self._know_secrets(environ)) is not None:
            return end
        pool = self._host.pools.of(request, environ)

        def admitted(notes: tuple[str, ...]) -> None:
            if self._stop.reason is None:
                self._report(Phase.INITIALIZING, notes=notes)

        taking = asyncio.ensure_future(pool.take(request, environ, image, log, self._conversation(), admitted))
        try:
            is_wanted = await self._waited(taking, Phase.WAITING_FOR_RESOURCES, pool.why)
        except (OSError, HostError) as error:
            return End(lifecycle.not_handed_out(error))
        except ForkError as error:
            return End(lifecycle.not_forked(error))
        if not is_wanted:
            if not taking.cancelled() and taking.exception() is None:
                taking.result().close()
            return End()
        seat = taking.result()
        seat.begin(self._attempts.number)
        return await self._watch(seat)

    async def _start(self, share: Share, environ: Mapping[str, str], image: Image | None, log: AttemptLog) -> End:
        request, host = self.request, self._host
        folder = f"{request.name}-{self._attempts.number}"
        worker: Worker | None = None
        try:
            if (end := await self._know_secrets(environ)) is not None:
                return end
            self._report(Phase.INITIALIZING, notes=share.notes)
            if share.scratch is not None:
                self.save(share.scratch)
            worker = await forked(host, request, share, image)
            remove_folder(host, image, worker, folder)
            try:
                secrets = host.vault.hand_out(request, folder, environ)
            except (OSError, HostError) as error:
                worker.discard()
                return End(lifecycle.not_handed_out(error))
            log.follow(worker.stdout, worker.stderr)
            what = {"attempt": self._attempts.number, **told(host, request, environ, share, image, folder)}
            return await self._watch(Alone(worker, share, host.vault, secrets, what, self._conversation()))
        except ForkError as error:
            return End(lifecycle.not_forked(error))
        finally:
            share.let_go(worker)

    def _conversation(self) -> Conversation:
        return Conversation(self._started, functools.partial(self.showing.take, self._attempts.number))

    async def _know_secrets(self, environ: Mapping[str, str]) -> End | None:
        """Wait until the values of its secrets are known; the end of the attempt when nobody has them."""
        request, vault = self.request, self._host.vault
        wanted = (request.session, request.secrets, environ)
        if unknown := vault.unknown(*wanted):
            self._report(Phase.INITIALIZING, step="secrets", reason=lifecycle.waits_for(unknown))
            is_wanted = await self._stop.unless(vault.until_known(*wanted, request.cwd))
            if not is_wanted or (unknown := vault.unknown(*wanted)):
                return End(lifecycle.forgotten(unknown))
        return None

    async def _waited(self, waiting: asyncio.Future[Any], phase: Phase, why: Callable[[str], str]) -> bool:
        """Wait for what others have, and tell what for; False as in `Stop.unless`."""
        since, told = time.time(), ""

        def tell() -> None:
            nonlocal told
            reason = why(self.request.name)
            if reason not in ("", told):
                told = reason
                self._report(phase, at=since, reason=reason)

        return await self._stop.unless(waiting, tell)

    async def _watch(self, process: Running) -> End:
        request, vault = self.request, self._host.vault
        self._process = process
        sampling = self._host.sampler.watching(process.own, self._sample, is_new=not process.replica)
        try:
            with sampling:
                await self._until_done(process)
            done = process.conversation.done
            if done is not None:
                self._host.zygotes.learn(request.task, done["imported"])
                self._host.pruning.came(done["kept"])
            if done is not None and self._stop.reason is None:
                said = Failure.from_json(done["failure"]) if done["failure"] else None
                failure = said and masked(said, vault.mask(request.session))  # it knows its own secrets, and no others
                if failure is not None and process.ran_out_of_memory:  # what it says is what came of that
                    exit = process.explain(Exit(signal=signal.SIGKILL)) or Exit()
                    return End(lifecycle.unexplained(exit, request, failure), exit.peak_memory)
                return End(failure, done["peak_memory"], told=failure == said)
            if self._stop.reason is not None and self._stop.is_late:
                where = stacks.told(self._stop.reason, process.stacks())
                self._stop.reason = masked(where, vault.mask(request.session))
            if not process.exited.done():  # the replica goes on
                return End()
            exited = process.explain(process.exited.result())
            if exited is None:
                return End(lifecycle.LOST_WITH_ANOTHER)
            failure = lifecycle.unexplained(exited, request)
            if exited.signal is not None:  # it may have crashed
                failure = masked(stacks.told(failure, process.stacks()), vault.mask(request.session))
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
            stop = asyncio.ensure_future(self._stop.wait())
            process.conversation.on_start = stop.cancel  # the limits are others once it runs
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if self._stop.reason is not None and not ended.done():
                if self._stop.is_late and self._attempts.started_at is not None:  # else it cannot write yet
                    process.write_stacks()
                await process.end(self._stop.grace)
                ended.cancel()
                return

    def _started(self) -> None:
        now = time.time()
        self._attempts = replace(self._attempts, started_at=now)
        self._report(Phase.RUNNING, at=now, replica=self._process.replica if self._process is not None else "")

    def _sample(self, sample: Sample) -> None:
        self.showing.add(self._attempts.number, samples=(sample,))

    def _print(self, event: LogEvent) -> None:
        self.tail.add(event)
        self._host.publish(self.request.labels, event)

    def _report(self, phase: Phase, **said: Any) -> None:
        self.history.add(phase, self._attempts.number, **said)

    def _finish(self, step: Finish, end: End) -> None:
        request = self.request
        if step.failure is not None and not (end.told and step.failure is end.failure):
            payload = outcome.seal_failure(self._host.home.key(), step.failure, name=request.name)
            FileStore(request.store).put(keys.outcome(request.run, request.action), payload)
        self._report(step.phase, failure=step.failure, peak_memory=end.peak_memory)

    # --- what outlives the Host ---------------------------------------------------------------------------------------

    def save(self, scratch: Path | None = None) -> None:
        """Note the request and its standing, so that another Host can go on.

        Args:
            scratch: a folder that has to be removed when this Host cannot.
        """
        notes.write(self._host.home.open_pods, self.request, self._attempts, scratch)

    def _close(self) -> None:
        """The events into the store, then the note away: in this order nothing is lost between the two."""
        request = self.request
        history = history_as_bytes(self.history.events)
        FileStore(request.store).put(keys.status(request.run, request.action), [history])
        notes.remove(self._host.home.open_pods, request.name)
