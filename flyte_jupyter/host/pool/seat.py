"""A place for one call in a replica: what a pod has of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...pods import PodRequest
from ..lifecycle import Exit
from ..logs import AttemptLog
from ..process.conversation import Conversation
from ..process.forks import WAKE_AFTER, Worker

if TYPE_CHECKING:
    from .replica import Replica


class Seat:
    """`running.Running` in a replica.

    Args:
        number: of the call, within the replica; environ: of the kernel.
    """

    def __init__(
        self,
        replica: Replica,
        number: int,
        request: PodRequest,
        environ: Mapping[str, str],
        log: AttemptLog,
        conversation: Conversation,
    ) -> None:
        self.number = number
        self.request = request
        self.environ = environ
        self.log = log
        self.conversation = conversation
        self._replica = replica
        self._is_first = replica.served == 1

    @property
    def is_alone(self) -> bool:
        """Whether no other call can be in the replica meanwhile."""
        return self._replica.concurrency == 1

    @property
    def own(self) -> Worker | None:
        return self._replica.worker if self.is_alone else None

    @property
    def exited(self) -> asyncio.Future[Exit]:
        return self._replica.worker.exited

    @property
    def replica(self) -> str:
        it = self._replica
        how = f"cold, started in {it.started_in * 1000:.0f} ms" if self._is_first else f"warm, call {self.number}"
        return f"replica {it.number} of pool {it.pool}: {how}"

    @property
    def ran_out_of_memory(self) -> bool:
        return self._replica.ran_out_of_memory

    def begin(self, attempt: int) -> None:
        """Have the attempt run."""
        self._replica.begin(self, attempt)

    def explain(self, exit: Exit) -> Exit | None:
        return self._replica.explain(exit) if self._replica.is_to_blame(self) else None

    def write_stacks(self) -> None:
        self._replica.write_stacks(self)

    def stacks(self) -> str:
        return self._replica.worker.stacks()

    async def end(self, grace: float) -> None:
        """Ask the task to end; when it does not within so many seconds, its replica ends, and with it what else runs
        there.
        """
        worker, told = self._replica.worker, self.conversation.told
        self._replica.ask_to_end(self)
        over: set[asyncio.Future[object]] = {told, worker.exited}  # type: ignore[arg-type]  # of any result
        for seconds in (min(WAKE_AFTER, grace), grace):
            done, _ = await asyncio.wait(over, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
            worker.wake()
        self._replica.kill_for(self)
        with contextlib.suppress(asyncio.CancelledError):
            await worker.exited

    def close(self) -> None:
        self._replica.leave(self)
