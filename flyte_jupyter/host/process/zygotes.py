"""Which zygote serves which attempt, and the workers that wait ready for work."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from ...pack.libraries import installed_in
from ..machine.cgroups import Groups
from ..machine.limits import raise_open_files
from .forks import ForkError, Worker, Zygote

_PARKED = 5.0
"""Seconds that a worker is kept ready: for the next cell of somebody who is running cells."""
_IDLE = 300.0
"""Seconds after which a zygote with libraries in it, or one of an image, ends when nobody uses it."""
_MOST_WARM = 6
"""Zygotes with libraries in them: each has the memory of these."""


class Zygotes:
    """All zygotes of a Host: per interpreter a bare one, and those with the libraries that tasks turned out to use, one
    for each number of threads, since some libraries read it when they are loaded.

    A worker is kept ready per zygote in use, so that the fork is not on a task's way.

    Args:
        log: of the Host; images: the folder of the virtual environments that it has made; groups: makes control groups.
    """

    def __init__(self, log: IO[bytes], images: Path, groups: Groups) -> None:
        self._log = log
        self._images = images
        self._groups = groups
        self._files = raise_open_files()
        self._bare: dict[str, Zygote] = {}
        self._warm: dict[tuple[str, int | None], Zygote] = {}  # by interpreter and threads
        self._unsafe: dict[str, set[str]] = {}
        self._imports: dict[str, frozenset[str]] = {}
        self._parked: dict[tuple[Zygote, bool], asyncio.Task[Worker]] = {}  # with a group or not
        self._retiring: dict[asyncio.Task[None], str] = {}
        self._idle_check: asyncio.TimerHandle | None = None

    def learn(self, task: str, imported: list[str]) -> None:
        """A task has imported these libraries itself."""
        if imported:
            self._imports[task] = self._imports.get(task, frozenset()).union(imported)

    def start(self, python: str) -> Zygote:
        """The bare zygote of an interpreter, started when needed."""
        zygote = self._bare.get(python)
        if zygote is None or zygote.lost:
            zygote = self._bare[python] = self._make(python, frozenset())
        return zygote

    def serves(self, python: str) -> bool:
        """Whether there is a zygote of that interpreter."""
        return any(zygote.python == python and not zygote.lost for zygote in self._all())

    async def retire(self, python: str) -> None:
        """End the zygotes of an interpreter, once their last workers have ended."""
        for zygote in [zygote for zygote in self._all() if zygote.python == python]:
            self._retire(zygote)
        await asyncio.gather(*(retiring for retiring, of in self._retiring.items() if of == python))

    def _all(self) -> list[Zygote]:
        return [*self._bare.values(), *self._warm.values()]

    def _make(self, python: str, modules: frozenset[str], threads: int | None = None) -> Zygote:
        of_image = self._is_image(python)
        zygote = Zygote(python, modules, self._files, self._log, self._forget, of_image=of_image, threads=threads)
        if self._idle_check is None and (modules or self._is_image(python)):
            self._idle_check = asyncio.get_running_loop().call_later(_IDLE, self._cool)
        return zygote

    def _is_image(self, python: str) -> bool:
        return Path(python).is_relative_to(self._images)

    async def worker(
        self,
        python: str,
        task: str,
        modules: tuple[str, ...],
        *,
        plain: bool,
        path: Sequence[str] = (),
        threads: int | None = None,
        grouped: bool = False,
    ) -> Worker:
        """A worker for an attempt.

        Args:
            task: its name: what it imported the last time, it will import again.
            modules: what is known of this call's imports.
            plain: without them, as when the attempt's environment variables may change how they load.
            path: where they are looked for; whether something was installed there since they were loaded.
            threads: that libraries are to use, which some of them read when they are loaded.
            grouped: in a control group, as far as any can be made here.
        """
        zygote = self.start(python)
        wanted = self._imports.get(task, frozenset()).union(modules)
        if not plain and wanted and sys.platform == "linux":  # frameworks of macOS do not survive a fork
            warm = self._warm_for(python, wanted, path, threads)
            if warm is not None and warm.ready.done() and not warm.lost:
                zygote = warm
        if not zygote.ready.done():
            await asyncio.shield(zygote.ready)
        if zygote.lost:
            raise ForkError(f"the zygote of {python} ended while it was starting; the end of the Host's log says why")
        worker = await self._unpark(zygote, grouped)
        # not now: forking another would slow this one down
        worker.exited.add_done_callback(lambda _: self._park(zygote, grouped))
        return worker

    async def _unpark(self, zygote: Zygote, grouped: bool) -> Worker:
        parked = self._parked.pop((zygote, grouped), None)
        if parked is not None:
            with contextlib.suppress(ForkError):
                worker = await parked
                if not worker.exited.done():
                    zygote.used = time.monotonic()
                    return worker
                worker.discard()
        return await self._fork(zygote, grouped)

    async def _fork(self, zygote: Zygote, grouped: bool) -> Worker:
        group = self._groups.prepare() if grouped else None
        if group is None:
            return await zygote.fork()
        try:
            worker = await zygote.fork(group)
        except BaseException:
            self._groups.close(group)
            raise
        worker.exited.add_done_callback(lambda _: self._groups.close(group))
        return worker

    def _park(self, zygote: Zygote, grouped: bool) -> None:
        if (zygote, grouped) not in self._parked and not zygote.lost and not zygote.retired:
            loop = asyncio.get_running_loop()
            parked = self._parked[zygote, grouped] = loop.create_task(self._fork(zygote, grouped))
            loop.call_later(_PARKED, self._unused, zygote, grouped, parked)

    def _unused(self, zygote: Zygote, grouped: bool, parked: asyncio.Task[Worker]) -> None:
        if self._parked.get((zygote, grouped)) is parked and parked.done():
            del self._parked[zygote, grouped]
            if parked.exception() is None:
                parked.result().discard()

    def _warm_for(
        self, python: str, modules: frozenset[str], path: Sequence[str], threads: int | None
    ) -> Zygote | None:
        unsafe = self._unsafe.setdefault(python, set())
        wanted = modules - unsafe
        if not wanted:
            return None
        warm = self._warm.get((python, threads))
        installed = installed_in(path)
        if warm is None or warm.lost:
            return self._heat(python, wanted, installed, threads)
        is_fresh = all(warm.installed.setdefault(folder, changed) == changed for folder, changed in installed)
        if is_fresh and wanted <= warm.modules:
            return warm
        if warm.ready.done() or not is_fresh:  # one at a time; the old one serves until its successor is asked for
            self._retire(warm)
            self._heat(python, wanted | warm.modules, installed, threads)
        return None

    def _heat(
        self, python: str, modules: frozenset[str], installed: Sequence[tuple[str, int]], threads: int | None
    ) -> Zygote:
        if len(self._warm) >= _MOST_WARM:
            self._retire(min(self._warm.values(), key=lambda zygote: zygote.used))
        warm = self._warm[python, threads] = self._make(python, modules, threads)
        warm.installed = dict(installed)

        def learn(ready: asyncio.Future[str | None]) -> None:
            if ready.result():
                self._unsafe[python].add(str(ready.result()))

        warm.ready.add_done_callback(learn)
        return warm

    def _cool(self) -> None:
        self._idle_check = None
        mortal = [*self._warm.values(), *(bare for python, bare in self._bare.items() if self._is_image(python))]
        for zygote in mortal:
            if time.monotonic() - zygote.used >= _IDLE:
                self._retire(zygote)
        if mortal:
            self._idle_check = asyncio.get_running_loop().call_later(_IDLE / 2, self._cool)

    def _retire(self, zygote: Zygote) -> None:
        """No more work for it; it ends when its last worker has."""
        zygote.retired = True
        self._warm = {key: z for key, z in self._warm.items() if z is not zygote}
        self._bare = {python: z for python, z in self._bare.items() if z is not zygote}
        parked = [self._parked.pop((zygote, grouped), None) for grouped in (False, True)]

        async def end() -> None:
            for one in filter(None, parked):
                with contextlib.suppress(ForkError):
                    (await one).discard()
            while zygote.is_busy:
                awaited: list[asyncio.Future[Any]] = [worker.exited for worker in zygote.workers.values()]
                await asyncio.wait(awaited or [zygote.last_fork])
            zygote.end()

        retiring = asyncio.get_running_loop().create_task(end())
        self._retiring[retiring] = zygote.python
        retiring.add_done_callback(self._retiring.pop)

    def _forget(self, zygote: Zygote) -> None:
        for grouped in (False, True):
            parked = self._parked.pop((zygote, grouped), None)
            if parked is not None and parked.done() and parked.exception() is None:
                parked.result().discard()

    def end(self) -> None:
        """End all of them."""
        for zygote in self._all():
            zygote.end()
