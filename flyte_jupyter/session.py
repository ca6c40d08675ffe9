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
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import context
from .config.about import documentation
from .config.cluster import Cluster
from .config.words import together
from .credentials.mask import MASKED
from .credentials.needs import Needs, ref_of
from .engine.engine import Engine
from .engine.images import send_files
from .engine.options import RunOptions
from .engine.record import UNTOLD
from .engine.request import Place, new_run_name, pod_request, settings
from .engine.run import Run
from .engine.screen import Screen
from .errors import CaptureError, ConfigError, ConfigValueError, RunNotFoundError
from .home import Home
from .host import shelf
from .host.lifecycle import aborted
from .host.trigger.registration import is_deployed
from .pack.call import Packed, Sealed, unseal_code, unseal_inputs
from .pack.codec import loads
from .pack.envelope import Envelope
from .pack.outcome import Outcome
from .pack.preview import describe
from .pack.suspects import check_values, kind
from .pods import ROOT, Failure, Phase, PodRequest, SecretRef, pod_name
from .sites import Site, Sites
from .store import keys
from .task import Task

if TYPE_CHECKING:
    from .config.image.files import Content

_NO_OPTIONS = RunOptions()
defaults = _NO_OPTIONS
"""What `flyte.init` has set for the runs of this process."""
cluster: Cluster | None = None
"""The cluster that `flyte.init` has set for remote runs, None for what the settings file says."""


@dataclass(frozen=True)
class Plan:
    """What a run would be.

    Attributes:
        inputs: of its task; pod: that would be asked for.
        work: the task with what it captures, and the inputs; or the result that the cache has, so that nothing runs.
        site: where it would be; files: that go along, and their list.
    """

    inputs: Mapping[str, Any]
    pod: PodRequest
    work: tuple[Sealed, Packed] | Envelope
    site: Site
    files: Sequence[Content] = ()


class Session:
    """What all runs of this process share. `current` makes it when it is first needed."""

    def __init__(self) -> None:
        self.home = Home().make()
        self.id, self.process = secrets.token_hex(8), os.getpid()
        self.sites = Sites(self.home, self.id)
        self.store, self.runner, self.engine = self.sites.local.store, self.sites.runner, self.sites.local.engine
        self._runs: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()
        self.screen = Screen()
        self._others: weakref.WeakSet[Engine] = weakref.WeakSet()

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.home.path} {self.engine!r}>"

    def site(self, task: Task[..., Any], options: RunOptions = _NO_OPTIONS, within: Cluster | None = None) -> Site:
        """Where a task runs when it is called now; when it is remote, in the cluster `within`, if one is given.

        Raises `ConfigError`, `HostError`.
        """
        return self.sites.of(task.spec, options, within or cluster)

    def place(self, options: RunOptions = _NO_OPTIONS, site: Site | None = None) -> Place:
        """Where tasks run when they are called now; on this machine when no site is given."""
        site = site or self.sites.local
        return Place(
            store=site.store_url,
            python=sys.executable,
            cwd=os.getcwd(),
            path=tuple(sys.path),
            labels={"session": self.id, **site.labels},
            options=options,
            cluster=site.cluster,
            images=site.images,
        )

    def plan(
        self,
        task: Task[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: RunOptions = _NO_OPTIONS,
        within: Cluster | None = None,
    ) -> Plan:
        """What a run would be. Raises what is wrong with task, arguments or captured objects; nothing is started."""
        inputs = task.interface.bind(task.name, args, kwargs)
        site = self.site(task, options, within)
        answer = site.engine.ask_cache(task, inputs, options)
        work: tuple[Sealed, Packed] | Envelope
        if answer is not None and answer.found is not None:
            work = answer.found
        else:
            code = site.engine.seal_code(task)
            work = code, site.engine.pack_inputs(task, code, inputs, answer)
        place, files = self.place(options, site), _included(site, work)
        pod = pod_request(
            task,
            replace(place, files=files[-1].digest) if files else place,
            run=new_run_name(),
            action=ROOT,
            parent=None,
            work=None if isinstance(work, Envelope) else work,
            answer=answer,
        )
        return Plan(inputs, pod, work, site, files)

    def start(
        self,
        task: Task[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: RunOptions = _NO_OPTIONS,
        within: Cluster | None = None,
    ) -> Run:
        """Start a run. Raises what is wrong with task, arguments or captured objects before anything starts."""
        plan = self.plan(task, args, kwargs, options, within)
        pod = plan.pod
        if isinstance(plan.work, Envelope):
            return self._recall(task, plan, plan.work)
        code, given = plan.work
        engine = plan.site.engine
        engine.check(pod)
        self.provide(task, plan.site, code, code.needs | given.needs)
        self.screen.check(pod, given)
        pod = self.screen.masked(pod)
        try:
            run = self.record(task, plan.site, pod.run, self.said(plan.inputs), pod)
            engine.news.listen(pod.run, run.standing.on_event)
            send_files(engine.store, plan.files)
            run.standing.follow(engine.start(pod, code, given))
            self.show(run)
        except BaseException as error:  # also Ctrl-C: nobody has the run, so it must not go on
            self._take_back(plan.site, pod, error)
            raise
        return run

    def _recall(self, task: Task[..., Any], plan: Plan, found: Envelope) -> Run:
        """A run whose result the cache has: it is written down like any other, and nothing is started for it."""
        pod = self.screen.masked(plan.pod)
        run = self.record(task, plan.site, pod.run, self.said(plan.inputs), pod)
        event, outcome = plan.site.engine.recall(pod, found)
        run.standing.on_event(event)
        done: Future[Outcome] = Future()
        done.set_result(outcome)
        run.standing.follow(done)
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

    def provide(self, task: Task[..., Any], site: Site, code: Sealed, needs: Needs) -> None:
        """Have the local Host know the secrets of tasks that are about to run there; a cluster has its own.

        Raises:
            MissingSecretError: some have no value, and nobody is there who could be asked. Nothing was started.
            CaptureError: the value of one stands in the code.
        """
        if needs and site.is_local:
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

    def _take_back(self, site: Site, pod: PodRequest, error: BaseException) -> None:
        """A run that could not be started, or not be handed over, has ended; if it has started it is cancelled."""
        site.engine.news.forget(pod.run)
        (self.home.remote / pod.run).unlink(missing_ok=True)
        if isinstance(error, Exception):
            failure = Failure(code="NotStartedError", kind="system", message=f"It was not started: {error}")
            phase = Phase.FAILED
        else:
            failure, phase = aborted("It was interrupted while it was being started."), Phase.ABORTED
        with contextlib.suppress(ConfigError, OSError):  # the error that led here is the one to tell
            event = pod.event(phase, at=time.time(), failure=failure)
            shelf.end(site.store, site.key, event)  # first: then a Host does not start it
            if (run := self._runs.get(pod.run)) is not None:
                run.standing.on_event(event)
        with contextlib.suppress(ConfigError, OSError):
            site.engine.cancel(pod.run, pod.action, failure.message)

    def record(
        self, task: Task[..., Any], site: Site, name: str, inputs: dict[str, str], pod: PodRequest | None
    ) -> Run:
        """Write down what a run is. `pod` is None for one whose first action is no process."""
        record = self.recorded(task, name, inputs, pod, site)
        idle = [each.name for each in task.triggers if not is_deployed(self.home.triggers, task.name, each.name)]
        if idle:
            env = task.parent_env_name
            record["notes"].append(f"triggers: {together(idle)} of {task.name} start nothing until {env} is deployed.")
        for store in {each.url: each for each in (self.store, site.store)}.values():
            store.put(keys.record(name), [json.dumps(record).encode()])
        run = self._runs[name] = Run(site.engine, record, unpack=task.interface.unpack if pod is not None else None)
        if not site.is_local:
            self.note_remote(run)
        return run

    def note_remote(self, run: Run) -> None:
        """Have the next kernel look after a run in a cluster, unless this one hears of its end."""
        self.home.remote.mkdir(exist_ok=True)
        (note := self.home.remote / run.name).touch()

        def heard() -> None:
            if run.standing.keep_end(self.store):
                note.unlink(missing_ok=True)
                forget()

        forget = run.subscribe(heard)

    def recorded(
        self,
        task: Task[..., Any],
        name: str,
        inputs: dict[str, str],
        pod: PodRequest | None,
        site: Site | None = None,
    ) -> dict[str, Any]:
        """What a run is, as plain data; of one on this machine when no site is given."""
        site = site or self.sites.local
        return {
            "run": name,
            "task": task.name,
            "title": task.short_name or task.name,
            "mode": site.mode,
            "site": site.title,
            "cluster": site.cluster.to_json() if site.cluster is not None else None,
            "created": time.time(),
            "session": self.id,
            "process": [os.uname().nodename, self.process],
            "user": site.labels.get("user"),
            "notebook": context.which_notebook(),
            "about": {
                "environment": task.parent_env_name,
                "description": task.description or "",
                "docs": documentation(task.spec, task.func),
            },
            "report": task.report,
            "links": list(pod.links) if pod is not None else [],
            "notes": self.sites.notes(task, site, pod.queue if pod is not None else task.spec.queue),
            "config": settings(task),
            "inputs": inputs,
            "outputs": [output.name for output in task.interface.outputs],
            "pod": {**pod.to_json(), **UNTOLD} if pod is not None else None,
        }

    @staticmethod
    def show(run: Run) -> None:
        """Tell those who show runs."""
        for observer in context.observers:
            observer(run)

    def attach(self, name: str) -> Run:
        """A run by its name, from any kernel, and in a cluster from any machine. Raises `RunNotFoundError`."""
        known = self._runs.get(name)
        if known is not None:
            return known
        record = self.found(name)
        if record is None:
            raise RunNotFoundError(f"There is no run {name!r} in {self.store.url}; see flyte.runs().")
        return self.reattach(record)

    def reattach(self, record: dict[str, Any]) -> Run:
        """A run by what was written down of it."""
        name = record["run"]
        if (known := self._runs.get(name)) is not None:
            return known
        engine = self.sites.another(record, {"run": name})
        self._others.add(engine)
        return self._runs.setdefault(name, Run(engine, record, reattached=True))

    def find(self, name: str) -> dict[str, Any] | None:
        """What was written down of a run, by its name; None when there is no such run."""
        try:
            record: dict[str, Any] = json.loads(bytes(self.store.get(keys.record(name))))
        except KeyError:
            return None
        return record

    def found(self, name: str) -> dict[str, Any] | None:
        """The same, also of one that another machine has started in a cluster. Raises `HostError`."""
        from .clusters import find

        return self.find(name) or find(self, name)

    def call_of(self, run: str, action: str) -> tuple[Task[..., Any], dict[str, Any]]:
        """The task and the inputs of a call that was made before, also by another kernel; verified, then unpickled.

        Raises:
            RunNotFoundError: nothing is left of it. CaptureError: it needs a module that this kernel does not have.
        """
        name, site = pod_name(run, action), self.sites.of_record(self.found(run) or {})
        try:
            given = unseal_inputs(site.key, site.store.get(keys.inputs(run, action)), name=name)
            digest = given.header["code"]
            code = site.store.get(keys.code(digest))
        except KeyError:
            raise RunNotFoundError(
                f"There is no call {name!r} in {site.store.url}, whose inputs could be used again; see flyte.runs().\n"
                "What came from the cache, and a map as a whole, have none."
            ) from None
        try:
            return unseal_code(site.key, code, digest=digest), loads(given.parts)
        except ModuleNotFoundError as error:
            raise CaptureError(
                f"{name} cannot be run again here: its task needs {error.name!r}, which this kernel does not have.\n"
                "Install it, or run the cell that calls the task again."
            ) from None

    def close(self) -> None:
        """Stop watching; what runs, runs on."""
        self.sites.close()
        for engine in list(self._others):
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


def _included(site: Site, work: tuple[Sealed, Packed] | Envelope) -> list[Content]:
    """The files that go along to a cluster, and their list. Raises what `store.included.included` raises."""
    paths = {path for each in work for path in each.include} if isinstance(work, tuple) else set()
    if site.is_local or not paths:
        return []
    from .store.included import included, listed

    contents = included(paths, Path.cwd())
    return [*contents, listed(contents)]
