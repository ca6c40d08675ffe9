"""`flyte.run` and its relatives: the functions a notebook calls."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from . import clusters, session
from .config.cluster import Cluster, cluster_of
from .config.refusal import warn
from .config.spec import PARAMS
from .engine import interrupt
from .engine.options import OPTIONS, RunOptions
from .engine.run import Run, RunList
from .errors import ConfigTypeError, ConfigValueError, HostError, RunNotFoundError, StoreError, nearest
from .home import Home
from .pods import ROOT
from .sites import LOCAL, REMOTE, remote_settings
from .store import keys
from .task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

    from .deployment.triggers import DeployedTrigger
    from .engine.options import RunSettings


class RunTask:
    """`flyte.run(task, ...)`, and `await flyte.run.aio(task, ...)`.

    Args:
        options: what holds for all actions of the runs; None for what `flyte.init` has set.
        cluster: where they are when they are remote; None for where `flyte.init` or the settings file say.
    """

    def __init__(self, options: RunOptions | None = None, cluster: Cluster | None = None) -> None:
        self._options = options
        self._cluster = cluster

    def __call__(self, task: Task[..., Any] | DeployedTrigger, *args: Any, **kwargs: Any) -> Run:
        """Run a task in a process of its own, wait for it, and return the run; `run.outputs()[0]` is the value.

        In a notebook a live card appears below the cell. Interrupting the cell cancels the run, and waits five seconds
        at most for its end; interrupting again does not wait.

        A run in a cluster (`mode="remote"`) is returned at once, as in Flyte: `run.wait()`, `await run` and
        `run.outputs()` wait for it, and interrupting these leaves it alone.

        Args:
            task: made by `@env.task`, perhaps with `.override(...)`; or a deployed trigger, to be fired now.
            args, kwargs: its inputs.

        Raises:
            ConfigTypeError, ConfigValueError: not a task, or inputs that do not fit; nothing was started.
            CaptureError: something the task needs cannot be sent to its process; nothing was started.
            RuntimeUserError: the task failed; it is also an instance of the class that the task raised.
        """
        run = self.submit(task, args, kwargs)
        if run.mode == REMOTE:
            return run
        interrupt.wait(run)
        run.raise_for_status()
        return run

    async def aio(self, task: Task[..., Any] | DeployedTrigger, *args: Any, **kwargs: Any) -> Run:
        """The same, without blocking the event loop."""
        run = self.submit(task, args, kwargs)
        if run.mode == REMOTE:
            return run
        await interrupt.wait_aio(run)
        run.raise_for_status()
        return run

    def submit(self, task: Task[..., Any] | DeployedTrigger, args: tuple[Any, ...], inputs: dict[str, Any]) -> Run:
        """Start it, and do not wait."""
        return _start(task, args, inputs, self._options, self._cluster)


run = RunTask()


def submit(task: Task[..., Any], *args: Any, **kwargs: Any) -> Run:
    """Start a task and return its run at once; `await run`, `run.outputs()` or its card tell how it goes.

    Interrupting a cell does not touch it; `run.cancel()` does. It goes on when the kernel ends. Arguments and errors
    are those of `flyte.run`, but for the task's own error, which `run.outputs()` raises.
    """
    return _start(task, args, kwargs, None)


def rerun(run: Run | str, action: str = ROOT, *, override: Mapping[str, Any] | None = None, **inputs: Any) -> Run:
    """Run again what has run before, with the code and the inputs of then, as `flyte.run` does it (Flyte).

        flyte.rerun("r-1", alpha=2)                                             # one input is another
        flyte.rerun("r-1", override={"resources": flyte.Resources(memory="4Gi")})
        flyte.with_runcontext(mode="local").rerun("r-1")                        # not in the cluster where it was

    What was in a cluster is so again, and in the same one.

    Args:
        run: the run, or its name; action: one that it has called, instead of its first.
        override: parameters as `task.override` takes them.
        inputs: those that are to be different.

    Raises:
        RunNotFoundError: there is no such run, or nothing is left of that call of it.
        ConfigTypeError, ConfigValueError: unknown parameters or inputs; and whatever `flyte.run` raises.
    """
    return _again(session.defaults, None, run, action, override, inputs)


def resubmit(run: str, override: Mapping[str, Any] | None = None) -> Run:
    """As `rerun`, but it does not wait, as `submit` does not."""
    again, task, inputs = _call_again(session.defaults, None, run, ROOT, override, {})
    return again.submit(task, (), inputs)


def _again(
    options: RunOptions,
    mode: str | None,
    run: Run | str,
    action: str,
    override: Mapping[str, Any] | None,
    inputs: Mapping[str, Any],
) -> Run:
    """See `rerun`; the mode is one that was asked for, None for where it was."""
    again, task, given = _call_again(options, mode, run, action, override, inputs)
    return again(task, **given)


def _call_again(
    options: RunOptions,
    mode: str | None,
    run: Run | str,
    action: str,
    override: Mapping[str, Any] | None,
    inputs: Mapping[str, Any],
) -> tuple[RunTask, Task[..., Any], dict[str, Any]]:
    """What starts it, its task and its inputs."""
    here, name = session.current(), run.name if isinstance(run, Run) else run
    task, given = here.call_of(name, action)
    if unknown := sorted(inputs.keys() - given.keys()):
        near = nearest(unknown[0], given)
        raise ConfigTypeError(
            f"{task.name} has no input {unknown[0]!r}.{f' Did you mean {near!r}?' if near else ''}\n"
            f"Its inputs: {', '.join(given) or 'none'}. Parameters such as retries go into override={{...}}."
        )
    was_in = (here.found(name) or {}).get("cluster")
    again = RunTask(options)
    if was_in is not None and mode != LOCAL:
        again = RunTask(replace(options, mode=REMOTE), Cluster.from_json(was_in))
    return again, task.override(**override) if override else task, {**given, **inputs}


class RunContext:
    """Starts runs with options: `.run(task, ...)`, `.run.aio(task, ...)`, `.submit(task, ...)`, `.rerun(run)`; see
    `with_runcontext`.

    Attributes:
        options: what holds for all actions of these runs.
    """

    def __init__(self, options: RunOptions, mode: str | None = None) -> None:
        self.options = options
        self._mode = mode
        self.run = RunTask(options)

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.options.to_json().items() if name != "env_vars")
        return f"<RunContext{given}>"

    def submit(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> Run:
        """As `flyte.submit`, with these options."""
        return _start(task, args, kwargs, self.options)

    def rerun(
        self, run: Run | str, action: str = ROOT, *, override: Mapping[str, Any] | None = None, **inputs: Any
    ) -> Run:
        """As `flyte.rerun`, with these options; with another `mode` it is elsewhere than it was."""
        return _again(self.options, self._mode, run, action, override, inputs)


def with_runcontext(mode: Literal["local", "remote"] | None = None, **options: Unpack[RunSettings]) -> RunContext:
    """Options for all actions of a run, also for the tasks that are called in it (Flyte).

        flyte.with_runcontext(overwrite_cache=True, env_vars={"LOG_LEVEL": "10"}).run(my_task, 1)
        flyte.with_runcontext(mode="remote").run(my_task, 1)

    Args:
        mode: "local" for this machine, "remote" for pods in the cluster; None for what `flyte.init` or the settings
            file say, or the queue of the task.
        options: the attributes of `RunOptions`, by keyword. None is "not given".

    Raises:
        ConfigTypeError, ConfigValueError: another mode, unknown options, values that are not accepted.
    """
    given = {"mode": mode} if mode is not None else {}
    return RunContext(RunOptions.of({**session.defaults.to_json(), **options, **given}), mode)


def _start(
    task: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: RunOptions | None,
    cluster: Cluster | None = None,
) -> Run:
    given: Any = task
    if not isinstance(given, Task):
        from .deployment.triggers import DeployedTrigger

        if isinstance(given, DeployedTrigger):
            return _fire(given, args, kwargs, options)
        hint = "Decorate it with @env.task." if callable(given) else "Make one with @env.task."
        what = " ".join(filter(None, (type(given).__name__, getattr(given, "__name__", ""))))
        raise ConfigTypeError(f"A run needs a task, not {what}.\n{hint}")
    _refuse_options(task, kwargs)
    return session.current().start(task, args, kwargs, session.defaults if options is None else options, cluster)


def _refuse_options(task: Task[..., Any], kwargs: dict[str, Any]) -> None:
    """Options of a run are no inputs of its task, but are easily taken for some."""
    names = [name for name in kwargs if name in OPTIONS and name not in task.interface.inputs and name not in PARAMS]
    if names:
        given = ", ".join(f"{name}={kwargs[name]!r}" for name in names)
        called = task.name.rpartition(".")[2]
        raise ConfigValueError(
            f"{task.name} has no input {' or '.join(map(repr, names))}: that is an option of a run.\n"
            f"Write it there: flyte.with_runcontext({given}).run({called}, ...)"
        )


def _fire(trigger: DeployedTrigger, args: tuple[Any, ...], inputs: dict[str, Any], options: RunOptions | None) -> Run:
    if args:
        raise ConfigValueError(
            f"The inputs of trigger {trigger.name!r} are given by name: run(trigger, x=1).\n"
            "Those that are left out are what it was deployed with."
        )
    if options not in (None, session.defaults):
        raise ConfigValueError(
            f"Runs of trigger {trigger.name!r} have the options that it was deployed with.\n"
            "Write them in Trigger(...), and deploy again."
        )
    return trigger.fire(**inputs)


def runs(limit: int = 20, *, cluster: bool = False) -> RunList:
    """The newest runs of this user, also of kernels that are gone; `flyte.runs()[0]` is the last one.

    Args:
        limit: how many at most.
        cluster: those that are in the clusters that runs go to, also of this user's other machines, instead of those
            that were started on this one.

    Those of a cluster or a bucket that cannot be reached are left out, with a warning.

    Raises:
        HostError: a cluster cannot be reached, or refuses; only with `cluster`.
    """
    here = session.current()
    if cluster:
        found_there = [record for site in clusters.sites(here) for record in clusters.records(site, limit)]
        found_there.sort(key=lambda record: str(record["run"]), reverse=True)
        return RunList(here.reattach(record) for record in found_there[:limit])
    found, unreached = RunList(), {}
    for name in reversed(here.store.list(keys.RUNS)):
        if len(found) >= limit:
            break
        record = here.find(name)
        if record is None:  # somebody else is just writing it down
            continue
        place = record.get("site"), (record.get("cluster") or {}).get("store")
        if place in unreached:
            continue
        try:
            run = here.reattach(record)
            if record["mode"] == REMOTE:
                run.standing.look()  # else whoever shows the list would be the first to ask the bucket
        except (HostError, StoreError) as error:
            if record["mode"] != REMOTE:
                raise
            unreached[place] = error
        else:
            found.append(run)
    for (site, _), why in unreached.items():
        warn(f"The runs in {site} are left out: {why}")
    return found


def get_run(run: str | int) -> Run:
    """A run from any kernel, by its name or by its number in `flyte.runs()`: 0 is the newest.

    Raises:
        RunNotFoundError: there is none.
    """
    here = session.current()
    if isinstance(run, str):
        return here.attach(run)
    names = here.store.list(keys.RUNS)
    if not 0 <= run < len(names):
        known = f"0 to {len(names) - 1}" if names else "there is none yet"
        raise RunNotFoundError(f"There is no run number {run}: {known}; see flyte.runs().")
    return here.attach(names[-1 - run])


class Attach:
    """`flyte.attach(run)`, and `await flyte.attach.aio(run)`."""

    def __call__(self, run: Run | str | int) -> Any:
        """Wait for a run that goes on, perhaps since before the kernel was restarted, and return the value of its task.

        Its live card appears below the cell. Interrupting the cell leaves the run alone.

        Args:
            run: its name, its number in `flyte.runs()` (0 is the newest), or what `flyte.submit` gave.

        Raises:
            RunNotFoundError: there is no such run, or nothing is left of its value.
            RuntimeUserError: its task failed; it is also an instance of the class that the task raised.
        """
        return self._shown(run).result()

    async def aio(self, run: Run | str | int) -> Any:
        """The same, without blocking the event loop."""
        return await self._shown(run)

    @staticmethod
    def _shown(run: Run | str | int) -> Run:
        found = run if isinstance(run, Run) else get_run(run)
        session.current().show(found)
        return found


attach = Attach()


def init(mode: Literal["local", "remote"] | None = None, *, strict: bool | None = None, **cluster: Any) -> None:
    """Settings for all runs of this process; local runs need none.

        flyte.init(mode="remote")                                               # the current context of the kubeconfig
        flyte.init(mode="remote", context="team", store="s3://bucket/folder")

    Args:
        mode: "local" for this machine, "remote" for pods in the cluster; None for what the settings file says.
        strict: refuse tasks whose configuration says what the runner cannot do, instead of saying so on the card.
        cluster: the attributes of `Cluster`, by keyword, instead of those in the settings file: `context`, `namespace`,
            `store`, `image`, `registry`, ...

    Raises:
        ConfigTypeError, ConfigValueError: another mode or setting, or values that are not accepted.
    """
    found = session.cluster
    if cluster:
        found = cluster_of(cluster, found or remote_settings(Home().settings).cluster, "init")
    given = {name: value for name, value in (("mode", mode), ("strict", strict)) if value is not None}
    session.defaults = RunOptions.of({**session.defaults.to_json(), **given})
    session.cluster = found


def prepare(*, wait: bool = True) -> None:
    """Start the local Host now, so that the first run need not wait for it.

    Args:
        wait: False returns at once; what goes wrong then, the first run tells.

    Raises:
        HostError: it cannot be started, only when waited for.
    """
    runner = session.current().runner
    if wait:
        runner.prepare()
        return

    def quietly() -> None:
        with contextlib.suppress(HostError):
            runner.prepare()

    threading.Thread(target=quietly, name="flyte-jupyter-prepare", daemon=True).start()
