"""`flyte.queues()`: the queues of this machine, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import session
from .config.show import page
from .markup import columns, table


@dataclass(frozen=True)
class Queue:
    """One queue: at most `concurrency` attempts at a time run of the tasks that name it.

    Attributes:
        running: attempts that have a place now; waiting: those that wait for one.
    """

    name: str
    concurrency: int
    running: int
    waiting: int


class QueueList(list[Queue]):
    """Queues by name; shown as a table.

    Attributes:
        settings: the file that says how wide they are.
    """

    def __init__(self, queues: Iterable[Queue], settings: str) -> None:
        super().__init__(queues)
        self.settings = settings

    def __repr__(self) -> str:
        return columns([_HEAD, *self._rows()]) if self else self._about()

    def _repr_html_(self) -> str:
        return page("Queues", self._about(), *([table(_HEAD, self._rows(), title="Queues")] if self else []))

    def _about(self) -> str:
        return f"set up in {self.settings}" if self else f"no queues; they are set up in {self.settings}"

    def _rows(self) -> list[list[Any]]:
        return [[queue.name, queue.concurrency, queue.running, queue.waiting] for queue in self]


_HEAD = ["queue", "at a time", "running", "waiting"]


def queues() -> QueueList:
    """The queues that are set up, and those that tasks have used since the local Host was started.

    A task waits in the queue that it names (`queue="gpu"`), or else in that of `with_runcontext(queue=...)`. How many
    of a queue run at a time is said in the settings file, whose path this shows; changes count at once:

        [queues]
        concurrency = 4         # of queues that are not listed; by default one per core

        [queues.gpu]
        concurrency = 1

    Raises:
        ConfigValueError: the settings file is wrong; says where, and what is allowed.
    """
    told = session.current().runner.ask({"op": "queues"})
    return QueueList((Queue(**queue) for queue in told["queues"]), told["settings"])
