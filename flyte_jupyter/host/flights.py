"""Equal calls of tasks that are cached with `serialize`: one runs, the others wait for what it leaves."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping


class Flights:
    """Who computes what, by the key of the result in the cache; first come, first served.

    Nobody waits for one that cannot go on before he does himself: a child for the parent that called it, or, of two
    parents that run, the child of each for the other. Such a one runs although another one computes the same.

    Args:
        parents: the pods that are open, each with its parent.
    """

    def __init__(self, parents: Callable[[], Mapping[str, str | None]]) -> None:
        self._parents = parents
        self._holders: dict[str, str] = {}
        self._waits: dict[str, str] = {}  # the key that a pod waits for
        self._turns: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    def __repr__(self) -> str:
        return f"<Flights [{len(self._holders)} open, {len(self._waits)} waiting]>"

    async def take(self, name: str, key: str, told: Callable[[str], None]) -> None:
        """Wait until nobody else computes it; `told` is called with the pod that is waited for."""
        while (holder := self._holders.get(key)) is not None:
            if self._needs(holder, name):
                return
            told(holder)
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._turns[key].append(turn)
            self._waits[name] = key
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled() and key not in self._holders:  # it was his turn
                    self._wake(key)
                raise
            finally:
                del self._waits[name]
        self._holders[key] = name

    def leave(self, name: str, key: str) -> None:
        """That pod has ended; the next one looks at what it has left."""
        if self._holders.get(key) == name:
            del self._holders[key]
            self._wake(key)

    def _wake(self, key: str) -> None:
        turns = self._turns[key]
        while turns:
            turn = turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._turns[key]

    def _needs(self, one: str, other: str) -> bool:
        """Whether one pod cannot go on before another, or what that is called by, has ended."""
        parents = self._parents()
        ends = {other}
        while (parent := parents.get(other)) is not None:
            ends.add(parent)
            other = parent
        children: defaultdict[str, list[str]] = defaultdict(list)
        for child, called_by in parents.items():
            if called_by is not None:
                children[called_by].append(child)
        ahead, seen = [one], set[str]()
        while ahead:
            pod = ahead.pop()
            if pod in ends:
                return True
            if pod not in seen:
                seen.add(pod)
                ahead += children[pod]
                holder = self._holders.get(self._waits.get(pod, ""))
                ahead += [holder] if holder is not None else []
        return False
