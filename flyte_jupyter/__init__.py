"""A notebook cell becomes a task: isolated on a laptop, a pod on a cluster, shown where it was written.

    import flyte_jupyter as flyte

    env = flyte.TaskEnvironment(name="my_env")

    @env.task
    async def my_task(name: str) -> str:
        return f"Hello {name}!"

    flyte.run(my_task, "world").outputs()[0]

Names are loaded when they are first used, so that the import costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if sys.platform == "win32":
    raise ImportError(
        "flyte_jupyter runs on Linux and macOS.\n"
        "On Windows install WSL (`wsl --install`), and run Jupyter and flyte_jupyter in it."
    )

if TYPE_CHECKING:  # for editors and type checkers; `_HOMES` says the same to Python, and a test compares them
    from . import cache as cache
    from . import errors as errors
    from . import extend as extend
    from . import report as report
    from . import secrets as secrets
    from .api import attach as attach
    from .api import get_run as get_run
    from .api import init as init
    from .api import prepare as prepare
    from .api import rerun as rerun
    from .api import run as run
    from .api import runs as runs
    from .api import submit as submit
    from .api import with_runcontext as with_runcontext
    from .bars import Bar as Bar
    from .bars import progress as progress
    from .clusters import sweep as sweep
    from .config.image.image import Image as Image
    from .config.values.cache import Cache as Cache
    from .config.values.cache import CachePolicy as CachePolicy
    from .config.values.cache import CacheRequest as CacheRequest
    from .config.values.dependency import Environment as Environment
    from .config.values.device import AMD_GPU as AMD_GPU
    from .config.values.device import APPLE_SILICON as APPLE_SILICON
    from .config.values.device import GPU as GPU
    from .config.values.device import HABANA_GAUDI as HABANA_GAUDI
    from .config.values.device import TPU as TPU
    from .config.values.device import Device as Device
    from .config.values.device import DeviceClass as DeviceClass
    from .config.values.device import Neuron as Neuron
    from .config.values.documentation import Documentation as Documentation
    from .config.values.link import Link as Link
    from .config.values.pod_template import PodTemplate as PodTemplate
    from .config.values.resources import Resources as Resources
    from .config.values.retry import Backoff as Backoff
    from .config.values.retry import RetryStrategy as RetryStrategy
    from .config.values.reuse import ReusePolicy as ReusePolicy
    from .config.values.secret import Secret as Secret
    from .config.values.secret import SecretRequest as SecretRequest
    from .config.values.timeout import Timeout as Timeout
    from .config.values.timeout import TimeoutType as TimeoutType
    from .config.values.trigger import Cron as Cron
    from .config.values.trigger import FixedRate as FixedRate
    from .config.values.trigger import OnArtifact as OnArtifact
    from .config.values.trigger import Trigger as Trigger
    from .config.values.trigger import TriggeredArtifact as TriggeredArtifact
    from .config.values.trigger import TriggeredPartition as TriggeredPartition
    from .config.values.trigger import TriggerTime as TriggerTime
    from .context import ctx as ctx
    from .deployment.deploy import deploy as deploy
    from .deployment.triggers import triggers as triggers
    from .engine.run import Run as Run
    from .environment import TaskEnvironment as TaskEnvironment
    from .extend import AsyncFunctionTaskTemplate as AsyncFunctionTaskTemplate
    from .extend import TaskTemplate as TaskTemplate
    from .image_build import build as build
    from .image_build import build_images as build_images
    from .mapping import map as map  # noqa: A004 - Flyte's name
    from .pruning import prune as prune
    from .queues import queues as queues
    from .task import Task as Task
    from .warm import pools as pools


_HOMES = {
    "api": ("attach", "get_run", "init", "prepare", "rerun", "run", "runs", "submit", "with_runcontext"),
    "bars": ("Bar", "progress"),
    "clusters": ("sweep",),
    "config.image.image": ("Image",),
    "config.values.cache": ("Cache", "CachePolicy", "CacheRequest"),
    "config.values.dependency": ("Environment",),
    "config.values.device": (
        "AMD_GPU",
        "APPLE_SILICON",
        "GPU",
        "HABANA_GAUDI",
        "TPU",
        "Device",
        "DeviceClass",
        "Neuron",
    ),
    "config.values.documentation": ("Documentation",),
    "config.values.link": ("Link",),
    "config.values.pod_template": ("PodTemplate",),
    "config.values.resources": ("Resources",),
    "config.values.retry": ("Backoff", "RetryStrategy"),
    "config.values.reuse": ("ReusePolicy",),
    "config.values.secret": ("Secret", "SecretRequest"),
    "config.values.timeout": ("Timeout", "TimeoutType"),
    "config.values.trigger": (
        "Cron",
        "FixedRate",
        "OnArtifact",
        "Trigger",
        "TriggeredArtifact",
        "TriggeredPartition",
        "TriggerTime",
    ),
    "context": ("ctx",),
    "deployment.deploy": ("deploy",),
    "deployment.triggers": ("triggers",),
    "engine.run": ("Run",),
    "environment": ("TaskEnvironment",),
    "extend": ("AsyncFunctionTaskTemplate", "TaskTemplate"),
    "image_build": ("build", "build_images"),
    "mapping": ("map",),
    "pruning": ("prune",),
    "queues": ("queues",),
    "task": ("Task",),
    "warm": ("pools",),
}
_MODULES = ("cache", "errors", "extend", "report", "secrets")
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ("__version__", *_MODULE_OF)  # noqa: PLE0604 - strings, all of them


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_MODULE_OF, *_MODULES, "__version__", "load_ipython_extension", "unload_ipython_extension"})


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext flyte_jupyter`: magics, live cards, and a Host that is ready before the first run."""
    from .notebook import extension

    extension.load(ipython)
    __getattr__("prepare")(wait=False)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext flyte_jupyter`."""
    from .notebook import extension

    extension.unload(ipython)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What a Jupyter server asks of an extension."""
    from .server.extension import FlyteJupyter

    return [{"module": "flyte_jupyter.server.extension", "app": FlyteJupyter}]


def _show(run: Run) -> None:
    """Cards appear in a notebook also without `%load_ext`."""
    from .notebook import extension

    extension.show(run)


def _notebook() -> dict[str, str]:
    """Which notebook this is, also without `%load_ext`."""
    from .notebook import origin

    return origin.here()


def _panel(task: Task[..., Any]) -> None:
    """What `task.panel()` opens."""
    from .notebook.panel.opening import open_panel

    open_panel(task)


def _pod_manifest(task: Task[..., Any], *, validate: bool) -> Any:
    """What `task.pod_manifest()` shows."""
    from .pod_manifest import pod_manifest

    return pod_manifest(task, validate=validate)


if "ipykernel" in sys.modules:
    from .context import notebook_of, observers

    observers.append(_show)
    notebook_of.append(_notebook)
