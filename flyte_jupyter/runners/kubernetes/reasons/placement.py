"""Before it has a node: what was asked, and the most that there is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from ....pods import Phase
from .. import primary
from ..room import Room
from .reason import QUEUE, VOLUMES, Object, Reason, condition_of, instead_of, never, number, say

_SHOWN = 2
"""Labels that are named of those of which a node has to have one: a card has room for a sentence."""


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
    if not re.search(r"node selector|node affinity|affinity/selector", said):
        return ""
    wanted = [f"{key}={value}" for key, value in sorted((pod["spec"].get("nodeSelector") or {}).items())]
    if either := _either(pod["spec"].get("affinity") or {}):
        rest = [f"{len(either) - _SHOWN} more"] if len(either) > _SHOWN else []
        wanted.append(f"one of {', '.join([*either[:_SHOWN], *rest])}")
    has_device = any("/" in name for name in primary.asked_of(pod))
    advice = "; where nodes have others: [kubernetes.node_selectors] in the settings" if either and has_device else ""
    return f" (it asks for nodes with {' and '.join(wanted)}{advice})" if wanted else ""


def _either(affinity: Object) -> list[str]:
    """The labels of which a node has to have one, as GPUs of a model want it; [] when it asks in another way."""
    required = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    found: list[str] = []
    for term in required.get("nodeSelectorTerms") or ():
        expressions = term.get("matchExpressions") or []
        if len(expressions) != 1 or expressions[0].get("operator") != "In":
            return []
        found += [f"{expressions[0]['key']}={value}" for value in expressions[0].get("values") or ()]
    return found


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
