"""Views of runs as `Run.view()` gives them, written out by hand."""

from __future__ import annotations

from typing import Any

T = 1_780_000_000.0

TRACEBACK = """\
Traceback (most recent call last):
  File "Cell In[4]", line 6, in train
    return fit(rows, alpha=alpha)
ZeroDivisionError: division by zero
"""
FAILURE = {
    "code": "ZeroDivisionError",
    "kind": "user",
    "message": "division by zero",
    "traceback": TRACEBACK,
    "frames": [],
    "recoverable": True,
}
STARTED = [("queued", 0.0, 0), ("initializing", 0.01, 0), ("running", 0.03, 0)]
SUCCEEDED = [*STARTED, ("succeeded", 1.33, 0)]


def action(
    name: str,
    parent: str | None,
    phase: str,
    history: list[tuple[str, float, int]],
    *,
    title: str = "score",
    **more: Any,
) -> dict[str, Any]:
    return {
        "name": name,
        "parent": parent,
        "task": f"my_env.{title}",
        "title": title,
        "phase": phase,
        "attempt": history[-1][2] if history else 0,
        "history": [[of, T + at, attempt, *step] for of, at, attempt, *step in history],
        "failures": {},
        "retry_in": None,
        "peak_memory": None,
        "links": [],
        **more,
    }


def view(**more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "run": "r-1",
        "root": "a0",
        "task": "my_env.train",
        "title": "train",
        "mode": "local",
        "site": "this machine",
        "phase": "succeeded",
        "created": T,
        "actions": [action("a0", None, "succeeded", SUCCEEDED, title="train")],
        "total": 1,
        "tasks": {},
        "logs": {},
        "notes": [],
        "links": [],
        "report": None,
        "trigger": None,
        "about": {"environment": "my_env", "description": "", "docs": ""},
        "config": [],
        "inputs": {},
        "result": None,
        "reattached": False,
        "asked": {},
        "progress": None,
        "runs_again": True,
        **more,
    }


def log(*lines: str, printed: int | None = None, attempt: int = 0, stream: str = "stdout") -> dict[str, Any]:
    entries = [[attempt, T, stream, line] for line in lines]
    return {"printed": len(lines) if printed is None else printed, "lines": entries}


def failed(**more: Any) -> dict[str, Any]:
    root = action("a0", None, "failed", [*STARTED, ("failed", 0.6, 0)], title="train", failures={"0": FAILURE})
    return view(phase="failed", actions=[root], **more)
