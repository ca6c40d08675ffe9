"""The virtual environment that has flyte: made once, and kept outside the clone."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class Unavailable(Exception):
    """It is not there and could not be made; the message says why."""


def key(requirements: bytes, python: str) -> str:
    """Identify what is installed for which Python."""
    return hashlib.sha256(requirements + b"\0" + python.encode()).hexdigest()[:16]


def flyte_python(cache: Path | None = None) -> Path:
    """Its interpreter. Raises Unavailable."""
    cache = cache or platformdirs.user_cache_path("flyte_jupyter") / "differential"
    folder = cache / key(REQUIREMENTS.read_bytes(), str(sys.implementation.cache_tag))
    python, made = folder / "bin" / "python", folder / "made"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let the tests of one clone at a time make it
        if made.exists() and python.exists():
            return python
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted call left
        _run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--retries=1"]
        _run([*pip, "--requirement", str(REQUIREMENTS)])
        made.touch()
    return python


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise Unavailable(f"{' '.join(command)}\nended with exit code {done.returncode}:\n{last}")
