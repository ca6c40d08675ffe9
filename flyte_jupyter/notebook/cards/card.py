"""A run as a card: pure functions from the view of a run (`Run.view()`) to what a front end shows.

    bundle(view, now=…) = {"text/plain", "text/html", "application/vnd.flyte.run.v1+json"}

The HTML is complete without script, external address or front-end package: it is what a saved notebook shows in
JupyterLab, VS Code, on a web page made by nbconvert, or where styles are stripped.  The JSON is the same view, cut in
the same way, for a front end that knows more.  Together they stay below 64 KiB whatever the run does: the view is cut
(`shrink`) to the first of a few limits that fits, the last of which cannot be exceeded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...markup import cut, el, join
from ...once import made_once
from ...report import words
from . import report, sections, timeline
from .children import counted
from .commands import commands_of
from .logtext import plain
from .parts import cache, last_failure, places, root_of, stretches, total_seconds
from .progress import progress_text
from .shrink import LEVELS, Limits, shrink
from .theme import style

MIME = "application/vnd.flyte.run.v1+json"
MOST = 64 << 10
"""Bytes of a bundle as it is written into a notebook file."""


def html(view: Mapping[str, Any], *, now: float) -> str:
    """The card as static HTML."""
    return _html(shrink(view, LEVELS[0]), LEVELS[0], now)


def text(view: Mapping[str, Any], *, now: float) -> str:
    """The card as a few lines of text."""
    return _text(shrink(view, LEVELS[0]), now)


def bundle(view: Mapping[str, Any], *, now: float) -> dict[str, Any]:
    """The card as a MIME bundle of less than 64 KiB."""
    made: dict[str, Any] = {}
    for limits in LEVELS:
        kept = shrink(view, limits)
        told = data(kept)
        room = MOST - _data_size(told)
        if limits is not LEVELS[-1] and room < MOST // 2:
            continue  # the HTML says the same in no fewer bytes
        texts = {"text/plain": _text(kept, now), "text/html": _html(kept, limits, now)}
        made = {**texts, MIME: told}
        if size(texts) <= room:
            break
    return made


def data(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a card, of a view that is cut.

    Of actions it has what there is anything of.  A step of a history is a text, "running 1780000000.013 0", with its
    phase, seconds since the epoch, attempt and name; so is a sample, with seconds, cores and bytes, and a line of a
    log, with attempt, seconds, stream and text between tabs: a notebook file needs a line for every value of a list.
    The rich result is in the HTML, made safe.
    """
    result = dict(kept["result"], html=None) if kept["result"] else None
    logged = dict(kept["report"], html=None) if kept["report"] else None
    actions = [_action(of) for of in kept["actions"]]
    logs = {name: _log(of) for name, of in kept["logs"].items()}
    return {**kept, "actions": actions, "logs": logs, "result": result, "report": logged, "commands": commands_of(kept)}


@made_once
def _action(cut: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in cut.items() if value or name == "attempt"}
    if "history" in told:
        told["history"] = [" ".join(map(str, filter(_is_said, step))) for step in told["history"]]
    if "vitals" in told:
        told["vitals"] = {n: _shown(of) for n, of in told["vitals"].items()}
    return told


def _shown(vitals: Mapping[str, Any]) -> dict[str, Any]:
    samples = [" ".join(map(str, sample)) for sample in vitals.get("samples", ())]
    return {**vitals, **({"samples": samples} if samples else {})}


@made_once
def _log(cut: Mapping[str, Any]) -> dict[str, Any]:
    return {"printed": cut["printed"], "lines": ["\t".join(map(str, entry)) for entry in cut["lines"]]}


def _is_said(part: object) -> bool:
    return part != ""


def line(view: Mapping[str, Any], *, now: float) -> str:
    """The run in one line of text."""
    return _line(shrink(view, LEVELS[-1]), now)


def size(made: Mapping[str, Any]) -> int:
    """Bytes of a bundle in a notebook file, a little more than less.

    nbformat indents everything and writes a text as a list of its lines, which costs a dozen bytes for each of them.
    """
    return sum(_text_size(part) if isinstance(part, str) else _data_size(part) for part in made.values())


def _text_size(part: str) -> int:
    lines = part.count("\n")
    return len(part.encode()) + part.count('"') + part.count("\\") + part.count("\t") + lines + 13 * (lines + 3) + 40


def _data_size(part: Mapping[str, Any]) -> int:
    """Of a card's data: of its actions and their logs one by one, and of all that is around them."""
    many = [*part["actions"], *part["logs"].values()]
    around = {**part, "actions": [], "logs": dict.fromkeys(part["logs"])}
    return _json_size(around) + sum(map(_part_size, many)) + 40


def _json_size(part: Mapping[str, Any]) -> int:
    return len(json.dumps(part, ensure_ascii=False).encode()) + 13 * _nodes(part)


_part_size = made_once(_json_size)


def _nodes(value: Mapping[str, Any] | list[Any]) -> int:
    """Numbers, texts, lists and objects in a JSON value: so many lines it takes, or one more for a bracket."""
    parts = value if isinstance(value, list) else value.values()
    return 2 + sum(_nodes(part) if isinstance(part, (dict, list)) else 1 for part in parts)


def _html(view: Mapping[str, Any], limits: Limits, now: float) -> str:
    parts = []
    for section in sections.SECTIONS:
        if section is sections.result:
            parts.append(sections.result(view, now, limit=limits.rich))
        elif section is report.report:
            parts.append(report.report(view, now, limit=limits.report))
        else:
            parts.append(section(view, now))
    body = join(sections.header(view, now), *parts)
    label = f"Run of {view['title']}: {timeline.words(view)}"
    return el("div", style(body), body, cls="flyte-run", data_phase=timeline.look(view), role="group", aria_label=label)


def ending(view: Mapping[str, Any], *, now: float) -> str:
    """The same, with the first line of what went wrong."""
    failure = last_failure(root_of(view))
    why = f": {failure['code']}: {failure['message'].partition(chr(10))[0][:400]}" if failure else ""
    return f"{line(view, now=now)}{why}"


def _line(view: Mapping[str, Any], now: float) -> str:
    phase, seconds = view["phase"], timeline.seconds(total_seconds(view, now))
    when = (
        f"after {seconds}" if phase in timeline.BAD else f"in {seconds}" if phase == "succeeded" else f"for {seconds}"
    )
    cached = " from the cache" if root_of(view).get("is_cached") else ""
    icon = timeline.icon(timeline.look(view))
    warning = f", {view['warning']}" if view["warning"] else ""
    return f"{icon} {view['title']} {timeline.word(phase)}{cached} {when}{warning} [{view['run']}]"


def _text(view: Mapping[str, Any], now: float) -> str:
    root = root_of(view)
    out = [_line(view, now)]
    if parts := stretches(root, now):
        out.append("  " + " · ".join(f"{name} {timeline.seconds(seconds)}" for _, name, seconds, _ in parts))
    if found := places(view):
        out.append("  in " + ", ".join(" ".join(each) for each in found))
    if root.get("replica"):
        out.append(f"  {root['replica']}")
    out += [f"  {said}" for said in progress_text(view, now).splitlines()]
    if said := cache(root):
        out.append(f"  {said[:1].lower()}{said[1:]}")
    if root.get("reason") and view["phase"] not in timeline.TERMINAL:
        out.append(f"  {root['reason']}")
    if line := next((each["code"] for each in commands_of(view) if each["name"] == "resources"), None):
        out.append(f"  with what there is: {line}")
    if view["total"] > 1:
        for title, counts in list(view["tasks"].items())[:8]:
            out.append(f"  {title} × {sum(counts.values()):,}: {counted(counts)}")
    out += [f"  link: {link['name']} {link['uri']}" for link in view["links"][:4] if "uri" in link]
    out += [f"  note: {note}" for note in view["notes"]]
    if failure := last_failure(root):
        out.append(f"  {failure['code']}: {failure['message'][:400]}")
    if view["report"]:
        out.append(f"  report: {words(view['report']['tabs'], view['report']['size'])}")
    if view["result"] and view["result"]["text"] not in ("", "None"):
        lines = view["result"]["text"].splitlines()
        shown = [cut(line, 160) for line in lines[:6]]
        out.append("  result: " + "\n    ".join([*shown, *(["…"] if len(lines) > 6 else [])]))
    if lines := view["logs"].get(view["root"], {}).get("lines"):
        tail = lines[-5:]
        out.append(f"  log (last {len(tail)} of {view['logs'][view['root']]['printed']:,} lines):")
        out += [f"    {plain(entry[3], 160)}" for entry in tail]
    return "\n".join(out)
