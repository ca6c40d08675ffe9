"""What a cluster can do, asked once: newer fields are used only where its server has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Api


@dataclass(frozen=True)
class Features:
    """What the server of a cluster serves. A field that it does not know it would drop without a word.

    Attributes:
        version: (major, minor).
        kueue: the version of Kueue's API, "" where Kueue is not installed.
    """

    version: tuple[int, int]
    kueue: str = ""

    @property
    def cron_jobs(self) -> str:
        """The kind of CronJobs for `Api`: stable from 1.21 on, which is the only one from 1.25 on."""
        return "batch/v1/cronjobs" if self.version >= (1, 21) else "batch/v1beta1/cronjobs"

    @property
    def suspend(self) -> bool:
        """Whether Jobs can be held back (`suspend`), as Kueue does; on by default from 1.22 on."""
        return self.version >= (1, 22)

    @property
    def strict_fields(self) -> bool:
        """Whether unknown fields can be an error (`fieldValidation`); on by default from 1.25 on."""
        return self.version >= (1, 25)

    @property
    def pod_failure_policy(self) -> bool:
        """Whether a Job can tell exit codes and disruptions apart (`podFailurePolicy`); on by default from 1.26 on."""
        return self.version >= (1, 26)

    @property
    def pod_replacement_policy(self) -> bool:
        """Whether a Job can wait for the end of a pod before it starts another; on by default from 1.29 on."""
        return self.version >= (1, 29)

    @property
    def sidecars(self) -> bool:
        """Whether init containers can go on beside the others (`restartPolicy: Always`); on by default from 1.29 on."""
        return self.version >= (1, 29)


def features_of(api: Api) -> Features:
    """What the cluster says of itself. Raises `ApiError`."""
    version = api.ask("GET", "/version", what="say its version")
    return read(version, api.ask("GET", "/apis", what="say what it serves"))


def read(version: Mapping[str, Any], groups: Mapping[str, Any]) -> Features:
    """What its answers at /version and /apis mean; some providers add a sign to a number, as in "29+"."""
    numbers = [re.match(r"\d+", version.get(name, "")) for name in ("major", "minor")]
    major, minor = (int(number[0]) if number else 0 for number in numbers)
    served = {group["name"]: group["preferredVersion"]["version"] for group in groups["groups"]}
    return Features((major, minor), served.get("kueue.x-k8s.io", ""))
