"""Small tables, of runs and of environments: pure functions that give text and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...markup import columns, el, join, table
from . import timeline
from .parts import root_of, run_phase, total_seconds
from .shrink import LEVELS, shrink
from .theme import style

RUNS = ("Run", "Task", "Phase", "Started", "Seconds")


def bundle(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, title: str, empty: str, widest: int = 60
) -> dict[str, str]:
    """A table as a MIME bundle; `empty` is said when there are no rows, and cells of the text are cut at `widest`."""
    made = [list(row) for row in rows]
    if not made:
        return {"text/plain": empty}
    return {"text/plain": columns([head, *made], widest=widest), "text/html": html(head, made, title=title)}


def html(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, title: str, folded: Iterable[Sequence[object]] = ()
) -> str:
    """A table as static HTML, escaped but for what is `Html` already; `folded` are rows that are opened by a click."""
    shown = table(head, rows, title=title, cls="fr-table")
    more = list(folded)
    rest = table((), more, title=f"{title}: the rest", cls="fr-table")
    below = el("details", el("summary", f"{len(more)} more"), rest) if more else None
    body = join(shown, below)
    return el("div", style(body + "fr-plain"), body, cls="flyte-run fr-plain")


def run_row(view: Mapping[str, Any], *, now: float, rich: bool) -> list[object]:
    """The row of a run, as the columns of `RUNS`."""
    kept = shrink(view, LEVELS[-1])
    words = f"{timeline.icon(timeline.look(kept))} {timeline.words(kept)}"
    shown: object = run_phase(kept) if rich else words
    if root_of(kept).get("is_cached"):
        shown = join(shown, " (cached)") if rich else f"{shown} (cached)"
    seconds = timeline.seconds(total_seconds(kept, now))
    started = timeline.clock(float(kept["created"] or now), now=now)
    title = f"{kept['title']} (trigger {kept['trigger']['name']})" if kept["trigger"] else kept["title"]
    return [el("code", kept["run"]) if rich else kept["run"], title, shown, started, seconds]


def runs(views: Sequence[Mapping[str, Any]], *, now: float) -> dict[str, str]:
    """Runs as a MIME bundle."""
    if not views:
        return {"text/plain": "no runs"}
    plain, rich = ([run_row(view, now=now, rich=is_rich) for view in views] for is_rich in (False, True))
    return {"text/plain": columns([RUNS, *plain]), "text/html": html(RUNS, rich, title="Runs")}
