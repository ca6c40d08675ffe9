"""Before there is a pod: its Job is held back, or the cluster refuses to create one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ....pods import Phase
from ..kueue import Place
from ..manifest.job import KUEUE
from ..manifest.resources import amount
from .reason import CONTAINER, QUEUE, QUOTA, Object, Reason, instead_of, never, tail


def suspended(job: Object, ask: Callable[[], Place]) -> Reason | None:
    """Held back, by Kueue or by somebody."""
    if not job["spec"].get("suspend"):
        return None
    queue = (job["metadata"].get("labels") or {}).get(KUEUE)
    if queue is None:
        return Reason(Phase.QUEUED, QUEUE, "its Job is suspended: somebody has to let it go")
    place = ask()
    order = "" if place.before is None else ", as the first" if not place.before else f", {place.before} before it"
    return Reason(Phase.QUEUED, QUEUE, f"waits in the queue {queue} of Kueue{order}{tail(place.said)}")


def refused(events: Sequence[Object]) -> Reason | None:
    """What the cluster says to the Job that wants to start a pod."""
    said = next((each["message"] for each in reversed(events) if each.get("reason") == "FailedCreate"), "")
    if not said:
        return None
    said = said.removeprefix("Error creating: ")
    if (quota := _QUOTA.search(said)) is not None:
        return _over_quota(quota)
    for pattern, text, code in _REFUSALS:
        if (found := re.search(pattern, said)) is not None:
            return never(Phase.QUEUED, QUOTA if code == "QuotaRefused" else CONTAINER, found.expand(text), code)
    if "is forbidden" in said or "is invalid" in said:
        return never(Phase.QUEUED, CONTAINER, f"the cluster refuses its pod: {said}", "PodRefused")
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
        (
            r"there is no service account \1 in this namespace: create it (docs/kubernetes/role.yaml makes "
            r"flyte-jupyter), or name another one in service_account"
        ),
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
        return never(Phase.QUEUED, QUOTA, text, "QuotaRefused", instead_of({each: amount(most[each]) for each in over}))
    full = ", ".join(
        f"{used.get(each, '0')} of {most[each]} {each} are used, and it asks for {asked[each]}" for each in asked
    )
    return Reason(Phase.QUEUED, QUOTA, f"waits for others to end: of the quota {found['name']} {full}")


def _amounts(text: str) -> dict[str, str]:
    """From "limits.cpu=1,pods=2"."""
    return dict(each.split("=", 1) for each in text.split(",") if "=" in each)
