"""The least that has to happen, measured in a process of its own that answers one question at a time."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

_HELPER = """
import os, socket, sys, threading, time
import numpy

near, far = socket.socketpair(socket.AF_UNIX)

def echo():
    while data := far.recv(4096):
        far.sendall(data)

def fork(times):
    began = time.perf_counter()
    pids = []
    for _ in range(times):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    return time.perf_counter() - began

def round_trip():
    began = time.perf_counter()
    near.sendall(b"x" * 500)
    near.recv(4096)
    return time.perf_counter() - began

if os.fork() == 0:  # the other end is another process
    near.close()
    echo()
    os._exit(0)
far.close()
for line in sys.stdin:
    what, times = line.split()
    print(fork(int(times)) if what == "fork" else round_trip(), flush=True)
"""


class Helper:
    """Answers in milliseconds."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def fork(self, times: int = 1) -> float:
        """So many children, forked one after the other with numpy imported, that end at once; until all have ended."""
        return self._ask(f"fork {times}")

    def round_trip(self) -> float:
        """There and back over a Unix socket to another process."""
        return self._ask("socket 1")

    def _ask(self, question: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline()) * 1000


@contextlib.contextmanager
def helper() -> Iterator[Helper]:
    """A helper, ended at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HELPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Helper(process)
    finally:
        process.communicate()
