"""The configuration of tasks: value types, the table of parameters, and how levels are resolved."""

from .cache import Cache, CachePolicy, CacheRequest
from .dependency import Environment
from .device import AMD_GPU, APPLE_SILICON, GPU, HABANA_GAUDI, TPU, Device, DeviceClass, Neuron
from .documentation import Documentation
from .effective import EffectiveConfig
from .image import Image
from .link import Link
from .plugin import TaskPluginRegistry
from .pod_template import PodTemplate
from .resolve import Resolved, check, resolve
from .resources import Resources
from .retry import Backoff, RetryStrategy
from .reuse import ReusePolicy
from .secret import Secret, SecretRequest
from .spec import PARAMS, Level, Param, TaskSpec, names
from .text import Option, collect, options
from .timeout import Timeout, TimeoutType
from .trigger import Cron, FixedRate, OnArtifact, Trigger, TriggeredArtifact, TriggeredPartition, TriggerTime

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
    "check",
    "collect",
    "names",
    "options",
    "resolve",
]
