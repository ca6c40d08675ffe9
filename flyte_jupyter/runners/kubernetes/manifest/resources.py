"""What a container asks for: requests and limits, merged with those of a pod template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ....config.values.quantity import format_bytes
from ....pods import Requirements
from .accelerators import Accelerators

_UNITS = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_QUANTITY = re.compile(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)")


def resources(
    asked: Requirements, accelerators: Accelerators | None, template: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The resources of a container: the template's with the task's laid over, key by key; and what was done about it.

    What is given alone is a request.  A limit of the template that would fall below what the task asks for is raised.
    """
    requests, limits = dict(template.get("requests") or {}), dict(template.get("limits") or {})
    own = _own(asked)
    requests |= own
    limits |= {
        name: value
        for name, value in (("cpu", _cores(asked.cpu_limit)), ("memory", _bytes(asked.memory_limit)))
        if value
    }
    notes = []
    for name, request in own.items():
        limit = limits.get(name)
        if limit is not None and amount(limit) < amount(request):
            notes.append(f"resources: the pod template's limit of {limit} {name} is raised to the {request} asked for")
            limits[name] = request
    if accelerators is not None:  # what devices are asked for is also their limit: Kubernetes knows no other
        requests[accelerators.key] = limits[accelerators.key] = str(accelerators.count)
        if accelerators.note:
            notes.append(accelerators.note)
    made = {"requests": requests, "limits": limits}
    rest = {name: value for name, value in template.items() if name not in made}
    return {**rest, **{name: value for name, value in made.items() if value}}, notes


def _own(asked: Requirements) -> dict[str, str]:
    own = {"cpu": _cores(asked.cpu), "memory": _bytes(asked.memory), "ephemeral-storage": _bytes(asked.disk)}
    return {name: value for name, value in own.items() if value}


def amount(quantity: str | float) -> Decimal:
    """A quantity of Kubernetes as a number; 0 for what is none, which its API refuses later."""
    match = _QUANTITY.fullmatch(str(quantity).strip())
    if match is None or (match[2] not in _UNITS and match[2] not in _BINARY):
        return Decimal(0)
    number = Decimal(match[1])
    return number * 1024 ** _BINARY[match[2]] if match[2] in _BINARY else number.scaleb(_UNITS[match[2]])


def _cores(cores: float | None) -> str:
    """Cores in the shortest form that Kubernetes keeps: "2", "500m"; "" for none. It knows no less than 1m."""
    if cores is None:
        return ""
    return str(int(cores)) if float(cores).is_integer() else f"{max(1, round(cores * 1000))}m"


def _bytes(count: int | None) -> str:
    return "" if count is None else format_bytes(count)
