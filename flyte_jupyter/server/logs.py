"""Logs of attempts: pages of lines, and the whole as a file."""

from __future__ import annotations

from typing import Annotated

from ..engine import kept
from ..pods import pod_name
from .here import Download, Here
from .parameters import ActionName, Attempt, RunName, Within
from .shapes.actions import LogPage

_ONCE = 20_000


def page(
    here: Here,
    run: RunName,
    action: ActionName,
    attempt: Attempt = None,
    start: Annotated[int, Within(0, 1_000_000_000)] = 0,
    limit: Annotated[int, Within(1, _ONCE)] = 5000,
) -> LogPage:
    """The lines that an attempt has printed, from one on; of the last attempt, when none is named."""
    found = here.run(run)
    number = _number(here, run, action, attempt)
    lines = list(found._log(action, number))
    return LogPage(
        attempt=number,
        start=start,
        lines=[(at, stream, text) for at, stream, text in lines[start : start + limit]],
        total=len(lines),
        is_complete=found.done(),
    )


def download(here: Here, run: RunName, action: ActionName, attempt: Attempt = None) -> Download:
    """All that an attempt has printed, as a file."""
    number = _number(here, run, action, attempt)
    lines = kept.log(here.store, run, action, number)
    text = "".join(f"{text}\n" for _, _, text in lines)
    return Download(f"{pod_name(run, action)}.{number}.log", text.encode())


def _number(here: Here, run: str, action: str, attempt: int | None) -> int:
    return here.run(run)._number(action, attempt)
