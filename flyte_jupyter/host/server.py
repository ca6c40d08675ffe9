"""The Host: takes requests over a private socket, runs them as pods, and tells everybody who watches."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from ..credentials.mask import Mask
from ..errors import ConfigError
from ..home import Home
from ..pods import Event, PodEvent, PodRequest, SecretRef
from ..store import keys
from ..store.files import FileStore
from . import lifecycle, notes, unseen
from .environs import Environs
from .flights import Flights
from .image.images import Images
from .logs import AttemptLog
from .mounts import SecretFiles
from .pod import End, Pod
from .pool.pools import Pools
from .process.forks import ForkError
from .process.heap import trim
from .process.zygotes import Zygotes
from .records import LocalRecords
from .sampler import Sampler
from .shares import Shares
from .shelf import Bounds, Pruning
from .start import Start
from .stop import KILL_AFTER
from .vault import Vault
from .watcher import Watcher
from .wire import PROTOCOL, Frames, encode, is_me

if TYPE_CHECKING:
    from .trigger.triggers import Triggers

IDLE_VARIABLE = "FLYTE_JUPYTER_HOST_IDLE"
_IDLE = 600.0


def idle_limit() -> float:
    """Seconds without work after which the Host ends: `$FLYTE_JUPYTER_HOST_IDLE`, by default ten minutes."""
    try:
        return float(os.environ.get(IDLE_VARIABLE, ""))
    except ValueError:
        return _IDLE


@dataclass
class Host:
    """One per user. `serve` runs it until it is idle long enough or told to stop."""

    home: Home
    log: IO[bytes]
    zygotes: Zygotes = field(init=False)
    images: Images = field(init=False)
    shares: Shares = field(init=False)
    flights: Flights = field(init=False)
    sampler: Sampler = field(init=False)
    pruning: Pruning = field(init=False)
    pools: Pools = field(init=False)
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        self.shares = Shares(self.home.settings)  # first: it may move this process, and zygotes begin where it is
        self.vault = Vault(SecretFiles(self.home), self.is_gone)
        self.zygotes = Zygotes(self.log, self.home.images, self.shares.groups)
        self.images = Images(self.home, self.zygotes, self.log, self.vault)
        self.flights = Flights(self._parents)
        self.sampler = Sampler()
        self.pools = Pools(self)
        self.pruning = Pruning(self.home.store_url, Bounds.given())
        self.pods: dict[str, Pod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watchers: set[Watcher] = set()
        self._environs = Environs(self.home.environs)
        self._connections: set[asyncio.StreamWriter] = set()
        self._ending = asyncio.Event()
        self._is_stopping = False
        self._used = time.monotonic()
        self._idle_check: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Host {self.home.path} [{len(self.pods)} pods, {len(self._watchers)} watchers, {self.shares!r}]>"

    async def serve(self, ready: Any = None) -> None:
        """Until it is told to stop, or has had nothing to do for the idle time.

        Args:
            ready: called once clients can connect.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        if self.home.triggers.exists():
            self.triggers.load()
        self._adopt()
        path = self.home.socket
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._connected, path=str(path))
        path.chmod(0o600)
        self._check_idle()
        self.images.start()
        if ready is not None:
            ready()
        trim()
        try:
            await self._ending.wait()
            if self._is_stopping:
                await self._end_pods()
        finally:
            if self._has_triggers:
                self.triggers.end()
            server.close()
            path.unlink(missing_ok=True)
            for writer in list(self._connections):
                writer.close()
            for task in self._tasks.values():
                task.cancel()
            self.images.end()
            self.pools.close()
            self.zygotes.end()
            self.shares.end()

    async def _end_pods(self) -> None:
        """Somebody stops the Host: what runs is cancelled, instead of being left to the next Host."""
        for name in list(self.pods):
            self.stop(name, "The local Host was stopped.", KILL_AFTER)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=2 * KILL_AFTER)

    @functools.cached_property
    def triggers(self) -> Triggers:
        """Those that it fires; loaded when there are some, so that a Host without any starts sooner."""
        from .trigger.triggers import Triggers

        return Triggers(self.home, self._environs, self.launch)

    @property
    def _has_triggers(self) -> bool:
        return "triggers" in vars(self)

    # --- what pods need of it -----------------------------------------------------------------------------------------

    def environ(self, request: PodRequest) -> Mapping[str, str] | None:
        """The environment of the kernel that started the run; None when nobody has said it.

        Another kernel's, or the Host's own, may hold what this task must not see. A pod that names no kernel has the
        Host's.
        """
        session = request.session
        return os.environ if session is None else self._environs.get(session)

    def is_gone(self, session: str | None) -> bool:
        """Whether the kernel of that name will say nothing any more."""
        return session is not None and self._environs.is_gone(session)

    def records(self, request: PodRequest) -> LocalRecords:
        return LocalRecords(self.home, request)

    def mask(self, request: PodRequest) -> Mask:
        return self.vault.mask(request.session)

    async def attempt(self, pod: Pod, log: AttemptLog) -> End:
        return await Start(self, pod, log).run()

    def done(self, request: PodRequest, told: Mapping[str, Any]) -> None:
        self.zygotes.learn(request.task, told["imported"])
        self.pruning.came(told["kept"])

    def publish(self, labels: Mapping[str, str], event: Event) -> None:
        for watcher in self._watchers:
            if watcher.wants(labels):
                watcher.tell(event)

    # --- pods ---------------------------------------------------------------------------------------------------------

    def launch(self, request: PodRequest, attempts: lifecycle.Attempts | None = None) -> None:
        """Accept a request; one that is here already, or has ended, is left alone.

        It is noted on disk when this returns. Raises `OSError` when that is not possible.
        """
        if request.name in self.pods or self._has_ended(request):
            return
        pod = Pod(request, self, attempts)
        self._environs.keep(request.session)
        pod.save()
        self.pods[request.name] = pod
        self._tasks[request.name] = asyncio.get_running_loop().create_task(self._run(pod))

    def _has_ended(self, request: PodRequest) -> bool:
        """Asked twice when a client cannot know whether its first request arrived: it must not run twice."""
        store = FileStore(request.store)
        return os.path.exists(store.path(keys.status(request.run, request.action)))

    async def _run(self, pod: Pod) -> None:
        caller = pod.request.caller
        if caller is not None:
            self.shares.opened(caller)
        try:
            if pod.is_lost_for_good:
                pod.fail(lifecycle.LOST_WITH_HOST)
            elif not (pod.is_adopted and pod.succeeded_before()):
                await pod.run()
        except Exception:  # whoever waits must hear of it, whatever it is
            traceback.print_exc()
            pod.fail(lifecycle.TORN)
        finally:
            if caller is not None:
                self.shares.closed(caller)
                self.pools.look()
            else:
                self.pools.ended(pod.request.run)
            del self.pods[pod.request.name], self._tasks[pod.request.name]
            self._environs.release(pod.request.session)
            if caller not in self.pods and not self._is_heard(pod.request.labels):
                unseen.note(self.home, pod.request)
            self._used = time.monotonic()

    def _is_heard(self, labels: Mapping[str, str]) -> bool:
        """Whether somebody is told whom it concerns."""
        return any(watcher.wants(labels) and not watcher.looks_on for watcher in self._watchers)

    def stop(self, name: str, reason: str, grace: float) -> None:
        """Cancel a pod; what it called goes with it."""
        pod = self.pods.get(name)
        if pod is not None:
            pod.stop(lifecycle.aborted(reason), grace)
            for child in self._children(pod):
                self.stop(child.request.name, reason, grace)

    async def end_children(self, pod: Pod) -> None:
        """End what an attempt has called and not waited for: nobody is left who could use it."""
        while children := self._children(pod):
            for child in children:
                child.stop(lifecycle.aborted(f"{pod.request.title}, which called it, has ended."), 0.0)
            await asyncio.wait([self._tasks[child.request.name] for child in children])

    def _parents(self) -> dict[str, str | None]:
        """The pods that are open, each with the name of its parent."""
        return {name: pod.request.caller for name, pod in self.pods.items()}

    def _children(self, pod: Pod) -> list[Pod]:
        return [each for each in self.pods.values() if each.request.caller == pod.request.name]

    def _adopt(self) -> None:
        """Go on with what a Host that died had accepted. Called tasks are asked for again by their callers."""
        shutil.rmtree(self.home.workdirs, ignore_errors=True)  # of attempts that have died with their Host
        for request, attempts in notes.left(self.home.open_pods):
            self.launch(request, attempts)
            if request.name not in self.pods:  # it had ended, but for taking the note away
                notes.remove(self.home.open_pods, request.name)
        self._environs.drop_unkept()

    # --- clients ------------------------------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_me(writer.get_extra_info("socket")):
            writer.close()
            return
        self._connections.add(writer)
        watcher: Watcher | None = None
        frames = Frames()
        try:
            while data := await reader.read(65536):
                self._used = time.monotonic()
                for message in frames.feed(data):
                    if self._ending.is_set():
                        return  # no answer: the client asks the next Host
                    if message.get("op") == "watch":
                        kind = {name: bool(message.get(name)) for name in ("looks_on", "phases")}
                        watcher = self._watch(Watcher(message["labels"], writer, **kind))
                    else:
                        writer.write(encode(self._answer(message)))
        except (ConnectionResetError, BrokenPipeError, asyncio.CancelledError):
            pass  # the client is gone, or the Host is ending
        except (ValueError, LookupError) as error:
            sys.stderr.write(f"host: hung up on a client that does not speak its language: {error!r}\n")
        finally:
            self._connections.discard(writer)
            if watcher is not None:
                self._watchers.discard(watcher)
            writer.close()

    def _watch(self, watcher: Watcher) -> Watcher:
        """First what is, then a mark, then what happens."""
        for pod in self.pods.values():
            if watcher.wants(pod.request.labels):
                for event in pod.history.events:
                    watcher.tell(event)
                for news in (*pod.tail, *pod.showing):
                    watcher.tell(news)
        watcher.writer.write(encode({"op": "synced"}))
        self._watchers.add(watcher)
        return watcher

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._serve(message)
        except ConfigError as error:  # first: some are a TypeError too
            return {"op": "wrong", "reason": str(error)}
        except (KeyError, TypeError) as error:
            return {"op": "refused", "reason": f"this request is not complete or not right: {error!r}"}
        except (OSError, ForkError) as error:
            return {"op": "refused", "reason": f"it cannot be accepted: {error}"}

    def _serve(self, message: dict[str, Any]) -> dict[str, Any]:
        op = message["op"]
        if op == "hello":
            return {"op": "hello", "protocol": PROTOCOL, "pid": os.getpid()}
        if op == "environ":
            self._environs.set(message["session"], message["environ"], message["process"])
        elif op == "secrets":
            self.vault.take(message["session"], message["values"], message["given"])
        elif op == "unknown":
            return {"op": "unknown", "secrets": self._unknown(message["session"], message["secrets"])}
        elif op == "prepare":
            self.zygotes.start(message["python"])
        elif op == "missing":
            return {"op": "missing", "missing": self._missing(PodRequest.from_json(message["pod"]))}
        elif op == "queues":
            return {"op": "queues", "queues": self.shares.lanes.table(), "settings": str(self.home.settings)}
        elif op == "launch":
            request = PodRequest.from_json(message["pod"])
            self.launch(request)
            if request.trigger_time is not None:
                self.triggers.launched(request)
        elif op == "rebuild":
            self.images.rebuild(message["key"])
            self.pools.rebuild(message["key"])
        elif op == "tell":
            self.publish(message["labels"], PodEvent.from_json(message["event"]))
        elif op == "stop":
            self.stop(message["name"], message["reason"], message["grace"])
        elif op == "deploy":
            self._environs.set(message["session"], message["environ"], None)
            self.vault.take(message["session"], message["secrets"])
            self.triggers.deploy(message["triggers"], message["tasks"])
        elif op == "triggers":
            return {"op": "triggers", "triggers": [each.to_json() for each in self.triggers.known()]}
        elif op == "trigger":
            try:
                self.triggers.change(message["id"], message["do"])
            except LookupError:
                return {"op": "refused", "reason": "it does not fire that trigger (any more); see flyte.triggers()"}
        elif op == "pools":
            return {"op": "pools", "pools": self.pools.to_json()}
        elif op == "shutdown_pool":
            if not self.pools.shutdown(message["id"]):
                return {"op": "refused", "reason": "that pool has ended; see flyte.pools()"}
        elif op == "shutdown":
            self._is_stopping = True
            self._ending.set()
        elif op == "status":
            return {
                "op": "status",
                "pid": os.getpid(),
                "pods": sorted(self.pods),
                "slots": repr(self.shares.admission),
                "groups": repr(self.shares.groups),
                "triggers": repr(self.triggers),
            }
        else:
            return {"op": "refused", "reason": f"unknown request {op!r}"}
        return {"op": "ok"}

    def _missing(self, request: PodRequest) -> list[str]:
        if request.queue is not None:
            self.shares.lanes.check()
        return self.shares.missing(request, self.environ(request) or {})

    def _unknown(self, session: str | None, secrets: list[list[Any]]) -> list[SecretRef]:
        environ = self._environs.get(session) if session is not None else os.environ
        return self.vault.unknown(session, [SecretRef(*secret) for secret in secrets], environ)

    def _check_idle(self) -> None:
        limit = idle_limit()
        idle = time.monotonic() - self._used
        is_needed = bool(self.pods) or bool(self.pools) or (self._has_triggers and self.triggers.next() is not None)
        if not is_needed and idle >= limit:
            print("host: idle, ending", file=sys.stderr)  # noqa: T201 - its log
            self._ending.set()
            return
        wait = limit if is_needed else limit - idle
        self._idle_check = asyncio.get_running_loop().call_later(max(wait, 0.05), self._check_idle)
