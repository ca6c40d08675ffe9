"""This process as one that starts runs: its engine, its store, and who is told of new runs."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from . import context
from .config.about import documentation
from .config.words import together
from .credentials.mask import MASKED
from .credentials.needs import Needs, ref_of
from .engine.engine import Engine
from .engine.options import RunOptions
from .engine.request import Place, new_run_name, notes, pod_request, settings
from .engine.run import ROOT, Run
from .engine.screen import Screen
from .errors import CaptureError, ConfigError, ConfigValueError, RunNotFoundError
from .home import Home
from .host.lifecycle import aborted
from .host.trigger.registration import is_deployed
from .pack.call import Packed, Sealed, unseal_code, unseal_inputs
from .pack.codec import loads
from .pack.envelope import Envelope
from .pack.outcome import Outcome, seal_failure
from .pack.preview import describe
from .pack.suspects import check_values, kind
from .pods import Failure, Phase, PodEvent, PodRequest, SecretRef, history_as_bytes, pod_name
from .runners.local import LocalRunner
from .store import keys, open_store
from .task import Task

_NO_OPTIONS = RunOptions()
defaults = _NO_OPTIONS
"""What `flyte.init` has set for the runs of this process."""


@dataclass(frozen=True)
class Plan:
    """What a run would be.

    Attributes:
        inputs: of its task; pod: that would be asked for.
        work: the task with what it captures, and the inputs; or the result that the cache has, so that nothing runs.
    """

    inputs: Mapping[str, Any]
    pod: PodRequest
    work: tuple[Sealed, Packed] | Envelope


class Session:
    """What all runs of this process share. `current` makes it when it is first needed."""

    def __init__(self) -> None:
        self.home = Home().make()
        self.id = secrets.token_hex(8)
        self.process = os.getpid()
        self.store = open_store(self.home.store_url)
        self.runner = LocalRunner(self.home, self.id)
        self.engine = Engine(self.store, self.runner, self.home.key(), {"session": self.id})
        self._runs: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()
        self.screen = Screen()
        self._others: weakref.WeakSet[Engine] = weakref.WeakSet()

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.home.path} {self.engine!r}>"

    def place(self, options: RunOptions = _NO_OPTIONS) -> Place:
        """Where tasks run when they are called now."""
        return Place(
            store=self.store.url,
            python=sys.executable,
            cwd=os.getcwd(),
            path=tuple(sys.path),
            labels={"session": self.id},
            options=options,
        )

    def plan(
        self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: RunOptions = _NO_OPTIONS
    ) -> Plan:
        """What a run would be. Raises what is wrong with task, arguments or captured objects; nothing is started."""
        inputs = task.interface.bind(task.name, args, kwargs)
        answer = self.engine.ask_cache(task, inputs, options)
        work: tuple[Sealed, Packed] | Envelope
        referenced: frozenset[str] = frozenset()
        image = None
        if answer is not None and answer.found is not None:
            work = answer.found
        else:
            code = self.engine.seal_code(task)
            given = self.engine.pack_inputs(task, code, inputs, answer)
            work, referenced, image = (code, given), code.referenced | given.referenced, code.image
        pod = pod_request(
            task,
            self.place(options),
            run=new_run_name(),
            action=ROOT,
            parent=None,
            referenced=referenced,
            image=image,
            answer=answer,
        )
        return Plan(inputs, pod, work)

    def start(
        self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: RunOptions = _NO_OPTIONS
    ) -> Run:
        """Start a run. Raises what is wrong with task, arguments or captured objects before anything starts."""
        plan = self.plan(task, args, kwargs, options)
        pod = plan.pod
        if isinstance(plan.work, Envelope):
            return self._recall(task, pod, self.said(plan.inputs), plan.work)
        code, given = plan.work
        self.engine.check(pod)
        self.provide(task, code, code.needs | given.needs)
        self.screen.check(pod, given)
        pod = self.screen.masked(pod)
        try:
            run = self.record(task, pod.run, self.said(plan.inputs), pod)
            self.engine.listen(pod.run, run.on_event)
            run.follow(self.engine.start(pod, code, given))
            self.show(run)
        except BaseException as error:  # also Ctrl-C: nobody has the run, so it must not go on
            self._take_back(pod, error)
            raise
        return run

    def _recall(self, task: Task[..., Any], pod: PodRequest, said: dict[str, str], found: Envelope) -> Run:
        """A run whose result the cache has: it is written down like any other, and nothing is started for it."""
        pod = self.screen.masked(pod)
        run = self.record(task, pod.run, said, pod)
        event, outcome = self.engine.recall(pod, found)
        run.on_event(event)
        done: Future[Outcome] = Future()
        done.set_result(outcome)
        run.follow(done)
        self.show(run)
        return run

    def said(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        """Inputs in a few words each, without secrets and without what looks like one."""
        return {
            name: repr(MASKED)
            if isinstance(value, str) and kind(name, value) is not None
            else describe(value, mask=self.screen.mask)
            for name, value in inputs.items()
        }

    def provide(self, task: Task[..., Any], code: Sealed, needs: Needs) -> None:
        """Have the Host know the secrets of tasks that are about to run.

        Raises:
            MissingSecretError: some have no value, and nobody is there who could be asked. Nothing was started.
            CaptureError: the value of one stands in the code.
        """
        if needs:
            self.runner.entrust(self.values_for(task, code, needs))

    def values_for(self, task: Task[..., Any], code: Sealed, needs: Needs) -> dict[SecretRef, str]:
        """The values of secrets, as the Host wants to know them. Raises what `provide` raises."""
        if not needs:
            return {}
        from .credentials.resolve import resolve

        values = {secret: each.value for secret, each in resolve(needs, asking=True).items()}
        check_values(task.name, code.payload, values)
        self.screen.learn((secret.title, value) for secret, value in values.items())
        return {ref_of(secret): value for secret, value in values.items()}

    def _take_back(self, pod: PodRequest, error: BaseException) -> None:
        """A run that could not be started, or not be handed over, has ended; if it has started it is cancelled."""
        self.engine.forget(pod.run)
        if isinstance(error, Exception):
            failure = Failure(code="NotStartedError", kind="system", message=f"It was not started: {error}")
            phase = Phase.FAILED
        else:
            failure, phase = aborted("It was interrupted while it was being started."), Phase.ABORTED
        with contextlib.suppress(ConfigError, OSError):  # the error that led here is the one to tell
            self.end(pod.run, ROOT, pod.task, pod.title, phase, failure)  # first: then a Host does not start it
        with contextlib.suppress(ConfigError, OSError):
            self.engine.cancel(pod.run, pod.action, failure.message)

    def end(self, run: str, action: str, task: str, title: str, phase: Phase, failure: Failure) -> None:
        """Write down the end of an action that no Host knows of, unless a Host has done so."""
        event = PodEvent(
            run=run, action=action, parent=None, task=task, title=title, phase=phase, at=time.time(), failure=failure
        )
        payload = seal_failure(self.home.key(), failure, name=pod_name(run, action))
        self.store.put_if_absent(keys.outcome(run, action), payload)
        self.store.put_if_absent(keys.status(run, action), [history_as_bytes([event])])

    def record(self, task: Task[..., Any], name: str, inputs: dict[str, str], pod: PodRequest | None) -> Run:
        """Write down what a run is. `pod` is None for one whose first action is no process."""
        record = self.recorded(task, name, inputs, pod)
        idle = [each.name for each in task.triggers if not is_deployed(self.home.triggers, task.name, each.name)]
        if idle:
            env = task.parent_env_name
            record["notes"].append(f"triggers: {together(idle)} of {task.name} start nothing until {env} is deployed.")
        self.store.put(keys.record(name), [json.dumps(record).encode()])
        run = self._runs[name] = Run(self.engine, record, unpack=task.interface.unpack if pod is not None else None)
        return run

    def recorded(
        self, task: Task[..., Any], name: str, inputs: dict[str, str], pod: PodRequest | None
    ) -> dict[str, Any]:
        """What a run is, as plain data."""
        return {
            "run": name,
            "task": task.name,
            "title": task.short_name or task.name,
            "mode": "local",
            "created": time.time(),
            "session": self.id,
            "notebook": dict(context.notebook),
            "about": {
                "environment": task.parent_env_name,
                "description": task.description or "",
                "docs": documentation(task.spec, task.func),
            },
            "report": task.report,
            "links": list(pod.links) if pod is not None else [],
            "notes": notes(task, "local"),
            "config": settings(task),
            "inputs": inputs,
            "outputs": [output.name for output in task.interface.outputs],
            "pod": {**pod.to_json(), "env": {}, "options": {}} if pod is not None else None,  # these may hold secrets
        }

    @staticmethod
    def show(run: Run) -> None:
        """Tell those who show runs."""
        for observer in context.observers:
            observer(run)

    def attach(self, name: str) -> Run:
        """A run by its name, from any kernel. Raises `RunNotFoundError`."""
        known = self._runs.get(name)
        if known is not None:
            return known
        record = self.find(name)
        if record is None:
            raise RunNotFoundError(f"There is no run {name!r} in {self.store.url}; see flyte.runs().")
        runner = LocalRunner(self.home, self.id)
        engine = Engine(self.store, runner, self.home.key(), {"run": name}, lingers=False)
        self._others.add(engine)
        return self._runs.setdefault(name, Run(engine, record, reattached=True))

    def find(self, name: str) -> dict[str, Any] | None:
        """What was written down of a run, by its name; None when there is no such run."""
        try:
            record: dict[str, Any] = json.loads(bytes(self.store.get(keys.record(name))))
        except KeyError:
            return None
        return record

    def call_of(self, run: str, action: str) -> tuple[Task[..., Any], dict[str, Any]]:
        """The task and the inputs of a call that was made before, also by another kernel; verified, then unpickled.

        Raises:
            RunNotFoundError: nothing is left of it. CaptureError: it needs a module that this kernel does not have.
        """
        name, key = pod_name(run, action), self.home.key()
        try:
            given = unseal_inputs(key, self.store.get(keys.inputs(run, action)), name=name)
            digest = given.header["code"]
            code = self.store.get(keys.code(digest))
        except KeyError:
            raise RunNotFoundError(
                f"There is no call {name!r} in {self.store.url}, whose inputs could be used again; see flyte.runs().\n"
                "What came from the cache, and a map as a whole, have none."
            ) from None
        try:
            return unseal_code(key, code, digest=digest), loads(given.parts)
        except ModuleNotFoundError as error:
            raise CaptureError(
                f"{name} cannot be run again here: its task needs {error.name!r}, which this kernel does not have.\n"
                "Install it, or run the cell that calls the task again."
            ) from None

    def close(self) -> None:
        """Stop watching; what runs, runs on."""
        for engine in [self.engine, *self._others]:
            engine.close()


_current: Session | None = None
_making = threading.Lock()


def current() -> Session:
    """The session of this process, made when it is first needed.

    Raises:
        ConfigValueError: inside a task, which calls tasks instead of starting runs.
    """
    global _current  # noqa: PLW0603 - one session per process
    if context.ctx():
        raise ConfigValueError(
            "A task cannot start a run of its own.\nCall the other task: await other_task(...), or other_task(...)."
        )
    with _making:
        if _current is None or _current.process != os.getpid():  # a forked child starts anew
            _current = Session()
            atexit.register(_current.close)
        return _current


def opened() -> Session | None:
    """The session of this process, if anything has needed one so far."""
    return _current if _current is not None and _current.process == os.getpid() else None
