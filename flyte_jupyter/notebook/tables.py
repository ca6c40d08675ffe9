"""Small tables, of runs and of environments: pure functions that give text and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..markup import Html, clean, el, table
from . import sections, timeline
from .logtext import cut
from .shrink import LEVELS, shrink
from .theme import CSS

RUNS = ("Run", "Task", "Phase", "Started", "Seconds")


def bundle(head: Sequence[str], rows: Iterable[Sequence[object]], *, title: str, empty: str) -> dict[str, str]:
    """A table as a MIME bundle; `empty` is said when there are no rows."""
    made = [list(row) for row in rows]
    if not made:
        return {"text/plain": empty}
    return {"text/plain": text(head, made), "text/html": html(head, made, title=title)}


def html(head: Sequence[str], rows: Iterable[Sequence[object]], *, title: str) -> str:
    """A table as static HTML, escaped but for what is `Html` already."""
    return el("div", el("style", Html(CSS)), table(head, rows, title=title, cls="fr-table"), cls="flyte-run fr-plain")


def text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as text in columns."""
    lines = [list(head), *([cut(clean(str(cell)).replace("\n", " "), 60) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def run_row(view: Mapping[str, Any], *, now: float, rich: bool) -> list[object]:
    """The row of a run, as the columns of `RUNS`."""
    kept = shrink(view, LEVELS[-1])
    phase = kept["phase"]
    shown = sections.phase(phase) if rich else f"{timeline.icon(phase)} {timeline.word(phase)}"
    seconds = timeline.seconds(sections.total_seconds(kept, now))
    started = timeline.clock(float(kept["created"] or now), now=now)
    return [el("code", kept["run"]) if rich else kept["run"], kept["title"], shown, started, seconds]


def runs(views: Sequence[Mapping[str, Any]], *, now: float) -> dict[str, str]:
    """Runs as a MIME bundle."""
    if not views:
        return {"text/plain": "no runs"}
    plain, rich = ([run_row(view, now=now, rich=is_rich) for view in views] for is_rich in (False, True))
    return {"text/plain": text(RUNS, plain), "text/html": html(RUNS, rich, title="Runs")}
