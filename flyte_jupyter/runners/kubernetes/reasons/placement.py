"""Before it has a node: what was asked, and the most that there is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from ....pods import Phase
from .. import primary
from ..room import Room
from .reason import QUEUE, VOLUMES, Object, Reason, condition_of, instead_of, never, number, say


def unscheduled(pod: Object, events: Sequence[Object], ask: Callable[[], Sequence[Room]]) -> Reason | None:
    condition = condition_of(pod, "PodScheduled")
    said = condition.get("message", "")
    wait = Phase.WAITING_FOR_RESOURCES
    if condition.get("reason") == "SchedulingGated":
        return Reason(wait, QUEUE, "something in the cluster holds its pod back (scheduling gate)")
    if not said:
        return None
    if (claim := re.search(r'persistentvolumeclaim "([^"]+)" not found', said)) is not None:
        text = f"there is no PersistentVolumeClaim {claim[1]} in this namespace: create it, or change the pod template"
        return never(wait, VOLUMES, text, "VolumeMissing")
    if any(each.get("reason") in ("TriggeredScaleUp", "Nominated") for each in events):
        return Reason(wait, "", "the cluster adds a node for it")
    asked = primary.asked_of(pod)
    short = [name for name in _short_of(said) if name in asked]
    if not short:
        return Reason(wait, "", f"no node takes it: {_in_short(said)}{_selected(pod, said)}")
    wanted = " and ".join(say(name, asked[name]) for name in short)
    rooms = ask()
    largest = _largest(short, rooms)
    text = f"no node has {wanted} free{_rooms(short, rooms)}"
    instead = instead_of({name: most for name, most in largest.items() if asked[name] > most})
    no_help = any(each.get("reason") == "NotTriggerScaleUp" for each in events)
    fits_none = bool(rooms) and not any(room.holds({name: asked[name] for name in short}) for room in rooms)
    if fits_none and (no_help or not any(room.is_elastic for room in rooms)):
        return never(wait, "", f"no node of the cluster has {wanted}{_rooms(short, rooms)}", "Unschedulable", instead)
    return Reason(wait, "", text, instead=instead)


def _short_of(said: str) -> list[str]:
    """Of what, from "0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient nvidia.com/gpu."."""
    return list(dict.fromkeys(each.rstrip(".") for each in re.findall(r"Insufficient ([^\s,;]+)", said)))


def _in_short(said: str) -> str:
    """Without what the scheduler adds about preemption, and without the ends of sentences."""
    return re.sub(r"\.?\s*preemption:.*$", "", said).rstrip(". ")


def _selected(pod: Object, said: str) -> str:
    """The labels that it asks its node to have, where these are the matter."""
    labels = pod["spec"].get("nodeSelector") or {}
    if not labels or not re.search(r"node selector|node affinity|affinity/selector", said):
        return ""
    return f" (it asks for nodes with {', '.join(f'{key}={value}' for key, value in sorted(labels.items()))})"


def _largest(names: Sequence[str], rooms: Sequence[Room]) -> dict[str, Decimal]:
    """The most that any node has of each, in all."""
    return {name: max(room.total.get(name, Decimal(0)) for room in rooms) for name in names} if rooms else {}


def _rooms(names: Sequence[str], rooms: Sequence[Room]) -> str:
    """The largest, and the largest that is free, for people."""
    if not rooms:
        return " (what nodes have in all is not known here)"
    parts = []
    for name in names:
        total = max(room.total.get(name, Decimal(0)) for room in rooms)
        free = [room.free[name] for room in rooms if room.free is not None and name in room.free]
        rest = f" ({number(name, max(free))} free)" if free else ""
        parts.append(f"{say(name, total)}{rest}" if total else f"none has any {name}")
    return (
        f": the largest has {' and '.join(parts)}"
        if any(_largest(names, rooms).values())
        else f": {' and '.join(parts)}"
    )
