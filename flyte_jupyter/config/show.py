"""How configuration looks in a notebook: HTML without script, and without colours, so that it fits each theme.

Everything is made from what is known of the fields; what looks like a credential is hidden.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..markup import Html, el, join, table
from .credential import masked, masked_spec
from .field import attributes, fields_of
from .say import NOTHING, plainly, said, span

if TYPE_CHECKING:
    from .image.image import Image

NEXT = 3
"""How many fire times of a trigger are shown."""

_LONGEST = 2000
_CSS = (
    ".flyte-value{max-width:60rem;margin:.25rem 0;line-height:1.5;overflow-wrap:anywhere;text-align:left}"
    ".flyte-value .fv-name{font-weight:600}"
    ".flyte-value .fv-muted{opacity:.72}"
    ".flyte-value.flyte-value table{border-collapse:collapse;border:0;margin:.2rem 0;background:none;font-size:inherit}"
    ".flyte-value.flyte-value :is(th,td){text-align:left;vertical-align:top;padding:.1rem 1rem .1rem 0;border:0;"
    "max-width:40rem;white-space:normal;background:none;color:inherit}"
    ".flyte-value.flyte-value tr{background:none;border-top:1px solid rgba(128,128,128,.3)}"
    ".flyte-value.flyte-value pre{max-height:20em;overflow:auto;margin:0;white-space:pre-wrap;background:none;"
    "color:inherit;font-family:var(--jp-code-font-family,monospace)}"
    ".flyte-value.flyte-value ol{margin:.2rem 0;padding-left:1.6em}"
    ".flyte-value summary{cursor:pointer}"
)


def page(title: object, about: object, *parts: object) -> str:
    """A box with a title, a few words about it, and parts below."""
    head = el("div", el("span", title, cls="fv-name"), " ", el("span", about, cls="fv-muted") if about else None)
    return el("div", el("style", Html(_CSS)), head, *parts, cls="flyte-value")


def name(word: str, doc: str) -> Html:
    """The name of something, and what it means when pointed at."""
    return el("span", word, title=doc or None)


def muted(*content: object) -> Html:
    """What need not be read first."""
    return el("span", *content, cls="fv-muted")


def value(shown: Any, *, now: datetime | None = None) -> str:
    """A value of a value type: its fields with what they are, defaults in the background."""
    rows = []
    for f in fields_of(type(shown)):
        own, words = getattr(shown, f.name), said(f, getattr(shown, f.name))
        if words in (NOTHING, ""):
            continue
        is_default = words == said(f, type(shown).__dataclass_fields__[f.name].default)
        content = el("pre", _spec(own)) if f.editor == "yaml" else muted(words) if is_default else words
        rows.append((name(f.name, f.doc), content))
    if times := next_times(shown, now):
        rows.append((name("next", "When it fires, as far as is known now."), join(*_lines(times))))
    about = (inspect.getdoc(type(shown)) or "").partition("\n\n")[0].replace("`", "")
    kind = type(shown).__name__
    return page(kind, about, table((), rows, title=kind) if rows else el("div", muted("nothing is set")))


def image(shown: Image) -> str:
    """An image: what it starts from, and its layers in order."""
    docs = attributes(type(shown))
    given = [
        (name(f.name, docs.get(f.name, "")), plainly(getattr(shown, f.name)))
        for f in dataclasses.fields(shown)
        if f.name != "layers" and getattr(shown, f.name) not in (f.default, None)
    ]
    steps = [el("li", name(layer.in_words(), inspect.getdoc(layer) or ""), *_layer(layer)) for layer in shown.layers]
    parts = [table((), given, title="Image"), el("ol", *steps) if steps else None]
    return page("Image", "what the task runs in", *parts)


def next_times(automation: Any, now: datetime | None = None) -> list[str]:
    """When a trigger or its automation fires next, in its own time zone; nothing when no clock says."""
    from .values.schedule import upcoming, zone
    from .values.trigger import Cron, FixedRate, Trigger

    clock = automation.automation if isinstance(automation, Trigger) else automation
    if isinstance(clock, FixedRate) and clock.start_time is None:
        return [f"{span(60 * clock.interval_minutes)} after it is activated"]
    if not isinstance(clock, (Cron, FixedRate)):
        return []
    now = now or datetime.now(timezone.utc)
    found = itertools.islice(upcoming(clock, now, now), NEXT)
    return [f"{moment.astimezone(zone(clock)):%a %Y-%m-%d %H:%M %Z}" for moment in found]


def pretty(shown: Any, printer: Any) -> None:
    """The text of a value for IPython: its repr, with credentials hidden and the next fire time behind it."""
    printer.text(repr(masked(shown)))
    times = next_times(shown)
    if times and len(printer.stack) <= 1:  # not within a list, where a comment would hide what follows
        printer.text(f"  # next: {times[0]}")


def _layer(layer: Any) -> Iterable[object]:
    """What is needed for it first, then what differs from the default, with its name."""
    shown = masked(layer)
    for f in sorted(dataclasses.fields(layer), key=lambda f: f.default is not dataclasses.MISSING):
        own = getattr(shown, f.name)
        if f.default is dataclasses.MISSING:
            yield join(": ", plainly(own))
        elif own not in (f.default, None):
            yield join(" ", muted(f.name), " ", plainly(own))


def _lines(texts: Iterable[str]) -> Iterable[Html]:
    return (el("div", text) for text in texts)


def _spec(own: Any) -> str:
    text = json.dumps(masked_spec(own), indent=2, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
