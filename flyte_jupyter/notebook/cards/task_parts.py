"""The sections that come from the task itself: who started it, its links, and what it is for."""

from __future__ import annotations

from ...markup import Html, el, join
from . import timeline
from .parts import View, anchors


def origin(view: View, now: float) -> Html | None:
    """The trigger that started the run."""
    trigger = view["trigger"]
    if not trigger:
        return None
    when = timeline.clock(float(trigger["at"]), now=now)
    how = "by hand at" if trigger["by_hand"] else "at"
    said = join("started by trigger ", el("code", trigger["name"]), f" {how} {when}")
    return el("div", said, cls="fr-sec fr-small")


def links(view: View, _now: float) -> Html | None:
    """Those of the first action."""
    shown = anchors(view["links"])
    if shown is None:
        return None
    return el("div", el("span", "Links ", cls="fr-label"), shown, cls="fr-sec fr-small")


def about(view: View, _now: float) -> Html | None:
    """What the task and its environment are for, in the words of the one who wrote them."""
    said = view["about"]
    if not said or not (said["docs"] or said["description"]):
        return None
    first, _, rest = (said["docs"] or said["description"]).strip().partition("\n")
    environment = f"Environment {said['environment']}: {said['description']}"
    words = el("div", said["docs"], cls="fr-words") if rest else None
    where = el("div", environment, cls="fr-words fr-small") if said["description"] else None
    return el("details", el("summary", el("span", "About: ", first, cls="fr-first")), words, where)
