"""One action under the Host's care, from acceptance to outcome."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..config.index_url import without as without_credentials
from ..home import Home
from ..pack import outcome
from ..pack.envelope import PayloadError
from ..pods import Event, Failure, LogEvent, Phase, PodEvent, PodRequest
from ..store import keys
from ..store.files import FileStore
from . import lifecycle
from .cgroups import Group, Groups
from .conversation import Conversation
from .flights import Flights
from .forks import ForkError, Worker
from .images import Follower, Image, ImageFailed, Images
from .lifecycle import Attempts, Exit, Finish
from .logs import AttemptLog, Tail
from .shelf import Pruning, recall
from .slots import Slots
from .zygotes import Zygotes

KILL_AFTER = 2.0
"""Seconds a stopped attempt has for its `finally` blocks."""


class Environment(Protocol):
    """What a pod needs of the Host that has it."""

    home: Home
    zygotes: Zygotes
    slots: Slots
    flights: Flights
    pruning: Pruning
    groups: Groups
    images: Images

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
        events: every phase so far; tail: the last lines of log, for those who come to watch.
    """

    def __init__(self, request: PodRequest, host: Environment, attempts: Attempts | None = None) -> None:
        self.request = request
        self.events: list[PodEvent] = []
        self.tail = Tail()
        now = time.time()
        self._host = host
        self.is_adopted = attempts is not None
        self._attempts = attempts or Attempts(accepted_at=now, queued_at=now)
        self._stopped: Failure | None = None
        self._grace = KILL_AFTER
        self._stop = asyncio.Event()

    def __repr__(self) -> str:
        phase = self.events[-1].phase.value if self.events else "new"
        return f"<Pod {self.request.name} [{phase}, attempt {self._attempts.number}]>"

    def stop(self, failure: Failure, grace: float) -> None:
        """End it as soon as possible; the first reason given is kept, but for a time limit when somebody cancels."""
        if self._stopped is None or (failure.code == lifecycle.ABORTED != self._stopped.code):
            self._stopped = failure
            self._grace = grace
            self._stop.set()

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
        if not await self._unless_stopped(flights.take(request.name, request.cache_key, self._wait_for)):
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
            step = lifecycle.advance(self._attempts, self.request, end.failure, self._stopped)
            if isinstance(step, Finish):
                self._finish(step, end)
                return
            if self._stopped is not None:  # its time was over, and it may try again
                self._stopped = None
                self._stop.clear()
            self._attempts = self._attempts.next(time.time() + step.delay, charged=step.charged)
            self.save()
            self._report(Phase.QUEUED, failure=step.failure, retry_in=step.delay, peak_memory=end.peak_memory)
            if step.delay:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._stopped_or_late(), step.delay)

    @property
    def is_lost_for_good(self) -> bool:
        """Whether so many Hosts have died with it that it is not tried again: it may be what kills them."""
        return self._attempts.lost > lifecycle.MAX_LOST

    def fail(self, failure: Failure) -> None:
        """End it without another attempt, as far as that is still possible."""
        if not (self.events and self.events[-1].phase.is_terminal):
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
        log = AttemptLog(request, number, path, self._print)
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
            if image is not None:
                self._host.images.release(image)

    async def _image(self, environ: Mapping[str, str], log: AttemptLog) -> Image | None:
        """What it runs in, once that is there; None when it was stopped before. The wait is no queue."""

        def step(what: str) -> None:
            self._report(Phase.INITIALIZING, step="image", reason=f"image: {what}")

        follower = Follower(self.request.run, step, lambda lines: log.write("image", lines))
        self._attempts = replace(self._attempts, queued_at=None)
        ready = asyncio.ensure_future(self._host.images.ready(self.request, environ, follower))
        is_wanted = await self._unless_stopped(ready)
        self._attempts = replace(self._attempts, queued_at=time.time())
        if is_wanted:
            return ready.result()
        if not ready.cancelled() and ready.exception() is None:
            self._host.images.release(ready.result())
        return None

    async def _admitted(self, environ: Mapping[str, str], image: Image | None, log: AttemptLog) -> End:
        name = self.request.name
        try:
            if not await self._unless_stopped(self._host.slots.acquire(name)):
                return End()
            try:
                self._report(Phase.INITIALIZING)
                request = self.request
                # variables of its own may change how a library loads
                own_variables = bool(request.env or (image is not None and image.recipe.env_vars))
                python = image.python if image is not None else request.python
                worker = await self._host.zygotes.worker(python, request.task, request.preload, plain=own_variables)
            except ForkError as error:
                lost = Failure(code=lifecycle.LOST, kind="system", message=f"No process could be started: {error}.")
                return End(lost)
            return await self._watch(worker, environ, image, log)
        finally:
            self._host.slots.release(name)

    async def _unless_stopped(self, waiting: Any) -> bool:
        """Wait for something; False when the pod was stopped, or its time was over, before."""
        task = asyncio.ensure_future(waiting)
        stop = asyncio.ensure_future(self._stopped_or_late())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if task.done():
            task.result()
            return self._stopped is None
        task.cancel()
        await asyncio.wait({task})
        return False

    async def _stopped_or_late(self) -> None:
        """Until somebody stops the pod, or the next of its time limits."""
        limit = lifecycle.time_limit(self._attempts, self.request)
        if limit is None:
            await self._stop.wait()
            return
        when, failure = limit
        try:
            await asyncio.wait_for(self._stop.wait(), max(0.0, when - time.time()))
        except asyncio.TimeoutError:
            self.stop(failure, KILL_AFTER)

    async def _watch(self, worker: Worker, environ: Mapping[str, str], image: Image | None, log: AttemptLog) -> End:
        request, number = self.request, self._attempts.number
        log.follow(worker.stdout, worker.stderr)
        group = self._group(worker)
        conversation = Conversation(worker, self._started)
        conversation.send(
            {
                "pod": request.to_json(),
                "attempt": number,
                "environ": without_credentials(environ),
                "image": image and self._told(image, worker),
                "home": str(self._host.home.path),
                "memory": request.resources.most_memory if group is None or group.memory is None else None,
            }
        )
        try:
            await self._until_done(worker, conversation)
            done = conversation.done
            if done is not None:
                self._host.zygotes.learn(request.task, done["imported"])
                self._host.pruning.came(done["kept"])
            if done is not None and self._stopped is None:
                failure = Failure.from_json(done["failure"]) if done["failure"] else None
                return End(failure, done["peak_memory"], told=True)
            exit = _with_what_the_group_knows(await worker.exited, group)
            return End(lifecycle.unexplained(exit, request), exit.peak_memory)
        finally:
            conversation.close()
            if group is not None:  # it may still be ending
                worker.exited.add_done_callback(lambda _: self._host.groups.close(group))

    def _group(self, worker: Worker) -> Group | None:
        """The group that bounds the attempt, with its process in it; None when there is nothing to bound, or no way."""
        memory = self.request.resources.most_memory
        if memory is None:
            return None
        try:
            return self._host.groups.open(worker.pid, memory=memory)
        except OSError as error:  # the groups are not ours any more
            print(f"host: no control group for {self.request.name}: {error}", file=sys.stderr)  # noqa: T201 - its log
            return None

    def _told(self, image: Image, worker: Worker) -> dict[str, Any]:
        """What the attempt is told of its image; the folder that it may get goes with its process."""
        root = self._host.home.workdirs / f"{self.request.name}-{self._attempts.number}"
        if image.recipe.has_folder:
            removal = functools.partial(shutil.rmtree, root, ignore_errors=True)
            loop = asyncio.get_running_loop()
            worker.exited.add_done_callback(lambda _: loop.run_in_executor(None, removal))
        return image.told(root)

    async def _until_done(self, worker: Worker, conversation: Conversation) -> None:
        # not when it hangs up: a task may close what it does not know, and still be running
        either: list[asyncio.Future[Any]] = [conversation.told, worker.exited]
        ended = asyncio.ensure_future(asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED))
        while not ended.done():
            stop = asyncio.ensure_future(self._stopped_or_late())
            conversation.on_start = stop.cancel  # the limits are others once it runs
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if self._stopped is not None and not ended.done():
                worker.signal(signal.SIGTERM)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.shield(worker.exited), self._grace)
                worker.signal(signal.SIGKILL)
                await worker.exited
                ended.cancel()
                return

    def _started(self) -> None:
        now = time.time()
        self._attempts = replace(self._attempts, started_at=now)
        self._report(Phase.RUNNING, at=now)

    def _print(self, event: LogEvent) -> None:
        self.tail.add(event)
        self._host.publish(self.request.labels, event)

    def _report(
        self,
        phase: Phase,
        *,
        at: float | None = None,
        failure: Failure | None = None,
        retry_in: float | None = None,
        peak_memory: int | None = None,
        step: str = "",
        reason: str = "",
        cache: str = "",
    ) -> None:
        request = self.request
        last = self.events[-1] if self.events else None
        if last is not None and (last.phase, last.attempt, last.step) == (phase, self._attempts.number, step):
            at = last.at  # the same stretch of time; what is said of it has changed
            self.events.pop()
        event = PodEvent(
            run=request.run,
            action=request.action,
            parent=request.parent,
            task=request.task,
            title=request.title,
            phase=phase,
            at=at if at is not None else time.time(),
            attempt=self._attempts.number,
            failure=failure,
            retry_in=retry_in,
            peak_memory=peak_memory,
            step=step,
            reason=reason,
            links=request.links if phase is Phase.QUEUED else (),
            is_cached=bool(cache),
            cache=cache or (request.cache if phase is Phase.QUEUED else ""),
        )
        self.events.append(event)
        if phase.is_terminal:
            self._close()
        self._host.publish(self.request.labels, event)

    def _finish(self, step: Finish, end: End) -> None:
        request = self.request
        if step.failure is not None and not (end.told and step.failure is end.failure):
            payload = outcome.seal_failure(self._host.home.key(), step.failure, name=request.name)
            FileStore(request.store).put(keys.outcome(request.run, request.action), payload)
        self._report(step.phase, failure=step.failure, peak_memory=end.peak_memory)

    # --- what outlives the Host ---------------------------------------------------------------------------------------

    def save(self) -> None:
        """Note the request and its standing, so that another Host can go on."""
        path = self._host.home.open_pods / self.request.name
        draft = path.with_name(f".{path.name}")
        attempts = {"number": self._attempts.number, "failed": self._attempts.failed, "lost": self._attempts.lost}
        times = {"accepted_at": self._attempts.accepted_at}
        draft.write_text(json.dumps({"pod": self.request.to_json(), "attempts": {**attempts, **times}}))
        draft.replace(path)

    def _close(self) -> None:
        """The events into the store, then the note away: in this order nothing is lost between the two."""
        request = self.request
        history = [event.to_json() for event in self.events]
        store = FileStore(request.store)
        store.put(keys.status(request.run, request.action), [json.dumps(history).encode()])
        (self._host.home.open_pods / request.name).unlink(missing_ok=True)


def _with_what_the_group_knows(exit: Exit, group: Group | None) -> Exit:
    if group is None or group.memory is None:
        return exit
    return replace(
        exit,
        peak_memory=group.peak() or exit.peak_memory,
        memory_ran_out=group.kills() > 0,
        at_limit=group.hit_its_limit(),
    )
