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

if TYPE_CHECKING:
    from . import errors
    from .api import attach, init, prepare, run, runs, submit
    from .config.cache import Cache, CachePolicy
    from .config.device import AMD_GPU, APPLE_SILICON, GPU, HABANA_GAUDI, TPU, Device, Neuron
    from .config.documentation import Documentation
    from .config.image import Image
    from .config.link import Link
    from .config.pod_template import PodTemplate
    from .config.resources import Resources
    from .config.retry import Backoff, RetryStrategy
    from .config.reuse import ReusePolicy
    from .config.secret import Secret
    from .config.timeout import Timeout
    from .config.trigger import Cron, FixedRate, OnArtifact, Trigger, TriggerTime
    from .context import ctx
    from .engine.run import Run
    from .environment import TaskEnvironment
    from .mapping import map
    from .task import Task

_HOMES = {
    "api": ("attach", "init", "prepare", "run", "runs", "submit"),
    "config.cache": ("Cache", "CachePolicy"),
    "config.device": ("AMD_GPU", "APPLE_SILICON", "GPU", "HABANA_GAUDI", "TPU", "Device", "Neuron"),
    "config.documentation": ("Documentation",),
    "config.image": ("Image",),
    "config.link": ("Link",),
    "config.pod_template": ("PodTemplate",),
    "config.resources": ("Resources",),
    "config.retry": ("Backoff", "RetryStrategy"),
    "config.reuse": ("ReusePolicy",),
    "config.secret": ("Secret",),
    "config.timeout": ("Timeout",),
    "config.trigger": ("Cron", "FixedRate", "OnArtifact", "Trigger", "TriggerTime"),
    "context": ("ctx",),
    "engine.run": ("Run",),
    "environment": ("TaskEnvironment",),
    "mapping": ("map",),
    "task": ("Task",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604 - derived, so that no name is written twice
    *_MODULE_OF,
    "errors",
    "load_ipython_extension",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module(".errors", __name__)
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext flyte_jupyter`: magics, live cards, and a Host that is ready before the first run."""
    from .notebook import extension

    extension.load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext flyte_jupyter`."""
    from .notebook import extension

    extension.unload(ipython)


def _show(run: Run) -> None:
    """Cards appear in a notebook also without `%load_ext`."""
    from .notebook import extension

    extension.show(run)


if "ipykernel" in sys.modules:
    from .context import observers

    observers.append(_show)
