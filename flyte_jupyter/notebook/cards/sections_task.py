"""The parts of a card that come from the task itself: who started it, whether its result was kept from an earlier call,
its links, report, and what it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...markup import Html, el, join
from . import timeline

View = Mapping[str, Any]


def origin(view: View, now: float) -> Html | None:
    """The trigger that started the run."""
    trigger = view["trigger"]
    if not trigger:
        return None
    when = timeline.clock(float(trigger["at"]), now=now)
    how = "by hand at" if trigger["by_hand"] else "at"
    said = join("started by trigger ", el("code", trigger["name"]), f" {how} {when}")
    return el("div", said, cls="fr-sec fr-small")


def cache(action: Mapping[str, Any]) -> str:
    """Where its result is from, or why it ran although its task is cached; "" for one that is not."""
    said = action.get("cache") or ""
    return said and f"Cache {'hit' if action['is_cached'] else 'miss'}: {said}"


def quoted(text: str) -> Html:
    """Text with what stands between `back ticks` as code."""
    parts = text.split("`")
    return join(*(el("code", part) if i % 2 and i + 1 < len(parts) else part for i, part in enumerate(parts)))


def links(view: View, _now: float) -> Html | None:
    """Those of the first action."""
    shown = anchors(view["links"])
    if shown is None:
        return None
    return el("div", el("span", "Links ", cls="fr-label"), shown, cls="fr-sec fr-small")


def anchors(given: Iterable[Mapping[str, str]]) -> Html | None:
    """Links one after the other; only addresses of the web can be clicked, the others are text."""
    parts: list[object] = []
    for link in given:
        parts += [" · " if parts else None, _anchor(link)]
    return el("span", join(*parts)) if parts else None


def _anchor(link: Mapping[str, str]) -> Html:
    name, uri = link["name"] or "link", link.get("uri", "")
    if "problem" in link:
        return el("span", f"{name}: no link, because of {link['problem']}", cls="fr-muted")
    if not is_of_the_web(uri):
        return join(f"{name}: ", el("code", uri))
    return el("a", name, href=uri, title=uri, target="_blank", rel="noopener noreferrer")


def is_of_the_web(uri: str) -> bool:
    """Whether it is a complete http or https address."""
    try:
        parts = urlsplit(uri)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and uri.isprintable() and " " not in uri
    except ValueError:
        return False


def report(view: View, _now: float) -> Html | None:
    """The place of the report of a task that writes one."""
    if not view["report"]:
        return None
    return el("details", el("summary", "Report"), el("div", "Nothing was reported yet.", cls="fr-muted fr-small"))


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
