"""How pods and Jobs end: each way by its name, with what the cluster says of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...config.values.quantity import parse_bytes, rough_bytes
from ...host.given import HOPELESS
from ...host.machine.limits import give_more
from ...host.spoken import MARK
from ...pods import Failure
from . import primary

Object = Mapping[str, Any]

_DISRUPTED = {
    "PreemptionByScheduler": ("PodPreempted", "made room for a pod of higher priority"),
    "DeletionByTaintManager": ("NodeLost", "was on a node that was lost or is not to run pods any more"),
    "DeletionByPodGC": ("NodeLost", "was on a node that is gone"),
    "EvictionByEvictionAPI": ("PodEvicted", "was evicted, as when its node is drained"),
    "TerminationByKubelet": ("PodEvicted", "was ended by its node, which was short of something or shut down"),
}
"""What the condition DisruptionTarget means (Kubernetes from 1.26 on)."""
_TOLD = {
    "Preempted": ("PodPreempted", "made room for a pod of higher priority"),
    "TaintManagerEviction": ("NodeLost", "was on a node that was lost or is not to run pods any more"),
    "NodeNotReady": ("NodeLost", "was on a node that does not answer"),
    "Evicted": ("PodEvicted", "was evicted by its node"),
    "Preempting": ("PodPreempted", "made room for a pod that its node cannot do without"),
}
"""What events say of it, for older ones."""
_STATUS = {
    "Evicted": ("PodEvicted", "was evicted by its node"),
    "Preempting": ("PodPreempted", "made room for a pod that its node cannot do without"),
    "NodeLost": ("NodeLost", "was on a node that does not answer"),
    "Shutdown": ("NodeLost", "was on a node that was shut down"),
    "NodeShutdown": ("NodeLost", "was on a node that was shut down"),
    "Terminated": ("NodeLost", "was on a node that was shut down"),
}
"""What `status.reason` means."""
_SIGTERM, _SIGKILL = 143, 137
_NO_PROGRAM = ("StartError", "ContainerCannotRun")
_NO_PACKAGE = re.compile(r"No module named '?flyte_jupyter\b")
"""What Python says in an image that was given as it is."""
NOTHING_SAID = Failure(
    code="OutcomeLost",
    kind="system",
    message="Its pod has ended as if all were well, and has left no outcome: what it said was lost with its log.",
)


def has_started(pod: Object) -> bool:
    """Whether its task's container runs, or has run."""
    return bool(primary.state_of(pod, "running") or primary.state_of(pod, "terminated"))


def started_at(pod: Object) -> float:
    """Since when its task's container runs, in seconds since the epoch; of one that has started."""
    state = primary.state_of(pod, "running") or primary.state_of(pod, "terminated")
    return primary.seconds(state.get("startedAt") or pod["metadata"]["creationTimestamp"])


def has_ended(pod: Object) -> bool:
    """Whether its task's container has ended, or never will begin; others may go on."""
    return bool(primary.state_of(pod, "terminated")) or pod["status"].get("phase") in ("Succeeded", "Failed")


def goes_on(pod: Object) -> bool:
    """Whether any of its containers runs, and nobody has deleted it."""
    return pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")


def has_succeeded(pod: Object) -> bool:
    """Whether its task's container has ended with 0: it has left an outcome, of whatever kind."""
    ended = primary.state_of(pod, "terminated")
    return bool(ended["exitCode"] == 0 if ended else pod["status"].get("phase") == "Succeeded")


def has_finished(job: Object) -> bool:
    """Whether a Job starts no pods any more."""
    return bool(_condition(job, "Complete") or _condition(job, "Failed"))


def has_failed(job: Object) -> bool:
    """Whether a Job has given up."""
    return bool(_condition(job, "Failed"))


def of(pod: Object, events: Iterable[Object] = (), *, is_gone: bool = False, peak_memory: int | None = None) -> Failure:
    """Why a pod has ended without an outcome.

    `recoverable` is False when another pod would fare no better.

    Args:
        events: of the cluster, about this pod.
        is_gone: whether it was deleted; then this is the last that was known of it.
        peak_memory: bytes, as far as is known.
    """
    ended = primary.state_of(pod, "terminated")
    said = _disrupted(pod) or _by_status(pod)
    if said is not None:
        return said
    if ended.get("reason") == "OOMKilled" and ended.get("exitCode") == _SIGKILL:  # else a process of the task was
        return _out_of_memory(pod, peak_memory)
    if ended.get("reason") in _NO_PROGRAM:
        why = ended.get("message") or "its program was not found"
        return _failure("ContainerCannotRun", f"The container could not be started: {_last_word(why)}", kind="user")
    told = next((_TOLD[each["reason"]] + (each,) for each in events if each.get("reason") in _TOLD), None)
    if told is not None:
        code, what, event = told
        return _failure(code, _pod_that(what, event.get("message", "")))
    if is_gone or "deletionTimestamp" in pod["metadata"]:
        return _failure("PodDeleted", "The pod was deleted by somebody or something in the cluster while it ran.")
    if _NO_PACKAGE.search(ended.get("message") or ""):
        return _failure(
            "ModuleNotFoundError", _without_package(primary.container_of(pod).get("image", "")), kind="user"
        )
    return _by_exit(ended)


def of_job(job: Object, last: Failure | None) -> Failure:
    """Why a Job has given up.

    Args:
        last: why its last pod was lost, as far as is known.
    """
    condition = _condition(job, "Failed")
    if condition.get("reason") == "DeadlineExceeded":
        seconds = job["spec"].get("activeDeadlineSeconds")
        bound = f" of {seconds} s" if seconds else ""
        return _failure("DeadlineExceededError", f"The cluster has ended it after its deadline{bound}.", kind="user")
    lost = job.get("status", {}).get("failed") or 0
    if last is None:
        said = condition.get("message") or condition.get("reason") or "it does not say why"
        return _failure("JobFailed", f"The cluster has given it up: {said}")
    if lost < 2:
        return replace(last, recoverable=False)
    return replace(
        last, message=f"{lost} pods were lost, one after the other; the last: {last.message}", recoverable=False
    )


def _disrupted(pod: Object) -> Failure | None:
    condition = _condition(pod, "DisruptionTarget")
    known = _DISRUPTED.get(condition.get("reason", ""))
    if known is None:
        return None
    message = condition.get("message", "") or pod["status"].get("message", "")
    return _failure(known[0], _pod_that(known[1], message))


def _by_status(pod: Object) -> Failure | None:
    reason, message = pod["status"].get("reason", ""), pod["status"].get("message", "")
    if reason == "DeadlineExceeded":
        text = "The cluster has ended the pod after its deadline: it ran longer than its timeout allows."
        return _failure("MaxRuntimeExceededError", text, kind="user")
    if reason in _STATUS:
        code, what = _STATUS[reason]
        return _failure(code, _pod_that(what, message))
    if reason and pod["status"].get("phase") == "Failed":  # refused by the node that it was sent to
        return _failure("PodRejected", f"The node has refused the pod: {message or reason}")
    return None


def _out_of_memory(pod: Object, peak: int | None) -> Failure:
    title, limit = primary.title_of(pod), primary.limit_of(pod, "memory")
    needed = f"more memory than its limit of {rough_bytes(parse_bytes(limit))}" if limit else "more than its node has"
    used = f"; it had used {rough_bytes(peak)}" if peak else ""
    message = f"{title or 'The pod'} was killed: the container needed {needed}{used}.\n{give_more(title)}"
    return Failure(code="OOMError", kind="user", message=message)


def _by_exit(ended: Mapping[str, Any]) -> Failure:
    code = ended.get("exitCode")
    if code == _SIGTERM:
        return _failure("PodDeleted", "The pod was told to end while it ran.")
    if code is None:
        return _failure("PodLost", "The pod was lost; the cluster does not say why.")
    last = ended.get("message") or ""
    said = "" if MARK in last else last.strip()  # else it is news, at the end of the log
    how = " by SIGKILL, not for its memory" if code == _SIGKILL else f" with exit code {code}"
    text = f"The container has ended{how} and without an outcome."
    if code == HOPELESS and said:
        return Failure(code="ContainerFailed", kind="system", message=said, recoverable=False)
    return _failure("ContainerFailed", f"{text}\n{said}" if said else text)


def _without_package(image: str) -> str:
    return (
        f"The image {image!r} has no flyte_jupyter in it, which runs the task.\n"
        f'An image on top of it gets that: Image.from_base({image!r}).clone(name="...", extendable=True)'
    )


def _pod_that(what: str, said: str) -> str:
    return f"The pod {what}: {said.strip()}" if said.strip() else f"The pod {what}."


def _last_word(said: str) -> str:
    """Of a message with layers, the innermost: the program and what is wrong with it."""
    return said[said.find("exec: ") :] if "exec: " in said else said


def _failure(code: str, message: str, *, kind: str = "system") -> Failure:
    """One that another pod may escape, unless it is the user's."""
    return Failure(code=code, kind=kind, message=message, recoverable=kind == "system")


def _condition(of: Object, type: str) -> Mapping[str, Any]:
    """A condition that holds; empty when it does not."""
    found = (each for each in (of.get("status") or {}).get("conditions") or () if each["type"] == type)
    return next((each for each in found if each["status"] == "True"), {})
