"""Which news of runs are events: each change of a phase, once."""

from __future__ import annotations

from typing import Any

from flyte_jupyter.server.events import Phases

NOW = 1_000.0


def _run(name: str, phase: str, *, created: float = NOW, ended: float | None = None, attempt: int = 0) -> Any:
    about = {"task": "env.task", "title": "task", "is_cached": False, "mode": "local", "notebook": None}
    return {
        "name": name,
        "phase": phase,
        "created": created,
        "began": None,
        "ended": ended,
        "attempt": attempt,
        **about,
    }


def _told(phases: Phases, *runs: Any) -> list[tuple[str, str | None, str]]:
    return [(event["run"], event["previous"], event["phase"]) for event in phases.changes(runs)]


def test_a_phase_is_told_once() -> None:
    phases = Phases(NOW)
    assert [("r1", None, "queued")] == _told(phases, _run("r1", "queued"))
    assert [] == _told(phases, _run("r1", "queued"))
    assert [("r1", "queued", "running")] == _told(phases, _run("r1", "running"), _run("r1", "running", attempt=1))
    assert [("r1", "running", "failed")] == _told(phases, _run("r1", "failed", ended=NOW + 1))
    assert [] == _told(phases, _run("r1", "failed", ended=NOW + 1))


def test_what_has_happened_before_is_no_news() -> None:
    phases = Phases(NOW)
    assert [] == _told(
        phases, _run("r1", "succeeded", created=NOW - 9, ended=NOW - 1), _run("r2", "running", created=1)
    )
    assert [("r2", "running", "succeeded")] == _told(phases, _run("r2", "succeeded", created=1, ended=NOW + 5))
    assert [("r3", None, "aborted")] == _told(phases, _run("r3", "aborted", created=1, ended=NOW + 5))


def test_it_is_told_when_it_came_to_that() -> None:
    phases = Phases(NOW)
    [event] = phases.changes([_run("r1", "failed", ended=NOW + 7)])
    assert NOW + 7 == event["at"]
