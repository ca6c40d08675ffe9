"""Runs that somebody looks at: attached, and let go when nobody does any more."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..engine.engine import Engine
from ..engine.run import Run
from ..home import Home
from ..runners.onlooker import Onlooker
from ..store import Store

_KEPT = 60.0
"""Seconds that one is kept after it was asked for, when nobody listens to it."""
_MOST = 200
"""That are kept at a time without anybody who listens."""


class LookedAt:
    """Attached runs by name. Any thread may ask.

    Args:
        home: the state folder; store: of this machine.
        host: gives the state folder with the Host that has a run.
    """

    def __init__(self, home: Home, store: Store, host: Callable[[str], Home]) -> None:
        self._home, self._store, self._host = home, store, host
        self._runs: dict[str, tuple[Run, Engine, float]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<LookedAt {', '.join(self._runs) or 'none'}>"

    def run(self, record: Mapping[str, Any]) -> Run:
        """A run by what was written down of it."""
        name: str = record["run"]
        with self._lock:
            known = self._runs.get(name)
            if known is None:
                runner = Onlooker(functools.partial(self._host, name), name)
                engine = Engine(self._store, runner, self._home.key(), {"run": name}, lingers=False, makes_venvs=False)
                known = Run(engine, dict(record), reattached=True), engine, 0.0
            self._runs[name] = (*known[:2], time.monotonic())
            return known[0]

    def tidy(self) -> None:
        """Let go of those that nobody needs."""
        with self._lock:
            quiet = [(at, name) for name, (run, _, at) in self._runs.items() if not run.standing.is_followed]
            old = time.monotonic() - _KEPT
            let_go = [name for at, name in sorted(quiet)[: max(0, len(quiet) - _MOST)]]
            let_go += [name for at, name in quiet if at < old]
            engines = [self._runs.pop(name)[1] for name in dict.fromkeys(let_go)]
        for engine in engines:
            engine.close()

    def close(self) -> None:
        """Let go of all."""
        with self._lock:
            runs, self._runs = self._runs, {}
        for _, engine, _ in runs.values():
            engine.close()
