"""Runs that have ended while nobody listened: their kernel was gone. Its notebook hears of them when it is back."""

from __future__ import annotations

import json
import sys

from ..home import Home
from ..pods import PodRequest
from ..store import keys
from ..store.files import FileStore

_MOST = 200
"""So many of the newest are kept."""


def note(home: Home, request: PodRequest) -> None:
    """Note the run of a pod that a notebook has started; not one of a trigger, which `flyte.triggers` shows."""
    try:
        record = json.loads(bytes(FileStore(request.store).get(keys.record(request.run))))
        if not record.get("notebook") or record.get("trigger"):
            return
        keep(home, request.run)
    except (OSError, LookupError, ValueError) as error:  # the run has ended all the same
        print(f"host: nobody is told that {request.run} has ended: {error!r}", file=sys.stderr)  # noqa: T201 - its log


def keep(home: Home, name: str) -> None:
    """Note a run. Raises `OSError`."""
    home.unseen.mkdir(mode=0o700, exist_ok=True)
    (home.unseen / name).touch(mode=0o600)
    for old in home.unseen_runs()[_MOST:]:
        (home.unseen / old).unlink(missing_ok=True)
