"""Runs that somebody looks at: attached, and let go when nobody does any more."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.engine import Engine
from ...engine.run import Run
from ...home import Home
from ...runners.onlooker import Onlooker
from ...sites import Sites, runner_of

_KEPT = 60.0
"""Seconds that one is kept after it was asked for, when nobody listens to it."""
_MOST = 200
"""That are kept at a time without anybody who listens."""


@dataclass
class _Looked:
    """One of them; `at` is when it was asked for last, as `time.monotonic` counts."""

    run: Run
    engine: Engine
    at: float = field(default_factory=time.monotonic)


class LookedAt:
    """Attached runs by name. Any thread may ask.

    Args:
        home: the state folder; sites: where runs are.
        host: gives the state folder with the Host that has a run.
    """

    def __init__(self, home: Home, sites: Sites, host: Callable[[str], Home]) -> None:
        self._home, self._sites, self._host = home, sites, host
        self._runs: dict[str, _Looked] = {}
        self._shared: dict[tuple[str, Any], Engine] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<LookedAt {', '.join(self._runs) or 'none'}>"

    def run(self, record: Mapping[str, Any]) -> Run:
        """A run by what was written down of it. Raises `ConfigError` when its cluster is not reached, or refuses."""
        name: str = record["run"]
        known = self._known(name)
        if known is None:
            make = self._maker(record)  # which may take its time, in a cluster
            with self._lock:
                if name not in self._runs:
                    engine = make()
                    self._runs[name] = _Looked(Run(engine, dict(record), reattached=True), engine)
                known = self._runs[name]
        return known.run

    def _known(self, name: str) -> _Looked | None:
        with self._lock:
            known = self._runs.get(name)
            if known is not None:
                known.at = time.monotonic()
            return known

    def _maker(self, record: Mapping[str, Any]) -> Callable[[], Engine]:
        """What makes the engine of a run; in a cluster the runs of a kernel have one in common, as in that kernel."""
        name, session = record["run"], record.get("session")
        here = self._sites.of_record(record)
        if here.is_local:
            runner = Onlooker(functools.partial(self._host, name), name)
            return lambda: Engine(here.store, runner, here.key, {"run": name}, lingers=False, makes_venvs=False)
        place = here.title, session

        def shared() -> Engine:
            if place not in self._shared:
                labels = {"session": str(session)}
                self._shared[place] = Engine(
                    here.store, runner_of(here).another(), here.key, labels, lingers=False, makes_venvs=False
                )
            return self._shared[place]

        return shared

    def tidy(self) -> None:
        """Let go of those that nobody needs."""
        with self._lock:
            quiet = sorted((of.at, name) for name, of in self._runs.items() if not of.run.standing.is_followed)
            old = time.monotonic() - _KEPT
            too_many = max(0, len(quiet) - _MOST)
            let_go = [self._runs.pop(name) for n, (at, name) in enumerate(quiet) if n < too_many or at < old]
            self._drop(let_go)

    def _drop(self, let_go: Sequence[_Looked]) -> None:
        """The lock is held. Engines that no other run has are closed, on a thread: their watches may take a moment."""
        left = {id(of.engine) for of in self._runs.values()}
        self._shared = {place: engine for place, engine in self._shared.items() if id(engine) in left}
        over = {id(of.engine): of.engine for of in let_go if id(of.engine) not in left}
        for each in let_go:
            each.engine.news.forget(each.run.name)
        for engine in over.values():
            threading.Thread(target=engine.close, name="flyte-jupyter-leave", daemon=True).start()

    def close(self) -> None:
        """Let go of all."""
        with self._lock:
            let_go, self._runs = list(self._runs.values()), {}
            self._drop(let_go)
