"""The configuration of tasks: value types, the table of parameters, and how levels are resolved.

Names are loaded when first used: making forty dataclasses takes longer than declaring a thousand tasks.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cache import Cache, CachePolicy, CacheRequest
    from .dependency import Environment
    from .device import AMD_GPU, APPLE_SILICON, GPU, HABANA_GAUDI, TPU, Device, DeviceClass, Neuron
    from .documentation import Documentation
    from .effective import EffectiveConfig
    from .image import Image
    from .link import Link
    from .plugin import TaskPluginRegistry
    from .pod_template import PodTemplate
    from .resolve import Resolved
    from .resources import Resources
    from .retry import Backoff, RetryStrategy
    from .reuse import ReusePolicy
    from .secret import Secret, SecretRequest
    from .spec import PARAMS, Level, Param, TaskSpec, names
    from .text import Option, collect, options
    from .timeout import Timeout, TimeoutType
    from .trigger import Cron, FixedRate, OnArtifact, Trigger, TriggeredArtifact, TriggeredPartition, TriggerTime

_HOMES = {
    "cache": ("Cache", "CachePolicy", "CacheRequest"),
    "dependency": ("Environment",),
    "device": ("AMD_GPU", "APPLE_SILICON", "GPU", "HABANA_GAUDI", "TPU", "Device", "DeviceClass", "Neuron"),
    "documentation": ("Documentation",),
    "effective": ("EffectiveConfig",),
    "image": ("Image",),
    "link": ("Link",),
    "plugin": ("TaskPluginRegistry",),
    "pod_template": ("PodTemplate",),
    "resolve": ("Resolved",),
    "resources": ("Resources",),
    "retry": ("Backoff", "RetryStrategy"),
    "reuse": ("ReusePolicy",),
    "secret": ("Secret", "SecretRequest"),
    "spec": ("PARAMS", "Level", "Param", "TaskSpec", "names"),
    "text": ("Option", "collect", "options"),
    "timeout": ("Timeout", "TimeoutType"),
    "trigger": ("Cron", "FixedRate", "OnArtifact", "Trigger", "TriggeredArtifact", "TriggeredPartition", "TriggerTime"),
}
_MODULE_OF = {name: module for module, names_ in _HOMES.items() for name in names_}

__all__ = [
    "AMD_GPU",
    "APPLE_SILICON",
    "GPU",
    "HABANA_GAUDI",
    "PARAMS",
    "TPU",
    "Backoff",
    "Cache",
    "CachePolicy",
    "CacheRequest",
    "Cron",
    "Device",
    "DeviceClass",
    "Documentation",
    "EffectiveConfig",
    "Environment",
    "FixedRate",
    "Image",
    "Level",
    "Link",
    "Neuron",
    "OnArtifact",
    "Option",
    "Param",
    "PodTemplate",
    "Resolved",
    "Resources",
    "RetryStrategy",
    "ReusePolicy",
    "Secret",
    "SecretRequest",
    "TaskPluginRegistry",
    "TaskSpec",
    "Timeout",
    "TimeoutType",
    "Trigger",
    "TriggerTime",
    "TriggeredArtifact",
    "TriggeredPartition",
    "collect",
    "names",
    "options",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
