"""`flyte.prune()`: runs of the past are deleted, with what only they referred to.

A run is a folder in the store, which goes as a whole, and the code that its tasks were sent with, which goes when no
other run, and no trigger, refers to it.  What came within the last day stays: a kernel may be about to use it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigValueError
from .home import Home
from .host.shelf import ended
from .pack.call import code_of
from .pack.envelope import PayloadError
from .pods import ALPHABET, ROOT
from .store import keys
from .store.files import FileStore

_DAY = 86400.0
_GOES = ".gone."
"""How the folder of a run is called while it is being deleted."""


@dataclass(frozen=True)
class Pruned:
    """What was deleted, or would be: runs by name, and the bytes of all."""

    runs: tuple[str, ...]
    bytes: int

    def __repr__(self) -> str:
        number = f"{len(self.runs):,} run{'s' * (len(self.runs) != 1)}"
        return f"<Pruned {number}, {self.bytes / (1 << 20):,.1f} MiB>"


def prune(days: float = 30, *, dry_run: bool = False, home: Home | None = None) -> Pruned:
    """Delete the runs of this machine that ended more than so many days ago, with logs, reports and values.

        flyte.prune(dry_run=True)           # what that would be
        flyte.prune(days=7)

    What is open stays, and so do results that are kept for later calls (see `flyte.cache`) and images. Of runs in a
    cluster, what is kept of them here goes; what is in a bucket stays there.

    Args:
        days: since their end; 0 for all that have ended.
        dry_run: only say what would be deleted.
        home: the state folder, by default that of this process.

    Raises:
        ConfigValueError: days below zero. OSError: something cannot be deleted.
    """
    if not days >= 0:
        raise ConfigValueError(f"prune(days={days!r}): a number from 0 on, such as 30.")
    home, now = home or Home(), time.time()
    is_needed = home.open_runs() | set(home.remote_runs())
    gone: dict[str, None] = {}
    size = 0
    for store in _stores(home):
        old = [run for run in _old(store, now - days * _DAY) if run not in is_needed]
        gone.update(dict.fromkeys(old))
        folders = [Path(store.path(f"{keys.RUNS}{run}")) for run in old]
        size += sum(map(_size, folders))
        codes = list(_unused(store, frozenset(old), now - max(1.0, days) * _DAY))
        size += sum(path.stat().st_size for path in codes)
        if not dry_run:
            for folder in folders:
                _delete(folder)
            for path in codes:
                path.unlink(missing_ok=True)
            _tidy(store)
    if not dry_run:
        for run in gone:
            (home.unseen / run).unlink(missing_ok=True)
    return Pruned(tuple(sorted(gone, reverse=True)), size)


def _stores(home: Home) -> Iterator[FileStore]:
    """That of this machine, and what clusters without a bucket have left here."""
    yield FileStore(home.store_url)
    yield from (FileStore(path.as_uri()) for path in sorted((home.path / "clusters").glob("*")))


def _old(store: FileStore, limit: float) -> Iterator[str]:
    """The runs that have ended before a time; one that has left no end has been lost as it began."""
    for run in store.list(keys.RUNS):
        began = _began(run)
        if began is None or began >= limit:
            continue
        try:
            history = ended(store, run, ROOT)
        except (ValueError, LookupError, TypeError):  # damaged
            history = None
        if history is None or history[-1].at < limit:
            yield run


def _began(run: str) -> float | None:
    """The time that the name of a run tells."""
    digits = run[1:10]
    return int(digits, 36) / 1000 if len(digits) == 9 and set(digits) <= set(ALPHABET) else None


def _unused(store: FileStore, leaving: frozenset[str], limit: float) -> Iterator[Path]:
    """The code of tasks that nothing refers to which stays, and that is older than a time."""
    digests = store.list("code/")
    found = [(digest, Path(store.path(keys.code(digest)))) for digest in digests]
    old = {digest: path for digest, path in found if path.stat().st_mtime < limit}
    if not old:
        return
    for key in _referring(store, leaving):
        with contextlib.suppress(KeyError, PayloadError):
            old.pop(code_of(store.get(key)), None)
    yield from old.values()


def _referring(store: FileStore, leaving: frozenset[str]) -> Iterator[str]:
    """The inputs of calls, each of which names the code that it is for."""
    for run in store.list(keys.RUNS):
        if run not in leaving:
            yield from (keys.inputs(run, action) for action in store.list(keys.actions(run)))
    yield from (keys.trigger(template) for template in store.list("triggers/"))


def _size(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total


def _delete(folder: Path) -> None:
    """At once for whoever lists runs, also when this process dies half-way."""
    away = folder.with_name(f"{_GOES}{folder.name}")
    with contextlib.suppress(FileNotFoundError):  # somebody else was faster
        folder.rename(away)


def _tidy(store: FileStore) -> None:
    """Delete what was put away, now or by somebody who has died."""
    for folder in Path(store.path(keys.RUNS)).glob(f"{_GOES}*"):
        shutil.rmtree(folder, ignore_errors=True)
