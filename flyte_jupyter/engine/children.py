"""Actions that belong to another one: the tasks a task calls, and the items of a map."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..pack.call import Sealed
from ..pack.outcome import Outcome
from ..pack.reach import identity
from ..pods import PodRequest
from .arrival import arrival
from .engine import Engine
from .request import Place, pod_request

if TYPE_CHECKING:
    from ..interface import Interface
    from ..task import Task


class Call:
    """An action that was started; `context.Invocation`."""

    def __init__(self, engine: Engine, pod: PodRequest, interface: Interface, future: Future[Outcome]) -> None:
        self.future = future
        self._engine = engine
        self._pod = pod
        self._interface = interface

    def value(self) -> Any:
        return self._open(self.future.result())

    async def avalue(self) -> Any:
        try:
            return self._open(await arrival(self.future))
        except asyncio.CancelledError:
            self.cancel("The task that called it no longer waits for it.")
            raise

    def cancel(self, reason: str) -> None:
        self._engine.cancel(self._pod.run, self._pod.action, reason)

    def _open(self, outcome: Outcome) -> Any:
        return self._interface.unpack(outcome.outputs())


class Children:
    """Starts actions below one parent; `context.Caller`.

    Their names are computed from what is called (code, what it captured, configuration) and with what, so that a parent
    that is run again finds what its last attempt has finished, and nothing else.
    """

    def __init__(self, engine: Engine, place: Place, run: str, parent: str) -> None:
        self._engine = engine
        self._place = place
        self._run = run
        self._parent = parent
        self._calls: Counter[str] = Counter()
        self._identities: dict[str, str] = {}  # by digest of the code
        self._lock = threading.Lock()

    def start(
        self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], code: Sealed | None = None
    ) -> Call:
        """Start an action; `code` when the same task is started many times."""
        inputs = task.interface.bind(task.name, args, kwargs)
        code = code or self._engine.seal_code(task)
        given = self._engine.pack_inputs(task, code, inputs)
        action = self._name(task, code, given.digest)
        pod = pod_request(
            task,
            self._place,
            run=self._run,
            action=action,
            parent=self._parent,
            referenced=code.referenced | given.referenced,
            image=code.image,
        )
        return Call(self._engine, pod, task.interface, self._engine.start(pod, code, given))

    def _name(self, task: Task[..., Any], code: Sealed, inputs_digest: str) -> str:
        same = self._identities.get(code.digest)
        if same is None:
            same = self._identities[code.digest] = identity(task, code.digest)
        what = f"{self._parent}\0{task.name}\0{same}\0{inputs_digest}"
        with self._lock:
            number = self._calls[what]
            self._calls[what] += 1
        base = "a" + hashlib.sha256(f"{what}\0{number}".encode()).hexdigest()[:16]
        name, failed = base, 0
        while (before := self._engine.outcome(self._run, name)) is not None and before.failure is not None:
            failed += 1  # it failed in an earlier attempt of the parent, and gets another chance under another name
            name = f"{base}-{failed}"
        return name
