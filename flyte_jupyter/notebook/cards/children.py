"""The actions that a task has called, or the items of a map: as a tree, or counted when they are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ...markup import Html, el, join
from ...once import made_once
from . import timeline
from .attempts import log, log_title
from .commands import of_called
from .parts import Action, View, anchors, cache, children_of, failure, last_failure, phase, quoted, row, spaced
from .progress import bars_of
from .report import mentioned
from .usage import in_words

LISTED = 50
"""They are listed up to here and counted above."""
_DEPTH = 6


def counted(counts: Mapping[str, int]) -> str:
    """ "990 succeeded, 8 running, 2 failed"."""
    known = [p for p in timeline.ORDER if counts.get(p)]
    known += [p for p in counts if p not in timeline.ORDER and counts[p]]
    return ", ".join(f"{counts[p]:,} {timeline.word(p)}" for p in known)


def actions(view: View, now: float) -> Html | None:
    """The actions that the task started: as a tree, or counted when they are many."""
    children = children_of(view)
    number = view["total"] - 1
    if number < 1 and not children:
        return None
    totals: Counter[str] = Counter()
    for counts in view["tasks"].values():
        totals.update(counts)
    if not totals:
        totals.update(a["phase"] for a in children)
    many = number > LISTED or number > len(children)
    body = _aggregate(view, children, now) if many else _tree(view, children, now)
    stored = f"{view['cached']:,} from the cache" if view["cached"] else None
    label = row(
        el("span", f"Actions: {number:,}"),
        el("span", f"· {counted(totals)}", cls="fr-muted"),
        el("span", f"· {stored}", cls="fr-muted") if stored else None,
    )
    return el("details", el("summary", label), body, open=True)


def _aggregate(view: View, children: Iterable[Action], now: float) -> Html:
    rows: list[Html] = []
    for title, counts in view["tasks"].items():
        bar = join(*(el("span", style=f"flex-grow:{counts[p]}", data_phase=p) for p in timeline.ORDER if counts.get(p)))
        line = row(
            el("span", f"{title} × {sum(counts.values()):,}:"),
            el("span", bar, cls="fr-bar fr-counts", aria_hidden="true"),
            el("span", counted(counts), cls="fr-muted"),
        )
        rows.append(el("li", line))
    chosen = [a for a in children if a["phase"] in timeline.BAD or a["phase"] == "running"]
    rows += [_leaf(view, action, now) for action in chosen[:20]]
    return el("ul", join(*rows), cls="fr-tree fr-small fr-scroll")


def _tree(view: View, children: list[Action], now: float) -> Html:
    names = {a["name"] for a in children}
    below: dict[str, list[Action]] = {}
    for action in children:
        parent = action["parent"] if action["parent"] in names and action["parent"] != action["name"] else ""
        below.setdefault(parent or "", []).append(action)
    done: set[str] = set()

    def level(parent: str, depth: int) -> Html | None:
        items = []
        for action in below.get(parent, ()):
            if action["name"] not in done:
                done.add(action["name"])
                deeper = level(action["name"], depth + 1) if depth < _DEPTH else None
                items.append(_leaf(view, action, now, deeper))
        return el("ul", join(*items), cls="fr-tree") if items else None

    top = level("", 0)
    rest = [_leaf(view, a, now) for a in children if a["name"] not in done]  # too deep, or parents in a circle
    return el("div", top, el("ul", join(*rest), cls="fr-tree") if rest else None, cls="fr-small fr-scroll")


def _leaf(view: View, action: Action, now: float, below: Html | None = None) -> Html:
    printed = view["logs"].get(action["name"])
    is_over = below is None and action["phase"] in timeline.TERMINAL
    return _ended(action, printed, view["run"]) if is_over else _line(action, printed, view["run"], now, below)


@made_once
def _ended(action: Action, printed: Mapping[str, Any] | None, run: str) -> Html:
    """An action that will not change any more: most of those on a card that is live."""
    return _line(action, printed, run, 0.0)


def _line(action: Action, printed: Mapping[str, Any] | None, run: str, now: float, below: Html | None = None) -> Html:
    """One action on one line; its error and its log open beneath it."""
    seconds = el("span", timeline.seconds(timeline.span(action, now)), cls="fr-right")
    line = el("span", _said(action), " ", seconds, cls="fr-row")
    bars = bars_of(action, now) if action.get("vitals") else None
    logged = mentioned(run, action) if action.get("vitals") else None
    body = join(_found(action), of_called(action), logged, _printed(printed) if printed else None)
    opened = el("details", el("summary", line), body) if body else line
    return el("li", opened, bars, below, data_action=action["name"])  # by which a front end finds it again


@made_once
def _said(action: Action) -> Html:
    again = f"attempt {action['attempt'] + 1}" if action["attempt"] else None
    return spaced(
        el("span", action["title"]),
        phase(action["phase"]),
        el("span", again, cls="fr-muted") if again else None,
        el("span", "from the cache", cls="fr-muted") if action["is_cached"] else None,
        el("span", action["reason"], cls="fr-muted") if action["reason"] else None,
        anchors(action["links"]),
    )


@made_once
def _found(action: Action) -> Html:
    found = last_failure(action)
    said = el("div", quoted(cache(action)), cls="fr-muted") if cache(action) else None
    used = el("div", of, cls="fr-muted") if (of := in_words(action)) else None
    where = el("div", action["replica"], cls="fr-muted") if action["replica"] else None
    return join(failure(found) if found else None, said, where, used)


@made_once
def _printed(found: Mapping[str, Any]) -> Html:
    return join(el("span", log_title(found), cls="fr-muted"), log(found))
