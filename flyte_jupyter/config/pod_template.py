"""PodTemplate: what Kubernetes is told beyond the other parameters.

`pod_spec` is a `V1PodSpec` of the kubernetes client, or the same as a dict in Kubernetes' own spelling; it is carried
as given.  The client is not imported here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from .field import edited
from .refusal import did_you_mean, wrong_type, wrong_value
from .value import Value

PRIMARY = "primary"

_LABELS = edited("pairs", examples=({"team": "birds"},))


@dataclass(frozen=True, repr=False)
class PodTemplate(Value):
    """A pod to start from; the task's own container is merged into its primary container.

    Attributes:
        pod_spec: a `V1PodSpec`, or a dict; None for an empty one.
        primary_container_name: which container is the task's; it is made when there is none at all.
        labels: labels of the pod.
        annotations: annotations of the pod.
    """

    pod_spec: Any = field(default=None, metadata=edited("yaml"))
    primary_container_name: str = field(default=PRIMARY, metadata=edited("text"))
    labels: Mapping[str, str] | None = field(default=None, hash=False, metadata=_LABELS)
    annotations: Mapping[str, str] | None = field(default=None, hash=False, metadata=_LABELS)

    @classmethod
    def of(cls, value: Any) -> PodTemplate | str | None:
        """A PodTemplate, or the name of one that the platform knows; "" is none.

        Raises:
            ConfigTypeError: neither of these. ConfigValueError: there are containers, and none is the primary one.
        """
        if isinstance(value, str):
            return value or None
        if not isinstance(value, cls):
            raise wrong_type("pod_template", value, "PodTemplate(pod_spec=...), or the name of a template")
        names = value.container_names()
        if names and value.primary_container_name not in names:
            raise _no_primary(value.primary_container_name, names)
        return value

    @classmethod
    def from_spec(
        cls,
        spec: Any,
        *,
        primary_container_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> PodTemplate:
        """A template of a copy of `spec`; the primary container is the one named, "primary", or the only one.

        Raises:
            ConfigValueError: there is no such container.
        """
        template = cls(copy.deepcopy(spec), PRIMARY, labels, annotations)
        names = template.container_names()
        name = primary_container_name or (names[0] if len(names) == 1 else PRIMARY)
        if name not in names:
            raise _no_primary(name, names)
        return replace(template, primary_container_name=name)

    def with_termination_grace_period(self, period: int | timedelta) -> PodTemplate:
        """A copy in which the pod has so long to end: whole seconds or a timedelta, 0 or more.

        Raises:
            ConfigTypeError: neither of these. ConfigValueError: negative, or not whole seconds.
        """
        what, allowed = "with_termination_grace_period", "whole seconds or a timedelta, 0 or more"
        if isinstance(period, bool) or not isinstance(period, (int, timedelta)):
            raise wrong_type(what, period, allowed)
        count = period.total_seconds() if isinstance(period, timedelta) else period
        if count < 0 or count != int(count):
            raise wrong_value(what, period, allowed)
        spec = copy.deepcopy(self.pod_spec)
        if spec is None:
            spec = {}
        if isinstance(spec, dict):
            spec["terminationGracePeriodSeconds"] = int(count)
        else:
            spec.termination_grace_period_seconds = int(count)
        return replace(self, pod_spec=spec)

    def in_words(self) -> str:
        """The names of its containers."""
        return f"containers {', '.join(self.container_names()) or self.primary_container_name}"

    def container_names(self) -> list[str]:
        """Names of the containers, in order."""
        if self.pod_spec is None:
            return []
        if isinstance(self.pod_spec, Mapping):
            return [container.get("name", "") for container in self.pod_spec.get("containers") or ()]
        return [container.name for container in getattr(self.pod_spec, "containers", None) or ()]


def _no_primary(name: str, names: list[str]) -> Exception:
    hint = did_you_mean(name, names) or "name it with primary_container_name="
    return wrong_value(
        "pod_template: No primary container", name, f"one of {', '.join(names) or 'no containers'}", hint
    )
