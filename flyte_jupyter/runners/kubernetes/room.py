"""What nodes there are, and how much is free on them, as far as this user may know."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from . import primary
from .api import Api
from .error import ApiError
from .manifest.resources import amount

_STALE = 20.0
"""Seconds after which it is asked again."""
_CLOUDS = ("aws", "gce", "azure", "digitalocean", "linode", "openstack", "oci", "ibm", "vsphere")
"""Providers whose clusters may add nodes, as nodes name them in `providerID`."""
_OVER = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Room:
    """A node that takes pods.

    Attributes:
        total: what pods may have on it, by the cluster's names; free: of that what is left, None when one may not know.
        is_elastic: whether there may be more such nodes when they are needed.
    """

    node: str
    total: Mapping[str, Decimal]
    free: Mapping[str, Decimal] | None
    is_elastic: bool = False

    def holds(self, asked: Mapping[str, Decimal]) -> bool:
        """Whether it has that much, were it empty."""
        return all(self.total.get(name, Decimal(0)) >= value for name, value in asked.items())


class Rooms:
    """Asked when somebody wants to know, and not again for a while. Who may not see nodes is told of none."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._known: list[Room] = []
        self._asked_at = float("-inf")
        self._is_refused = False

    def __call__(self) -> Sequence[Room]:
        with self._lock:
            if not self._is_refused and time.monotonic() - self._asked_at > _STALE:
                try:
                    self._known = self._ask()
                except ApiError as error:
                    self._is_refused = error.status in (401, 403)
                    self._known = []
                self._asked_at = time.monotonic()
            return self._known

    def _ask(self) -> list[Room]:
        nodes = self._api.list("nodes").items
        try:
            pods: list[dict[str, Any]] | None = self._api.list("pods", everywhere=True).items
        except ApiError as error:
            if error.status != 403:
                raise
            pods = None
        return rooms_of(nodes, pods)


def rooms_of(nodes: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]] | None) -> list[Room]:
    """The nodes that take pods, without what is used on them; pods are None when they may not be seen."""
    used: dict[str, dict[str, Decimal]] = {}
    for pod in pods or ():
        if (pod.get("status") or {}).get("phase") not in _OVER and (node := pod["spec"].get("nodeName")):
            of = used.setdefault(node, {})
            for name, value in primary.asked_of(pod).items():
                of[name] = of.get(name, Decimal(0)) + value
    rooms = []
    for each in nodes:
        spec, name = each.get("spec") or {}, each["metadata"]["name"]
        if spec.get("unschedulable"):
            continue
        total = {key: amount(value) for key, value in (each["status"].get("allocatable") or {}).items()}
        rest = {key: value - used.get(name, {}).get(key, Decimal(0)) for key, value in total.items()}
        provider = str(spec.get("providerID", "")).partition(":")[0]
        rooms.append(Room(name, total, rest if pods is not None else None, provider.startswith(_CLOUDS)))
    return rooms
