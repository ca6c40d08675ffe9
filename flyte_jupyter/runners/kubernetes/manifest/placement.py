"""Which nodes a pod may go to: its template, its accelerators, and whether it may be interrupted, taken together."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ....config.cluster import Cluster
from .accelerators import Accelerators, Labels

_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_SPOT = {
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-preemptible": "true",
    "eks.amazonaws.com/capacityType": "SPOT",
    "karpenter.sh/capacity-type": "spot",
    "kubernetes.azure.com/scalesetpriority": "spot",
}
"""How the nodes are labelled, and mostly tainted, that the usual clouds may take away."""
INTERRUPTIBLE: Mapping[str, Any] = {
    "tolerations": [
        {"key": label, "operator": "Equal", "value": value, "effect": "NoSchedule"} for label, value in _SPOT.items()
    ],
    "affinity": {
        "nodeAffinity": {
            _PREFERRED: [
                {
                    "weight": 100,
                    "preference": {"matchExpressions": [{"key": label, "operator": "In", "values": [value]}]},
                }
                for label, value in _SPOT.items()
            ]
        }
    },
}
"""Where the settings say nothing: such nodes are allowed, and preferred."""


def place(spec: dict[str, Any], cluster: Cluster, accelerators: Accelerators | None, *, is_interruptible: bool) -> None:
    """Add to a pod spec where it may go; what the template asks for holds as well."""
    layers: list[Mapping[str, Any]] = []
    if is_interruptible:
        layers.append(INTERRUPTIBLE if cluster.interruptible is None else cluster.interruptible)
    if accelerators is not None:
        layers.append(_with(accelerators))
    for layer in layers:
        if layer.get("tolerations"):
            spec["tolerations"] = _joined(spec.get("tolerations") or (), layer["tolerations"])
        if layer.get("nodeSelector"):
            spec["nodeSelector"] = {**layer["nodeSelector"], **(spec.get("nodeSelector") or {})}
        if layer.get("affinity"):
            spec["affinity"] = both(spec.get("affinity") or {}, layer["affinity"])


def both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The affinity of pods for which both hold."""
    made = copy.deepcopy(dict(first))
    for kind, rules in second.items():
        ours = made.setdefault(kind, {})
        for name, rule in rules.items():
            if name == _REQUIRED and kind == "nodeAffinity" and ours.get(name):
                ours[name] = {"nodeSelectorTerms": _product(ours[name], rule)}
            elif isinstance(rule, Mapping):
                ours[name] = copy.deepcopy(dict(rule))
            else:
                ours[name] = _joined(ours.get(name) or (), rule)
    return made


def _with(accelerators: Accelerators) -> dict[str, Any]:
    """Nodes with devices are often kept free of what does not ask for them: by a taint of the resource's name."""
    layer: dict[str, Any] = {
        "tolerations": [{"key": accelerators.key, "operator": "Exists", "effect": "NoSchedule"}],
    }
    if len(accelerators.nodes) == 1 and all(len(values) == 1 for values in accelerators.nodes[0].values()):
        layer["nodeSelector"] = {label: values[0] for label, values in accelerators.nodes[0].items()}
    elif accelerators.nodes:
        terms = [_term(labels) for labels in accelerators.nodes]
        layer["affinity"] = {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": terms}}}
    return layer


def _term(labels: Labels) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": "In", "values": list(of)} for key, of in labels.items()]}


def _product(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Terms of which one has to hold, of two lists of such terms: each of the one with each of the other."""
    return [
        {
            kind: [*copy.deepcopy(one.get(kind) or []), *copy.deepcopy(other.get(kind) or [])]
            for kind in ("matchExpressions", "matchFields")
            if one.get(kind) or other.get(kind)
        }
        for one in first.get("nodeSelectorTerms") or [{}]
        for other in second.get("nodeSelectorTerms") or [{}]
    ]


def _joined(first: Sequence[Any], second: Iterable[Any]) -> list[Any]:
    return [*copy.deepcopy(list(first)), *(copy.deepcopy(item) for item in second if item not in first)]
