"""The parts of a card, each a pure function of the (already cut) view: `None` when it has nothing to say.

A later part (progress, resource samples, buttons) is one more function, here or in a file of its subject
(`sections_task`), and one more name in `SECTIONS`; its place is its position in that tuple.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...markup import Html, el, join, table
from . import timeline
from .foreign import contained
from .logtext import coloured
from .sections_task import about, anchors, cache, links, origin, quoted, report

View = Mapping[str, Any]
Action = Mapping[str, Any]

_APART = {"stderr": "stderr", "image": "the build of the image"}
"""Streams that are not the task's standard output, and what they are."""
LISTED = 50
"""Child actions are listed up to here and counted above."""
_DEPTH = 6
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


def phase_text(phase: str) -> Html:
    """Icon and word: never colour alone."""
    return join(el("span", timeline.icon(phase), cls="fr-icon", aria_hidden="true"), " ", timeline.word(phase))


def phase(of: str) -> Html:
    return el("span", phase_text(of), cls="fr-phase", data_phase=of)


def row(*parts: object) -> Html:
    """Parts on one line, with spaces between them for those who see it without our style."""
    shown = [part for part in parts if part is not None]
    return el("span", *(join(" " if i else None, part) for i, part in enumerate(shown)), cls="fr-row")


def header(view: View, now: float) -> Html:
    is_over = view["phase"] in timeline.TERMINAL
    is_renamed = view["title"] != view["task"].rpartition(".")[2]
    moment = None if is_over else el("span", "as of ", timeline.clock(now), cls="fr-muted fr-small")
    return el(
        "div",
        el("strong", view["title"], cls="fr-title", role="heading", aria_level="4"),
        join(" ", el("span", view["task"], cls="fr-muted fr-small")) if is_renamed else None,
        " ",
        el("span", phase(view["phase"]), role="status"),
        " ",
        el("code", view["run"], cls="fr-muted"),
        " ",
        moment,
        " ",
        el("span", timeline.seconds(total_seconds(view, now)), cls="fr-right", title="total time"),
        cls="fr-head",
    )


def stretches(action: Action, now: float) -> list[tuple[str, str, float, bool]]:
    """(phase, name, seconds, open) of the time line of an action; a long one is added up by name."""
    parts = timeline.segments(action["history"], now)
    if len(parts) <= _TOGETHER:
        return [(s.phase, s.name, s.seconds, s.open) for s in parts]
    summed: dict[str, tuple[str, str, float, bool]] = {}
    for s in parts:
        _, _, before, _ = summed.get(s.name, (s.phase, s.name, 0.0, False))
        summed[s.name] = (s.phase, s.name, before + s.seconds, s.open)
    return list(summed.values())


def phases(view: View, now: float) -> Html | None:
    action = root_of(view)
    parts = stretches(action, now)
    if not parts:
        return None
    items: list[Html] = []
    for _, name, seconds, is_open in parts:
        items.append(el("li", name, " ", el("b", timeline.seconds(seconds)), " …" if is_open else None))
    if action.get("retry_in") is not None and action["phase"] == "queued":
        items.append(el("li", "next attempt after ", el("b", timeline.seconds(float(action["retry_in"])))))
    if action.get("reason") and parts[-1][3]:
        items.append(el("li", action["reason"], cls="fr-muted"))
    bar = join(*(el("span", style=f"flex-grow:{1 + 1000 * seconds:.0f}", data_phase=of) for of, _, seconds, _ in parts))
    return join(
        el("div", bar, cls="fr-bar", aria_hidden="true"),
        el("ul", join(*items), cls="fr-phases fr-small", aria_label="time per phase"),
    )


def cached(view: View, _now: float) -> Html | None:
    """What the cache said of the first action."""
    said = cache(root_of(view))
    if not said:
        return None
    label, _, reason = said.partition(": ")
    return el("div", el("span", label, cls="fr-label"), " ", quoted(reason), cls="fr-sec fr-small")


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
    body = el("div", rich, cls="fr-rich", tabindex="0") if rich else el("pre", found["text"], tabindex="0")
    return el("div", el("span", "Result", cls="fr-label"), body, cls="fr-sec")


def failure(found: Mapping[str, Any]) -> Html:
    """What went wrong: one line, then the user's traceback."""
    code, message = str(found["code"]), str(found["message"])
    headline = message if not code or message.startswith(code) else f"{code}: {message}"
    trace = Html("\n".join(coloured(line, 400) for line in (found.get("cause", "") + found["traceback"]).splitlines()))
    return join(
        el("div", el("span", "✗ ", aria_hidden="true"), headline, cls="fr-error"),
        el("pre", trace, tabindex="0", aria_label="traceback") if trace else None,
    )


def last_failure(action: Action) -> Mapping[str, Any] | None:
    failures = action["failures"]
    return failures[max(failures, key=int)] if failures and action["phase"] != "succeeded" else None


def error(view: View, _now: float) -> Html | None:
    found = last_failure(root_of(view))
    if found is None:
        return None
    label = "Error" if view["phase"] in timeline.TERMINAL else "Last attempt failed"
    return el("div", el("span", label, cls="fr-label"), failure(found), cls="fr-sec")


def log(view: View, name: str, attempt: int | None = None) -> Html | None:
    """The last lines an action printed, of one attempt or of all."""
    found = view["logs"].get(name)
    lines = [line for line in found["lines"] if attempt is None or line[0] == attempt] if found else []
    if not lines:
        return None
    blocks: list[Html] = []
    block: list[str] = []
    for i, (_, _, stream, text) in enumerate(lines):
        block.append(coloured(text, 1000))
        if i + 1 == len(lines) or lines[i + 1][2] != stream:
            is_apart = stream != "stdout"
            content = Html("\n".join(block) + ("" if is_apart else "\n"))
            blocks.append(el("span", content, cls=f"fr-{stream}", title=_APART[stream]) if is_apart else content)
            block = []
    return el("div", el("pre", join(*blocks)), cls="fr-log", tabindex="0", aria_label="log")


def log_title(view: View, name: str) -> str:
    found = view["logs"][name]
    shown, printed = len(found["lines"]), found["printed"]
    if shown < printed:
        return f"Log: showing last {shown:,} of {printed:,} lines"
    return f"Log: {printed:,} line{'s' if printed != 1 else ''}"


def root_log(view: View, now: float) -> Html | None:
    name = view["root"]
    body = log(view, name)
    if body is None or attempts(view, now) is not None:
        return None
    is_open = view["phase"] != "succeeded" or view["logs"][name]["printed"] <= 12
    return el("details", el("summary", log_title(view, name)), body, open=is_open)


def attempts(view: View, now: float) -> Html | None:
    """Each attempt of the first action, when there was more than one."""
    action = root_of(view)
    numbers = sorted({int(step[2]) for step in action["history"]} | {int(n) for n in action["failures"]})
    if action["attempt"] == 0 or len(numbers) < 2:
        return None
    rows: list[Html] = []
    for n in numbers[-10:]:
        parts = [s for s in timeline.segments(action["history"], now) if s.attempt == n]
        seconds = sum(s.seconds for s in parts if s.name != "retry wait")
        found = action["failures"].get(str(n))
        of = action["phase"] if n == action["attempt"] else "failed"
        if n == action["attempt"] and found is not None and of == "queued":
            of = "failed"
        line = row(
            el("span", f"Attempt {n + 1}"),
            phase(of),
            el("span", found["code"], cls="fr-muted") if found else None,
            el("span", timeline.seconds(seconds), cls="fr-right"),
        )
        is_last = n == numbers[-1]
        is_told = is_last and view["phase"] in timeline.BAD  # above, under "Error"
        body = join(failure(found) if found and not is_told else None, log(view, view["root"], n))
        rows.append(el("details", el("summary", line), body, open=is_last) if body else el("div", line, cls="fr-flat"))
    hidden = action["attempt"] + 1 - len(rows)
    label = f"Attempts: {action['attempt'] + 1}" + (f" (the last {len(rows)})" if hidden > 0 else "")
    told = "· " + log_title(view, view["root"]).lower() if view["root"] in view["logs"] else None
    above = join(el("span", label, cls="fr-label"), " ", el("span", told, cls="fr-muted fr-small") if told else None)
    return el("div", above, *rows, cls="fr-sec")


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
        el("span", counted(totals), cls="fr-muted"),
        el("span", stored, cls="fr-muted") if stored else None,
    )
    return el("details", el("summary", label), body, open=True)


def _aggregate(view: View, children: Iterable[Action], now: float) -> Html:
    rows: list[Html] = []
    for title, counts in view["tasks"].items():
        bar = join(*(el("span", style=f"flex-grow:{counts[p]}", data_phase=p) for p in timeline.ORDER if counts.get(p)))
        line = row(
            el("span", f"{title} × {sum(counts.values()):,}"),
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
    """One action on one line; its error and its log open beneath it."""
    again = f"attempt {action['attempt'] + 1}" if action["attempt"] else None
    line = row(
        el("span", action["title"]),
        phase(action["phase"]),
        el("span", again, cls="fr-muted") if again else None,
        el("span", "from the cache", cls="fr-muted") if action["is_cached"] else None,
        el("span", action["reason"], cls="fr-muted") if action["reason"] else None,
        anchors(action["links"]),
        el("span", timeline.seconds(timeline.span(action, now)), cls="fr-right"),
    )
    found = last_failure(action)
    lines = log(view, action["name"])
    title = el("span", log_title(view, action["name"]), cls="fr-muted") if lines is not None else None
    said = el("div", quoted(cache(action)), cls="fr-muted") if cache(action) else None
    body = join(failure(found) if found else None, said, title, lines)
    return el("li", el("details", el("summary", line), body) if body else line, below)


def config(view: View, _now: float) -> Html | None:
    """The values that were given, each with the level it came from."""
    given = view["config"]
    if not given:
        return None
    rows = [(c["name"], el("code", c["value"]), c["level"]) for c in given]
    made = table(("Parameter", "Value", "From"), rows, title="Configuration", cls="fr-table")
    return el("details", el("summary", f"Configuration: {len(given)} given"), made)


Section = Callable[[View, float], "Html | None"]

SECTIONS: tuple[Section, ...] = (
    *(phases, origin, cached, notes, inputs, links, result, report, error, attempts, actions, root_log, config, about),
)
"""From top to bottom, below the header."""
