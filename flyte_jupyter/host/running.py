"""The process that runs an attempt, as its pod sees it: one of its own, or a replica of a pool (`pool.seat`)."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..config.image.index_url import without as without_credentials
from ..home import Home
from ..pods import PodRequest
from .lifecycle import Exit
from .process.conversation import Conversation, Line
from .process.forks import Worker

if TYPE_CHECKING:
    from .image.images import Image, Images
    from .process.zygotes import Zygotes
    from .shares import Share, Shares
    from .vault import Vault


class Machinery(Protocol):
    """What processes are made with."""

    home: Home
    zygotes: Zygotes
    shares: Shares
    vault: Vault
    images: Images


class Running(Protocol):
    """What runs one attempt.

    Attributes:
        conversation: with the attempt.
    """

    conversation: Conversation

    @property
    def exited(self) -> asyncio.Future[Exit]:
        """Done when its process has ended."""

    @property
    def own(self) -> Worker | None:
        """The process, when no other attempt is in it meanwhile."""

    @property
    def replica(self) -> str:
        """Which replica of which pool it is, for people; "" for a process of its own."""

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether one of its processes was killed for the memory that all of them use."""

    def explain(self, exit: Exit) -> Exit | None:
        """What is known besides of how the process ended; None when this attempt has nothing to do with it."""

    def write_stacks(self) -> None:
        """Have it write down where it is."""

    def stacks(self) -> str:
        """What it has written."""

    async def end(self, grace: float) -> None:
        """End the attempt; within so many seconds its `finally` blocks run."""

    def close(self) -> None:
        """The attempt is over."""


class Bounds(Protocol):
    """What an attempt may use."""

    def hold(self, worker: Worker) -> dict[str, Any]:
        """Bound a process; what it has to be told, to do the rest itself."""

    def explain(self, exit: Exit) -> Exit:
        """What is known besides of how the process ended."""

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether one of its processes was killed for the memory that all of them use."""


class Alone:
    """A process for one attempt.

    Args:
        secrets: as they were handed out; told: the rest of what it has to know.
        take_back: called with the secrets when the attempt is over.
    """

    replica = ""

    def __init__(
        self,
        worker: Worker,
        bounds: Bounds,
        secrets: dict[str, Any],
        told: dict[str, Any],
        conversation: Conversation,
        take_back: Callable[[dict[str, Any]], None],
    ) -> None:
        self.conversation = conversation
        self.own = worker
        self.exited = worker.exited
        self.write_stacks = worker.write_stacks
        self.stacks = worker.stacks
        self.end = worker.end
        self.explain = bounds.explain
        self._worker = worker
        self._bounds = bounds
        self._take_back = functools.partial(take_back, secrets)
        self._line = Line(worker, conversation.take)
        self._line.send({"op": "attempt", **told, "secrets": secrets, **bounds.hold(worker)})

    @property
    def ran_out_of_memory(self) -> bool:
        return self._bounds.ran_out_of_memory

    def close(self) -> None:
        self._line.close()
        self._take_back()
        os.close(self._worker.paper)


async def forked(host: Machinery, request: PodRequest, share: Share, image: Image | None) -> Worker:
    """A process for a request. Raises `ForkError`."""
    # variables of its own may change how a library loads
    own_variables = bool(request.env or request.secrets or (image is not None and image.recipe.env_vars))
    return await host.zygotes.worker(
        image.python if image is not None else request.python,
        request.task,
        request.preload,
        plain=own_variables,
        path=request.path if image is None else (),
        threads=share.threads,
        grouped=share.is_bounded,
    )


def told(
    host: Machinery, request: PodRequest, environ: Mapping[str, str], share: Share, image: Image | None, folder: str
) -> dict[str, Any]:
    """What a process has to know of the request that it is made for.

    Args:
        environ: of the kernel; folder: the name of the one that it has for the files of its image.
    """
    root = host.home.workdirs / folder
    return {
        "pod": request.to_json(),
        "environ": variables(environ, share),
        "image": image.told(root) if image is not None else None,
        "home": str(host.home.path),
        "mode": "local",
    }


def variables(environ: Mapping[str, str], share: Share) -> dict[str, str]:
    """The environment variables of an attempt, but for its own: those of the kernel, and of its share."""
    return without_credentials({**environ, **share.variables})


def remove_folder(host: Machinery, image: Image | None, worker: Worker, folder: str) -> None:
    """The folder for the files of the image goes with the process."""
    if image is not None and image.recipe.has_folder:
        removal = functools.partial(shutil.rmtree, host.home.workdirs / folder, ignore_errors=True)
        loop = asyncio.get_running_loop()
        worker.exited.add_done_callback(lambda _: loop.run_in_executor(None, removal))
