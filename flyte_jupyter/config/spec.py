"""The table: every parameter of a task, once.

A parameter is a field of `TaskSpec`; `param` says at which levels it may be set, what it accepts, how it looks as text
and as an annotation, and what it means.  Signatures, static types, magic options, `effective_config()` and the docs are
made from it, so that adding a parameter is adding one field (and then `python -m flyte_jupyter.config.generate`).
Source of the parameters, levels and defaults: Flyte 2 (2.12.1).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from . import accept
from .cache import Cache
from .dependency import depends_on_of
from .envvars import env_vars_of
from .field import Editor, Field
from .name import environment_name
from .plain import plain
from .retry import RetryStrategy
from .timeout import Timeout
from .value import Value

if TYPE_CHECKING:
    from .dependency import Environment
    from .documentation import Documentation
    from .image import Image
    from .link import Link
    from .pod_template import PodTemplate
    from .resources import Resources
    from .reuse import ReusePolicy
    from .secret import Secret
    from .trigger import Trigger


class Level(enum.Flag):
    """Where a parameter may be set; the later one wins."""

    ENV = enum.auto()
    TASK = enum.auto()
    OVERRIDE = enum.auto()


ENV, TASK, OVERRIDE = Level.ENV, Level.TASK, Level.OVERRIDE
EVERYWHERE = ENV | TASK | OVERRIDE

HONOURED: Mapping[str, str] = {"local": "", "kubernetes": ""}
"""A parameter that means the same to every runner, because it only says what is shown or sent."""

LOCAL: Mapping[str, str] = {"local": ""}
CLUSTER: Mapping[str, str] = {"kubernetes": ""}
"""A parameter that says something about machines of a cluster, so that this one can only keep and show it."""

NOWHERE: Mapping[str, str] = {}


@dataclass(frozen=True, eq=False, kw_only=True)
class Param(Field):
    """What is known of one parameter, beside what is known of every field.

    Attributes:
        levels: where it may be set.
        accept: makes a canonical value of what was given, or raises a ConfigError; None never gets there.
        type_text: the annotation of what may be given.
        default: its value when nobody gave it.
        off: a word that takes away what a wider level gave; only in nearer levels.
        fixed: what is said (as a ValueError) when it is overridden; "" where that is a TypeError like any wrong name.
        reuse_locked: not to be overridden while the task is reusable.
        travels: whether the task's own process can use it, so that it is pickled with the task.
        honoured: the runners that do what it says; the value says what of it, "" for all.
    """

    levels: Level
    accept: Callable[[Any], Any]
    type_text: str
    default: Any = None
    off: str = ""
    fixed: str = ""
    reuse_locked: bool = False
    travels: bool = True
    honoured: Mapping[str, str] = field(default_factory=dict)

    def canonical(self, value: Any) -> Any:
        """What becomes of a value that was given. Raises a ConfigError."""
        return self.accept(value)


def param(
    levels: Level,
    doc: str,
    *,
    accept: Callable[[Any], Any],
    type_text: str,
    editor: Editor,
    default: Any = None,
    **more: Any,
) -> Any:
    """A field of the table."""
    made = Param(levels=levels, accept=accept, type_text=type_text, editor=editor, doc=doc, default=default, **more)
    copied = isinstance(default, (list, dict))
    stored: Any = {"default_factory": default.copy} if copied else {"default": default}
    return field(metadata={"field": made}, **stored)


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
    )
    description: str | None = param(
        ENV,
        "What the environment is for; longer than 255 characters is cut.",
        accept=accept.description,
        type_text="str",
        editor="text",
        honoured=HONOURED,
    )
    plugin_config: Any = param(
        ENV | OVERRIDE,
        "Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry.",
        accept=lambda value: value,
        type_text="Any",
        editor="code",
        honoured={"local": "its hooks, and nothing that a platform would be told"},
    )
    include: tuple[str, ...] = param(
        ENV,
        "Files that travel with the code; paths relative to the notebook or module.",
        accept=accept.include,
        type_text="Sequence[str]",
        editor="list",
        examples=(["data/birds.csv"],),
        default=(),
    )
    resources: Resources | None = param(
        ENV | OVERRIDE,
        "CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default.",
        accept=accept.resources,
        type_text="Resources",
        editor="fields",
        of=("resources.Resources",),
        reuse_locked=True,
        honoured={"local": "memory alone, as a limit"},
    )
    env_vars: dict[str, str] = param(
        ENV | OVERRIDE,
        "Environment variables of the task's process; replaced whole, never merged.",
        accept=env_vars_of,
        type_text="dict[str, str]",
        editor="pairs",
        examples=({"LOG_LEVEL": "debug"},),
        default={},
        reuse_locked=True,
        honoured=LOCAL,
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
    )
    service_account: str | None = param(
        EVERYWHERE,
        "Kubernetes service account of the pod.",
        accept=accept.str_or_none("service_account"),
        type_text="str",
        editor="text",
        reuse_locked=True,
        honoured=CLUSTER,
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
    )
    pod_template: PodTemplate | str | None = param(
        EVERYWHERE,
        "A pod to start from, or the name of one that the platform knows.",
        accept=accept.pod_template,
        type_text="str | PodTemplate",
        editor="text",
        of=("pod_template.PodTemplate",),
        travels=False,
        honoured=CLUSTER,
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
    )
    interruptible: bool = param(
        EVERYWHERE,
        "Whether the task may run on machines that can be taken away.",
        accept=accept.boolean("interruptible"),
        type_text="bool",
        editor="switch",
        default=False,
        honoured=CLUSTER,
    )
    queue: str | None = param(
        EVERYWHERE,
        "The queue that the task waits in.",
        accept=accept.str_or_none("queue"),
        type_text="str",
        editor="text",
    )
    short_name: str | None = param(
        TASK | OVERRIDE,
        "The name that is shown; the name of the function when not given.",
        accept=accept.str_or_none("short_name"),
        type_text="str",
        editor="text",
        honoured=HONOURED,
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
        honoured=LOCAL,
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
        honoured=LOCAL,
    )
    max_inline_io_bytes: int = param(
        TASK | OVERRIDE,
        "Bytes that the inputs, and the outputs, may have when they are passed by value.",
        accept=accept.max_inline,
        type_text="int",
        editor="number",
        unit="bytes",
        least=0,
        examples=(100 * 1024 * 1024,),
        default=10 * 1024 * 1024,
    )
    links: tuple[Link, ...] = param(
        TASK | OVERRIDE,
        "Links that are shown with the task's runs.",
        accept=accept.links,
        type_text="Link | Sequence[Link]",
        editor="code",
        default=(),
        honoured=HONOURED,
    )
    report: bool = param(
        TASK | OVERRIDE,
        "Whether the task writes a report.",
        accept=accept.boolean("report"),
        type_text="bool",
        editor="switch",
        default=False,
        honoured={"local": "its place on the card alone"},
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
    )
    entrypoint: bool = param(
        TASK | OVERRIDE,
        "Whether the task is meant to be started by a user.",
        accept=accept.boolean("entrypoint"),
        type_text="bool",
        editor="switch",
        default=False,
        honoured=HONOURED,
    )
    produces_artifacts: bool = param(
        TASK | OVERRIDE,
        "Whether outputs of the task are artifacts.",
        accept=accept.boolean("produces_artifacts"),
        type_text="bool",
        editor="switch",
        default=False,
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
