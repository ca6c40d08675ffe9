"""From a task's resolved configuration to the pod that is asked for: pure."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from ..config.refusal import raise_all
from ..config.rules import secret_and_variable
from ..config.say import said
from ..config.spec import PARAMS
from ..config.values.duration import seconds
from ..config.values.frozen import FrozenDict
from ..config.values.secret import FOLDER_VARIABLE, MOUNT, clashes
from ..config.words import together
from ..credentials.needs import ref_of
from ..errors import ConfigValueError
from ..markup import cut
from ..pods import ALPHABET, PodRequest, Requirements, Reuse, pod_name, run_name
from .links import rendered
from .options import RunOptions

if TYPE_CHECKING:
    from ..config.cluster import Cluster
    from ..config.image.image import Image
    from ..config.spec import TaskSpec
    from ..pack.call import Packed, Sealed
    from ..task import Task
    from .cached import Answer

_NEVER_PRELOADED = frozenset(
    {"flyte_jupyter", "cloudpickle", "builtins", "IPython", "ipykernel", "ipywidgets", "traitlets", "zmq"}
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the pods of an engine run.

    Attributes:
        store: URL of the store; python: the interpreter; cwd, path: working directory and `sys.path`.
        labels: of every pod; options: what holds for all actions of the run.
        cluster: which one, None for this machine; images: the reference of what a task runs in there.
        files: the list of the files that go along, see `PodRequest`.
    """

    store: str
    python: str
    cwd: str
    path: tuple[str, ...]
    labels: Mapping[str, str]
    options: RunOptions = field(default_factory=RunOptions)
    cluster: Cluster | None = None
    images: Callable[[Image | Literal["auto"]], str] | None = None
    files: str = ""


def pod_request(
    task: Task[..., Any],
    place: Place,
    *,
    run: str,
    action: str,
    parent: str | None,
    work: tuple[Sealed, Packed] | None = None,
    answer: Answer | None = None,
) -> PodRequest:
    """The pod for one call of a task.

    Args:
        work: its code and its inputs; None when nothing of it is to run.
        answer: what the cache says.

    Raises:
        ConfigValueError: the options are strict, and the configuration says what the runner cannot do; or a secret is
            to be in an environment variable that has another value.
    """
    spec, options = task.spec, place.options
    raise_all([secret_and_variable(name) for name in clashes(spec.env_vars, spec.secrets)])
    raise_all([secret_and_variable(name, "the run's env_vars") for name in clashes(options.env_vars, spec.secrets)])
    if options.strict and (said := notes(task, "local" if place.cluster is None else "kubernetes")):
        raise refused(task.name, "all of its configuration can be done", said)
    referenced = {name for each in work or () for name in each.referenced}
    preload = tuple(sorted(name for name in referenced if _is_worth_preloading(name)))
    labels = {**options.labels, **place.labels, "run": run}
    limits: dict[str, Any] = {f.name: _seconds(getattr(spec.timeout, f.name)) for f in fields(spec.timeout)}
    if parent is not None:
        labels["parent"] = pod_name(run, parent)
    return PodRequest(
        run=run,
        action=action,
        parent=parent,
        task=task.name,
        title=task.short_name or task.name,
        store=place.store,
        python=place.python,
        cwd=place.cwd,
        path=place.path,
        labels=labels,
        template=_template(spec),
        env={**spec.env_vars, **options.env_vars},
        secrets=tuple(map(ref_of, spec.secrets)),
        service_account=spec.service_account,
        interruptible=spec.interruptible if options.interruptible is None else options.interruptible,
        retries=spec.retries.count,
        backoff=_backoff(spec),
        resources=_requirements(spec),
        reuse=_reuse(task),
        queue=spec.queue or options.queue,
        preload=preload,
        packages=_packages(preload) if place.cluster is not None else {},
        options=options.to_json(),
        links=rendered(task, run=run, action=action, parent=parent, context=options.custom_context),
        cache_key=answer.key if answer is not None else "",
        cache=answer.reason if answer is not None else "",
        cache_since=answer.since if answer is not None else None,
        inline_limit=spec.max_inline_io_bytes,
        calls=any(each.calls for each in work or ()),
        **{"image": work[0].image if work is not None else None, **_remote(spec, place, work)},
        **limits,
    )


def _remote(spec: TaskSpec, place: Place, work: tuple[Sealed, Packed] | None) -> dict[str, Any]:
    """What a pod in a cluster has to know besides: its image, and those of all tasks that it can call."""
    if place.cluster is None or place.images is None:
        return {}
    built = {key: place.images(image) for each in work or () for key, image in each.images.items()}
    return {
        "image": None,
        "image_uri": place.images(spec.image),
        "files": place.files,
        "cluster": replace(place.cluster, built=FrozenDict(built)).to_json(),
    }


def _backoff(spec: TaskSpec) -> tuple[float, float, float] | None:
    backoff = spec.retries.backoff
    if backoff is None:
        return None
    cap = float("inf") if backoff.cap is None else seconds(backoff.cap)
    return seconds(backoff.base), float(backoff.factor), min(cap, 1e9)


def _seconds(value: Any) -> float | None:
    return seconds(value) or None if value is not None else None


def _reuse(task: Task[..., Any]) -> Reuse | None:
    policy = task.spec.reusable
    if policy is None or not policy.max_replicas:
        return None
    return Reuse(
        environment=task.name.rpartition(".")[0],
        least=policy.min_replicas,
        most=policy.max_replicas,
        concurrency=policy.concurrency,
        idle_ttl=seconds(policy.idle_ttl),
        scaledown_ttl=seconds(policy.get_scaledown_ttl()),
        per_run=policy.scope == "run",
    )


def _template(spec: TaskSpec) -> dict[str, Any] | None:
    template = spec.pod_template
    if template is None:
        return None
    return {"name": template} if isinstance(template, str) else template.as_request()


def _requirements(spec: TaskSpec) -> Requirements:
    resources = spec.resources
    if resources is None:
        return Requirements()
    device = resources.get_device()
    accelerators: dict[str, Any] = {} if resources.gpu is None else {"gpu": 0}
    if device is not None:
        accelerators = {"gpu": device.quantity, "device": device.device_class}
        accelerators |= {"model": device.device or "", "partition": device.partition or ""}
    return Requirements(
        cpu=resources.cpu_request,
        cpu_limit=resources.cpu_limit,
        memory=resources.memory_request,
        memory_limit=resources.memory_limit,
        disk=resources.disk_bytes,
        shm=0 if resources.shm == "auto" else resources.shm_bytes,
        **accelerators,
    )


def _is_worth_preloading(name: str) -> bool:
    return name in sys.modules and name not in sys.stdlib_module_names and name not in _NEVER_PRELOADED


def _packages(modules: Iterable[str]) -> dict[str, str]:
    from ..pack.libraries import requirement

    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}", **{m: requirement(m) for m in modules}}


def notes(task: Task[..., Any], runner: str) -> list[str]:
    """What the task's configuration says and this runner does not do: said on the card, never dropped in silence."""
    here = "this machine" if runner == "local" else "the cluster"
    config = task.effective_config()
    said: list[str] = []
    elsewhere: list[str] = []
    nowhere: list[str] = []
    for name, param in PARAMS.items():
        if config.level(name) == "default" or config.value(name) == param.default:
            continue
        if name == "image" and runner == "local":
            said += _left_out(config.value(name))
        if runner not in param.honoured:
            (elsewhere if param.honoured and runner == "local" else nowhere).append(name)
        elif param.honoured[runner]:
            said.append(f"{name}: {here} applies {param.honoured[runner]}.")
    if runner == "local" and os.getuid() != 0 and any(secret.mount is not None for secret in task.spec.secrets):
        said.append(f"secrets: only root can make {MOUNT} here; {FOLDER_VARIABLE} names the folder that they are in.")
    if len(elsewhere) == 1:
        said.append(f"{elsewhere[0]} needs a cluster: {here} only keeps and shows it.")
    elif elsewhere:
        said.append(f"{together(elsewhere)} need a cluster: {here} only keeps and shows them.")
    if runner == "kubernetes":
        said += [_NOT_YET[name] for name in nowhere if name in _NOT_YET]
        nowhere = [name for name in nowhere if name not in _NOT_YET]
    if nowhere:
        where = f"{'on' if runner == 'local' else 'in'} {here}"
        said.append(f"{together(nowhere)} {'has' if len(nowhere) == 1 else 'have'} no effect {where} yet.")
    return said


_NOT_YET = {
    "reusable": "reusable: each call starts cold, in a pod of its own; the cluster keeps none warm yet.",
    "triggers": "triggers: the cluster fires none yet; flyte.deploy has this machine fire them, and run the task here.",
}
"""What a cluster does so far with what it is to do."""


def _left_out(image: Image) -> list[str]:
    from ..config.image.local import left_out

    return left_out(image)


def refused(task: str, what: str, said: Iterable[str]) -> ConfigValueError:
    """The error for a task that is not run because it would not get all that it says."""
    lines = "\n".join(f"  {note}" for note in said)
    return ConfigValueError(
        f"{task}: strict, and not {what} here\n{lines}\n"
        "  leave strict=True out to run it all the same; its card says so"
    )


def settings(task: Task[..., Any]) -> list[dict[str, str]]:
    """What was configured, with the level it came from, for records and cards; without what looks like a credential."""
    config = task.effective_config()
    given = [name for name in PARAMS if name != "name" and config.level(name) != "default"]
    words = {name: said(PARAMS[name], config.value(name)) for name in given}
    return [{"name": name, "value": cut(text, 300), "level": config.level(name)} for name, text in words.items()]


def new_run_name() -> str:
    """The name of a run that begins now; the end is random, so that nobody gets the same."""
    return run_name(time.time_ns() // 1_000_000, "".join(secrets.choice(ALPHABET) for _ in range(5)))
