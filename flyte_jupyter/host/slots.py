"""Who may start now: as many attempts at a time as the machine stands, first come, first served."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque

SLOTS_VARIABLE = "FLYTE_JUPYTER_HOST_SLOTS"


def default_slots() -> int:
    """`$FLYTE_JUPYTER_HOST_SLOTS`, else four per core and at least 16: most tasks of a notebook wait for something."""
    given = os.environ.get(SLOTS_VARIABLE, "")
    return int(given) if given.isdigit() and int(given) > 0 else max(16, 4 * (os.cpu_count() or 1))


class Slots:
    """A parent holds no slot while a task that it called is open, so nesting never comes to a standstill."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._held: set[str] = set()
        self._children: Counter[str] = Counter()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    def __repr__(self) -> str:
        return f"<Slots [{self.busy} of {self.size} busy, {len(self._waiting)} waiting]>"

    @property
    def busy(self) -> int:
        """Attempts that hold a slot."""
        return sum(1 for name in self._held if not self._children[name])

    async def acquire(self, name: str) -> None:
        """Wait for a slot for that pod."""
        if self.busy < self.size and not self._waiting:
            self._held.add(name)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((name, turn))
        try:
            await turn
        except BaseException:
            self._held.discard(name)
            self._waiting = deque(entry for entry in self._waiting if entry[1] is not turn)
            self._admit()
            raise

    def release(self, name: str) -> None:
        """That pod's attempt has ended."""
        self._held.discard(name)
        self._admit()

    def opened(self, parent: str) -> None:
        """A task called by that pod is open."""
        self._children[parent] += 1
        self._admit()

    def closed(self, parent: str) -> None:
        """It has ended."""
        self._children[parent] -= 1
        if not self._children[parent]:
            del self._children[parent]

    def _admit(self) -> None:
        while self._waiting and self.busy < self.size:
            name, turn = self._waiting.popleft()
            if not turn.done():
                self._held.add(name)
                turn.set_result(None)
