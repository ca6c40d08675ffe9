"""Accelerators as a cluster knows them: the name of the resource, and the labels of the nodes that have a model.

Sources: the device plugins of the vendors for the resources; for the labels GKE, Karpenter, the cluster autoscaler of
EKS, NVIDIA's feature discovery, AMD's node labeller and the PCI ids.  Which of them are there differs from cluster to
cluster, so that a node counts when any of them says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ....config.cluster import Cluster
from ....config.refusal import wrong_value
from ....pods import Requirements

Labels: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""What a node has to have: labels, each with one of some values."""

KEYS = {
    "GPU": "nvidia.com/gpu",
    "AMD_GPU": "amd.com/gpu",
    "TPU": "google.com/tpu",
    "NEURON": "aws.amazon.com/neuron",
    "HABANA_GAUDI": "habana.ai/gaudi",
}
"""The resource of each class of devices."""
_MIG = "nvidia.com/mig-"

_GKE, _EKS, _KARPENTER = "cloud.google.com/gke-accelerator", "k8s.amazonaws.com/accelerator", "karpenter.k8s.aws/"
_PRODUCT, _AMD = "nvidia.com/gpu.product", "amd.com/gpu.device-id"
_SHARED = " shared"

_NVIDIA: dict[str, tuple[str, str]] = {
    "A2": ("nvidia-a2", "NVIDIA-A2"),
    "A10": ("nvidia-a10", "NVIDIA-A10"),
    "A10G": ("nvidia-a10g nvidia-tesla-a10g", "NVIDIA-A10G"),
    "A100": (
        "nvidia-tesla-a100",
        "NVIDIA-A100-SXM4-40GB NVIDIA-A100-PCIE-40GB A100-SXM4-40GB A100-PCIE-40GB",
    ),
    "A100_80G": ("nvidia-a100-80gb", "NVIDIA-A100-SXM4-80GB NVIDIA-A100-80GB-PCIe A100-SXM4-80GB A100-SXM-80GB"),
    "B200": ("nvidia-b200", "NVIDIA-B200"),
    "GB10": ("nvidia-gb10", "NVIDIA-GB10"),
    "H100": (
        "nvidia-h100-80gb nvidia-h100-mega-80gb nvidia-tesla-h100",
        "NVIDIA-H100-80GB-HBM3 NVIDIA-H100-PCIe NVIDIA-H100-NVL",
    ),
    "H200": ("nvidia-h200-141gb nvidia-h200", "NVIDIA-H200 NVIDIA-H200-NVL"),
    "L4": ("nvidia-l4", "NVIDIA-L4"),
    "L40s": ("nvidia-l40s", "NVIDIA-L40S"),
    "RTX_PRO_4500": ("nvidia-rtx-pro-4500", "NVIDIA-RTX-PRO-4500-Blackwell"),
    "RTX_PRO_6000": (
        "nvidia-rtx-pro-6000",
        "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition NVIDIA-RTX-PRO-6000-Blackwell-Workstation-Edition",
    ),
    "T4": ("nvidia-tesla-t4", "Tesla-T4"),
    "V100": (
        "nvidia-tesla-v100",
        "Tesla-V100-SXM2-16GB Tesla-V100-SXM2-32GB Tesla-V100-PCIE-16GB Tesla-V100-PCIE-32GB Tesla-V100-SXM3-32GB",
    ),
}
"""What GKE and EKS call a model, and what NVIDIA's own labels say of it."""
_KARPENTER_NAMES = {"A100_80G": "a100"}
_KARPENTER_MEMORY = {"A100": "40960", "A100_80G": "81920"}
"""MiB, where the name is not enough."""
_AMD_IDS = {
    "MI100": "738c 738e",
    "MI210": "740f",
    "MI250": "740c",
    "MI250X": "7408 740c",
    "MI300A": "74a0",
    "MI300X": "74a1 74a9 74b5 74bd",
    "MI325X": "74a5",
    "MI350X": "75a0",
    "MI355X": "75a3",
}
_TPUS = {"V5E": "tpu-v5-lite-podslice", "V5P": "tpu-v5p-slice", "V6E": "tpu-v6e-slice"}
_SMALLEST = {"V5E": "1x1", "V5P": "2x2x1", "V6E": "1x1"}
_CHIPS = 4
"""Of a TPU that one machine has, in slices of several machines."""


@dataclass(frozen=True)
class Accelerators:
    """What a pod asks for.

    Attributes:
        key: the resource; count: how many of it.
        nodes: any of these has to hold for its node; nothing for any node.
        note: what it does not get of what it asks for, for people; "" for all.
    """

    key: str
    count: int
    nodes: tuple[Labels, ...] = ()
    note: str = ""


def accelerators(asked: Requirements, cluster: Cluster) -> Accelerators | None:
    """What the request for accelerators comes to; None for none.

    Raises:
        ConfigValueError: no cluster has such devices.
    """
    if not asked.gpu:
        return None
    key = KEYS.get(asked.device)
    if key is None:
        allowed = f"in a cluster {', '.join(KEYS)}"
        raise wrong_value("Resources.gpu: the device class", asked.device, allowed, "run it on this machine instead")
    model = asked.model.removesuffix(_SHARED)
    known = cluster.node_selectors or {}
    given = known.get(asked.model, known.get(model))
    if asked.device == "TPU":
        found = _tpu(model, asked.partition or _SMALLEST.get(model, ""), asked.gpu)
    elif asked.device == "GPU" and asked.partition:
        found = Accelerators(_MIG + asked.partition, asked.gpu, _nvidia(asked.model))
    else:
        nodes = {"GPU": _nvidia, "AMD_GPU": _amd, "NEURON": _neuron}.get(asked.device, lambda _: ())
        found = Accelerators(key, asked.gpu, nodes(asked.model))
    if given is None:
        return found
    return replace(found, nodes=({label: (value,) for label, value in given.items()},) if given else ())


def _nvidia(model: str) -> tuple[Labels, ...]:
    is_shared, model = model.endswith(_SHARED), model.removesuffix(_SHARED)
    if model not in _NVIDIA:
        return ()
    clouds, products = (tuple(text.split()) for text in _NVIDIA[model])
    if is_shared:
        products = tuple(f"{product}-SHARED" for product in products)
    karpenter = {f"{_KARPENTER}instance-gpu-name": (_KARPENTER_NAMES.get(model, model.lower()),)}
    if model in _KARPENTER_MEMORY:
        karpenter[f"{_KARPENTER}instance-gpu-memory"] = (_KARPENTER_MEMORY[model],)
    return {_PRODUCT: products}, {_GKE: clouds}, {_EKS: clouds}, karpenter


def _amd(model: str) -> tuple[Labels, ...]:
    return ({_AMD: tuple(_AMD_IDS[model].split())},) if model in _AMD_IDS else ()


def _neuron(model: str) -> tuple[Labels, ...]:
    return ({f"{_KARPENTER}instance-family": (model.lower(),)}, {_EKS: (model.lower(),)}) if model else ()


def _tpu(model: str, topology: str, count: int) -> Accelerators:
    """A slice: the chips of the one machine that a pod is on."""
    if model not in _TPUS or not topology:
        return Accelerators(KEYS["TPU"], count)
    chips = math.prod(map(int, topology.split("x")))
    on_one = chips if chips in (1, 4, 8) and model != "V5P" else min(chips, _CHIPS)
    note = ""
    if chips > on_one:
        machines = chips // on_one
        note = f"gpu: a {model} of topology {topology} has {chips} chips on {machines} machines; a task is one pod, "
        note += f"which has the {on_one} of its machine"
    labels = {
        "cloud.google.com/gke-tpu-accelerator": (_TPUS[model],),
        "cloud.google.com/gke-tpu-topology": (topology,),
    }
    return Accelerators(KEYS["TPU"], on_one, (labels,), note)
