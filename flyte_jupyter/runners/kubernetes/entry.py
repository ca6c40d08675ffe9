"""`python -m flyte_jupyter.runners.kubernetes.entry`: what the container of a task's pod runs."""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import TYPE_CHECKING

from ...home import Home
from ...host.process.zygote import split

if TYPE_CHECKING:
    from ...pods import PodRequest

_ASKED_TO_END = 128 + signal.SIGTERM


def main() -> int:
    """Run the request that the container was made for; returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(_ASKED_TO_END))  # the first process of a container ignores it
    folder = Home().path
    folder.mkdir(parents=True, exist_ok=True)
    said = os.dup(1)
    with open(folder / "host.log", "ab", buffering=0) as log:
        for stream in (1, 2):  # nothing but news goes out from now on
            os.dup2(log.fileno(), stream)
        zygote = split(resource.getrlimit(resource.RLIMIT_NOFILE)[0], close=[said])
        from ...host.once import run

        return run(said, log, zygote, _Inside())


class _Inside:
    """What only a pod with a token can do; that of a task that calls none has none."""

    async def end_children(self, request: PodRequest, home: Home) -> None:
        if request.calls:
            from .inside import end_children

            await end_children(request, home)

    async def hand_on(self, request: PodRequest) -> None:
        if request.calls:
            from .inside import hand_on

            await hand_on(request)


if __name__ == "__main__":
    sys.exit(main())
