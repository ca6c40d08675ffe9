"""What sections are made of: each piece a pure function of a view that is already cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...markup import Html, el, join
from . import timeline
from .logtext import coloured

View = Mapping[str, Any]
Action = Mapping[str, Any]
Section = Callable[[View, float], "Html | None"]
"""A part of a card: of a view and the time in seconds since the epoch; None when it has nothing to say."""

_TOGETHER = 9
"""So many stretches of time are shown one by one; a longer history is added up by name."""


def root_of(view: View) -> Action:
    """The run's first action; before it exists, one that waits."""
    for action in view["actions"]:
        if action["name"] == view["root"]:
            return action  # type: ignore[no-any-return]  # a view is JSON
    return {"name": view["root"], "phase": view["phase"] or "queued", "history": [], "failures": {}, "attempt": 0}


def children_of(view: View) -> list[Action]:
    return [a for a in view["actions"] if a["name"] != view["root"]]


def total_seconds(view: View, now: float) -> float:
    return timeline.span(root_of(view), now, view.get("created"))


def phase(of: str, words: str = "") -> Html:
    """Icon and word: never colour alone."""
    icon = el("span", timeline.icon(of), cls="fr-icon", aria_hidden="true")
    return el("span", icon, " ", words or timeline.word(of), cls="fr-phase", data_phase=of)


def run_phase(view: View) -> Html:
    """Of a run as a whole."""
    return phase(timeline.look(view), timeline.words(view))


def row(*parts: object) -> Html:
    """Parts on one line."""
    return el("span", spaced(*parts), cls="fr-row")


def spaced(*parts: object) -> Html:
    """Parts with spaces between them for those who see them without our style."""
    return join(*between(" ", (part for part in parts if part is not None)))


def stretches(action: Action, now: float, attempt: int | None = None) -> list[tuple[str, str, float, bool]]:
    """(phase, name, seconds, open) of the time line of an action, or of one attempt; a long one is added up by name."""
    parts = [s for s in timeline.segments(action["history"], now) if attempt in (None, s.attempt)]
    if len(parts) <= _TOGETHER:
        return [(s.phase, s.name, s.seconds, s.open) for s in parts]
    summed: dict[str, tuple[str, str, float, bool]] = {}
    for s in parts:
        _, _, before, _ = summed.get(s.name, (s.phase, s.name, 0.0, False))
        summed[s.name] = (s.phase, s.name, before + s.seconds, s.open)
    return list(summed.values())


def times(action: Action, now: float, attempt: int | None = None) -> Html | None:
    """Where the seconds went: a bar, and the same in words; of one attempt or of all."""
    found = stretches(action, now, attempt)
    if not found:
        return None
    items = [
        el("span", name, " ", el("b", timeline.seconds(seconds)), " …" if is_open else None)
        for _, name, seconds, is_open in found
    ]
    if action.get("retry_in") is not None and action["phase"] == "queued" and found[-1][3]:
        items.append(el("span", "next attempt after ", el("b", timeline.seconds(float(action["retry_in"])))))
    if action.get("reason") and found[-1][3]:
        items.append(el("span", action["reason"], cls="fr-why"))
    bar = join(*(el("span", style=f"flex-grow:{1 + 1000 * seconds:.0f}", data_phase=of) for of, _, seconds, _ in found))
    return join(
        el("div", bar, cls="fr-bar", aria_hidden="true"),
        el("div", *between(" · ", items), cls="fr-phases fr-small"),
    )


def failure(found: Mapping[str, Any]) -> Html:
    """What went wrong: one line, then the user's traceback."""
    code, message = str(found["code"]), str(found["message"])
    headline = message if not code or message.startswith(code) else f"{code}: {message}"
    trace = Html("\n".join(coloured(line, 400) for line in (found.get("cause", "") + found["traceback"]).splitlines()))
    return join(
        el("div", el("span", "✗ ", aria_hidden="true"), *between(el("br"), headline.split("\n")), cls="fr-error"),
        el("pre", trace, role="group", tabindex="0", aria_label="traceback") if trace else None,
    )


def last_failure(action: Action) -> Mapping[str, Any] | None:
    failures = action["failures"]
    return failures[max(failures, key=int)] if failures and action["phase"] != "succeeded" else None


def cache(action: Mapping[str, Any]) -> str:
    """Where its result is from, or why it ran although its task is cached; "" for one that is not."""
    said = action.get("cache") or ""
    return said and f"Cache {'hit' if action['is_cached'] else 'miss'}: {said}"


def quoted(text: str) -> Html:
    """Text with what stands between `back ticks` as code."""
    parts = text.split("`")
    return join(*(el("code", part) if i % 2 and i + 1 < len(parts) else part for i, part in enumerate(parts)))


def anchors(given: Iterable[Mapping[str, str]]) -> Html | None:
    """Links one after the other; only addresses of the web can be clicked, the others are text."""
    parts = between(" · ", map(_anchor, given))
    return el("span", *parts) if parts else None


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


def places(view: View) -> list[tuple[str, str]]:
    """Where a run in a cluster is, as (what, its name): the cluster with the namespace, the pod of the first action."""
    if view["mode"] != "remote":
        return []
    found = (("cluster", view["site"]), ("pod", root_of(view).get("pod")))
    return [(what, name) for what, name in found if name]


def between(separator: str, parts: Iterable[object]) -> list[object]:
    """The parts with a separator between them."""
    return [each for i, part in enumerate(parts) for each in ((separator, part) if i else (part,))]


def line_of_code(code: str) -> Html:
    """A line to copy: one click marks all of it."""
    return el("code", code, cls="fr-code", tabindex="0")
