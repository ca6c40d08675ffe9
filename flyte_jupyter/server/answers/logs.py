"""Logs of attempts: pages of lines, and the whole as a file."""

from __future__ import annotations

from typing import Annotated

from ...engine import kept
from ...pods import pod_name
from ...store import keys
from ..shapes.actions import LogPage
from ..shapes.parameters import ActionName, Attempt, RunName, Within
from .here import Download, Here

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
    it, place = here.action(run, action), here.place(run)
    number = it.attempt if attempt is None else attempt
    is_over = it.phase.is_terminal or number < it.attempt  # first: what comes in between is told by the next page
    key = keys.log(run, action, number)
    lines, total, style = here.lines.page(place.store, key, start, limit, is_over=lambda: is_over)
    if not is_over and not place.is_local and len(lines) < limit:  # a pod stores its lines only now and then
        more = here.run(run).standing.state.lines(action, number, total)
        lines += more[max(0, start - total) :][: limit - len(lines)]
        total += len(more)
    return LogPage(attempt=number, start=start, lines=lines, total=total, style=style, is_complete=is_over)


def download(here: Here, run: RunName, action: ActionName, attempt: Attempt = None) -> Download:
    """All that an attempt has printed, as a file."""
    it, place = here.action(run, action), here.place(run)
    number = it.attempt if attempt is None else attempt
    lines = kept.log(place.store, run, action, number)
    if not place.is_local:
        lines += here.run(run).standing.state.lines(action, number, len(lines))
    text = "".join(f"{text}\n" for _, _, text in lines)
    return Download(f"{pod_name(run, action)}.{number}.log", text.encode("utf-8", "backslashreplace"))
