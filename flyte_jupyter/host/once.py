"""The Host of one request, in the container of a pod: it runs its attempts, and tells of them on standard output.

The cluster has given the pod what the request asks for, and starts another pod when this one is lost.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, Any, Protocol

from ..credentials.mask import Mask
from ..errors import ConfigError, HostError, RuntimeSystemError, StoreError, StoreRefusedError
from ..home import Home
from ..pack.failure import failure_of
from ..pods import Event, Failure, Phase, PodEvent, PodRequest, history_of
from ..store import Store, keys, open_store
from . import lifecycle
from .container import Bounds, Secrets, variables
from .fit import differences, misfit
from .flights import Flights
from .given import ACCEPTED_AT, CALL, GRACE, HOPELESS, KEY, LAST_WORD, NOTES, POD, REQUEST
from .handover import Handover
from .lifecycle import Attempts
from .logs import AttemptLog
from .machine.limits import raise_open_files
from .pod import End, Pod
from .process.forks import Born, ForkError, Worker, Zygote
from .process.inside import put_file
from .running import Alone
from .sampler import Sampler
from .spoken import Ended, News, Other, Recalled, encode, pieces
from .stored import Carried, StoredRecords

_GRACE, _LAST_WORDS = 30.0, 5.0
"""The second is how much of the grace is left for what has to be done when the task has ended."""
TAKEN_AWAY = 128 + signal.SIGTERM


class Inside(Protocol):
    """What the pod does in its cluster besides."""

    async def end_children(self, request: PodRequest, home: Home) -> None:
        """End what an action has called and not waited for; `home` has the signing key."""

    async def hand_on(self, request: PodRequest) -> None:
        """Have the next pod find how far it is, where that is not in a store that both reach. Raises `HostError`."""


class Once:
    """One action in its pod (`pod.Environment`).

    Args:
        environ: of the container. tell: takes the news.
        log: takes what the Host and its zygote print; zygote: that is there already.
        inside: what it does in its cluster, None outside of one.

    Raises:
        HostError: the container does not have what it should.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        tell: Callable[[bytes], None],
        log: IO[bytes],
        zygote: Born | None = None,
        inside: Inside | None = None,
    ) -> None:
        self.home = _home(environ)
        self.flights = Flights(dict)
        self.sampler = Sampler()
        self._carried = Carried(Path(environ[CALL]), self.home) if CALL in environ else None
        request, self._unknown = _request(environ)
        self.request = self._own(request)
        self._secrets = Secrets(self.request.secrets, environ)
        self._bounds = Bounds(self.request.resources.most_memory)
        self._environ = variables(environ, self.home, self.request)
        self._name = environ.get(POD, "")
        self._notes = tuple(environ.get(NOTES, "").splitlines())
        self._accepted_at = min(float(environ.get(ACCEPTED_AT, "inf")), time.time())
        self._grace = float(environ.get(GRACE, _GRACE))
        self._tell = tell
        self._log = log
        self._inside = inside
        self._files = raise_open_files()
        self._born = zygote
        self._zygote: Zygote | None = None
        self._writing = ThreadPoolExecutor(1, "flyte-jupyter-store")
        self._store: Store | None = None
        self._pod: Pod | None = None
        self._is_left = False
        self._keeping: asyncio.Future[None] | None = None
        self._handing: asyncio.Future[None] | None = None
        self._has_files = False

    def __repr__(self) -> str:
        return f"<Once {self.request.name} {self.home.path}>"

    async def run(self) -> int:
        """Until the action has ended, or the pod is taken away; the exit code.

        It is 0 whatever the outcome is, once that is in the store: another code makes the cluster start another pod.
        """
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._taken_away)
        self._start()  # while the store is asked
        try:
            handover = await asyncio.get_running_loop().run_in_executor(self._writing, self._begin)
            if handover is None:
                self.say(Ended())
                return 0
            pod = self._pod = Pod(self.request, self, handover.attempts, handover.why)
            if self._is_left:
                return TAKEN_AWAY
            await self._run(pod)
            if pod.is_left:
                return TAKEN_AWAY
            self.say(Ended())
            return 0
        finally:
            if self._zygote is not None:
                self._zygote.end()
            self._writing.shutdown()

    async def _run(self, pod: Pod) -> None:
        records = self._records
        self._keeping = asyncio.ensure_future(records.keep())
        try:
            if not (pod.is_adopted and pod.succeeded_before()):
                pod.save()
                await pod.run()
        except (StoreError, OSError):
            raise  # what is in the store stays as it is: another pod may reach it again
        except Exception:  # whoever waits must hear of it, whatever it is
            traceback.print_exc()
            pod.fail(lifecycle.TORN)
        finally:
            self._keeping.cancel()
            await records.close_logs()

    def say(self, news: News) -> None:
        """Tell whoever follows."""
        self._tell(encode(news))

    # --- what the pod needs of it -------------------------------------------------------------------------------------

    def records(self, _request: PodRequest) -> StoredRecords:
        return self._records

    @functools.cached_property
    def _records(self) -> StoredRecords:
        assert self._store is not None
        return StoredRecords(self._store, self.request, self._name, self.home, self._writing, self._saved)

    def _saved(self, key: str, data: bytes) -> None:
        if self._carried is not None:
            for piece in pieces(key, data):
                self.say(piece)

    def mask(self, _request: PodRequest) -> Mask:
        return self._secrets.mask

    def publish(self, _labels: Mapping[str, str], event: Event) -> None:
        if isinstance(event, PodEvent) and event.action != self.request.action:
            self.say(Recalled(event))
            return
        if isinstance(event, PodEvent) and event.phase.is_terminal and self._carried is not None:
            for piece in self._carried.left(self.request):  # first: who hears of the end looks for them
                self.say(piece)
        self.say(event)
        if isinstance(event, PodEvent) and event.phase is Phase.RUNNING and self._carried is not None:
            self._handing = asyncio.ensure_future(self._hand_on())  # while the task runs: it takes time

    def done(self, _request: PodRequest, _told: Mapping[str, Any]) -> None:
        """What it has imported, and keeps, is of no use to another one."""

    async def end_children(self, pod: Pod) -> None:
        if self._inside is not None:
            await self._inside.end_children(pod.request, self.home)

    async def _hand_on(self) -> None:
        try:
            if self._inside is not None:
                await self._inside.hand_on(self.request)
        except HostError as error:  # then the next pod knows it when somebody watches
            print(f"host: {error}", file=sys.stderr)  # noqa: T201 - its log

    async def attempt(self, pod: Pod, log: AttemptLog) -> End:
        """Fork a process, and have the pod watch it."""
        failure = self._unknown or misfit(self.request)
        if failure is not None:
            return End(failure)
        try:
            await asyncio.to_thread(self._put_files)
            secrets = self._secrets.hand_out()
            forking = asyncio.ensure_future(self._worker())
            if not await pod.stopping.unless(forking):
                return End()
            worker = forking.result()
        except (RuntimeSystemError, StoreError) as error:
            return End(failure_of(error))
        except HostError as error:
            return End(lifecycle.not_handed_out(error))
        except ForkError as error:
            return End(lifecycle.not_forked(error))
        pod.report(Phase.INITIALIZING, notes=(*self._notes, *differences(self.request)), pod=self._name)
        log.follow(worker.stdout, worker.stderr)
        told = {
            "attempt": pod.attempts.number,
            "pod": self.request.to_json(),
            "environ": self._environ,
            "image": None,
            "home": str(self.home.path),
            "mode": "remote",
        }
        end = await pod.watch(Alone(worker, self._bounds, secrets, told, pod.conversation(), lambda _: None))
        return end if self._carried is None else self._carried.bounded(end, self.request)

    def _put_files(self) -> None:
        """Those that go along, once."""
        if self.request.files and not self._has_files:
            from ..store.included import list_of

            for content in list_of(self._records.store, self.request.files):
                put_file(self._records.store, content, Path(keys.checked(content.path)))
        self._has_files = True

    async def _worker(self) -> Worker:
        zygote = self._start()
        await asyncio.shield(zygote.ready)
        if zygote.lost:
            raise ForkError("the zygote ended while it was starting")
        return await zygote.fork()

    def _start(self) -> Zygote:
        if self._zygote is None or self._zygote.lost:
            self._zygote = Zygote(sys.executable, frozenset(), self._files, self._log, lambda _: None, born=self._born)
            self._born = None
        return self._zygote

    # --- its beginning and its end ------------------------------------------------------------------------------------

    def _own(self, request: PodRequest) -> PodRequest:
        """The request as it is here: what the cluster has seen to is not asked for again."""
        store = request.store if self._carried is None else self._carried.url
        own = replace(request, store=store, python=sys.executable, cwd=os.getcwd(), path=())
        return replace(own, queue=None, image=None, reuse=None, preload=())

    def _begin(self) -> Handover | None:
        """Open the store; how far the action is. None when it had ended: then that is told."""
        store = self._store = open_store(self.request.store)
        if self._carried is not None:
            self._carried.pour()
        request, now = self.request, time.time()
        before = self._records.before(now)
        if before is None:
            return Handover(Attempts(accepted_at=self._accepted_at, queued_at=self._accepted_at))
        try:
            history = history_of(store.get(keys.status(request.run, request.action)))
        except KeyError:
            return before
        for event in history:
            self.publish(request.labels, event)
        return None

    def _taken_away(self) -> None:
        self._is_left = True
        if self._pod is not None:
            if self._keeping is not None:
                self._keeping.cancel()
            self._keeping = asyncio.ensure_future(self._records.keep(0.0))  # it may be killed before its end
            self._pod.leave(max(0.0, self._grace - _LAST_WORDS))


def _request(environ: Mapping[str, str]) -> tuple[PodRequest, Failure | None]:
    """What is asked for; and why it cannot be done, when it was asked for by another version.

    Raises:
        HostError: it is not there, or cannot be read at all.
    """
    known = {each.name for each in fields(PodRequest)}
    try:
        said = json.loads(environ[REQUEST])
        unknown = sorted(said.keys() - known)
        request = PodRequest.from_json({name: value for name, value in said.items() if name in known})
    except KeyError:
        raise HostError(f"{REQUEST} is not set: this program is what a pod of a task runs, and nothing else.") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise HostError(f"{REQUEST} cannot be read: {error!r}") from None
    return request, lifecycle.of_another_version(request, unknown) if unknown else None


def _home(environ: Mapping[str, str]) -> Home:
    """The state folder; it is not the volume itself, which belongs to whom the cluster likes."""
    home = Home(Home().path / "state").make()
    key = environ.get(KEY)
    if key is not None and not os.path.lexists(home.path / "key"):
        os.symlink(key, home.path / "key")
    return home


def run(said: int, log: IO[bytes], zygote: Born, inside: Inside | None = None) -> int:
    """Run the one request of this container; returns the exit code.

    Args:
        said: where the news go; log: takes what is printed here; zygote: that this process was before.
        inside: see `Once`.
    """

    async def once() -> int:
        return await Once(os.environ, functools.partial(_write, said), log, zygote, inside).run()

    try:
        return asyncio.run(once())
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.flush()
        for line in Path(log.name).read_text(errors="replace").splitlines():
            _write(said, encode(Other(line)))
        _leave(str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}")
        return HOPELESS if isinstance(error, (HostError, StoreRefusedError)) else 1


def _leave(word: str) -> None:
    """Tell the cluster why it ends like that."""
    if os.access(LAST_WORD, os.W_OK):  # else it is no container of a pod
        Path(LAST_WORD).write_text(word)


def _write(to: int, data: bytes) -> None:
    while data:
        data = data[os.write(to, data) :]
