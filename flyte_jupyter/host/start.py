"""How an attempt gets a process on this machine: once its image is there, and all that it asks for is free."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from ..errors import HostError
from ..pods import Phase, PodRequest
from . import lifecycle
from .image.images import Follower, Image, ImageFailed
from .logs import AttemptLog
from .pod import End, Pod
from .pool.pools import Pools
from .process.forks import ForkError, Worker
from .running import Alone, Machinery, forked, remove_folder, told
from .shares import Share


class Place(Machinery, Protocol):
    """What attempts are started on."""

    pools: Pools

    def environ(self, request: PodRequest) -> Mapping[str, str] | None:
        """The environment variables of the kernel that has started the run, None when nobody has said them."""


class Start:
    """One attempt of a pod, from its turn in the queue to its end.

    Args:
        log: takes what its image and its process print.
    """

    def __init__(self, host: Place, pod: Pod, log: AttemptLog) -> None:
        self._host = host
        self._pod = pod
        self._request = pod.request
        self._log = log

    async def run(self) -> End:
        """Start it as soon as it may, and have the pod watch it."""
        environ = self._host.environ(self._request)
        if environ is None:
            return End(lifecycle.STRANGER)
        image: Image | None = None
        try:
            if self._request.image is not None:
                image = await self._image(environ)
                if image is None:
                    return End()
            return await self._admitted(environ, image)
        except ImageFailed as failed:
            return End(failed.failure)
        finally:
            if image is not None:
                self._host.images.release(image)

    async def _image(self, environ: Mapping[str, str]) -> Image | None:
        """What it runs in, once that is there; None when it was stopped before. The wait is no queue."""

        def step(what: str) -> None:
            self._pod.report(Phase.INITIALIZING, step="image", reason=f"image: {what}")

        follower = Follower(self._request.run, step, lambda lines: self._log.write("image", lines))
        self._pod.attempts = replace(self._pod.attempts, queued_at=None)
        ready = asyncio.ensure_future(self._host.images.ready(self._request, environ, follower))
        is_wanted = await self._pod.stopping.unless(ready)
        self._pod.attempts = replace(self._pod.attempts, queued_at=time.time())
        if is_wanted:
            return ready.result()
        if not ready.cancelled() and ready.exception() is None:
            self._host.images.release(ready.result())
        return None

    async def _admitted(self, environ: Mapping[str, str], image: Image | None) -> End:
        request, shares = self._request, self._host.shares
        try:
            if request.queue is not None:
                entering = asyncio.ensure_future(shares.lanes.enter(request.queue, request.name))
                if not await self._waited(entering, Phase.QUEUED, shares.lanes.why):
                    return End()
            if request.reuse is not None:
                return await self._seated(environ, image)
            acquiring = asyncio.ensure_future(shares.acquire(request, environ))
            is_wanted = await self._waited(acquiring, Phase.WAITING_FOR_RESOURCES, shares.admission.why)
            if not is_wanted:
                if not acquiring.cancelled() and acquiring.exception() is None:
                    acquiring.result().let_go(None)
                return End()
            return await self._start(acquiring.result(), environ, image)
        finally:
            shares.release(request.name)

    async def _seated(self, environ: Mapping[str, str], image: Image | None) -> End:
        """Run in a replica of its pool."""
        request = self._request
        if (end := await self._know_secrets(environ)) is not None:
            return end
        pool = self._host.pools.of(request, environ)

        def admitted(notes: tuple[str, ...]) -> None:
            if self._pod.stopping.reason is None:
                self._pod.report(Phase.INITIALIZING, notes=notes)

        taking = asyncio.ensure_future(
            pool.take(request, environ, image, self._log, self._pod.conversation(), admitted)
        )
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
        seat.begin(self._pod.attempts.number)
        return await self._pod.watch(seat)

    async def _start(self, share: Share, environ: Mapping[str, str], image: Image | None) -> End:
        request, host = self._request, self._host
        folder = f"{request.name}-{self._pod.attempts.number}"
        worker: Worker | None = None
        try:
            if (end := await self._know_secrets(environ)) is not None:
                return end
            self._pod.report(Phase.INITIALIZING, notes=share.notes)
            if share.scratch is not None:
                self._pod.save(share.scratch)
            worker = await forked(host, request, share, image)
            remove_folder(host, image, worker, folder)
            try:
                secrets = host.vault.hand_out(request, folder, environ)
            except (OSError, HostError) as error:
                worker.discard()
                return End(lifecycle.not_handed_out(error))
            self._log.follow(worker.stdout, worker.stderr)
            what = {"attempt": self._pod.attempts.number, **told(host, request, environ, share, image, folder)}
            return await self._pod.watch(
                Alone(worker, share, secrets, what, self._pod.conversation(), host.vault.take_back)
            )
        except ForkError as error:
            return End(lifecycle.not_forked(error))
        finally:
            share.let_go(worker)

    async def _know_secrets(self, environ: Mapping[str, str]) -> End | None:
        """Wait until the values of its secrets are known; the end of the attempt when nobody has them."""
        request, vault = self._request, self._host.vault
        wanted = (request.session, request.secrets, environ)
        if unknown := vault.unknown(*wanted):
            self._pod.report(Phase.INITIALIZING, step="secrets", reason=lifecycle.waits_for(unknown))
            is_wanted = await self._pod.stopping.unless(vault.until_known(*wanted, request.cwd))
            if not is_wanted or (unknown := vault.unknown(*wanted)):
                return End(lifecycle.forgotten(unknown))
        return None

    async def _waited(self, waiting: asyncio.Future[Any], phase: Phase, why: Callable[[str], str]) -> bool:
        """Wait for what others have, and tell what for; False as in `Stop.unless`."""
        since, told = time.time(), ""

        def tell() -> None:
            nonlocal told
            reason = why(self._request.name)
            if reason not in ("", told):
                told = reason
                self._pod.report(phase, at=since, reason=reason)

        return await self._pod.stopping.unless(waiting, tell)
