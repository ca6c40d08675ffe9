"""Runs and actions as lists show them: pure functions of what was written down and of what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...engine.action import Action, RunState
from ...engine.record import warning
from ...pods import ROOT, Phase
from ..shapes.actions import ActionRow, Stretch
from ..shapes.runs import RunSummary


def summary(record: Mapping[str, Any], state: RunState) -> RunSummary:
    """A run in a list; `notebook` is an absolute path here, see `within`."""
    first = state.get(ROOT)
    assert first is not None
    notebook, is_over = record.get("notebook") or {}, first.phase.is_terminal
    is_kept = is_over and first.is_cached
    return RunSummary(
        name=record["run"],
        task=record["task"],
        title=record["title"],
        environment=(record.get("about") or {}).get("environment") or record["task"].rpartition(".")[0],
        phase=first.phase.value,
        warning=warning(record, first.phase, state.tasks()) if record["pod"] is None else "",
        reason=reason(first),
        created=record["created"],
        began=next((at for phase, at, *_ in first.history if phase is Phase.RUNNING), None),
        ended=first.history[-1][1] if is_over and first.history else None,
        attempt=first.attempt,
        is_cached=is_kept,
        actions=dict(state.counts()),
        mode="remote" if record["mode"] == "remote" else "local",
        site=record.get("site") or "this machine",
        notebook=notebook.get("path"),
        cell=notebook.get("cell"),
        kernel=_kernel(notebook.get("kernel")),
        trigger=(record.get("trigger") or {}).get("name"),
        can_rerun=record["pod"] is not None and not is_kept,
    )


def row(action: Action) -> ActionRow:
    """An action in a timeline."""
    history = [Stretch(phase=phase.value, at=at, attempt=n, step=step) for phase, at, n, step in action.history]
    return ActionRow(
        name=action.name,
        parent=action.parent,
        task=action.task,
        title=action.title,
        phase=action.phase.value,
        attempt=action.attempt,
        is_cached=action.is_cached,
        history=history,
        reason=reason(action),
    )


def reason(action: Action) -> str:
    """Why it waits, or the first line of what went wrong."""
    if action.failure is not None and action.phase.is_terminal:
        return action.failure.message.partition("\n")[0]
    return action.reason


def within(root: Path, made: RunSummary) -> RunSummary:
    """The same with the notebook as a server knows it that serves the folder `root`."""
    return {**made, "notebook": path_within(root, made["notebook"])}


def path_within(root: Path, path: str | None) -> str | None:
    """The path of a notebook within `root`; the absolute one when it is elsewhere."""
    if path is None or not Path(path).is_relative_to(root):
        return path
    return Path(path).relative_to(root).as_posix()


def _kernel(connection_file: str | None) -> str | None:
    return Path(connection_file).stem.removeprefix("kernel-") if connection_file else None
