from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.errors import HostError
from flyte_jupyter.runners.kubernetes.error import ApiError, refused


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    """As a cluster says no."""
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


def asked(answer: dict[str, Any]) -> ApiError:
    return refused(answer, answer["code"], what="create the job a0", where="The cluster 'c'")


def test_an_error_says_what_was_asked_where_and_what_the_cluster_said() -> None:
    error = asked(status(409, "AlreadyExists", 'jobs.batch "a0" already exists'))
    assert """The cluster 'c' refused to create the job a0: jobs.batch "a0" already exists""" == str(error)
    assert error.is_there_already
    assert isinstance(error, HostError)


@pytest.mark.parametrize(
    ("code", "reason", "message", "step"),
    [
        (401, "Unauthorized", "Unauthorized", "log in again"),
        (403, "Forbidden", 'pods is forbidden: User "system:anonymous" cannot list resource "pods"', "log in again"),
        (403, "Forbidden", 'jobs.batch is forbidden: User "u" cannot create resource "jobs"', "%flyte_doctor"),
        (403, "Forbidden", 'pods "a" is forbidden: exceeded quota: small', "ask for less"),
        (404, "NotFound", 'namespaces "n" not found', "[kubernetes] namespace"),
    ],
)
def test_an_error_names_the_next_step(code: int, reason: str, message: str, step: str) -> None:
    assert step in str(asked(status(code, reason, message)))


def test_what_is_wrong_in_several_fields_is_listed() -> None:
    causes = [{"field": "spec.a", "message": "Required value"}, {"field": "spec.b", "message": "Invalid value"}]
    lines = str(asked(status(422, "Invalid", "Job is invalid: ...", causes=causes))).splitlines()
    assert ["  spec.a: Required value", "  spec.b: Invalid value"] == lines[1:]


def test_what_may_be_granted_later_is_told_from_what_is_not() -> None:
    assert asked(status(429, "TooManyRequests", "slow down", retryAfterSeconds=1)).is_passing
    assert asked(status(500, "ServerTimeout", "try again", retryAfterSeconds=1)).is_passing
    assert not asked(status(500, "InternalError", "webhook failed")).is_passing
    assert not asked(status(422, "Invalid", "no")).is_passing


def test_a_forgotten_version_is_known_in_answers_and_in_watches() -> None:
    assert asked(status(410, "Expired", "too old resource version")).is_expired
    assert asked(status(410, "Gone", "too old resource version")).is_expired
