"""A view cut to what a notebook may hold: pure, and idempotent for one set of limits.

The HTML and the JSON of a card are both made from the cut view, so one place decides what is kept.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...markup import clean, cut
from ...once import made_once
from ...pods import Requirements
from .logtext import middle, normal
from .vitals import cut_report, cut_vitals


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of each part is kept; numbers of characters unless said otherwise.

    Attributes:
        rich: bytes of the result's own HTML; report: of the report, with its frame;
        log_lines: per action; logs: of all actions together.
        links: per run, and three per action that it started.
        actions: listed one by one; failures: attempts whose failure is kept, per action.
        samples: of CPU and memory, per attempt of the first action.
    """

    rich: int
    report: int
    text: int
    traceback: int
    message: int
    value: int
    values: int
    notes: int
    links: int
    log_lines: int
    log_width: int
    logs: int
    actions: int
    tasks: int
    failures: int
    history: int
    samples: int


_LONGEST_LINK = 1000
_ASKED = tuple(f.name for f in fields(Requirements))

_STREAMS = ("stdout", "stderr", "image")

LEVELS = (
    Limits(
        rich=24 << 10, text=4000, traceback=6000, message=1500, value=200, values=40, notes=10, links=10, log_lines=200,
        log_width=300, logs=9000, actions=51, tasks=20, failures=8, history=40, samples=60, report=36 << 10,
    ),
    Limits(
        rich=24 << 10, text=4000, traceback=3000, message=600, value=120, values=40, notes=10, links=10, log_lines=200,
        log_width=100, logs=2000, actions=51, tasks=20, failures=4, history=24, samples=40, report=16 << 10,
    ),
    Limits(
        rich=16 << 10, text=2000, traceback=3000, message=600, value=120, values=24, notes=8, links=6, log_lines=60,
        log_width=160, logs=4000, actions=31, tasks=12, failures=4, history=24, samples=30, report=12 << 10,
    ),
    Limits(
        rich=0, text=800, traceback=1200, message=300, value=60, values=12, notes=4, links=3, log_lines=20,
        log_width=100, logs=1200, actions=13, tasks=6, failures=2, history=12, samples=20, report=0,
    ),
    Limits(
        rich=0, text=200, traceback=300, message=100, value=30, values=0, notes=0, links=0, log_lines=0,
        log_width=0, logs=0, actions=1, tasks=0, failures=1, history=8, samples=10, report=0,
    ),
)  # fmt: skip
"""From generous to the least that still says what happened; `card.bundle` takes the first that fits."""


def shrink(view: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """`view` with every part cut to `limits`."""
    actions = list(view.get("actions") or [])
    root = view.get("root")
    actions.sort(key=lambda a: a.get("name") != root)  # stable: the first action leads, the others keep their order
    shown = actions[: limits.actions]
    result = view.get("result")
    return {
        "version": view.get("version", 1),
        "run": _line(view.get("run"), 120),
        "root": _line(root, 120),
        "task": _line(view.get("task"), 200),
        "title": _line(view.get("title") or view.get("task"), 120),
        "mode": _line(view.get("mode"), 40),
        "site": _line(view.get("site"), 160),
        "phase": _line(view.get("phase"), 40),
        "warning": _line(view.get("warning"), 80),
        "created": view.get("created"),
        "reattached": bool(view.get("reattached")),
        "total": max(int(view.get("total") or 0), len(actions)),
        "cached": int(view.get("cached") or 0),
        "tasks": _tasks(view.get("tasks") or {}, limits.tasks),
        "actions": [_action(a, limits) for a in shown],
        "logs": _logs(view.get("logs") or {}, [str(a.get("name")) for a in shown], limits),
        "notes": [_line(n, 300) for n in _notes(view, actions)[: limits.notes]],
        "links": _links(view.get("links"), limits.links),
        "report": _report(view.get("report")),
        "trigger": _trigger(view.get("trigger")),
        "about": {
            name: middle(_text(text, limits.text), limits.text) for name, text in (view.get("about") or {}).items()
        },
        "inputs": {
            _line(k, 80): _line(v, limits.value) for k, v in list((view.get("inputs") or {}).items())[: limits.values]
        },
        "inputs_total": max(int(view.get("inputs_total") or 0), len(view.get("inputs") or {})),
        "config": [
            {"name": _line(c["name"], 80), "value": _line(c["value"], limits.value), "level": _line(c["level"], 40)}
            for c in list(view.get("config") or [])[: limits.values]
        ],
        "result": _result(result, limits) if result else None,
        "asked": _asked(view.get("asked")),
        "progress": _progress(view.get("progress")),
        "runs_again": bool(view.get("runs_again")),
    }


def _asked(asked: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (asked or {}).items() if name in _ASKED}


def _progress(progress: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not progress:
        return None
    total = max(int(progress["total"]), 1)
    unit, began = _line(progress["unit"], 40), progress.get("began")
    return {"done": min(int(progress["done"]), total), "total": total, "unit": unit, "began": began}


def _line(value: object, size: int) -> str:
    text = "" if value is None else str(value)
    return _one_line(text[: 4 * size + 100], size) if text else ""


@functools.lru_cache(maxsize=8192)  # a card that is live says nearly the same again
def _one_line(text: str, size: int) -> str:
    return cut(clean(text).replace("\n", " "), size)


def _notes(view: Mapping[str, Any], actions: list[Any]) -> list[str]:
    """What is said of the run, and of its actions; the same of many actions once."""
    said = list(view.get("notes") or [])
    for action in actions:
        of = "" if action.get("name") == view.get("root") else f"{action.get('title') or action.get('task')}: "
        said += [f"{of}{note}" for note in action.get("notes") or []]
    return list(dict.fromkeys(said))


@made_once
def _action(action: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    history = [list(step) for step in action.get("history") or []]
    failures = dict(action.get("failures") or {})
    kept = sorted(failures, key=int)[-limits.failures :]
    kept_history = history[-limits.history :]
    return {
        "name": _line(action.get("name"), 120),
        "parent": _line(action["parent"], 120) if action.get("parent") else None,
        "title": _line(action.get("title") or action.get("task"), 80),
        "phase": _line(action.get("phase"), 40),
        "attempt": int(action.get("attempt") or 0),
        "begin": action.get("begin", history[0][1] if history else None),
        "history": [
            [_line(phase, 40), round(float(at), 3), attempt, *(_line(s, 20) for s in step)]
            for phase, at, attempt, *step in kept_history
        ],
        "failures": {str(n): _failure(failures[n], limits) for n in kept},
        "retry_in": action.get("retry_in"),
        "reason": _line(action.get("reason"), 300),
        "is_cached": bool(action.get("is_cached")),
        "cache": _line(action.get("cache"), 300),
        "replica": _line(action.get("replica"), 160),
        "pod": _line(action.get("pod"), 80),
        "instead": _asked(action.get("instead")),
        "peak_memory": action.get("peak_memory"),
        "links": _links(action.get("links"), min(limits.links, 3)),
        "vitals": _vitals(action, limits),
    }


def _vitals(action: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Of each attempt of the first action, and of the last one of another in words."""
    is_first = not action.get("parent")
    return cut_vitals(action.get("vitals") or {}, limits.failures if is_first else 1, limits.samples if is_first else 0)


def _links(links: Any, most: int) -> list[dict[str, str]]:
    """Whole or not at all: half an address leads elsewhere."""
    kept = []
    for link in list(links or ())[:most]:
        name, uri = _line(link.get("name"), 80), str(link.get("uri") or "")
        if "problem" in link:
            kept.append({"name": name, "problem": _line(link["problem"], 160)})
        elif len(uri) > _LONGEST_LINK:
            kept.append({"name": name, "problem": f"an address of {len(uri):,} characters"})
        else:
            kept.append({"name": name, "uri": clean(uri)})
    return kept


def _report(report: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {**(cut_report(report) or {}), "html": report.get("html")} if report else None


def _trigger(trigger: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not trigger:
        return None
    return {"name": _line(trigger["name"], 80), "at": float(trigger["at"]), "by_hand": bool(trigger["by_hand"])}


def _failure(failure: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    return {
        "code": _line(failure.get("code"), 80),
        "kind": _line(failure.get("kind"), 20),
        "message": middle(_text(failure.get("message"), limits.message), limits.message),
        "traceback": middle(
            _text(f"{failure.get('cause') or ''}{failure.get('traceback') or ''}", limits.traceback), limits.traceback
        ),
    }


def _result(result: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    return {"text": middle(_text(result.get("text"), limits.text), limits.text), "html": result.get("html")}


def _text(value: object, size: int) -> str:
    """Several lines, clean; only the ends of a text of megabytes are looked at."""
    text = str(value or "")
    if len(text) > 40 * size:
        text = f"{text[: 20 * size]}\n{text[-20 * size :]}"
    return clean(text)


def _tasks(tasks: Mapping[str, Mapping[str, int]], most: int) -> dict[str, dict[str, int]]:
    """The most frequent tasks; the others are counted together."""
    ordered = sorted(tasks, key=lambda t: -sum(tasks[t].values()))
    out = {_line(t, 80): {_line(p, 40): int(n) for p, n in tasks[t].items()} for t in ordered[:most]}
    if rest := ordered[most:]:
        counted: Counter[str] = Counter()
        for t in rest:
            counted.update({_line(p, 40): int(n) for p, n in tasks[t].items()})
        out[f"{len(rest)} other tasks"] = dict(counted)
    return out


def _logs(logs: Mapping[str, Any], names: list[str], limits: Limits) -> dict[str, Any]:
    """The last lines: half of the room for the first action, the rest shared by the others that printed something."""
    speaking = [n for n in names if logs.get(n, {}).get("lines")][: 1 + limits.logs // max(limits.log_width, 1)]
    out: dict[str, Any] = {}
    for i, name in enumerate(speaking):
        is_first = name == names[0] and len(speaking) > 1
        room = limits.logs // 2 if is_first else limits.logs // max(1, 2 * len(speaking) - 2)
        room = limits.logs if len(speaking) == 1 else max(room, limits.log_width)
        if i < limits.actions and (kept := _log(logs[name], limits, room))["lines"]:
            out[_line(name, 120)] = kept
    return out


@made_once
def _log(log: Mapping[str, Any], limits: Limits, room: int) -> dict[str, Any]:
    """The last lines of one action, of `room` characters together."""
    lines: list[list[Any]] = []
    for attempt, at, stream, text in reversed(log["lines"][-limits.log_lines :] if limits.log_lines else []):
        line = normal(str(text), limits.log_width)
        room -= len(line) + 12
        if room < 0:
            break
        lines.append([attempt, round(float(at), 3), stream if stream in _STREAMS else "stdout", line])
    return {"printed": max(int(log.get("printed") or 0), len(log["lines"])), "lines": lines[::-1]}
