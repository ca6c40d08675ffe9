"""What outlives the Host: a note of each open pod, from when it is accepted until its end is written down."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..home import write_privately
from ..pods import Phase, PodEvent, PodRequest
from .lifecycle import Attempts
from .machine import scratch

_WAITS = "its Host has died; the next one, which starts with the next run, goes on with it"
_UNREADABLE = ".unreadable-"


def write(folder: Path, request: PodRequest, attempts: Attempts, scratch_folder: Path | None = None) -> None:
    """Note a request and its standing, so that another Host can go on. Raises `OSError`.

    Args:
        scratch_folder: has to be removed when this Host cannot.
    """
    standing = {name: getattr(attempts, name) for name in ("number", "failed", "lost", "accepted_at")}
    note: dict[str, Any] = {"pod": request.to_json(), "attempts": standing}
    if scratch_folder is not None:
        note["scratch"] = str(scratch_folder)
    write_privately(folder / request.name, json.dumps(note))


def remove(folder: Path, name: str) -> None:
    """Its end is written down."""
    (folder / name).unlink(missing_ok=True)


def request(folder: Path, name: str) -> PodRequest | None:
    """What was accepted under that name and has not ended; None when there is nothing."""
    try:
        return PodRequest.from_json(json.loads((folder / name).read_text())["pod"])
    except FileNotFoundError:
        return None


def waiting(folder: Path, run: str) -> list[PodEvent]:
    """Where the pods of a run stand whose Host has died: they wait for the next one."""
    told = []
    for note in sorted(folder.glob(f"{run}-*")):
        with contextlib.suppress(FileNotFoundError):  # meanwhile there is a next one
            saved, at = json.loads(note.read_text()), note.stat().st_mtime
            number = saved["attempts"]["number"]
            told.append(PodRequest.from_json(saved["pod"]).event(Phase.QUEUED, at=at, attempt=number, reason=_WAITS))
    return told


def left(folder: Path) -> Iterator[tuple[PodRequest, Attempts]]:
    """What a Host that is gone has left, for the next attempt; not called tasks, whose callers ask for them again."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for note in sorted(folder.iterdir()):
        if note.name.startswith(_UNREADABLE):
            continue
        try:
            found = _read(note)
        except (ValueError, LookupError, TypeError):
            traceback.print_exc()
            print(f"host: {note.name} cannot be read and is left alone", file=sys.stderr)  # noqa: T201 - its log
            note.rename(note.with_name(_UNREADABLE + note.name))
            continue
        if found is None or found[0].parent is not None:
            note.unlink(missing_ok=True)
        else:
            yield found


def _read(note: Path) -> tuple[PodRequest, Attempts] | None:
    if note.name.startswith("."):  # written half
        return None
    saved = json.loads(note.read_text())
    if "scratch" in saved:
        scratch.remove(Path(saved["scratch"]))
    before = saved["attempts"]
    attempts = Attempts(
        accepted_at=before["accepted_at"],
        queued_at=time.time(),
        number=before["number"] + 1,
        failed=before["failed"],
        lost=before["lost"] + 1,
    )
    return PodRequest.from_json(saved["pod"]), attempts
