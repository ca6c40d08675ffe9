"""What the record of a run says of it on its card; the rest of a card is what has happened (`action`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..pods import ROOT, Phase, PodEvent
from .action import RunState

UNTOLD: Mapping[str, Any] = {"env": {}, "options": {}, "template": None}
"""What is not written down of a pod: it may hold secrets."""
_AS_WRITTEN = ("task", "title", "mode", "created", "notes", "config", "inputs")
_LATER = ("about", "links", "trigger", "site")
"""What records of earlier versions lack."""


def is_driven(record: Mapping[str, Any]) -> bool:
    """Whether the process lives that goes through the items of a map; yes if it is on another machine."""
    driver = record.get("process")
    if driver is None:  # written by an earlier version, whose kernels are gone
        return False
    machine, number = driver
    if machine != os.uname().nodename:
        return True
    import psutil

    try:
        return bool(psutil.Process(number).create_time() <= record["created"])  # else its number was given away
    except psutil.NoSuchProcess:
        return False


def told(record: Mapping[str, Any], happened: Mapping[str, Any]) -> dict[str, Any]:
    """What is written down, and what follows from it.

    Args:
        happened: the view of its state so far.
    """
    pod = record["pod"]
    is_kept = any(of["is_cached"] for of in happened["actions"] if of["name"] == happened["root"])
    return {
        **{name: record[name] for name in _AS_WRITTEN},
        **{name: record.get(name) for name in _LATER},
        "asked": (pod or {}).get("resources") or {},
        "runs_again": pod is not None and not is_kept,
        "progress": _items(record, happened) if pod is None else None,
        "warning": warning(record, Phase(happened["phase"]), happened["tasks"]) if pod is None else "",
    }


def as_written(record: Mapping[str, Any], said: str) -> dict[str, Any]:
    """What a card shows of a run when nothing is known of it but its record.

    Args:
        said: why that is so.
    """
    run, task, title = record["run"], record["task"], record["title"]
    state = RunState(run, ROOT, task=task, title=title)
    event = PodEvent(
        run=run,
        action=ROOT,
        parent=None,
        task=task,
        title=title,
        phase=Phase.QUEUED,
        at=record["created"],
        reason=said,
    )
    state.apply(event)
    happened = state.view()
    return {**happened, **told(record, happened), "result": None, "report": None, "reattached": True}


def items_failed(failed: int, items: int) -> str:
    """What is said of a map that went on without some of its items; "" when it has them all."""
    return f"{failed:,} of {items:,} items failed" if failed else ""


def warning(record: Mapping[str, Any], phase: Phase, tasks: Mapping[str, Mapping[str, int]]) -> str:
    """What stands beside "succeeded", which is true of the map, and not of all that it called.

    Args:
        tasks: how many actions of which title are in which phase.
    """
    if phase is not Phase.SUCCEEDED:
        return ""
    counts = tasks.get(record["title"], {})
    ended = {phase: number for phase, number in counts.items() if Phase(phase).is_terminal}
    return items_failed(sum(ended.values()) - ended.get(Phase.SUCCEEDED.value, 0), sum(ended.values()))


def _items(record: Mapping[str, Any], happened: Mapping[str, Any]) -> dict[str, Any] | None:
    """How far a map is: its first action is no process, and its items are all that it has called."""
    items = str(record["inputs"].get("items", ""))
    if not items.isdigit():
        return None
    counts = happened["tasks"].get(record["title"], {})
    done = sum(number for phase, number in counts.items() if Phase(phase).is_terminal)
    return {"done": done, "total": int(items), "unit": "items", "began": record["created"]}
