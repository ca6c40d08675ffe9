"""What a pod has been through, as it is told and kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..pods import Phase, PodEvent, PodRequest


class History:
    """The events of one pod.

    Args:
        tell: passes an event on to those who watch; keep: called before, when the last one was added.

    Attributes:
        events: every phase so far, each stretch of time once.
    """

    def __init__(self, request: PodRequest, tell: Callable[[PodEvent], None], keep: Callable[[], None]) -> None:
        self.events: list[PodEvent] = []
        self._request = request
        self._tell = tell
        self._keep = keep

    def __repr__(self) -> str:
        return f"<History {[event.phase.value for event in self.events]}>"

    @property
    def has_ended(self) -> bool:
        """Whether the last phase is one that stays."""
        return bool(self.events) and self.events[-1].phase.is_terminal

    def add(self, phase: Phase, attempt: int, *, at: float | None = None, step: str = "", **said: Any) -> None:
        """Note a phase; the same stretch of time is told again with other words.

        Args:
            at: when it began, now by default; step, said: further fields of `PodEvent`, where `cache` says that the
                result was kept.
        """
        last = self.events[-1] if self.events else None
        if last is not None and (last.phase, last.attempt, last.step) == (phase, attempt, step):
            event = replace(last, retry_in=None, **{"reason": "", **said})
            self.events[-1] = event
        else:
            event = self._event(phase, attempt, at if at is not None else time.time(), step, said)
            self.events.append(event)
        if phase.is_terminal:
            self._keep()
        self._tell(event)

    def _event(self, phase: Phase, attempt: int, at: float, step: str, said: dict[str, Any]) -> PodEvent:
        request, is_first = self._request, phase is Phase.QUEUED
        resources = request.resources.to_json() or None
        asked = {"links": request.links, "cache": request.cache, "asked": resources} if is_first else {}
        is_cached = bool(said.get("cache"))
        return request.event(phase, at=at, attempt=attempt, step=step, is_cached=is_cached, **{**asked, **said})
