"""One pool: the replicas of an environment, and the calls that wait for one."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...pods import PodRequest, Reuse
from ..image.images import Image
from ..logs import AttemptLog
from ..process.conversation import Conversation
from ..running import Machinery
from . import rules
from .replica import Replica
from .seat import Seat


@dataclass(eq=False)
class _Waiting:
    pod: str
    image: Image | None
    turn: asyncio.Future[Replica] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Pool:
    """The warm processes of an environment, as long as what is fixed for them stays the same.

    Args:
        name: the environment's; id: unlike that of any other pool of this Host.
        over: called when nothing of it is left.
        place: session, environment, and the run when it is that run's own.

    Attributes:
        served: calls that it has taken; drains: whether another pool has taken its place.
    """

    def __init__(
        self,
        name: str,
        id: str,
        policy: Reuse,
        host: Machinery,
        over: Callable[[Pool], None],
        place: tuple[str | None, ...],
    ) -> None:
        self.name = name
        self.place = place
        self.id = id
        self.policy = policy
        self.replicas: list[Replica] = []
        self.served = 0
        self._used = time.monotonic()
        self.drains = False
        self._host = host
        self._over = over
        self._waiting: deque[_Waiting] = deque()
        self._numbers = itertools.count(1)
        self._timer: asyncio.TimerHandle | None = None
        self._seated: dict[str, Replica] = {}

    def __repr__(self) -> str:
        return f"<Pool {self.id} [{len(self.replicas)} replicas, {len(self._waiting)} waiting]>"

    def use(self) -> None:
        """A call is about to take a seat: the pool stays."""
        self._used = time.monotonic()
        self.drains = False

    async def take(
        self,
        request: PodRequest,
        environ: Mapping[str, str],
        image: Image | None,
        log: AttemptLog,
        conversation: Conversation,
        admitted: Callable[[tuple[str, ...]], None],
    ) -> Seat:
        """Wait for a seat in a replica that has what it needs. Raises `ForkError`, `OSError`, `HostError`.

        Args:
            admitted: called when it has its share of the machine, with what it has not got of that.
        """
        waiting = _Waiting(request.name, image)
        self._waiting.append(waiting)
        self.look()
        try:
            replica = await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled():
                waiting.turn.result().let_go(request.name)
            self.look()
            raise
        self._seated[request.name] = replica
        try:
            await replica.awake(request, environ, lambda: admitted(replica.notes))
        except BaseException:
            replica.let_go(request.name)
            raise
        finally:
            del self._seated[request.name]
        self.served += 1
        return replica.sit(request, environ, log, conversation)

    def why(self, pod: str) -> str:
        """What that pod waits for, for people; "" when it does not wait."""
        if (replica := self._seated.get(pod)) is not None:
            return self._host.shares.admission.why(replica.name)
        if not any(waiting.pod == pod for waiting in self._waiting):
            return ""
        busy = sum(bool(replica.calls) for replica in self.replicas)
        most = f" with {self.policy.concurrency} calls each" if self.policy.concurrency > 1 else ""
        return f"waits for a replica of pool {self.name}: all {busy} are busy{most}"

    def look(self) -> None:
        """Give seats to those who wait, end what is not needed, and see when to look again."""
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.turn.done())  # some have given up
        while self._waiting and (replica := self._next(self._waiting[0])) is not None:
            waiting = self._waiting.popleft()
            replica.calls.add(waiting.pod)
            waiting.turn.set_result(replica)
        self._tidy()

    def _next(self, waiting: _Waiting) -> Replica | None:
        able = [replica for replica in self.replicas if not replica.is_worn]
        chosen = rules.taker([replica.standing() for replica in able], self.policy)
        if chosen is not None:
            return able[chosen]
        if rules.may_start([replica.standing() for replica in self.replicas], self.policy):
            return self._new(waiting.image)
        return None

    def _new(self, image: Image | None) -> Replica:
        number = next(self._numbers)
        name = f"{self.id}-{number}"
        replica = Replica(self.name, number, name, self.policy.concurrency, self._host, image, self._changed)
        self.replicas.append(replica)
        return replica

    def _changed(self, replica: Replica) -> None:
        self._used = time.monotonic()
        if replica.has_ended and replica in self.replicas:
            self.replicas.remove(replica)
        self.look()

    def _tidy(self) -> None:
        now = time.monotonic()
        standings = [replica.standing() for replica in self.replicas]
        if not self._waiting:
            for replica in [self.replicas[n] for n in rules.to_end(standings, self.policy, now, drains=self.drains)]:
                self.end(replica)
            standings = [replica.standing() for replica in self.replicas]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wait = rules.next_look(standings, self.policy, now, self._used)
        if not self._waiting and rules.is_over(standings, self.policy, now, self._used, drains=self.drains):
            self._over(self)
        elif wait is not None:
            self._timer = asyncio.get_running_loop().call_later(wait + 0.01, self.look)

    def end(self, replica: Replica) -> None:
        """End one that has no calls."""
        if replica in self.replicas:
            self.replicas.remove(replica)
        replica.end()

    @property
    def images(self) -> set[str]:
        """The keys of the virtual environments that it uses."""
        return {it.image for it in self.replicas if it.image is not None}

    def drain(self) -> None:
        """Idle replicas end now, busy ones with their last call."""
        self.drains = True
        self.look()

    def close(self) -> None:
        """The Host ends."""
        if self._timer is not None:
            self._timer.cancel()

    def to_json(self) -> dict[str, Any]:
        """For people."""
        replicas = [
            {
                "number": it.number,
                "pid": it.pid,
                "calls": len(it.calls),
                "served": it.served,
                "memory": it.memory_of_its_own(),
                "age": time.time() - it.born,
                "idle": None if it.calls else time.monotonic() - it.idle_since,
            }
            for it in self.replicas
        ]
        about: dict[str, Any] = {
            "id": self.id,
            "environment": self.name,
            "session": self.place[0],
            "drains": self.drains,
        }
        about |= {"policy": vars(self.policy), "served": self.served, "waiting": len(self._waiting)}
        return {**about, "replicas": replicas}
