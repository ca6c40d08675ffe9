"""The images of a Host: each virtual environment is built when it is first needed, once for all who wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ...config.image.recipe import Recipe
from ...config.image.recipe import Venv as VenvRecipe
from ...config.values.secret import Secret
from ...credentials.needs import ref_of
from ...home import Home
from ...pack.envelope import PayloadError
from ...pack.image import unseal_recipe
from ...pods import Failure, PodRequest
from ...store import keys
from ...store.files import FileStore
from .. import lifecycle
from ..process.zygotes import Zygotes
from ..program import command
from ..vault import Vault
from ..wire import Frames, encode
from .venv import Venv, tidy

_KEPT_LINES = 200
_DYING = 5.0
_KEPT_RECIPES = 200
_TIDY_AFTER = 20.0
"""Seconds after its start that a Host looks for what may go: not while somebody waits for a first result."""


class ImageFailed(Exception):
    """The image cannot be had; `failure` is what becomes of the action."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True)
class Image:
    """An image that is ready for attempts.

    Attributes:
        recipe: what it is; python: its interpreter; key: of its virtual environment, None for none of its own.
    """

    recipe: Recipe
    python: str
    key: str | None

    def told(self, root: Path) -> dict[str, Any]:
        """What an attempt is told of it; `root` is where it may have a folder of its own."""
        venv = os.path.dirname(os.path.dirname(self.python)) if self.key is not None else None
        return {
            "recipe": self.recipe.to_json(),
            "venv": venv,
            "root": str(root) if self.recipe.has_folder else None,
        }


@dataclass(eq=False)
class Follower:
    """Somebody who waits for an image.

    Attributes:
        run: its run: of several in one run, one is told the lines; step, lines: take what is told.
    """

    run: str
    step: Callable[[str], None]
    lines: Callable[[list[str]], None]


@dataclass
class _Build:
    """One that is going on."""

    task: asyncio.Task[None]
    followers: list[Follower] = field(default_factory=list)
    printing: dict[str, Follower] = field(default_factory=dict)
    what: str = ""
    lines: list[str] = field(default_factory=list)

    def join(self, follower: Follower) -> None:
        self.followers.append(follower)
        if self.what:
            follower.step(self.what)
        if self.printing.setdefault(follower.run, follower) is follower and self.lines:
            follower.lines(self.lines)

    def tell(self, message: Mapping[str, Any]) -> None:
        if message["op"] == "step":
            self.what = message["what"]
            for follower in self.followers:
                follower.step(self.what)
        elif message["op"] == "line":
            self.lines = [*self.lines[1 - _KEPT_LINES :], message["text"]]
            for follower in self.printing.values():
                if follower in self.followers:
                    follower.lines([message["text"]])


class Images:
    """All images of a Host.

    Args:
        home: whose; zygotes: which serve them; log: of the Host; vault: has the secrets that layers are made with.
    """

    def __init__(self, home: Home, zygotes: Zygotes, log: IO[bytes], vault: Vault) -> None:
        self._home = home
        self._zygotes = zygotes
        self._log = log
        self._vault = vault
        self._recipes: dict[str, tuple[Recipe, str | None]] = {}
        self._builds: dict[str, _Build] = {}
        self._again: set[str] = set()
        self._locks: dict[str, int] = {}
        self._users: Counter[str] = Counter()
        self._left = asyncio.Event()
        self._tidying: asyncio.Task[None] | None = None
        self._has_ended = False

    def __repr__(self) -> str:
        return f"<Images [{len(self._locks)} in use, {len(self._builds)} being built]>"

    def start(self) -> None:
        """Once the Host serves."""
        self._tidy_later(_TIDY_AFTER)

    async def ready(self, pod: PodRequest, environ: Mapping[str, str], follower: Follower) -> Image:
        """The image of a pod, built if need be; it stays as long as it is not given back with `release`.

        Args:
            environ: of the kernel, for where packages come from.

        Raises:
            ImageFailed: it cannot be built, or there is no such image.
        """
        recipe, uv = self._recipe(pod)
        if recipe.venv is None:
            return Image(recipe, pod.python, None)
        venv = Venv(self._home.images, recipe.venv.key)
        while venv.key not in self._locks or venv.key in self._again or not venv.is_complete:
            if venv.key in self._again or not self._take(venv):
                await self._built(venv, recipe, uv, pod, environ, follower)
        venv.used()
        self._users[venv.key] += 1
        return Image(recipe, venv.python, venv.key)

    def hold(self, image: Image) -> None:
        """Somebody else uses an image too, and gives it back with `release`."""
        if image.key is not None:
            self._users[image.key] += 1

    def release(self, image: Image) -> None:
        """An attempt that has had it is over."""
        if image.key is not None:
            self._users[image.key] -= 1
            self._left.set()

    def rebuild(self, key: str) -> None:
        """Build it anew the next time that it is asked for, as soon as nobody uses it."""
        self._again.add(key)

    def end(self) -> None:
        """Stop what is being built."""
        self._has_ended = True
        for build in self._builds.values():
            build.task.cancel()
        if self._tidying is not None:
            self._tidying.cancel()

    # --- one image

    def _recipe(self, pod: PodRequest) -> tuple[Recipe, str | None]:
        digest = str(pod.image)
        known = self._recipes.get(digest)
        if known is None:
            try:
                data = FileStore(pod.store).get(keys.image(digest))
                known = unseal_recipe(self._home.key(), data, digest=digest)
            except KeyError:
                raise ImageFailed(_failure("What the image consists of is not in the store. Run it again.")) from None
            except PayloadError as error:
                raise ImageFailed(Failure(code=error.code, kind="system", message=str(error))) from None
            self._recipes[digest] = known
            while len(self._recipes) > _KEPT_RECIPES:
                del self._recipes[next(iter(self._recipes))]
        return known

    def _take(self, venv: Venv) -> bool:
        """Have it for use, if it is there; others may use it too, but not remove it."""
        if not venv.is_complete:
            self._let_go(venv.key)
            return False
        if venv.key not in self._locks:
            lock = venv.lock(alone=False, wait=False)
            if lock is None:  # somebody builds or removes it
                return False
            self._locks[venv.key] = lock
        return venv.is_complete

    def _let_go(self, key: str) -> None:
        lock = self._locks.pop(key, None)
        if lock is not None:
            os.close(lock)

    async def _built(
        self,
        venv: Venv,
        recipe: Recipe,
        uv: str | None,
        pod: PodRequest,
        environ: Mapping[str, str],
        follower: Follower,
    ) -> None:
        """Wait until it is built, by this pod's doing or another's; or until that build has been given up."""
        if self._has_ended:
            raise asyncio.CancelledError
        build = self._builds.get(venv.key)
        if build is None:
            assert recipe.venv is not None
            request = {
                "images": str(self._home.images),
                "key": venv.key,
                "venv": recipe.venv.to_json(),
                "uv": uv,
                "store": pod.store,
                "environ": dict(environ),
            }
            task = asyncio.get_running_loop().create_task(self._build(venv, request, pod, recipe.venv))
            build = self._builds[venv.key] = _Build(task)
        build.join(follower)
        try:
            await asyncio.wait({build.task})
        finally:
            build.followers.remove(follower)
            if not build.followers and not build.task.done():
                build.task.cancel()
                await asyncio.wait({build.task})
        if not build.task.cancelled():
            build.task.result()

    async def _build(self, venv: Venv, request: dict[str, Any], pod: PodRequest, recipe: VenvRecipe) -> None:
        again = venv.key in self._again
        try:
            secrets = await self._secrets(pod, recipe, request["environ"])
            if again:
                await self._vacate(venv)
            self._home.images.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self._run({**request, "again": again, "secrets": secrets}, venv)
            self._again.discard(venv.key)
        finally:
            del self._builds[venv.key]
        self._tidy_later(0.0)

    async def _secrets(self, pod: PodRequest, recipe: VenvRecipe, environ: Mapping[str, str]) -> dict[str, str]:
        """What layers are made with, by environment variable."""
        named = [Secret.from_plain(secret) for step in recipe.steps for secret in step.secrets]
        refs = [ref_of(secret) for secret in named]
        await self._vault.until_known(pod.session, refs, environ, pod.cwd)
        if unknown := self._vault.unknown(pod.session, refs, environ):
            raise ImageFailed(lifecycle.forgotten(unknown))
        values = (self._vault.find(pod.session, ref, environ) or "" for ref in refs)
        return {secret.build_variable: value for secret, value in zip(named, values, strict=True)}

    async def _vacate(self, venv: Venv) -> None:
        """Wait until no attempt of this Host is in it."""
        while self._users[venv.key]:
            self._builds[venv.key].tell({"op": "step", "what": "waiting for tasks that use it"})
            self._left.clear()
            await self._left.wait()
        await self._zygotes.retire(venv.python)
        self._let_go(venv.key)

    async def _run(self, request: dict[str, Any], venv: Venv) -> None:
        """The program that builds, until it has ended; with it goes whatever it has started."""
        ours, theirs = socket.socketpair()
        with ours:
            process = self._start(theirs)
            try:
                ended = await self._listen(ours, request)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, _clear, process, venv))
                raise
        await asyncio.to_thread(process.wait)
        if ended is None:
            await asyncio.to_thread(_clear, process, venv)
            raise ImageFailed(_failure(f"The build has ended without a word; the end of {self._home.log} says why."))
        if ended["op"] == "failed":
            raise ImageFailed(_failure(ended["message"]))

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        with theirs:
            return subprocess.Popen(
                [*command(sys.executable, "host.image.build"), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )

    async def _listen(self, ours: socket.socket, request: dict[str, Any]) -> dict[str, Any] | None:
        """Pass on what is told, until the last word; None when it does not come."""
        loop = asyncio.get_running_loop()
        ours.setblocking(False)
        await loop.sock_sendall(ours, encode(request))
        frames, build = Frames(), self._builds[request["key"]]
        while data := await loop.sock_recv(ours, 65536):
            for message in frames.feed(data):
                if message["op"] in ("done", "failed"):
                    return message
                build.tell(message)
        return None

    # --- what may go

    def _tidy_later(self, seconds: float) -> None:
        if self._tidying is None or self._tidying.done():
            self._tidying = asyncio.get_running_loop().create_task(self._tidy(seconds))

    async def _tidy(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        for key in list(self._locks):
            venv = Venv(self._home.images, key)
            if not self._users[key] and not self._zygotes.serves(venv.python):
                self._let_go(key)
        for key in await asyncio.to_thread(tidy, self._home.images):
            print(f"host: removed the image {key}, which was not used for long", file=sys.stderr)  # noqa: T201 - its log


def _clear(process: subprocess.Popen[bytes], venv: Venv) -> None:
    """Leave nothing of a build that was ended."""
    process.wait()
    until = time.monotonic() + _DYING
    lock = venv.lock(alone=True, wait=False)
    while lock is None and time.monotonic() < until:  # what the program has started is still dying
        time.sleep(0.01)
        lock = venv.lock(alone=True, wait=False)
    if lock is not None:  # else somebody else builds it already
        venv.remove()
        venv.forget_lock()
        os.close(lock)


def _failure(message: str) -> Failure:
    return Failure(code="ImageBuildError", kind="user", message=message, recoverable=False)
