"""The container of a pod that runs the task; others may stand beside it, and do not count."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ...host.given import REQUEST
from .manifest.container import request_of
from .manifest.resources import amount

Pod = Mapping[str, Any]


def container_of(pod: Pod) -> Mapping[str, Any]:
    """Its part of the spec."""
    containers = pod["spec"]["containers"]
    return dict(next((each for each in containers if _is_told(each)), containers[0]))


def status_of(pod: Pod) -> Mapping[str, Any]:
    """Its part of the status; empty as long as no kubelet has said anything of it."""
    name = container_of(pod)["name"]
    known = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((each for each in known if each["name"] == name), {})


def state_of(pod: Pod, state: str) -> Mapping[str, Any]:
    """What the kubelet says of it in a state ("waiting", "running", "terminated"); empty when it is in another one."""
    return (status_of(pod).get("state") or {}).get(state) or {}


def title_of(pod: Pod) -> str:
    """The title of its task, "" for a pod that is not ours."""
    request = request_of(container_of(pod))
    return request.title if request is not None else ""


def limit_of(pod: Pod, resource: str) -> str:
    """How much of something it may use, as the cluster writes it; "" for no limit."""
    return str(((container_of(pod).get("resources") or {}).get("limits") or {}).get(resource, ""))


def asked_of(pod: Pod) -> dict[str, Decimal]:
    """What all containers of the pod together ask for: cores, bytes, devices, by the cluster's names for them."""
    asked: dict[str, Decimal] = {}
    for each in pod["spec"]["containers"]:
        for name, value in ((each.get("resources") or {}).get("requests") or {}).items():
            asked[name] = asked.get(name, Decimal(0)) + amount(value)
    return asked


def seconds(timestamp: str) -> float:
    """A time as the cluster writes it, in seconds since the epoch."""
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def _is_told(container: Mapping[str, Any]) -> bool:
    """Whether it was given a request."""
    return any(each.get("name") == REQUEST for each in container.get("env") or ())
