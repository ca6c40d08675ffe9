"""What Kueue says, in the form of its API; no cluster of these tests has it."""

from __future__ import annotations

from typing import Any

from flyte_jupyter.runners.kubernetes.kueue import Place, place


def pending(uid: str, position: int) -> dict[str, Any]:
    return {"metadata": {"ownerReferences": [{"kind": "Job", "uid": uid}]}, "positionInLocalQueue": position}


def workload(uid: str, status: str, message: str) -> dict[str, Any]:
    condition = {"type": "QuotaReserved", "status": status, "reason": "Pending", "message": message}
    return {"metadata": {"ownerReferences": [{"uid": uid}]}, "status": {"conditions": [condition]}}


def test_a_jobs_own_place_and_reason_are_found_among_all() -> None:
    queue = [pending("u1", 0), pending("u2", 1)]
    all_ = [workload("u1", "True", "Quota reserved"), workload("u2", "False", "insufficient unused quota for cpu")]
    assert Place(1, "insufficient unused quota for cpu") == place("u2", queue, all_)
    assert Place(0, "") == place("u1", queue, all_)


def test_what_is_not_told_is_not_known() -> None:
    assert Place() == place("u3", [pending("u1", 0)], [workload("u1", "False", "no")])
    assert Place() == place("u1", [], [{"metadata": {}}])
