"""Programs of their own, and how to see from outside what becomes of processes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.conftest import eventually, is_alive

ROOT = Path(__file__).resolve().parents[2]


def pid_in(path: Path) -> int:
    """The process id that a task writes there, as a whole line; waits for it."""
    eventually(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def is_gone(pid: int) -> bool:
    """Whether no such process runs."""
    try:
        return not is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


@contextlib.contextmanager
def program(
    folder: Path, source: str, name: str = "script.py", python: Path | str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    """A Python script that runs beside the test, in its folder; killed at the end if it still runs.

    The variables that say where the state folder is are those of the test.
    """
    path = folder / name
    path.write_text(source)
    process = subprocess.Popen(
        [python, "-c", _RUN.format(root=str(ROOT), folder=str(folder), path=str(path))],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


_RUN = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs, and their tests, ignore it
sys.path[:] = [{folder!r}, *[entry for entry in sys.path if entry], {root!r}]
runpy.run_path({path!r}, run_name="__main__")
"""
