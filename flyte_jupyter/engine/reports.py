"""The reports of attempts, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import RunNotFoundError
from ..pods import pod_name
from ..report import Page
from ..store import Store, keys

SHOWN = 64 << 10
"""Bytes of a report that a card may look at; of larger ones it says how to see them."""


def report(store: Store, run: str, action: str, attempt: int) -> Page:
    """What the task had logged when it was last written. Raises `RunNotFoundError` when it has logged nothing."""
    try:
        told = json.loads(bytes(store.get(keys.report(run, action, attempt))))
    except KeyError:
        raise RunNotFoundError(
            f"Attempt {attempt + 1} of {pod_name(run, action)} has no report.\n"
            "A task writes one with flyte.report.log(...), and @env.task(report=True) or flyte.report.flush()."
        ) from None
    return Page.of(f"{told['name']}, attempt {attempt + 1}" if attempt else str(told["name"]), told["tabs"])


class Shown:
    """The report of a run's first action as its card has it: read again when it has changed."""

    def __init__(self, store: Store, run: str, action: str) -> None:
        self._store = store
        self._run = run
        self._action = action
        self._last: tuple[object, dict[str, Any]] | None = None

    def __call__(self, action: Mapping[str, Any]) -> dict[str, Any] | None:
        """None when nothing was logged, else "tabs", "size" in bytes, and "html" by tab or None for a large one.

        Args:
            action: as JSON, with the last news of its report.
        """
        attempt = action["attempt"]
        told = action["vitals"].get(str(attempt), {}).get("report")
        if told is None:
            return None
        if self._last is None or self._last[0] is not told:
            self._last = (told, {**told, "attempt": attempt, "html": self._read(attempt, int(told["size"]))})
        return self._last[1]

    def _read(self, attempt: int, size: int) -> dict[str, str] | None:
        if size > SHOWN:
            return None
        try:
            return dict(report(self._store, self._run, self._action, attempt).tabs)
        except RunNotFoundError:  # its files are gone
            return None
