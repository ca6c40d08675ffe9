"""The sections of a card from top to bottom, each a pure function of the cut view: `None` when it has nothing to say.

A later part is one more function, here or in a file of its subject, and one more name in `SECTIONS`; its place is its
position in that tuple.
"""

from __future__ import annotations

from ...markup import Html, el, join, table
from . import timeline
from .attempts import attempts, root_log
from .children import actions
from .commands import again, commands
from .foreign import contained
from .parts import (
    Section,
    View,
    between,
    cache,
    failure,
    last_failure,
    places,
    quoted,
    root_of,
    run_phase,
    times,
    total_seconds,
)
from .progress import progress
from .report import report
from .task_parts import about, links, origin
from .usage import usage


def header(view: View, now: float) -> Html:
    is_over = view["phase"] in timeline.TERMINAL
    is_renamed = view["title"] != view["task"].rpartition(".")[2]
    moment = None if is_over else el("span", "as of ", timeline.clock(now), cls="fr-muted fr-small")
    return el(
        "div",
        el("strong", view["title"], cls="fr-title", role="heading", aria_level="4"),
        join(" ", el("span", view["task"], cls="fr-muted fr-small")) if is_renamed else None,
        " ",
        el("span", run_phase(view), role="status"),
        " ",
        el("code", view["run"], cls="fr-muted"),
        " ",
        moment,
        " ",
        el("span", timeline.seconds(total_seconds(view, now)), cls="fr-right", title="total time"),
        cls="fr-head",
    )


def phases(view: View, now: float) -> Html | None:
    return times(root_of(view), now)


def cached(view: View, _now: float) -> Html | None:
    """What the cache said of the first action."""
    said = cache(root_of(view))
    if not said:
        return None
    label, _, reason = said.partition(": ")
    return el("div", el("span", label, cls="fr-label"), " ", quoted(reason), cls="fr-sec fr-small")


def waits(view: View, _now: float) -> Html | None:
    """What to do while it does not start."""
    line = again(view) if view["phase"] not in timeline.TERMINAL else None
    return el("div", line, cls="fr-sec") if line else None


def place(view: View, _now: float) -> Html | None:
    """Which cluster it is in, and the pod of its first action."""
    parts = places(view)
    if not parts:
        return None
    shown = between(" · ", (join(name, " ", el("code", where)) for name, where in parts))
    return el("div", el("span", "In", cls="fr-label"), " ", *shown, cls="fr-sec fr-small")


def replica(view: View, _now: float) -> Html | None:
    """Where the first action ran, when that was no process of its own."""
    said = root_of(view).get("replica")
    return el("div", el("span", "Process", cls="fr-label"), " ", said, cls="fr-sec fr-small") if said else None


def notes(view: View, _now: float) -> Html | None:
    lines = list(view["notes"])
    if view["reattached"] and not view["trigger"]:  # those are picked up by whoever looks at them
        lines.insert(0, "picked up again by this kernel; the run itself went on")
    if not lines:
        return None
    items = join(*(el("li", el("span", "Note: ", cls="fr-label"), line) for line in lines))
    return el("ul", items, cls="fr-notes fr-sec fr-small")


def inputs(view: View, _now: float) -> Html | None:
    given = view["inputs"]
    if not given:
        return None
    parts: list[object] = []
    for name, value in given.items():
        parts += [", " if parts else None, el("code", f"{name} = {value}")]
    if view["inputs_total"] > len(given):
        parts.append(f" and {view['inputs_total'] - len(given)} more")
    return el("div", el("span", "Inputs ", cls="fr-label"), join(*parts), cls="fr-sec fr-small")


def result(view: View, _now: float, *, limit: int = 24 << 10) -> Html | None:
    """The result: its own HTML in a box of its own when there is room for it, else its text; None is nothing."""
    found = view["result"]
    if not found or found["text"] == "None":
        return None
    rich = contained(found["html"], limit=limit) if found.get("html") and limit else None
    if not rich and not found["text"]:
        return None
    box = {"role": "group", "tabindex": "0", "aria_label": "result"}
    body = el("div", rich, cls="fr-rich", **box) if rich else el("pre", found["text"], **box)
    return el("div", el("span", "Result", cls="fr-label"), body, cls="fr-sec")


def error(view: View, _now: float) -> Html | None:
    """What went wrong, and the line that tries it again with more of what was missing."""
    found = last_failure(root_of(view))
    if found is None:
        return None
    label = "Error" if view["phase"] in timeline.TERMINAL else "Last attempt failed"
    return el("div", el("span", label, cls="fr-label"), failure(found), again(view), cls="fr-sec")


def config(view: View, _now: float) -> Html | None:
    """The values that were given, each with the level it came from."""
    given = view["config"]
    if not given:
        return None
    rows = [(c["name"], el("code", c["value"]), c["level"]) for c in given]
    made = table(("Parameter", "Value", "From"), rows, title="Configuration", cls="fr-table")
    return el("details", el("summary", f"Configuration: {len(given)} given"), made)


SECTIONS: tuple[Section, ...] = (
    *(
        phases,
        waits,
        progress,
        usage,
        origin,
        place,
        cached,
        replica,
        notes,
        inputs,
        links,
        result,
        report,
        error,
        attempts,
        actions,
        root_log,
    ),
    *(config, about, commands),
)
"""From top to bottom, below the header."""
