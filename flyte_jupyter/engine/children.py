"""Actions that belong to another one: the tasks a task calls, and the items of a map."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..credentials.needs import Needs
from ..pack.call import Packed, Sealed
from ..pack.envelope import Envelope
from ..pack.outcome import Outcome
from ..pack.reach import identity
from ..pods import PodRequest
from .arrival import arrival
from .engine import Engine
from .request import Place, pod_request
from .screen import Screen
from .version import Version, version_of

if TYPE_CHECKING:
    from ..interface import Interface
    from ..task import Task
    from .cached import Answer


@dataclass(frozen=True)
class Prepared:
    """A task that is called many times, without options of a run: pickled once, and looked at once."""

    code: Sealed
    version: Version | None

    @classmethod
    def of(cls, engine: Engine, task: Task[..., Any]) -> Prepared:
        """Raises `CaptureError`, and what a cache policy raises."""
        return cls(engine.seal_code(task), version_of(task, {}) if task.cache.is_enabled() else None)


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

    Args:
        provide: sees to it that the runner has these secrets, or raises what is wrong.
        screen: what is known of the values of secrets here.
    """

    def __init__(
        self, engine: Engine, place: Place, run: str, parent: str, provide: Callable[[Needs], None], screen: Screen
    ) -> None:
        self._engine = engine
        self._provide = provide
        self._screen = screen
        self._place = place
        self._run = run
        self._parent = parent
        self._calls: Counter[str] = Counter()
        self._identities: dict[str, str] = {}  # by digest of the code
        self._lock = threading.Lock()

    def start(
        self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], prepared: Prepared | None = None
    ) -> Call:
        """Start an action; `prepared` when the same task is started many times."""
        engine = self._engine
        inputs = task.interface.bind(task.name, args, kwargs)
        answer = engine.ask_cache(task, inputs, self._place.options, prepared.version if prepared is not None else None)
        if answer is not None and answer.found is not None:
            pod = self._request(task, self._name(task, answer.key), answer)
            return Call(engine, pod, task.interface, self._recall(pod, answer.found))
        code = prepared.code if prepared is not None else engine.seal_code(task)
        given = engine.pack_inputs(task, code, inputs, answer)
        key = answer.key if answer is not None else ""
        action = self._name(task, key or f"{self._identity(task, code)}\0{given.digest}")
        pod = self._request(task, action, answer, (code, given))
        engine.check(pod)
        if needs := code.needs | given.needs:
            self._provide(needs)
        self._screen.check(pod, given)
        return Call(engine, pod, task.interface, engine.start(pod, code, given))

    def close(self) -> None:
        """Nothing is started any more."""
        self._engine.close()

    def _request(
        self, task: Task[..., Any], action: str, answer: Answer | None, work: tuple[Sealed, Packed] | None = None
    ) -> PodRequest:
        run, parent = self._run, self._parent
        return self._screen.masked(
            pod_request(
                task,
                self._place,
                run=run,
                action=action,
                parent=parent,
                work=work,
                answer=answer,
            )
        )

    def _recall(self, pod: PodRequest, found: Envelope) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        done = self._engine.outcome(pod.run, pod.action)  # of an earlier attempt of the parent
        if done is None:
            event, done = self._engine.recall(pod, found)
            self._engine.tell(event, pod.labels)
        future.set_result(done)
        return future

    def _identity(self, task: Task[..., Any], code: Sealed) -> str:
        same = self._identities.get(code.digest)
        if same is None:
            same = self._identities[code.digest] = identity(task, code.digest)
        return same

    def _name(self, task: Task[..., Any], call: str) -> str:
        """The name of an action, by what is called with what: the same in every attempt of the parent."""
        what = f"{self._parent}\0{task.name}\0{call}"
        with self._lock:
            number = self._calls[what]
            self._calls[what] += 1
        base = "a" + hashlib.sha256(f"{what}\0{number}".encode()).hexdigest()[:16]
        name, failed = base, 0
        while (before := self._engine.outcome(self._run, name)) is not None and before.failure is not None:
            failed += 1  # it failed in an earlier attempt of the parent, and gets another chance under another name
            name = f"{base}-{failed}"
        return name
