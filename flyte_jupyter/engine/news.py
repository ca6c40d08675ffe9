"""What becomes of actions: one watch for a whole process, those who wait for outcomes, and those who listen."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

from ..errors import HostError, StoreError
from ..host.lifecycle import aborted
from ..host.shelf import ended
from ..pack.outcome import Outcome, outcome_of
from ..pods import Event, Failure, PodEvent, PodRequest, Synced, pod_name
from ..runners import Runner
from ..store import Store
from . import kept

_RETRY_WATCH = (0.05, 0.2, 1.0, 3.0)
OUTCOME_LOST = "OutcomeLost"
"""The code of one that has left nothing."""
Listener: TypeAlias = Callable[[Event | Synced], None]
"""Hears every event of a run, and `Synced` when a watch has told what is open: what it did not tell of has ended."""
_log = logging.getLogger("flyte_jupyter")


@dataclass
class _Waiting:
    """An action whose outcome is waited for.

    Attributes:
        pod: to launch again when it is lost; None when somebody else has started it.
        is_launching: whether the runner is only just asked to start it.
        cancelled: why it is not wanted any more.
    """

    pod: PodRequest | None
    is_launching: bool = False
    future: Future[Outcome] = field(default_factory=Future)
    cancelled: str | None = None

    def stop_again(self, runner: Runner, name: str) -> None:
        """Repeat a cancellation that may have met no Host."""
        if self.cancelled is not None:
            runner.stop(name, reason=self.cancelled)


class News:
    """Watches as long as somebody waits or listens, on a thread of its own. Any thread may call it.

    Args:
        store: of outcomes; key: that signs them; runner: that is watched.
        labels: of the pods whose news are wanted.
        lingers: whether it goes on watching when nothing is waited for, so that the next start is quick.
        damaged: called when something that an action was given could not be opened.
    """

    def __init__(
        self,
        store: Store,
        key: bytes,
        runner: Runner,
        labels: Mapping[str, str],
        *,
        lingers: bool,
        damaged: Callable[[], None],
    ) -> None:
        self._store, self._key, self._runner = store, key, runner
        self._labels = dict(labels)
        self._lingers = lingers
        self._damaged = damaged
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._open: set[tuple[str, str]] = set()  # as far as the present watch has told
        self._watch: threading.Thread | None = None
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"<News [{len(self._waiting)} actions open, {len(self._listeners)} runs watched]>"

    @contextlib.contextmanager
    def launching(self, pod: PodRequest) -> Iterator[Future[Outcome]]:
        """Within it the runner is asked to start an action; a future for its outcome, unless that fails."""
        with self._lock:
            waiting = self._wait_for(pod.run, pod.action)
            waiting.pod, waiting.is_launching = pod, True
        try:
            yield waiting.future
        except BaseException:
            with self._lock:
                self._waiting.pop((pod.run, pod.action), None)
            raise
        waiting.is_launching = False

    def expect(self, run: str, action: str, listener: Listener) -> Future[Outcome]:
        """A future for the outcome of an action that somebody else has started; it is never launched from here.

        Args:
            listener: as for `listen`; both at once, so that neither misses what the watch tells first.
        """
        with self._lock:
            self._listeners.setdefault(run, []).append(listener)
            return self._wait_for(run, action).future

    def _wait_for(self, run: str, action: str) -> _Waiting:
        """The lock is held."""
        waiting = self._waiting.get((run, action))
        if waiting is None:
            waiting = self._waiting[run, action] = _Waiting(None)
            waiting.future.set_running_or_notify_cancel()
        self._keep_watching()
        return waiting

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

    def unwanted(self, run: str, action: str, reason: str) -> None:
        """An action is to be cancelled: if it is lost meanwhile with the Host it is not started again."""
        with self._lock:
            waiting = self._waiting.get((run, action))
            if waiting is not None:
                waiting.cancelled = reason

    def tell(self, run: str, event: Event | Synced) -> None:
        """Tell those who listen to a run."""
        for listener in tuple(self._listeners.get(run, ())):
            try:
                listener(event)
            except Exception:
                _log.exception("A listener of run %s failed.", run)

    def close(self) -> None:
        """Stop watching. What runs, runs on."""
        self._closed.set()
        self._runner.close()
        watch = self._watch
        if watch is not None and watch is not threading.current_thread():
            watch.join(timeout=5)

    # --- the watch ----------------------------------------------------------------------------------------------------

    def _is_idle(self) -> bool:
        return not self._waiting and not self._listeners

    def _leave_if_over(self) -> None:
        with self._lock:
            is_over = not self._lingers and self._is_idle()
        if is_over:
            self._runner.close()  # which ends the watch

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
                for event in self._runner.watch(self._labels):
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
                self.tell(run, event)
            self._catch_up()
            return
        self.tell(event.run, event)
        if not isinstance(event, PodEvent):
            return
        if event.phase.is_terminal:
            self._open.discard((event.run, event.action))
            self._resolve(event)
        else:
            self._open.add((event.run, event.action))

    def _resolve(self, end: PodEvent) -> None:
        """Give the outcome to whoever waits for it; without one in the store, what the last event says."""
        run, action = end.run, end.action
        with self._lock:
            waiting = self._waiting.get((run, action))
        if waiting is not None:
            try:
                outcome = kept.outcome(self._store, self._key, run, action)
            except Exception as error:  # a damaged outcome is the caller's to see
                self._end(run, action, error)
            else:
                told = end.failure or self.nothing_left()
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
            self._damaged()
        waiting.future.set_result(result)

    def _catch_up(self) -> None:
        """After the watch has told what is open: what it did not tell of has ended meanwhile, or was never accepted."""
        with self._lock:
            open_actions = list(self._waiting.items())
        for (run, action), waiting in open_actions:
            try:
                history = ended(self._store, run, action)
            except (ValueError, LookupError, TypeError) as error:  # damaged: of no concern to the others
                self._end(run, action, StoreError(f"The status of {pod_name(run, action)} cannot be read: {error!r}."))
                self.forget(run)
                continue
            if history is not None:
                self._resolve(history[-1])
            elif waiting.cancelled is not None or waiting.pod is None:
                self._settle(run, action, waiting)
            elif not waiting.is_launching:
                self._runner.launch(waiting.pod)  # harmless when it is there
                waiting.stop_again(self._runner, pod_name(run, action))  # it may have been cancelled meanwhile

    def _settle(self, run: str, action: str, waiting: _Waiting) -> None:
        """An action that is not to be launched: the Host goes on with it, or that was all."""
        if (run, action) not in self._open:
            failure = self.nothing_left() if waiting.cancelled is None else aborted(waiting.cancelled)
            self._end(run, action, outcome_of(failure, worker=pod_name(run, action)))
        else:
            waiting.stop_again(self._runner, pod_name(run, action))  # perhaps there was no Host that could be told

    def nothing_left(self) -> Failure:
        """Why there is no outcome of one that is not open any more."""
        return Failure(code=OUTCOME_LOST, kind="system", message=self._runner.nothing_left)

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            self._listeners.clear()
        for each in waiting.values():
            each.future.set_exception(error)
