"""Queues: lanes with a concurrency of their own, first come, first served.

A lane is made when it is first used, with what the settings file says of it at that time and later: the file is looked
at whenever somebody asks. A parent holds no place while a task that it called is open, so that a task may call tasks of
its own queue.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from ...config.queues import QueueSettings, parse_settings
from ...errors import ConfigError

_COUNTED = 50
"""So many who wait before somebody are counted."""


class Lane:
    """One queue."""

    def __init__(self, name: str, concurrency: int) -> None:
        self.name = name
        self.concurrency = concurrency
        self.running: set[str] = set()
        self.waiting: dict[str, asyncio.Future[None]] = {}

    def __repr__(self) -> str:
        return f"<Lane {self.name} [{len(self.running)} of {self.concurrency} running, {len(self.waiting)} waiting]>"

    def admit(self) -> None:
        """Let in who may start now."""
        while self.waiting and len(self.running) < self.concurrency:
            pod = next(iter(self.waiting))
            turn = self.waiting.pop(pod)
            if not turn.done():  # it has just given up
                self.running.add(pod)
                turn.set_result(None)

    def why(self, pod: str) -> str:
        """What a pod waits for that is not yet in."""
        before = next((n for n, other in enumerate(itertools.islice(self.waiting, _COUNTED)) if other == pod), _COUNTED)
        number = f"{before}" if before < _COUNTED else f"{_COUNTED} or more"
        running = f"{len(self.running)} of {self.concurrency} running"
        return f"waits in queue {self.name!r}: {running}, {number} before it"


class Lanes:
    """All queues.

    Args:
        settings: the file; cores: what a queue has of which the file says nothing.
    """

    def __init__(self, settings: Path, cores: int) -> None:
        self._path = settings
        self._cores = cores
        self._settings = QueueSettings()
        self._read: tuple[int, int] | None = None
        self._problem: ConfigError | None = None
        self._lanes: dict[str, Lane] = {}
        self._of: dict[str, Lane] = {}
        self._children: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Lanes {self._path} [{len(self._lanes)} used]>"

    async def enter(self, queue: str, pod: str) -> None:
        """Wait until that pod's attempt may start."""
        self.look()
        lane = self._lanes.setdefault(queue, Lane(queue, self._concurrency(queue)))
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.waiting[pod] = turn
        self._of[pod] = lane
        lane.admit()
        try:
            await turn
            if self._children[pod]:  # left by an attempt before this one
                lane.running.discard(pod)
                lane.admit()
        except BaseException:
            self.leave(pod)
            raise

    def leave(self, pod: str) -> None:
        """That pod's attempt has ended, or waits no longer."""
        lane = self._of.pop(pod, None)
        if lane is not None:
            lane.waiting.pop(pod, None)
            lane.running.discard(pod)
            lane.admit()

    def opened(self, parent: str) -> None:
        """A task called by that pod is open."""
        self._children[parent] += 1
        lane = self._of.get(parent)
        if lane is not None:
            lane.running.discard(parent)
            lane.admit()

    def closed(self, parent: str) -> None:
        """It has ended; the parent goes on at once, also when others have filled the lane meanwhile."""
        self._children[parent] -= 1
        if not self._children[parent]:
            del self._children[parent]
            lane = self._of.get(parent)
            if lane is not None and parent not in lane.waiting:
                lane.running.add(parent)

    def why(self, pod: str) -> str:
        """What that pod waits for, for people; "" when it does not wait."""
        self.look()
        lane = self._of.get(pod)
        return lane.why(pod) if lane is not None and pod in lane.waiting else ""

    def look(self) -> None:
        """Take note of the settings if they have changed. While they are wrong, the last right ones count."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
        except OSError:
            stamp = (0, 0)
        if stamp == self._read:
            return
        self._read = stamp
        try:
            self._settings = parse_settings(self._path.read_text(), self._path) if stamp != (0, 0) else QueueSettings()
            self._problem = None
        except ConfigError as error:
            self._problem = error
        except (OSError, UnicodeDecodeError) as error:
            self._problem = ConfigError(f"{self._path} cannot be read: {error}")
        for lane in self._lanes.values():
            lane.concurrency = self._concurrency(lane.name)
            lane.admit()

    def check(self) -> None:
        """Raises ConfigError: the settings file is wrong."""
        self.look()
        if self._problem is not None:
            raise self._problem

    def table(self) -> list[dict[str, Any]]:
        """All queues that are known, by name. Raises ConfigError as `check` does."""
        self.check()
        names = sorted({*self._settings.concurrency, *self._lanes})
        lanes = [self._lanes.get(name) or Lane(name, self._concurrency(name)) for name in names]
        return [
            {
                "name": lane.name,
                "concurrency": lane.concurrency,
                "running": len(lane.running),
                "waiting": len(lane.waiting),
            }
            for lane in lanes
        ]

    def _concurrency(self, queue: str) -> int:
        return self._settings.concurrency.get(queue) or self._settings.others or self._cores
