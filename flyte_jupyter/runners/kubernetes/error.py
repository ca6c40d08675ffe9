"""What a cluster says when it refuses, and what its user can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import HostError

UNREACHABLE, SILENT = "Unreachable", "Silent"
"""Our own reasons, where the cluster has said none."""
_STRANGER = 'User "system:anonymous"'


class ApiError(HostError):
    """A cluster refused what was asked of it, or did not answer.

    Attributes:
        status: of HTTP, 0 when there was no answer.
        reason: the cluster's word for it, such as "AlreadyExists", "NotFound", "Forbidden", "Invalid", "Expired".
        said: the cluster's sentence.
        retry_after: seconds after which it wants to be asked again, None when it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        reason: str = UNREACHABLE,
        said: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.said, self.retry_after = status, reason, said or message, retry_after

    @property
    def is_there_already(self) -> bool:
        """Whether what was to be created has been created before, which is fine for a computed name."""
        return self.reason == "AlreadyExists"

    @property
    def is_missing(self) -> bool:
        """Whether there is nothing of that name."""
        return self.status == 404

    @property
    def is_expired(self) -> bool:
        """Whether the version to go on from is forgotten (410), so that all has to be listed again."""
        return self.status == 410 or self.reason in ("Expired", "Gone")

    @property
    def is_of_a_stranger(self) -> bool:
        """Whether the cluster does not know who asks: credentials are missing, wrong or have expired."""
        return self.status == 401 or (self.status == 403 and _STRANGER in self.said)

    @property
    def is_silence(self) -> bool:
        """Whether nothing was heard for too long, on a connection that is not known to be broken."""
        return self.reason == SILENT

    @property
    def is_passing(self) -> bool:
        """Whether the same may be granted a little later."""
        return self.status in (0, 429, 502, 503, 504) or self.retry_after is not None


def refused(answer: Mapping[str, Any], status: int, *, what: str, where: str) -> ApiError:
    """The error for a `Status` object, which is what a cluster sends when it refuses.

    Args:
        what: what was asked, such as "create the job a1"; where: of which cluster and namespace.
    """
    reason = str(answer.get("reason") or status)
    said = str(answer.get("message") or reason)
    details = answer.get("details") or {}
    causes = [f"  {cause.get('field', '')}: {cause.get('message', '')}" for cause in details.get("causes") or ()]
    lines = [f"{where} refused to {what}: {said}", _advice(status, said)]
    if len(causes) > 1:  # the sentence has all of them, one after the other
        lines[:1] = [f"{where} refused to {what}: {said.partition(': [')[0]}:", *causes]
    after = details.get("retryAfterSeconds")
    code = int(answer.get("code") or status)
    return ApiError("\n".join(filter(None, lines)), status=code, reason=reason, said=said, retry_after=after)


def unreachable(error: Exception, *, what: str, where: str) -> ApiError:
    """The error for a cluster that cannot be reached."""
    why = _innermost(error)
    if "certificate" in why.lower():
        advice = "Its certificate is not the one that your kubeconfig expects: get a new kubeconfig for this cluster."
    else:
        advice = "Is it running, and is it reached from here (VPN, proxy)? `kubectl get pods` has to work as well."
    return ApiError(f"{where} cannot be reached to {what}: {why}\n{advice}")


def silent(*, what: str, where: str) -> ApiError:
    """The error for a stream on which nothing has come for too long."""
    return ApiError(f"{where} was asked to {what}, and says nothing any more.", reason=SILENT)


def _innermost(error: BaseException) -> str:
    """What the network said, without the layers around it."""
    while (inner := getattr(error, "reason", None) or error.__cause__) is not None and isinstance(inner, BaseException):
        error = inner
    text = str(error)
    return text.rpartition(": ")[2] if text.startswith(("<", "HTTPSConnection", "HTTPConnection")) else text


def _advice(status: int, said: str) -> str:
    """What its user can do about it, "" when that is not known."""
    if status == 401 or _STRANGER in said:
        return (
            "Your credentials for this cluster are missing or have expired: log in again as you do for kubectl "
            "(`kubectl get pods` has to work)."
        )
    if status == 403 and "exceeded quota" in said:
        return "The quota of the namespace is used up: ask for less with Resources(...), or wait until others end."
    if status == 403 and "is forbidden: User" in said:
        return "An administrator can grant it: `%flyte_doctor` checks each right, and prints the Role to hand over."
    if status == 404 and said.startswith("namespaces "):
        return "Name another one in the settings, [kubernetes] namespace = ..., or create it: kubectl create namespace."
    return ""
