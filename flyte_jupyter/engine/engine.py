"""Starts actions and waits for them: pack, store, launch, and the outcome when the news of it comes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import HostError, StoreError
from ..host.lifecycle import aborted
from ..host.shelf import leave
from ..pack.call import Packed, Sealed, pack_inputs, seal_code, seal_inputs
from ..pack.envelope import Envelope
from ..pack.outcome import Outcome, outcome_again, outcome_of, unseal_outcome
from ..pods import Event, Failure, PodEvent, PodRequest, Synced, history_as_bytes, history_of, pod_name
from ..runners import Runner
from ..store import Store, keys
from . import cached
from .images import require_uv
from .images import send as send_image
from .request import refused

if TYPE_CHECKING:
    from ..task import Task
    from .cached import Answer
    from .options import RunOptions
    from .version import Version

_RETRY_WATCH = (0.05, 0.2, 1.0, 3.0)
_NOTHING_LEFT = Failure(
    code="OutcomeLost",
    kind="system",
    message="It is not open any more and has left no outcome: it was not accepted, or its files are gone.",
)
Listener: TypeAlias = Callable[[Event | Synced], None]
"""Hears every event of a run, and `Synced` when a watch has told what is open: what it did not tell of has ended."""
_log = logging.getLogger("flyte_jupyter")


@dataclass
class _Waiting:
    """An action whose outcome is waited for.

    Attributes:
        pod: to launch again when it is lost; None when somebody else has started it.
        cancelled: why it is not wanted any more.
    """

    pod: PodRequest | None
    future: Future[Outcome] = field(default_factory=Future)
    cancelled: str | None = None

    def stop_again(self, runner: Runner, name: str) -> None:
        """Repeat a cancellation that may have met no Host."""
        if self.cancelled is not None:
            runner.stop(name, reason=self.cancelled)


class Engine:
    """One per process that calls tasks.

    Args:
        store: where calls and outcomes are; runner: what runs them; key: signs every payload.
        labels: of the pods whose news this engine wants.
        lingers: whether it goes on watching when nothing is waited for, so that the next start is quick.
        makes_venvs: whether images become virtual environments where the pods run.
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
        self._labels = dict(labels)
        self._lingers = lingers
        self._makes_venvs = makes_venvs
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._sent: set[str] = set()  # digests of code and images
        self._open: set[tuple[str, str]] = set()  # as far as the present watch has told
        self._watch: threading.Thread | None = None
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"<Engine [{len(self._waiting)} actions open, {len(self._listeners)} runs watched]>"

    # --- starting -----------------------------------------------------------------------------------------------------

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
        self._pass_on(event.run, event)
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
            future: Future[Outcome] = Future()
            future.set_result(done)
            return future
        self.put_code(code)
        self.store.put(keys.inputs(pod.run, pod.action), seal_inputs(self._key, inputs, name=pod.name))
        try:
            future = self._expect(pod.run, pod.action, pod)
            self.runner.launch(pod)
        except BaseException:
            with self._lock:
                self._waiting.pop((pod.run, pod.action), None)
            raise
        return future

    def put_code(self, code: Sealed) -> None:
        """Store a task's code and the recipes of its images, once; also when they are there: they may be damaged."""
        for digest, recipe in code.recipes.items() if self._makes_venvs else ():
            if digest not in self._sent:
                send_image(self.store, self._key, recipe)
                self._sent.add(digest)
        if code.digest not in self._sent:
            self.store.put(keys.code(code.digest), code.payload)
            self._sent.add(code.digest)

    def expect(self, run: str, action: str, listener: Listener) -> Future[Outcome]:
        """A future for the outcome of an action that somebody else has started; it is never launched from here.

        Args:
            listener: as for `listen`; both at once, so that neither misses what the watch tells first.
        """
        return self._expect(run, action, None, listener)

    def _expect(
        self, run: str, action: str, pod: PodRequest | None, listener: Listener | None = None
    ) -> Future[Outcome]:
        with self._lock:
            if listener is not None:
                self._listeners.setdefault(run, []).append(listener)
            waiting = self._waiting.get((run, action))
            if waiting is None:
                waiting = self._waiting[run, action] = _Waiting(pod)
                waiting.future.set_running_or_notify_cancel()
            self._keep_watching()
        return waiting.future

    def outcome(self, run: str, action: str) -> Outcome | None:
        """The outcome in the store, verified; None while there is none."""
        try:
            data = self.store.get(keys.outcome(run, action))
        except KeyError:
            return None
        return unseal_outcome(
            self._key, data, worker=pod_name(run, action), kept=lambda: self._kept(keys.kept(run, action))
        )

    def _kept(self, key: str) -> memoryview:
        try:
            return self.store.get(key)
        except KeyError:
            return memoryview(b"")  # which is damaged, whatever it was

    def snapshot(self, run: str) -> list[Event]:
        """What is told now of the actions of a run that are open; [] when none is."""
        told: list[Event] = []
        for event in self.runner.watch({"run": run}):
            if isinstance(event, Synced):
                break
            told.append(event)
        return told

    def listen(self, run: str, listener: Listener, *, has_begun: bool = True) -> None:
        """Pass on every event of a run, on the watching thread, until its first action has ended.

        Args:
            has_begun: something of it may run already; otherwise the watch begins with the first action that is started
                from here, since what the cache has needs no Host.
        """
        with self._lock:
            self._listeners.setdefault(run, []).append(listener)
            if has_begun:
                self._keep_watching()

    def forget(self, run: str) -> None:
        """No more events of that run are wanted."""
        with self._lock:
            self._listeners.pop(run, None)
        self._leave_if_over()

    def cancel(self, run: str, action: str, reason: str) -> None:
        """Stop an action and what it has called. One that is lost meanwhile with the Host is not started again."""
        with self._lock:
            waiting = self._waiting.get((run, action))
            if waiting is not None:
                waiting.cancelled = reason
        self.runner.stop(pod_name(run, action), reason=reason)

    def close(self) -> None:
        """Stop watching. What runs, runs on."""
        self._closed.set()
        self.runner.close()
        watch = self._watch
        if watch is not None and watch is not threading.current_thread():
            watch.join(timeout=5)

    # --- news ---------------------------------------------------------------------------------------------------------

    def _is_idle(self) -> bool:
        return not self._waiting and not self._listeners

    def _leave_if_over(self) -> None:
        with self._lock:
            is_over = not self._lingers and self._is_idle()
        if is_over:
            self.runner.close()  # which ends the watch

    def _keep_watching(self) -> None:
        if self._watch is None or not self._watch.is_alive():
            watch = threading.Thread(target=self._follow, name="flyte-jupyter-news", daemon=True)
            watch.start()  # it waits for the lock that is held here
            self._watch = watch

    def _follow(self) -> None:
        """Whatever goes wrong here must not end the news: those who wait would wait for ever."""
        failed = 0
        while not self._closed.is_set():
            with self._lock:
                if self._is_idle():
                    self._watch = None
                    return
            self._open.clear()
            try:
                for event in self.runner.watch(self._labels):
                    if self._closed.is_set():  # meanwhile: `close` found no watch yet that it could end
                        return
                    self._take(event)
                    if isinstance(event, Synced):
                        failed = 0
                        self._leave_if_over()
            except Exception as error:
                failed += 1
                if not isinstance(error, HostError):  # which those who wait are told in the end
                    _log.exception("The news of runs was interrupted; it is asked for again.")
                if failed > len(_RETRY_WATCH):
                    self._give_up(error)
                    failed = 0
            self._closed.wait(_RETRY_WATCH[min(failed, len(_RETRY_WATCH) - 1)])

    def _take(self, event: Event | Synced) -> None:
        if isinstance(event, Synced):
            for run in tuple(self._listeners):
                self._pass_on(run, event)
            self._catch_up()
            return
        self._pass_on(event.run, event)
        if not isinstance(event, PodEvent):
            return
        if event.phase.is_terminal:
            self._open.discard((event.run, event.action))
            self._resolve(event)
        else:
            self._open.add((event.run, event.action))

    def _pass_on(self, run: str, event: Event | Synced) -> None:
        for listener in tuple(self._listeners.get(run, ())):
            try:
                listener(event)
            except Exception:
                _log.exception("A listener of run %s failed.", run)

    def _resolve(self, end: PodEvent) -> None:
        """Give the outcome to whoever waits for it; without one in the store, what the last event says."""
        run, action = end.run, end.action
        with self._lock:
            waiting = self._waiting.get((run, action))
        if waiting is not None:
            try:
                outcome = self.outcome(run, action)
            except Exception as error:  # a damaged outcome is the caller's to see
                self._end(run, action, error)
            else:
                told = end.failure or _NOTHING_LEFT
                self._end(run, action, outcome or outcome_of(told, worker=pod_name(run, action)))
        if end.parent is None:
            self.forget(run)

    def _end(self, run: str, action: str, result: Outcome | Exception) -> None:
        with self._lock:
            waiting = self._waiting.pop((run, action), None)
        if waiting is None:
            return
        if isinstance(result, Exception):
            waiting.future.set_exception(result)
            return
        failure = result.failure
        if failure is not None and failure.code in ("PayloadDamaged", "SignatureMismatch"):
            self._sent.clear()  # perhaps it was the code: the next call sends it again
        waiting.future.set_result(result)

    def _catch_up(self) -> None:
        """After the watch has told what is open: what it did not tell of has ended meanwhile, or was never accepted."""
        with self._lock:
            open_actions = list(self._waiting.items())
        for (run, action), waiting in open_actions:
            try:
                end = self._ended(run, action)
            except (ValueError, LookupError, TypeError) as error:  # damaged: of no concern to the others
                self._end(run, action, StoreError(f"The status of {pod_name(run, action)} cannot be read: {error!r}."))
                self.forget(run)
                continue
            if end is not None:
                self._resolve(end)
            elif waiting.cancelled is not None or waiting.pod is None:
                self._settle(run, action, waiting)
            else:
                self.runner.launch(waiting.pod)  # harmless when it is there
                waiting.stop_again(self.runner, pod_name(run, action))  # it may have been cancelled meanwhile

    def _settle(self, run: str, action: str, waiting: _Waiting) -> None:
        """An action that is not to be launched: the Host goes on with it, or that was all."""
        if (run, action) not in self._open:
            failure = _NOTHING_LEFT if waiting.cancelled is None else aborted(waiting.cancelled)
            self._end(run, action, outcome_of(failure, worker=pod_name(run, action)))
        else:
            waiting.stop_again(self.runner, pod_name(run, action))  # it may have been cancelled while there was no Host

    def _ended(self, run: str, action: str) -> PodEvent | None:
        try:
            last = history_of(self.store.get(keys.status(run, action)))[-1]
        except KeyError:
            return None
        return last if last.phase.is_terminal else None

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            self._listeners.clear()
        for each in waiting.values():
            each.future.set_exception(error)
