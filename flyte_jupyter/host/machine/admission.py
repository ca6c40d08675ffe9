"""Who may start now: admission by what attempts ask for, first come, first served.

An attempt starts when a slot is free, and the cores, the memory and the accelerators it asks for. One that has to wait
keeps those behind it from what it asks for, so that small ones do not starve a big one; those that ask for none of it
may pass. What is more than the machine has counts as all of it.

A parent holds no slot and no cores while a task that it called is open. What it holds of memory and accelerators counts
as long as others fit in beside it, and no longer; so whoever waits, waits for one that goes on, and nesting never
comes to a standstill.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .cores import Cores
from .limits import mebibytes

SLOTS_VARIABLE = "FLYTE_JUPYTER_HOST_SLOTS"
_ROUNDING = 1e-6
"""Fractions of cores that add up to a whole one may miss it by so much."""


def default_slots() -> int:
    """`$FLYTE_JUPYTER_HOST_SLOTS`, else four per core and at least 16: most tasks of a notebook wait for something."""
    given = os.environ.get(SLOTS_VARIABLE, "")
    return int(given) if given.isdigit() and int(given) > 0 else max(16, 4 * (os.cpu_count() or 1))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What an attempt asks for before it starts; 0 for what it does not ask for.

    Attributes:
        name: of the pod; title: what people call it; parent: the pod that called it.
        cores: that are counted; most_cores: that it may use, fractions too.
        memory: bytes.
        accelerators: how many of `pool`, which has the names of those that it may be given, the best first.
    """

    name: str
    title: str = ""
    parent: str | None = None
    cores: float = 0.0
    most_cores: float = 0.0
    memory: int = 0
    accelerators: int = 0
    pool: tuple[str, ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """What it asks for, besides a slot."""
        asked = {"cores": self.cores, "memory": self.memory, "accelerators": self.accelerators}
        return frozenset(kind for kind, amount in asked.items() if amount)


@dataclass(frozen=True)
class Grant:
    """What an attempt gets.

    Attributes:
        cores: it may run on, None for all.
        accelerators: their names.
        shared: those of them that a parent still holds, which waits for what it called.
    """

    cores: frozenset[int] | None = None
    accelerators: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


@dataclass(eq=False)
class _Waiting:
    claim: Claim
    number: int
    turn: asyncio.Future[Grant] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Admission:
    """Hands out slots, cores, memory and accelerators.

    Args:
        slots: attempts at a time; cores: their ids; cpu: how many of them may be used; memory: bytes.
    """

    def __init__(self, slots: int, cores: Iterable[int] = (), *, cpu: float | None = None, memory: int = 0) -> None:
        self._cores = Cores(cores)
        self.slots = slots
        self.cpu = float(len(self._cores)) if cpu is None else cpu
        self.memory = memory
        self._held: dict[str, tuple[Claim, Grant]] = {}
        self._children: Counter[str] = Counter()
        self._lines: dict[frozenset[str], deque[_Waiting]] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._numbers = 0
        self._users: dict[str, set[str]] = {}  # of accelerators
        self._busy = 0
        self._cpu_used = 0.0
        self._memory_used = 0
        self._memory_parked = 0  # of parents that wait

    def __repr__(self) -> str:
        return f"<Admission [{self._busy} of {self.slots} slots busy, {len(self._waiting)} waiting]>"

    @property
    def busy(self) -> int:
        """Attempts that hold a slot."""
        return self._busy

    def fitted(self, claim: Claim) -> Claim:
        """The claim, with what is more than the machine has cut to all of it."""
        cut = {
            "cores": min(claim.cores, self.cpu),
            "memory": min(claim.memory, self.memory),
            "accelerators": min(claim.accelerators, len(claim.pool)),
        }
        return Claim(**{**vars(claim), **cut})

    async def acquire(self, claim: Claim) -> Grant:
        """Wait for what is claimed. A pod has one claim at a time."""
        waiting = _Waiting(self.fitted(claim), self._numbers)
        self._numbers += 1
        self._waiting[claim.name] = waiting
        self._lines.setdefault(waiting.claim.kinds, deque()).append(waiting)
        self._admit()
        try:
            return await waiting.turn
        except BaseException:
            if self._waiting.get(claim.name) is waiting:
                self._forget(waiting)
                self._admit()
            else:
                self.release(claim.name)
            raise

    def _forget(self, waiting: _Waiting) -> None:
        del self._waiting[waiting.claim.name]
        self._lines[waiting.claim.kinds].remove(waiting)

    def release(self, name: str) -> None:
        """That pod's attempt has ended."""
        held = self._held.pop(name, None)
        if held is None:
            return
        claim, grant = held
        if self._children[name]:
            self._memory_parked -= claim.memory
        else:
            self._count(claim, -1)
        self._cores.give_back(name)
        for accelerator in grant.accelerators:
            self._users[accelerator].discard(name)
        self._admit()

    def opened(self, parent: str) -> None:
        """A task called by that pod is open."""
        self._children[parent] += 1
        if self._children[parent] == 1 and parent in self._held:
            claim = self._held[parent][0]
            self._count(claim, -1)
            self._memory_parked += claim.memory
            self._cores.rest(parent)
            self._admit()

    def closed(self, parent: str) -> None:
        """It has ended."""
        self._children[parent] -= 1
        if not self._children[parent]:
            del self._children[parent]
            if parent in self._held:
                claim = self._held[parent][0]
                self._memory_parked -= claim.memory
                self._count(claim, 1)
                self._cores.go_on(parent)

    def waits(self, name: str) -> bool:
        """Whether tasks that it has called are open."""
        return self._children[name] > 0

    @property
    def memory_used(self) -> int:
        """Bytes that are claimed by those that do not wait."""
        return self._memory_used

    def is_used(self, accelerator: str) -> bool:
        """Whether somebody has it."""
        return bool(self._users.get(accelerator))

    def why(self, name: str) -> str:
        """What that pod waits for, for people; "" when it does not wait."""
        waiting = self._waiting.get(name)
        if waiting is None:
            return ""
        claim = waiting.claim
        lacking = [*self._lacking(claim)]
        if lacking:
            return f"waits for {', and for '.join(lacking)}"
        if self._busy >= self.slots:
            return f"waits for a slot; all {self.slots} are taken"
        before = [w.claim for w in self._heads() if w.number < waiting.number and w.claim.kinds & claim.kinds]
        return f"waits its turn after {before[0].title or before[0].name}" if before else "is about to start"

    # --- rules --------------------------------------------------------------------------------------------------------

    def _heads(self) -> list[_Waiting]:
        """The first of each line. Those behind it ask for the same kinds of things, so they have to wait with it."""
        return sorted((line[0] for line in self._lines.values() if line), key=lambda waiting: waiting.number)

    def _admit(self) -> None:
        while self._busy < self.slots:
            closed: frozenset[str] = frozenset()
            for waiting in self._heads():
                kinds = waiting.claim.kinds
                if waiting.turn.done():  # it has just given up
                    self._forget(waiting)
                    break
                if kinds.isdisjoint(closed) and not any(self._lacking(waiting.claim)):
                    self._give(waiting)
                    break
                closed |= kinds
            else:
                return

    def _lacking(self, claim: Claim) -> Iterator[str]:
        """What is not free of what is claimed."""
        free = self.cpu - self._cpu_used
        if claim.cores > free + _ROUNDING:
            yield f"{_so_many(claim.cores, 'core')}; {max(free, 0.0):g} of {self.cpu:g} free"
        held = self._memory_used
        if claim.memory + self._memory_parked <= self.memory:  # else no wait would make it fit in beside them
            held += self._memory_parked
        if claim.memory and claim.memory + held > self.memory:
            free_memory = mebibytes(max(self.memory - held, 0))
            yield f"{mebibytes(claim.memory)} of memory; {free_memory} of {mebibytes(self.memory)} free"
        if claim.accelerators and self._accelerators_for(claim) is None:
            unused = sum(not self._users.get(name) for name in claim.pool)
            yield f"{_so_many(claim.accelerators, 'GPU')}; {unused} of {len(claim.pool)} free"

    def _accelerators_for(self, claim: Claim) -> tuple[str, ...] | None:
        """Those that it gets now; None when it has to wait for one that goes on.

        Free ones first, then those of its own parents, then, when waiting for others would not do, those of parents
        that wait.
        """
        above = set(self._ancestors(claim))
        ranked: dict[str, list[str]] = {"free": [], "family": [], "parked": [], "busy": []}
        for name in claim.pool:
            users = self._users.get(name, set())
            if not users:
                rank = "free"
            elif any(not self._children[user] for user in users):
                rank = "busy"
            else:
                rank = "family" if users <= above else "parked"
            ranked[rank].append(name)
        own = ranked["free"] + ranked["family"]
        if claim.accelerators > len(own) + len(ranked["busy"]):
            own += ranked["parked"]
        return tuple(own[: claim.accelerators]) if len(own) >= claim.accelerators else None

    def _ancestors(self, claim: Claim) -> Iterator[str]:
        name = claim.parent
        while name is not None and name in self._held:
            yield name
            name = self._held[name][0].parent

    def _give(self, waiting: _Waiting) -> None:
        claim = waiting.claim
        self._forget(waiting)
        accelerators = self._accelerators_for(claim) or ()
        shared = tuple(name for name in accelerators if self._users.get(name))
        for accelerator in accelerators:
            self._users.setdefault(accelerator, set()).add(claim.name)
        cores = self._cores.take(claim.name, claim.cores, claim.most_cores) if claim.most_cores else None
        grant = Grant(cores, accelerators, shared)
        self._held[claim.name] = claim, grant
        if self._children[claim.name]:  # left by an attempt before this one
            self._memory_parked += claim.memory
            self._cores.rest(claim.name)
        else:
            self._count(claim, 1)
        waiting.turn.set_result(grant)

    def _count(self, claim: Claim, sign: int) -> None:
        self._busy += sign
        self._cpu_used += sign * claim.cores
        self._memory_used += sign * claim.memory


def _so_many(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"
