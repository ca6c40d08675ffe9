"""Starts actions and waits for them: pack, store, launch, and the outcome when the news of it comes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..host.shelf import end, leave
from ..pack.call import Packed, Sealed, pack_inputs, seal_code, seal_inputs
from ..pack.envelope import Envelope
from ..pack.outcome import Outcome, outcome_again
from ..pods import Event, PodEvent, PodRequest, Synced, history_as_bytes, pod_name
from ..runners import Runner
from ..store import Store, keys
from . import cached, kept
from .images import require_uv
from .images import send as send_image
from .news import News
from .request import refused

if TYPE_CHECKING:
    from ..task import Task
    from .cached import Answer
    from .options import RunOptions
    from .version import Version

_AGAIN = 6 * 3600.0
"""Seconds after which code is sent again: what is older than a day and belongs to no run may be deleted (`pruning`)."""


class Engine:
    """One per process that calls tasks.

    Args:
        store: where calls and outcomes are; runner: what runs them; key: signs every payload.
        labels: of the pods whose news this engine wants.
        lingers: whether it goes on watching when nothing is waited for, so that the next start is quick.
        makes_venvs: whether images become virtual environments where the pods run.

    Attributes:
        news: what becomes of actions.
    """

    def __init__(
        self,
        store: Store,
        runner: Runner,
        key: bytes,
        labels: Mapping[str, str],
        *,
        lingers: bool = True,
        makes_venvs: bool = True,
    ) -> None:
        self.store = store
        self.runner = runner
        self._key = key
        self._makes_venvs = makes_venvs
        self._sent: dict[str, float] = {}  # digests of code and images, and when
        # what is damaged may be the code: the next call sends it again
        self.news = News(store, key, runner, labels, lingers=lingers, damaged=self._sent.clear)

    def __repr__(self) -> str:
        return f"<Engine {self.news!r}>"

    def seal_code(self, task: Task[..., Any]) -> Sealed:
        """Pickle and sign a task, on the caller's thread.

        Raises:
            CaptureError: something in it cannot be sent. ConfigValueError: its image cannot be built here.
        """
        code = seal_code(self._key, task)
        recipe = code.recipes.get(code.image or "")
        if self._makes_venvs and recipe is not None and recipe.venv is not None:
            require_uv()
        return code

    def pack_inputs(
        self, task: Task[..., Any], code: Sealed, inputs: Mapping[str, Any], answer: Answer | None = None
    ) -> Packed:
        """Pickle the inputs of one call, on the caller's thread; with what is to be told of a result that is kept.

        Raises:
            CaptureError, InlineIOMaxBytesBreached: they cannot go, or are too large.
        """
        return pack_inputs(task, code.digest, inputs, kept=answer.about if answer is not None else {})

    def ask_cache(
        self, task: Task[..., Any], inputs: Mapping[str, Any], options: RunOptions, version: Version | None = None
    ) -> Answer | None:
        """What the cache says of a call; None when its task is not cached. See `cached.ask`."""
        return cached.ask(self.store, self._key, task, inputs, options, version)

    def recall(self, pod: PodRequest, found: Envelope) -> tuple[PodEvent, Outcome]:
        """Write down a result that the cache has found as that of an action, which does not run."""
        now = time.time()
        event = pod.recalled(at=now)
        leave(self.store, self._key, pod, found, now)
        self.store.put(keys.status(pod.run, pod.action), [history_as_bytes([event])])
        return event, outcome_again(found, name=pod.name)

    def tell(self, event: PodEvent, labels: Mapping[str, str]) -> None:
        """Tell all who listen to a run, also elsewhere, of an action that no Host knows of."""
        self.news.tell(event.run, event)
        self.runner.tell(event, labels)

    def check(self, pod: PodRequest) -> None:
        """Refuse a pod before anything is noted of it.

        Raises:
            ConfigValueError: it is to be strict, and asks for what is not here; or the settings of its queue are wrong.
        """
        is_strict = bool(pod.options.get("strict"))
        if is_strict or pod.queue is not None or pod.cluster is not None:
            missing = self.runner.missing(pod)
            if missing and is_strict:
                raise refused(pod.task, "all of it is", missing)

    def start(self, pod: PodRequest, code: Sealed, inputs: Packed) -> Future[Outcome]:
        """Store a call and have it run. The future holds its outcome, also a failed one.

        An action of that name that has succeeded before is not run again.
        """
        done = self.outcome(pod.run, pod.action)
        if done is not None and done.failure is None:
            ended: Future[Outcome] = Future()
            ended.set_result(done)
            return ended
        self.put_code(code)
        self.store.put(keys.inputs(pod.run, pod.action), seal_inputs(self._key, inputs, name=pod.name))
        with self.news.launching(pod) as future:
            self.runner.launch(pod)
        return future

    def put_code(self, code: Sealed) -> None:
        """Store a task's code and the recipes of its images, once; also when they are there: they may be damaged."""
        for digest, recipe in code.recipes.items() if self._makes_venvs else ():
            if digest not in self._sent:
                send_image(self.store, self._key, recipe)
                self._sent[digest] = time.time()
        if time.time() - self._sent.get(code.digest, 0.0) > _AGAIN:
            self.store.put(keys.code(code.digest), code.payload)
            self._sent[code.digest] = time.time()

    def snapshot(self, run: str) -> list[Event]:
        """What is told now of the actions of a run that are open; [] when none is."""
        told: list[Event] = []
        for event in self.runner.watch({"run": run}):
            if isinstance(event, Synced):
                break
            told.append(event)
        return told

    def outcome(self, run: str, action: str) -> Outcome | None:
        """The outcome in the store, verified; None while there is none. Raises `PayloadError`."""
        return kept.outcome(self.store, self._key, run, action)

    def end(self, event: PodEvent) -> None:
        """Write down the end of an action that is no process, unless there is one."""
        end(self.store, self._key, event)

    def cancel(self, run: str, action: str, reason: str) -> None:
        """Stop an action and what it has called. One that is lost meanwhile with the Host is not started again."""
        self.news.unwanted(run, action, reason)
        self.runner.stop(pod_name(run, action), reason=reason)

    def close(self) -> None:
        """Stop watching. What runs, runs on."""
        self.news.close()
