"""Runs that somebody looks at: attached, and let go when nobody does any more."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.engine import Engine
from ..engine.run import Run
from ..home import Home
from ..runners.onlooker import Onlooker
from ..sites import Sites

_KEPT = 60.0
"""Seconds that one is kept after it was asked for, when nobody listens to it."""
_MOST = 200
"""That are kept at a time without anybody who listens."""


@dataclass
class _Looked:
    """One of them; `at` is when it was asked for last, as `time.monotonic` counts."""

    run: Run
    engine: Engine
    at: float = 0.0


class LookedAt:
    """Attached runs by name. Any thread may ask.

    Args:
        home: the state folder; sites: where runs are.
        host: gives the state folder with the Host that has a run.
    """

    def __init__(self, home: Home, sites: Sites, host: Callable[[str], Home]) -> None:
        self._home, self._sites, self._host = home, sites, host
        self._runs: dict[str, _Looked] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<LookedAt {', '.join(self._runs) or 'none'}>"

    def run(self, record: Mapping[str, Any]) -> Run:
        """A run by what was written down of it. Raises `ConfigError` when its cluster is not reached, or refuses."""
        name: str = record["run"]
        known = self._known(name)
        if known is None:
            engine = self._engine(record)  # which may take its time, in a cluster
            with self._lock:
                if name not in self._runs:
                    self._runs[name] = _Looked(Run(engine, dict(record), reattached=True), engine)
            known = self._known(name)
            assert known is not None
            if known.engine is not engine:
                engine.close()  # somebody else was faster
        return known.run

    def _known(self, name: str) -> _Looked | None:
        with self._lock:
            known = self._runs.get(name)
            if known is not None:
                known.at = time.monotonic()
            return known

    def _engine(self, record: Mapping[str, Any]) -> Engine:
        name = record["run"]
        if record.get("cluster") is not None:
            return self._sites.another(record, {"run": name})
        runner, here = Onlooker(functools.partial(self._host, name), name), self._sites.local
        return Engine(here.store, runner, here.key, {"run": name}, lingers=False, makes_venvs=False)

    def tidy(self) -> None:
        """Let go of those that nobody needs."""
        with self._lock:
            quiet = sorted((of.at, name) for name, of in self._runs.items() if not of.run.standing.is_followed)
            old = time.monotonic() - _KEPT
            too_many = max(0, len(quiet) - _MOST)
            let_go = [self._runs.pop(name) for n, (at, name) in enumerate(quiet) if n < too_many or at < old]
        for each in let_go:
            each.engine.close()

    def close(self) -> None:
        """Let go of all."""
        with self._lock:
            let_go, self._runs = list(self._runs.values()), {}
        for each in let_go:
            each.engine.close()
