"""The table: every parameter of a task, once.

A parameter is a field of `TaskSpec`; `param` says at which levels it may be set, what it accepts, how it looks as text
and as an annotation, and what it means.  Signatures, static types, magic options, `effective_config()` and the docs are
made from it, so that adding a parameter is adding one field (and then `python -m flyte_jupyter.config.generate`).
Source of the parameters, levels and defaults: Flyte 2 (2.12.1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from . import accept
from .param import CLUSTER, ENV, EVERYWHERE, HONOURED, LOCAL, OVERRIDE, TASK, Level, Param, param
from .plain import plain
from .values.cache import Cache
from .values.dependency import depends_on_of
from .values.envvars import env_vars_of
from .values.frozen import FrozenDict
from .values.name import environment_name
from .values.retry import RetryStrategy
from .values.timeout import Timeout
from .values.value import Value

__all__ = ["ENV", "NOT_PARAMS", "OVERRIDE", "PARAMS", "TASK", "Level", "Param", "TaskSpec", "names"]

if TYPE_CHECKING:
    from .image.image import Image
    from .values.dependency import Environment
    from .values.documentation import Documentation
    from .values.link import Link
    from .values.pod_template import PodTemplate
    from .values.resources import Resources
    from .values.reuse import ReusePolicy
    from .values.secret import Secret
    from .values.trigger import Trigger


@dataclass(frozen=True, kw_only=True, repr=False)
class TaskSpec(Value):
    """The configuration of one invocation, resolved: each value is canonical, and none is a secret.

    Two specs are equal when all their values are.
    """

    name: str = param(
        ENV,
        "Name of the environment: lower-case letters and digits, in groups joined by single _ or -.",
        accept=environment_name,
        type_text="str",
        editor="text",
        default="",
        fixed="Name cannot be overridden",
        honoured=HONOURED,
        local="Part of the names of its tasks, on cards and in run records.",
        kubernetes="The same, and a label of the pods.",
    )
    image: Image | Literal["auto"] = param(
        ENV,
        'What the task runs in: the URI of an image, an Image, or "auto" for the environment of the one who calls.',
        accept=accept.image,
        type_text="str | Image",
        editor="choice",
        choices=("auto",),
        is_open=True,
        examples=("python:3.12-slim",),
        codec="IMAGE",
        default="auto",
        fixed="Image cannot be overridden",
        local="A virtual environment made with uv from its layers, once; "
        "what that cannot do (apt packages, commands, a Dockerfile) is said on the card.",
        kubernetes="An existing builder builds and pushes it; a URI is used as it is.",
        honoured=HONOURED,
    )
    depends_on: tuple[Environment, ...] = param(
        ENV,
        "Environments that are deployed together with this one; it orders and gates nothing.",
        accept=depends_on_of,
        type_text="Sequence[Environment]",
        editor="code",
        default=(),
        travels=False,
        honoured=HONOURED,
        local="`flyte.deploy` takes these along.",
        kubernetes="The same.",
    )
    description: str | None = param(
        ENV,
        "What the environment is for; longer than 255 characters is cut.",
        accept=accept.description,
        type_text="str",
        editor="text",
        honoured=HONOURED,
        local="Shown with the environment and its tasks.",
        kubernetes="The same.",
    )
    plugin_config: Any = param(
        ENV | OVERRIDE,
        "Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry.",
        accept=lambda value: value,
        type_text="Any",
        editor="code",
        honoured=dict.fromkeys(HONOURED, "its hooks, and nothing that a platform would be told"),
        local="The plugin's hooks run in the task's process.",
        kubernetes="They run in the pod.",
    )
    include: tuple[str, ...] = param(
        ENV,
        "Files that travel with the code; paths relative to the notebook or module.",
        accept=accept.include,
        type_text="Sequence[str]",
        editor="list",
        examples=(["data/birds.csv"],),
        default=(),
        local="Nothing to do: tasks run in the folder of the notebook, where the files are.",
        kubernetes="The files go along, to the same places.",
        honoured=HONOURED,
    )
    resources: Resources | None = param(
        ENV | OVERRIDE,
        "CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default.",
        accept=accept.resources,
        type_text="Resources",
        editor="fields",
        of=("resources.Resources",),
        reuse_locked=True,
        honoured=HONOURED,
        local="What is asked for is also the limit. The task waits until the machine has it, gets cores and GPUs of "
        "its own, numbers of threads to fit, and a scratch folder (`TMPDIR`) when it asks for `disk`. Memory counts "
        "all its processes together where the system has control groups, else each. What is not here is said on the "
        "card.",
        kubernetes="Requests and, of `(request, limit)`, limits of the container; accelerators by the resource of "
        "their device plugin (parts of a GPU by that of MIG) and on nodes that have the model. `shm` is a volume in "
        "memory, `disk` ephemeral storage.",
    )
    env_vars: dict[str, str] = param(
        ENV | OVERRIDE,
        "Environment variables of the task's process; replaced whole, never merged.",
        accept=env_vars_of,
        type_text="dict[str, str]",
        editor="pairs",
        examples=({"LOG_LEVEL": "debug"},),
        default=FrozenDict(),
        reuse_locked=True,
        honoured=HONOURED,
        local="In the environment of the task's process, and only there.",
        kubernetes="Variables of the container; they win over those of a pod template.",
    )
    secrets: tuple[Secret, ...] = param(
        ENV | OVERRIDE,
        "Secrets by name: a str, a Secret or a list of these; the values are never stored.",
        accept=accept.secrets,
        type_text="str | Secret | Sequence[str | Secret]",
        editor="list",
        of=("secret.Secret",),
        examples=("api-key", ["api-key", "db-password"]),
        codec="SECRETS",
        default=(),
        reuse_locked=True,
        honoured=HONOURED,
        local="From the kernel's environment, a `.env` file, the keyring or a prompt, as variables or files; "
        "what the task prints of them is masked.",
        kubernetes='By reference, never by value: `Secret("key", group="db")` is the key `key` of the Secret `db`; '
        "without a group of the Secret that is called as the key (in lower case, with - for _). "
        "A missing one is named before the start.",
    )
    service_account: str | None = param(
        EVERYWHERE,
        "Kubernetes service account of the pod.",
        accept=accept.str_or_none("service_account"),
        type_text="str",
        editor="text",
        reuse_locked=True,
        honoured=CLUSTER,
        local="Kept and shown.",
        kubernetes="The service account of the pod.",
    )
    cache: Cache = param(
        EVERYWHERE,
        'Whether results are kept: "auto", "override", "disable" or a Cache.',
        accept=Cache.of,
        type_text="str | Cache",
        editor="fields",
        of=("cache.Cache",),
        shorthand="behavior",
        default=Cache("disable"),
        honoured=HONOURED,
        local="Results are stored beside the runs; what a function reaches is part of the key, and a miss says why.",
        kubernetes="The same, in the bucket.",
    )
    pod_template: PodTemplate | str | None = param(
        EVERYWHERE,
        "A pod to start from, or the name of one that the platform knows.",
        accept=accept.pod_template,
        type_text="str | PodTemplate",
        editor="text",
        of=("pod_template.PodTemplate",),
        honoured=CLUSTER,
        local="Kept and shown.",
        kubernetes="The pod that the task's own container is merged into, or the name of a PodTemplate of the "
        "namespace. The task's variables and resources win, and a limit below what it asks for is raised; "
        "`task.pod_manifest()` shows what comes of it.",
    )
    reusable: ReusePolicy | None = param(
        ENV | OVERRIDE,
        'Warm processes for the environment: a ReusePolicy; in an override also "off".',
        accept=accept.reusable,
        type_text="ReusePolicy",
        editor="fields",
        of=("reuse.ReusePolicy",),
        shorthand="replicas",
        off="off",
        honoured=LOCAL,
        local="Processes stay warm between tasks.",
        kubernetes="Pods stay warm between tasks; so far each call has its own.",
    )
    interruptible: bool = param(
        EVERYWHERE,
        "Whether the task may run on machines that can be taken away.",
        accept=accept.boolean("interruptible"),
        type_text="bool",
        editor="switch",
        default=False,
        honoured=CLUSTER,
        local="Kept and shown.",
        kubernetes="Tolerations and affinity for machines that may go, those of the settings or of the usual clouds; "
        "their going costs no retry.",
    )
    queue: str | None = param(
        EVERYWHERE,
        "The queue that the task waits in.",
        accept=accept.str_or_none("queue"),
        type_text="str",
        editor="text",
        honoured=HONOURED,
        local="A lane with a concurrency of its own, as the settings file says; `flyte.queues()` shows them.",
        kubernetes="The namespace and context of the queue, and its label for Kueue.",
    )
    short_name: str | None = param(
        TASK | OVERRIDE,
        "The name that is shown; the name of the function when not given.",
        accept=accept.str_or_none("short_name"),
        type_text="str",
        editor="text",
        honoured=HONOURED,
        local="Shown instead of the function's name.",
        kubernetes="The same.",
    )
    retries: RetryStrategy = param(
        TASK | OVERRIDE,
        "How often the task is tried again: a number, or a RetryStrategy.",
        accept=RetryStrategy.of,
        type_text="int | RetryStrategy",
        editor="fields",
        of=("retry.RetryStrategy",),
        shorthand="count",
        examples=(3,),
        default=RetryStrategy(0),
        honoured=HONOURED,
        local="Each attempt is a new process with a log of its own, after the wait of the backoff.",
        kubernetes="The same within the pod; lost pods are replaced and not charged.",
    )
    timeout: Timeout = param(
        TASK | OVERRIDE,
        "How long one attempt may run: seconds or a timedelta, 0 for no bound; or a Timeout.",
        accept=Timeout.of,
        type_text="int | float | timedelta | Timeout",
        editor="fields",
        of=("timeout.Timeout",),
        shorthand="max_runtime",
        examples=(60, timedelta(hours=1)),
        default=Timeout(),
        honoured=HONOURED,
        local="The Host ends an attempt that takes too long, with the stack of where it was in the error, and fails "
        "what waits too long.",
        kubernetes="The same, and a deadline of the Job as a net.",
    )
    max_inline_io_bytes: int = param(
        TASK | OVERRIDE,
        "Bytes that the inputs, and the outputs, may have when they are passed by value; 0 for no bound.",
        accept=accept.max_inline,
        type_text="int",
        editor="number",
        unit="bytes",
        least=0,
        examples=(100 * 1024 * 1024,),
        default=10 * 1024 * 1024,
        honoured=HONOURED,
        local="Plain data that is larger is refused; the error names it and its size. Arrays and frames do not count.",
        kubernetes="The same.",
    )
    links: tuple[Link, ...] = param(
        TASK | OVERRIDE,
        "Links that are shown with the task's runs.",
        accept=accept.links,
        type_text="Link | Sequence[Link]",
        editor="code",
        default=(),
        honoured=HONOURED,
        local="On the card and in the run record, with the names of run and action.",
        kubernetes="The same.",
    )
    report: bool = param(
        TASK | OVERRIDE,
        "Whether what the task logs with `flyte.report` is written by itself, while it runs and at its end.",
        accept=accept.boolean("report"),
        type_text="bool",
        editor="switch",
        default=False,
        honoured=HONOURED,
        local="On the card, while the task runs and after it; `run.get_report()` gives it.",
        kubernetes="The same.",
    )
    triggers: tuple[Trigger, ...] = param(
        TASK | OVERRIDE,
        "What starts the task by itself: a Trigger or several.",
        accept=accept.triggers,
        type_text="Trigger | Sequence[Trigger]",
        editor="code",
        of=("trigger.Trigger",),
        default=(),
        travels=False,
        honoured=LOCAL,
        local="The Host fires them once they are deployed, while it lives, and says which times it missed.",
        kubernetes="A CronJob each.",
    )
    docs: Documentation | None = param(
        TASK,
        "Documentation of the task; its docstring when not given.",
        accept=accept.docs,
        type_text="str | Documentation",
        editor="text",
        of=("documentation.Documentation",),
        codec="DOCS",
        fixed="Docs cannot be overridden",
        honoured=HONOURED,
        local="Shown in `?`, on the card and in run records.",
        kubernetes="The same.",
    )
    entrypoint: bool = param(
        TASK | OVERRIDE,
        "Whether the task is meant to be started by a user.",
        accept=accept.boolean("entrypoint"),
        type_text="bool",
        editor="switch",
        default=False,
        honoured=HONOURED,
        local="Kept and shown.",
        kubernetes="The same.",
    )
    produces_artifacts: bool = param(
        TASK | OVERRIDE,
        "Whether outputs of the task are artifacts.",
        accept=accept.boolean("produces_artifacts"),
        type_text="bool",
        editor="switch",
        default=False,
        local="Nothing: there are no artifacts here.",
        kubernetes="The same.",
    )

    def to_json(self) -> dict[str, Any]:
        """Every parameter as plain JSON data, for records and cards; environments by name."""
        return {name: plain(getattr(self, name)) for name in PARAMS}


PARAMS: dict[str, Param] = {f.name: replace(f.metadata["field"], name=f.name) for f in fields(TaskSpec)}
"""The table by name, in order."""

NOT_PARAMS = {"interface": "Interface cannot be overridden"}
"""Names that are no parameters and are refused with a ValueError in an override, as in Flyte."""


def names(level: Level) -> tuple[str, ...]:
    """Names of the parameters that may be set at `level`, in order; for a union of levels at any of them."""
    return tuple(name for name, p in PARAMS.items() if p.levels & level)
