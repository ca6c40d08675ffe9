"""The static types of the parameters; made by `python -m flyte_jupyter.config.generate` from the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal, TypedDict

from .image.image import Image
from .values.cache import Cache
from .values.dependency import Environment
from .values.documentation import Documentation
from .values.link import Link
from .values.pod_template import PodTemplate
from .values.resources import Resources
from .values.retry import RetryStrategy
from .values.reuse import ReusePolicy
from .values.secret import Secret
from .values.timeout import Timeout
from .values.trigger import Trigger


class EnvironmentSettings(TypedDict, total=False):
    """What `TaskEnvironment(name, ...)` takes."""

    image: str | Image | None
    """What the task runs in: the URI of an image, an Image, or "auto" for the environment of the one who calls."""

    depends_on: Sequence[Environment] | None
    """Environments that are deployed together with this one; it orders and gates nothing."""

    description: str | None
    """What the environment is for; longer than 255 characters is cut."""

    plugin_config: Any
    """Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry."""

    include: Sequence[str] | None
    """Files that travel with the code; paths relative to the notebook or module."""

    resources: Resources | None
    """CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default."""

    env_vars: dict[str, str] | None
    """Environment variables of the task's process; replaced whole, never merged."""

    secrets: str | Secret | Sequence[str | Secret] | None
    """Secrets by name: a str, a Secret or a list of these; the values are never stored."""

    service_account: str | None
    """Kubernetes service account of the pod."""

    cache: str | Cache | None
    """Whether results are kept: "auto", "override", "disable" or a Cache."""

    pod_template: str | PodTemplate | None
    """A pod to start from, or the name of one that the platform knows."""

    reusable: ReusePolicy | None
    """Warm processes for the environment: a ReusePolicy; in an override also "off"."""

    interruptible: bool | None
    """Whether the task may run on machines that can be taken away."""

    queue: str | None
    """The queue that the task waits in."""


class TaskSettings(TypedDict, total=False):
    """What `@env.task(...)` takes."""

    service_account: str | None
    """Kubernetes service account of the pod."""

    cache: str | Cache | None
    """Whether results are kept: "auto", "override", "disable" or a Cache."""

    pod_template: str | PodTemplate | None
    """A pod to start from, or the name of one that the platform knows."""

    interruptible: bool | None
    """Whether the task may run on machines that can be taken away."""

    queue: str | None
    """The queue that the task waits in."""

    short_name: str | None
    """The name that is shown; the name of the function when not given."""

    retries: int | RetryStrategy | None
    """How often the task is tried again: a number, or a RetryStrategy."""

    timeout: int | float | timedelta | Timeout | None
    """How long one attempt may run: seconds or a timedelta, 0 for no bound; or a Timeout."""

    max_inline_io_bytes: int | None
    """Bytes that the inputs, and the outputs, may have when they are passed by value; 0 for no bound."""

    links: Link | Sequence[Link] | None
    """Links that are shown with the task's runs."""

    report: bool | None
    """Whether what the task logs with `flyte.report` is written by itself, while it runs and at its end."""

    triggers: Trigger | Sequence[Trigger] | None
    """What starts the task by itself: a Trigger or several."""

    docs: str | Documentation | None
    """Documentation of the task; its docstring when not given."""

    entrypoint: bool | None
    """Whether the task is meant to be started by a user."""

    produces_artifacts: bool | None
    """Whether outputs of the task are artifacts."""


class OverrideSettings(TypedDict, total=False):
    """What `task.override(...)` takes."""

    plugin_config: Any
    """Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry."""

    resources: Resources | None
    """CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default."""

    env_vars: dict[str, str] | None
    """Environment variables of the task's process; replaced whole, never merged."""

    secrets: str | Secret | Sequence[str | Secret] | None
    """Secrets by name: a str, a Secret or a list of these; the values are never stored."""

    service_account: str | None
    """Kubernetes service account of the pod."""

    cache: str | Cache | None
    """Whether results are kept: "auto", "override", "disable" or a Cache."""

    pod_template: str | PodTemplate | None
    """A pod to start from, or the name of one that the platform knows."""

    reusable: ReusePolicy | Literal["off"] | None
    """Warm processes for the environment: a ReusePolicy; in an override also "off"."""

    interruptible: bool | None
    """Whether the task may run on machines that can be taken away."""

    queue: str | None
    """The queue that the task waits in."""

    short_name: str | None
    """The name that is shown; the name of the function when not given."""

    retries: int | RetryStrategy | None
    """How often the task is tried again: a number, or a RetryStrategy."""

    timeout: int | float | timedelta | Timeout | None
    """How long one attempt may run: seconds or a timedelta, 0 for no bound; or a Timeout."""

    max_inline_io_bytes: int | None
    """Bytes that the inputs, and the outputs, may have when they are passed by value; 0 for no bound."""

    links: Link | Sequence[Link] | None
    """Links that are shown with the task's runs."""

    report: bool | None
    """Whether what the task logs with `flyte.report` is written by itself, while it runs and at its end."""

    triggers: Trigger | Sequence[Trigger] | None
    """What starts the task by itself: a Trigger or several."""

    entrypoint: bool | None
    """Whether the task is meant to be started by a user."""

    produces_artifacts: bool | None
    """Whether outputs of the task are artifacts."""


class EnvironmentAttributes:
    """The parameters that an environment has as attributes."""

    image: str | Image | None
    """What the task runs in: the URI of an image, an Image, or "auto" for the environment of the one who calls."""

    description: str | None
    """What the environment is for; longer than 255 characters is cut."""

    plugin_config: Any
    """Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry."""

    include: Sequence[str] | None
    """Files that travel with the code; paths relative to the notebook or module."""

    resources: Resources | None
    """CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default."""

    env_vars: dict[str, str] | None
    """Environment variables of the task's process; replaced whole, never merged."""

    secrets: str | Secret | Sequence[str | Secret] | None
    """Secrets by name: a str, a Secret or a list of these; the values are never stored."""

    service_account: str | None
    """Kubernetes service account of the pod."""

    cache: str | Cache | None
    """Whether results are kept: "auto", "override", "disable" or a Cache."""

    pod_template: str | PodTemplate | None
    """A pod to start from, or the name of one that the platform knows."""

    reusable: ReusePolicy | None
    """Warm processes for the environment: a ReusePolicy; in an override also "off"."""

    interruptible: bool | None
    """Whether the task may run on machines that can be taken away."""

    queue: str | None
    """The queue that the task waits in."""


class TaskAttributes:
    """The parameters that a task has as attributes; not to be set."""

    image: Image | Literal["auto"]
    """What the task runs in: the URI of an image, an Image, or "auto" for the environment of the one who calls."""

    depends_on: tuple[Environment, ...]
    """Environments that are deployed together with this one; it orders and gates nothing."""

    description: str | None
    """What the environment is for; longer than 255 characters is cut."""

    plugin_config: Any
    """Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry."""

    include: tuple[str, ...]
    """Files that travel with the code; paths relative to the notebook or module."""

    resources: Resources | None
    """CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default."""

    env_vars: dict[str, str]
    """Environment variables of the task's process; replaced whole, never merged."""

    secrets: tuple[Secret, ...]
    """Secrets by name: a str, a Secret or a list of these; the values are never stored."""

    service_account: str | None
    """Kubernetes service account of the pod."""

    cache: Cache
    """Whether results are kept: "auto", "override", "disable" or a Cache."""

    pod_template: PodTemplate | str | None
    """A pod to start from, or the name of one that the platform knows."""

    reusable: ReusePolicy | None
    """Warm processes for the environment: a ReusePolicy; in an override also "off"."""

    interruptible: bool
    """Whether the task may run on machines that can be taken away."""

    queue: str | None
    """The queue that the task waits in."""

    short_name: str | None
    """The name that is shown; the name of the function when not given."""

    retries: RetryStrategy
    """How often the task is tried again: a number, or a RetryStrategy."""

    timeout: Timeout
    """How long one attempt may run: seconds or a timedelta, 0 for no bound; or a Timeout."""

    max_inline_io_bytes: int
    """Bytes that the inputs, and the outputs, may have when they are passed by value; 0 for no bound."""

    links: tuple[Link, ...]
    """Links that are shown with the task's runs."""

    report: bool
    """Whether what the task logs with `flyte.report` is written by itself, while it runs and at its end."""

    triggers: tuple[Trigger, ...]
    """What starts the task by itself: a Trigger or several."""

    docs: Documentation | None
    """Documentation of the task; its docstring when not given."""

    entrypoint: bool
    """Whether the task is meant to be started by a user."""

    produces_artifacts: bool
    """Whether outputs of the task are artifacts."""
