"""A folder of its own for what an attempt writes on the way, gone when it has ended."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

_NAME = "flyte-"
"""Short, since sockets in it have names of a hundred characters at most."""


def place(environ: Mapping[str, str]) -> Path:
    """Where a kernel with these variables has its temporary files."""
    named = next((environ[name] for name in ("TMPDIR", "TEMP", "TMP") if environ.get(name)), "")
    return Path(named) if named and Path(named).is_dir() else Path(tempfile.gettempdir())


def free(folder: Path) -> int | None:
    """Bytes free there; None when it cannot be seen."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def make(folder: Path) -> Path:
    """A new folder in that one, which only this user may enter. Raises `OSError`."""
    return Path(tempfile.mkdtemp(prefix=_NAME, dir=folder))


def remove(folder: Path) -> None:
    """Remove it with all that is in it, in the background."""
    asyncio.get_running_loop().run_in_executor(None, lambda: shutil.rmtree(folder, ignore_errors=True))
