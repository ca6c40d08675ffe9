"""What the record of a run says of it on its card; the rest of a card is what has happened (`action`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..pods import Phase

_AS_WRITTEN = ("task", "title", "mode", "created", "notes", "config", "inputs")
_LATER = ("about", "links", "report", "trigger")
"""What records of earlier versions lack."""


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
    }


def _items(record: Mapping[str, Any], happened: Mapping[str, Any]) -> dict[str, Any] | None:
    """How far a map is: its first action is no process, and its items are all that it has called."""
    items = str(record["inputs"].get("items", ""))
    if not items.isdigit():
        return None
    counts = happened["tasks"].get(record["title"], {})
    done = sum(number for phase, number in counts.items() if Phase(phase).is_terminal)
    return {"done": done, "total": int(items), "unit": "items"}
