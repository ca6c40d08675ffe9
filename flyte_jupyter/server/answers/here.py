"""What answers are made from."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...engine import kept
from ...engine.action import Action, RunState
from ...engine.run import Run
from ...errors import RunNotFoundError
from ...home import Home
from ...pack.envelope import header_of
from ...pods import ROOT, Event, PodEvent, pod_name
from ...sites import Site, Sites
from ...store import keys
from ..feed.feed import Feed
from .lines import Lines


@dataclass(frozen=True)
class Download:
    """A file to be saved."""

    name: str
    data: bytes
    type: str = "text/plain"


class Here:
    """This user's runs and machine, as a server sees them. Any thread may ask.

    Args:
        home: the state folder; root: the folder that the server serves, whose notebooks have relative paths.
    """

    def __init__(self, home: Home, root: Path) -> None:
        self.home, self.root = home, root
        self._sites = Sites(home, secrets.token_hex(8))
        self.feed = Feed(self._sites, home, root)
        self.lines = Lines()

    def __repr__(self) -> str:
        return f"<Here {self.home.path}>"

    def record(self, run: str) -> dict[str, Any]:
        """What was written down of a run. Raises `RunNotFoundError`."""
        return self.feed.record(run)

    def run(self, name: str) -> Run:
        """A run by its name. Raises `RunNotFoundError`; `HostError` when its cluster cannot be reached."""
        return self.feed.run(name)

    def is_remote(self, run: str) -> bool:
        """Whether a run is in a cluster, which may take its time to answer. Raises `RunNotFoundError`."""
        return bool(run) and self.record(run).get("cluster") is not None

    def place(self, run: str) -> Site:
        """Where a run is. Raises `RunNotFoundError`; `HostError` when its cluster cannot be reached."""
        return self._sites.of_record(self.record(run))

    def action(self, run: str, action: str) -> Action:
        """An action of a run. Raises `RunNotFoundError`."""
        ended = _folded(list(kept.happened(self.place(run).store, run, action)))
        found = (ended or self._state(run)).get(action)
        if found is None:
            raise RunNotFoundError(f"There is no action {pod_name(run, action)!r}.")
        return found

    def first_action(self, run: str) -> RunState | None:
        """What is stored of the first action of a run alone; None while it has not ended. Raises as `place` does."""
        return _folded(list(kept.events(self.place(run).store, run, ROOT)))

    def _state(self, run: str) -> RunState:
        found = self.run(run)
        found.done()  # which looks at what is stored
        return found.standing.state

    def said_of_inputs(self, run: str, action: str) -> dict[str, str]:
        """The inputs of a called action in words; {} when they were not written down: only cached tasks do that."""
        try:
            header = header_of(self.place(run).store.get(keys.inputs(run, action)))
        except KeyError:
            return {}
        return dict(header.get("kept", {}).get("said", {}))

    def close(self) -> None:
        """Let go of everything; what runs, runs on."""
        self.feed.close()
        self._sites.close()


def _folded(events: list[Event]) -> RunState | None:
    """What is stored of an action alone, with all attempts; None while it has not ended."""
    if not events or not isinstance(first := events[0], PodEvent):
        return None
    state = RunState(first.run, first.action, task=first.task, title=first.title)
    for event in events:
        state.apply(event)
    found = state.get(first.action)
    if found is None or not found.phase.is_terminal:
        return None
    found.parent = first.parent
    return state
