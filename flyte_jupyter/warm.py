"""`flyte.pools()`: the warm processes of reusable environments, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import session
from .config.say import span
from .config.show import page
from .config.values.quantity import rough_bytes
from .errors import HostError
from .home import Home
from .host.client import call
from .markup import Html, columns, table

if TYPE_CHECKING:
    from .environment import TaskEnvironment

_HEAD = ("Replica", "State", "Calls served", "Memory", "Age", "Process")
_NONE = ["", "none now", "", "", "", ""]


@dataclass(frozen=True)
class Replica:
    """One process of a pool.

    Attributes:
        number: what cards call it; pid: None while it waits for what it asks of the machine.
        calls: that it runs now; served: that it has begun.
        memory: bytes that are its own; age: seconds; idle: seconds without a call, None for a busy one.
    """

    number: int
    pid: int | None
    calls: int
    served: int
    memory: int
    age: float
    idle: float | None

    def row(self) -> list[str]:
        """For a table."""
        state = f"{self.calls} running" if self.idle is None else f"idle for {span(int(self.idle))}"
        memory = rough_bytes(self.memory) if self.memory else ""
        return [str(self.number), state, str(self.served), memory, span(int(self.age)), str(self.pid or "is to start")]


class Pool:
    """The warm processes of an environment; `flyte.pools()` gives them. What it says is as of then.

    Attributes:
        environment: name of the environment; replicas: its processes now.
        waiting: calls that wait for one; served: calls that it has taken.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._id = str(told["id"])
        self._policy: Mapping[str, Any] = told["policy"]
        self._drains = bool(told["drains"])
        self.session: str | None = told["session"]
        self.environment = str(told["environment"])
        self.replicas = [Replica(**each) for each in told["replicas"]]
        self.waiting = int(told["waiting"])
        self.served = int(told["served"])

    @property
    def busy(self) -> int:
        """Replicas that run something."""
        return sum(replica.idle is None for replica in self.replicas)

    @property
    def memory(self) -> int:
        """Bytes of all of them."""
        return sum(replica.memory for replica in self.replicas)

    def shutdown(self) -> None:
        """End its processes: idle ones now, busy ones with their last call. The next call starts a new one.

        Raises:
            HostError: it has ended.
        """
        session.current().runner.ask({"op": "shutdown_pool", "id": self._id})

    def about(self) -> str:
        """In words."""
        said = f"{len(self.replicas)} of at most {self._policy['most']} replicas, {self.busy} busy, {self.served} calls"
        if self._policy["concurrency"] > 1:
            said += f", {self._policy['concurrency']} at a time in each"
        if self.waiting:
            said += f", {self.waiting} waiting"
        if self.replicas:
            said += f", {rough_bytes(self.memory)}; ends after {span(self._policy['idle_ttl'])} without a call"
        return f"{said}; another one takes its place" if self._drains else said

    def __repr__(self) -> str:
        return f"<Pool {self.environment}: {self.about()}>"

    def _repr_html_(self) -> str:
        shown = table(_HEAD, self.rows(), title=f"Replicas of {self.environment}") if self.replicas else None
        return page(f"pool {self.environment}", self.about(), shown)

    def rows(self) -> list[list[str]]:
        """Its replicas, for a table."""
        return [replica.row() for replica in self.replicas]


class PoolList(list[Pool]):
    """Pools; shown as a table of their replicas."""

    def __repr__(self) -> str:
        return columns([("Pool", *_HEAD), *self._rows()]) if self else "no pools: nothing is warm"

    def _repr_html_(self) -> str:
        if not self:
            return page("Pools", "nothing is warm")
        return page("Pools", None, table(("Pool", *_HEAD), self._rows(), title="Pools"))

    def _rows(self) -> list[list[str]]:
        return [[pool.environment, *row] for pool in self for row in pool.rows() or [_NONE]]


def pools() -> PoolList:
    """The pools of warm processes that the local Host has for `reusable` environments, of all kernels.

    `flyte.pools()[0].shutdown()` ends one; by themselves they end as their `ReusePolicy` says.
    """
    return _listed(call(Home(), {"op": "pools"}))


def _listed(answer: Mapping[str, Any] | None) -> PoolList:
    """None when there is no Host, and so no pool."""
    return PoolList(Pool(told) for told in answer["pools"]) if answer is not None else PoolList()


def of(environment: TaskEnvironment) -> Iterable[Html]:
    """What is to be seen of an environment's pools, in this kernel; nothing is started for that."""
    if environment.reusable is None:
        return
    try:
        found = pools()
    except HostError:  # one of another version: whoever uses it hears of that
        return
    mine = session.current().id
    for pool in found:
        if pool.environment == environment.name and pool.session in (mine, None):
            yield Html(pool._repr_html_())
