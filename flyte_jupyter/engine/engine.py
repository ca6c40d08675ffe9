"""Starts actions and waits for them: pack, store, launch, and the outcome when the news of it comes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import HostError
from ..pack.call import Sealed, seal_code, seal_inputs
from ..pack.outcome import Outcome, unseal_outcome
from ..pods import Event, Phase, PodEvent, PodRequest, Synced
from ..runners import Runner
from ..store import Store, keys

if TYPE_CHECKING:
    from ..task import Task

_RETRY_WATCH = (0.05, 0.2, 1.0, 3.0)


class Engine:
    """One per process that calls tasks.

    Args:
        store: where calls and outcomes are; runner: what runs them; key: signs every payload.
        labels: of the pods whose news this engine wants.
    """

    def __init__(self, store: Store, runner: Runner, key: bytes, labels: Mapping[str, str]) -> None:
        self.store = store
        self.runner = runner
        self._key = key
        self._labels = dict(labels)
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], tuple[PodRequest, Future[Outcome]]] = {}
        self._listeners: dict[str, list[Callable[[Event], None]]] = {}
        self._watch: threading.Thread | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<Engine [{len(self._waiting)} actions open, {len(self._listeners)} runs watched]>"

    # --- starting -----------------------------------------------------------------------------------------------------

    def seal_code(self, task: Task[..., Any]) -> Sealed:
        """Pickle and sign a task, on the caller's thread. Raises `CaptureError`."""
        return seal_code(self._key, task)

    def seal_inputs(self, task: Task[..., Any], code: Sealed, inputs: Mapping[str, Any]) -> Sealed:
        """Pickle and sign the inputs of one call, on the caller's thread. Raises `CaptureError`."""
        return seal_inputs(self._key, task, code, inputs)

    def start(self, pod: PodRequest, code: Sealed, inputs: Sealed) -> Future[Outcome]:
        """Store a call and have it run. The future holds its outcome, also a failed one.

        An action of that name that has succeeded before is not run again.
        """
        done = self.outcome(pod.run, pod.action)
        if done is not None and done.failure is None:
            future: Future[Outcome] = Future()
            future.set_result(done)
            return future
        self.store.put_if_absent(keys.code(code.digest), code.payload)
        self.store.put(keys.inputs(pod.run, pod.action), inputs.payload)
        future = self.expect(pod)
        try:
            self.runner.launch(pod)
        except BaseException:
            with self._lock:
                self._waiting.pop((pod.run, pod.action), None)
            raise
        return future

    def expect(self, pod: PodRequest) -> Future[Outcome]:
        """A future for the outcome of a pod that runs, or is about to."""
        future: Future[Outcome] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            known = self._waiting.get((pod.run, pod.action))
            if known is not None:
                return known[1]
            self._waiting[pod.run, pod.action] = (pod, future)
            self._keep_watching()
        return future

    def outcome(self, run: str, action: str) -> Outcome | None:
        """The outcome in the store, verified; None while there is none."""
        try:
            data = self.store.get(keys.outcome(run, action))
        except KeyError:
            return None
        return unseal_outcome(self._key, data, worker=f"{run}-{action}")

    def is_open(self, run: str) -> bool:
        """Whether any action of a run is open now."""
        for event in self.runner.watch({"run": run}):
            return isinstance(event, PodEvent)
        return False

    def listen(self, run: str, listener: Callable[[Event], None]) -> None:
        """Pass on every event of a run, on the watching thread, until its first action has ended."""
        with self._lock:
            self._listeners.setdefault(run, []).append(listener)
            self._keep_watching()

    def forget(self, run: str) -> None:
        """No more events of that run are wanted."""
        with self._lock:
            self._listeners.pop(run, None)

    def cancel(self, pod: str, reason: str) -> None:
        """Stop an action and what it has called."""
        self.runner.stop(pod, reason=reason)

    def close(self) -> None:
        """Stop watching. What runs, runs on."""
        self._closed = True
        self.runner.close()
        watch = self._watch
        if watch is not None and watch is not threading.current_thread():
            watch.join(timeout=5)

    # --- news ---------------------------------------------------------------------------------------------------------

    def _keep_watching(self) -> None:
        if self._watch is None:
            self._watch = threading.Thread(target=self._follow, name="flyte-jupyter-news", daemon=True)
            self._watch.start()

    def _follow(self) -> None:
        failed = 0
        while not self._closed:
            with self._lock:
                if not self._waiting and not self._listeners:
                    self._watch = None
                    return
            try:
                for event in self.runner.watch(self._labels):
                    failed = 0
                    self._take(event)
            except HostError as error:
                failed += 1
                if failed > len(_RETRY_WATCH):
                    self._give_up(error)
                    continue
            time.sleep(_RETRY_WATCH[min(failed, len(_RETRY_WATCH) - 1)])

    def _take(self, event: Event | Synced) -> None:
        if isinstance(event, Synced):
            self._catch_up()
            return
        for listener in self._listeners.get(event.run, ()):
            listener(event)
        if isinstance(event, PodEvent) and event.phase.is_terminal:
            self._resolve(event.run, event.action)
            if event.parent is None:
                self.forget(event.run)

    def _resolve(self, run: str, action: str) -> bool:
        """Give the outcome to whoever waits for it; False when it is not there."""
        with self._lock:
            waiting = self._waiting.get((run, action))
        if waiting is None:
            return True
        try:
            outcome = self.outcome(run, action)
        except Exception as error:  # a damaged outcome is the caller's to see
            with self._lock:
                self._waiting.pop((run, action), None)
            waiting[1].set_exception(error)
            return True
        if outcome is None:
            return False
        with self._lock:
            self._waiting.pop((run, action), None)
        waiting[1].set_result(outcome)
        return True

    def _catch_up(self) -> None:
        """After the watch has told what is open: what it did not tell of has ended meanwhile, or was never accepted."""
        with self._lock:
            open_actions = list(self._waiting.items())
        for (run, action), (pod, _) in open_actions:
            if self._ended(run, action):
                self._resolve(run, action)
            else:
                self.runner.launch(pod)  # harmless when it is there

    def _ended(self, run: str, action: str) -> bool:
        try:
            history = json.loads(bytes(self.store.get(keys.status(run, action))))
        except KeyError:
            return False
        return Phase(history[-1]["phase"]).is_terminal

    def _give_up(self, error: BaseException) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            self._listeners.clear()
        for _, future in waiting.values():
            future.set_exception(error)
