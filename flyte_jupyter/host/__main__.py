"""`python -m flyte_jupyter.host`: run the local Host, ask for its status, or stop it."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from typing import IO

from ..home import Home


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flyte_jupyter.host", description=__doc__)
    parser.add_argument("--home", help="folder of the state (default: the user's own)")
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--status", action="store_true", help="show the running Host")
    parser.add_argument(
        "--stop", action="store_true", help="stop the running Host, what it runs, and its triggers until the next use"
    )
    options = parser.parse_args()
    home = Home(options.home).make()
    if options.status or options.stop:
        from .client import call

        answer = call(home, {"op": "shutdown" if options.stop else "status"})
        print(answer if answer is not None else f"no Host is running for {home.path}")
        return 0
    return _serve(home, options.ready_fd)


def _serve(home: Home, ready_fd: int | None) -> int:
    lock = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("host: another one serves this user", file=sys.stderr)
        return 0
    sys.modules["ssl"] = None  # type: ignore[assignment]  # asyncio goes without it: 4 MB that a Host has no use for
    import asyncio

    del sys.modules["ssl"]
    from .server import Host

    def ready() -> None:
        if ready_fd is not None:
            os.write(ready_fd, b"1")
            os.close(ready_fd)

    async def serve(log: IO[bytes]) -> None:
        host = Host(home, log)
        host.zygotes.start(sys.executable)
        await host.serve(ready)

    with open(home.log, "ab") as log:
        asyncio.run(serve(log))
    return 0


if __name__ == "__main__":
    sys.exit(main())
