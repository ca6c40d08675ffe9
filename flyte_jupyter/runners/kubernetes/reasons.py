"""Why is it not starting? One sentence, and what to ask for instead. Pure.

What can never start is told from what may: an image that its registry does not have, a service account that is not
there, more than any node has. For other things one waits: a node that is being added, a registry that does not answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ...config.values.quantity import rough_bytes
from ...pods import Failure, Phase
from . import primary
from .manifest.job import KUEUE
from .manifest.resources import amount
from .room import Room

Object = Mapping[str, Any]

IMAGE, CONTAINER, VOLUMES, QUEUE, QUOTA = "image", "container", "volumes", "queue", "quota"
"""What is waited for, within the phase."""
_PATIENCE = 15.0
"""Seconds after which what a pod refers to and is not there is not waited for any more."""
_NEVER_PULLED = re.compile(
    r"not found|NotFound|manifest unknown|invalid reference|unauthorized|authorization failed|denied|Forbidden"
    r"|no match for platform|does not exist|couldn't parse image",
    re.IGNORECASE,
)
"""What a registry says of an image that it will not give: it has answered, and another answer is not to be expected."""
_NETWORK = re.compile(
    r"no such host|timeout|timed out|connection refused|i/o|EOF|toomanyrequests|50[0234]", re.IGNORECASE
)
_BYTES = {"memory": "memory", "ephemeral-storage": "disk"}
"""Of what a node has, with our names for it."""


@dataclass(frozen=True)
class Reason:
    """Why an action has not started yet.

    Attributes:
        phase: where it stands; step: what is waited for, in a word; text: one sentence for people.
        failure: why it never can start as it is, None while it may.
        instead: what it could ask for, fields of `Requirements` with other values: what the button sets. Empty where
            nothing of that kind would help.
    """

    phase: Phase
    step: str
    text: str
    failure: Failure | None = None
    instead: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether waiting does not help."""
        return self.failure is not None


def of(
    pod: Object | None,
    events: Iterable[Object],
    job: Object,
    *,
    rooms: Sequence[Room] = (),
    position: int | None = None,
) -> Reason | None:
    """Why an action has not started; None when there is nothing to say: it has, or it is just about to.

    Args:
        pod: the present pod of its Job, None when there is none yet.
        events: of the cluster, about that pod and that Job.
        rooms: what nodes there are, as far as one may know.
        position: in the queue of Kueue, from 0, where it is known.
    """
    told = sorted(events, key=_at)
    if pod is None:
        return _suspended(job, told, position) or _refused(told)
    if _condition(pod, "PodScheduled").get("status") == "False" or "nodeName" not in pod["spec"]:
        return _unscheduled(pod, told, rooms)
    if primary.state_of(pod, "running") or primary.state_of(pod, "terminated"):
        return None
    waiting = primary.state_of(pod, "waiting")
    return _image(pod, waiting, told) or _missing(waiting, told) or _container(waiting) or _progress(pod, told)


# --- before there is a pod --------------------------------------------------------------------------------------------


def _suspended(job: Object, events: Sequence[Object], position: int | None) -> Reason | None:
    if not job["spec"].get("suspend"):
        return None
    queue = (job["metadata"].get("labels") or {}).get(KUEUE)
    if queue is None:
        return Reason(Phase.QUEUED, QUEUE, "its Job is suspended: somebody has to let it go")
    before = "" if position is None else f", {_before(position)}"
    said = next(
        (each["message"] for each in reversed(events) if each.get("reason") in ("Pending", "QuotaReserved")), ""
    )
    return Reason(Phase.QUEUED, QUEUE, f"waits in the queue {queue} of Kueue{before}{_said(said)}")


def _before(position: int) -> str:
    return "as the first" if not position else f"{position} before it"


def _refused(events: Sequence[Object]) -> Reason | None:
    """What the cluster says to the Job that wants to start a pod."""
    said = next((each["message"] for each in reversed(events) if each.get("reason") == "FailedCreate"), "")
    if not said:
        return None
    said = said.removeprefix("Error creating: ")
    if (quota := _QUOTA.search(said)) is not None:
        return _over_quota(quota)
    for pattern, text, code in _REFUSALS:
        if (found := re.search(pattern, said)) is not None:
            return _never(Phase.QUEUED, QUOTA if code == "QuotaRefused" else CONTAINER, found.expand(text), code)
    if "is forbidden" in said or "is invalid" in said:
        return _never(Phase.QUEUED, CONTAINER, f"the cluster refuses its pod: {said}", "PodRefused")
    return Reason(Phase.QUEUED, CONTAINER, f"its pod could not be created, which is tried again: {said}")


_QUOTA = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<asked>.*), used: (?P<used>.*), limited: (?P<most>.*)"
)
_REFUSALS = (
    (
        r"failed quota: ([^:]+): must specify (.*)",
        r"the quota \1 wants every pod to say \2: give it Resources(...) with limits, as in cpu=(1, 2)",
        "QuotaRefused",
    ),
    (
        r'error looking up service account \S+: serviceaccount "([^"]+)" not found',
        r"there is no service account \1 in this namespace: create it, or name another one in service_account",
        "ServiceAccountMissing",
    ),
    (
        r"no PriorityClass with name (\S+) was found",
        r"there is no PriorityClass \1 in this cluster: name another one in the pod template",
        "PriorityClassMissing",
    ),
    (
        r'admission webhook "([^"]+)" denied the request: (.*)',
        r"the cluster's \1 has refused its pod: \2",
        "PodRefused",
    ),
    (
        r'violates PodSecurity "([^"]+)": (.*)',
        r"the namespace does not admit such pods (Pod Security \1): \2",
        "PodRefused",
    ),
    (
        r"(maximum|minimum) (\S+) usage per (?:Container|Pod) is ([^,\]]+)(?:, but (?:limit|request) is ([^.,\]]*))?",
        r"the namespace's LimitRange admits a \1 of \3 \2, and this is \4",
        "QuotaRefused",
    ),
)
"""What is final in what an API server says when a Job may not create its pod: (pattern, sentence, code)."""


def _over_quota(found: re.Match[str]) -> Reason:
    asked, used, most = (_amounts(found[name]) for name in ("asked", "used", "most"))
    over = [name for name in asked if name in most and amount(asked[name]) > amount(most[name])]
    parts = ", ".join(f"{asked[each]} {each} of {most[each]}" for each in over or asked if each in most)
    if over:
        text = f"asks for more than the quota {found['name']} of the namespace has at all: {parts}"
        return _never(Phase.QUEUED, QUOTA, text, "QuotaRefused", _instead({each: amount(most[each]) for each in over}))
    full = ", ".join(
        f"{used.get(each, '0')} of {most[each]} {each} are used, and it asks for {asked[each]}" for each in asked
    )
    return Reason(Phase.QUEUED, QUOTA, f"waits for others to end: of the quota {found['name']} {full}")


def _amounts(text: str) -> dict[str, str]:
    """From "limits.cpu=1,pods=2"."""
    return dict(each.split("=", 1) for each in text.split(",") if "=" in each)


# --- before it has a node ---------------------------------------------------------------------------------------------


def _unscheduled(pod: Object, events: Sequence[Object], rooms: Sequence[Room]) -> Reason | None:
    condition = _condition(pod, "PodScheduled")
    said = condition.get("message", "")
    wait = Phase.WAITING_FOR_RESOURCES
    if condition.get("reason") == "SchedulingGated":
        return Reason(wait, QUEUE, "something in the cluster holds its pod back (scheduling gate)")
    if not said:
        return None
    if (claim := re.search(r'persistentvolumeclaim "([^"]+)" not found', said)) is not None:
        text = f"there is no PersistentVolumeClaim {claim[1]} in this namespace: create it, or change the pod template"
        return _never(wait, VOLUMES, text, "VolumeMissing")
    if any(each.get("reason") in ("TriggeredScaleUp", "Nominated") for each in events):
        return Reason(wait, "", "the cluster adds a node for it")
    asked = primary.asked_of(pod)
    short = [name for name in _short_of(said) if name in asked]
    if not short:
        return Reason(wait, "", f"no node takes it: {_in_short(said)}{_selected(pod, said)}")
    wanted = " and ".join(_say(name, asked[name]) for name in short)
    largest = _largest(short, rooms)
    text = f"no node has {wanted} free{_rooms(short, rooms)}"
    instead = _instead({name: most for name, most in largest.items() if asked[name] > most})
    no_help = any(each.get("reason") == "NotTriggerScaleUp" for each in events)
    fits_none = bool(rooms) and not any(room.holds({name: asked[name] for name in short}) for room in rooms)
    if fits_none and (no_help or not any(room.is_elastic for room in rooms)):
        return _never(wait, "", f"no node of the cluster has {wanted}{_rooms(short, rooms)}", "Unschedulable", instead)
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
        return ""
    parts = []
    for name in names:
        total = max(room.total.get(name, Decimal(0)) for room in rooms)
        free = [room.free[name] for room in rooms if room.free is not None and name in room.free]
        rest = f" ({_number(name, max(free))} free)" if free else ""
        parts.append(f"{_say(name, total)}{rest}" if total else f"none has any {name}")
    return (
        f": the largest has {' and '.join(parts)}"
        if any(_largest(names, rooms).values())
        else f": {' and '.join(parts)}"
    )


# --- on its node ------------------------------------------------------------------------------------------------------


def _image(pod: Object, waiting: Object, events: Sequence[Object]) -> Reason | None:
    reason = waiting.get("reason", "")
    image = primary.container_of(pod).get("image", "")
    if reason == "InvalidImageName":
        return _never(Phase.INITIALIZING, IMAGE, f"{image!r} is no name of an image", "ImagePullError")
    if reason == "ErrImageNeverPull":
        text = f"the image {image} is not on the node, and imagePullPolicy is Never"
        return _never(Phase.INITIALIZING, IMAGE, text, "ImagePullError")
    if reason not in ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"):
        return None
    failed = [
        each["message"] for each in events if each.get("reason") == "Failed" and "image" in each.get("message", "")
    ]
    said = next((each for each in reversed(failed) if each.startswith("Failed to pull")), waiting.get("message", ""))
    word = _registrys(said)
    text = f"the image {image} cannot be pulled{_said(word)}"
    if _NEVER_PULLED.search(said) and not _NETWORK.search(word):
        return _never(Phase.INITIALIZING, IMAGE, text, "ImagePullError")
    return Reason(Phase.INITIALIZING, IMAGE, f"{text}; it is tried again")


def _registrys(said: str) -> str:
    """Of a message with many layers the innermost."""
    words = said.rpartition("failed to resolve reference ")[2] or said
    words = words.rpartition("desc = ")[2]
    return words.rpartition(": ")[2] if words.endswith("not found") else re.sub(r'^"[^"]*": ', "", words)


def _missing(waiting: Object, events: Sequence[Object]) -> Reason | None:
    """What the pod refers to and the node does not find. What we make ourselves may come a moment later."""
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    step = CONTAINER
    event = next(
        (each for each in reversed(events) if each.get("reason") == "Failed" and message in each["message"]), None
    )
    if reason != "CreateContainerConfigError":
        mounts = [each for each in events if each.get("reason") in ("FailedMount", "FailedAttachVolume")]
        event = next(
            (each for each in reversed(mounts) if "not found" in each["message"]), mounts[-1] if mounts else None
        )
        if event is None:
            return None
        message, step = event["message"], VOLUMES
    found = re.search(r'(secret|configmap) "(?:[^"/]+/)?([^"]+)" not found', message)
    key = re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)", message)
    keys = re.search(r"references non-existent (?:secret|config) key: (\S+)", message)
    if found is not None:
        what = {"secret": "Secret", "configmap": "ConfigMap"}[found[1]]
        text, code = f"there is no {what} {found[2]} in this namespace: create it", f"{what}Missing"
    elif key is not None:
        text, code = f"the {key[2]} {key[3]} has no key {key[1]}: add it", f"{key[2]}Missing"
    elif keys is not None:
        text, code = f"a Secret or ConfigMap that it mounts has no key {keys[1]}: add it", "SecretMissing"
    elif reason == "CreateContainerConfigError":
        text, code = f"its container cannot be created: {message}", "ContainerRefused"
    else:
        return Reason(Phase.INITIALIZING, step, f"its volumes are not ready: {_mount_in_short(message)}")
    if re.search("image will run as root|non-numeric user|breaks non-root policy", message):
        text = "its image runs as root, which is not allowed: take another, or set run_as_root = true in [kubernetes]"
        return _never(Phase.INITIALIZING, step, text, code)
    if event is not None and _lasted(event) >= _PATIENCE:
        return _never(Phase.INITIALIZING, step, text, code)
    return Reason(Phase.INITIALIZING, step, text)


def _mount_in_short(message: str) -> str:
    return re.sub(r"^MountVolume\.\S+ failed for volume (\"[^\"]+\") : ", r"\1: ", message)


def _container(waiting: Object) -> Reason | None:
    if waiting.get("reason") in ("CreateContainerError", "RunContainerError"):
        text = f"its container cannot be started: {waiting.get('message', '')}"
        return Reason(Phase.INITIALIZING, CONTAINER, text)
    return None


def _progress(pod: Object, events: Sequence[Object]) -> Reason | None:
    """What the node does, when nothing is wrong."""
    last = events[-1] if events else {}
    if last.get("reason") == "FailedCreatePodSandBox":
        return Reason(Phase.INITIALIZING, CONTAINER, f"its node is not ready for it: {last['message']}")
    if last.get("reason") == "Pulling":
        return Reason(Phase.INITIALIZING, IMAGE, f"pulls the image {primary.container_of(pod).get('image', '')}")
    return Reason(Phase.INITIALIZING, "", "")


# --- words ------------------------------------------------------------------------------------------------------------


def _never(phase: Phase, step: str, text: str, code: str, instead: Mapping[str, Any] | None = None) -> Reason:
    failure = Failure(code=code, kind="user", message=f"It can never start: {text}.", recoverable=False)
    return Reason(phase, step, text, failure, instead or {})


def _instead(most: Mapping[str, Decimal]) -> dict[str, Any]:
    """In the fields of `Requirements`; nothing where even a little is too much."""
    found: dict[str, Any] = {}
    for name, value in most.items():
        plain = name.removeprefix("limits.").removeprefix("requests.")
        if value <= 0:
            return {}
        if plain == "cpu":
            found["cpu"] = float(value)
        elif plain in _BYTES:
            found[_BYTES[plain]] = int(value) >> 20 << 20  # whole MiB
        elif "/" in plain:
            found["gpu"] = int(value)
    return found


def _say(name: str, value: Decimal) -> str:
    """Such as "2 cores", "1.5 GiB of memory", "8 nvidia.com/gpu"."""
    if name == "cpu":
        return f"{_number(name, value)} core{'' if value == 1 else 's'}"
    return f"{_number(name, value)} of {name}" if name in _BYTES else f"{_number(name, value)} {name}"


def _number(name: str, value: Decimal) -> str:
    if name in _BYTES:
        return rough_bytes(int(value))
    return f"{value.normalize():f}"


def _said(word: str) -> str:
    return f": {word.strip().rstrip('.')}" if word.strip() else ""


def _at(event: Object) -> str:
    """When it was told last."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _lasted(event: Object) -> float:
    """Seconds between the first and the last time that it was told."""
    first, last = event.get("firstTimestamp") or event.get("eventTime"), _at(event)
    return primary.seconds(last) - primary.seconds(first) if first and last else 0.0


def _condition(pod: Object, type: str) -> Object:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == type), {})
