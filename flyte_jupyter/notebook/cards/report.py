"""What a task has logged as its report: in a frame of its own, without scripts and without what is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...markup import Html, el, join
from ...report import frame, page, words
from . import timeline
from .foreign import contained
from .parts import Action, View, line_of_code

_HEIGHT = 260
_ACTIVE = re.compile(r"(?i)<script|<iframe|<object|<link|\bsrc\s*=\s*['\"]?\s*https?:")
"""What is shown only where the report is shown by itself."""


def report(view: View, _now: float, *, limit: int = 24 << 10) -> Html | None:
    """Of the first action: the report when it takes no more than `limit` bytes here, and the line that shows it."""
    found = view["report"]
    if not found:
        return None
    shown = _framed(view["title"], found["html"], limit) if found["html"] else None
    is_whole = shown is not None and not any(map(_ACTIVE.search, found["html"].values()))
    why = (
        None
        if is_whole
        else "too large for a card"
        if shown is None
        else "what needs scripts or the network is not here"
    )
    label = el("span", "Report", cls="fr-label")
    said = el("span", " · ".join(filter(None, (words(found["tabs"], found["size"]), why))), cls="fr-muted")
    line = line_of_code(f"flyte.get_run({view['run']!r}).get_report()")
    head = el("div", label, " ", said, " ", line, cls="fr-line fr-small")
    if shown is None:
        return el("div", head, cls="fr-sec")
    is_open = view["phase"] not in timeline.TERMINAL or len(shown) < limit
    return el(
        "details", el("summary", el("span", label, " ", said)), shown, el("div", line, cls="fr-small"), open=is_open
    )


def _framed(title: str, tabs: Mapping[str, str], limit: int) -> Html | None:
    kept = {name: contained(content, limit=limit) for name, content in tabs.items()}
    whole = {name: content for name, content in kept.items() if content is not None}
    if len(whole) < len(tabs):
        return None
    made = frame(page(title, whole), title=f"Report of {title}", height=_HEIGHT)
    return made if len(made.encode()) <= limit else None


def mentioned(run: str, action: Action) -> Html | None:
    """Of an action that was called: the line that shows its report."""
    found: dict[str, Any] | None = action.get("vitals", {}).get(str(action["attempt"]), {}).get("report")
    if not found:
        return None
    said = el("span", "report: ", words(found["tabs"], found["size"]), cls="fr-muted")
    line = line_of_code(f"flyte.get_run({run!r}).get_report(action={action['name']!r})")
    return el("div", join(said, " ", line))
