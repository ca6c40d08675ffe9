"""PodTemplate: what Kubernetes is told beyond the other parameters.

Source of the names, and of what a grant gives and refuses: Flyte 2.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from ...errors import ConfigError
from ..accept import optional, text, texts
from ..field import edited
from ..plain import plain
from ..refusal import did_you_mean, nearest_number, raise_all, wrong_type, wrong_value
from . import pod_spec as specs
from .value import Value

PRIMARY = "primary"

_LABELS = edited("pairs", examples=({"team": "birds"},))
_FUSE = "smarter-devices/fuse"
"""What the device plugin for FUSE calls its devices."""
_DEVICE = ("fuse-device", "/dev/fuse")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


@dataclass(frozen=True, repr=False)
class PodTemplate(Value):
    """A pod to start from; the task's own container is merged into its primary container.

    Attributes:
        pod_spec: a `V1PodSpec` of the kubernetes client, or the same as a dict in Kubernetes' spelling; None for an
            empty one. It is copied.
        primary_container_name: which container is the task's; it is made when there is none at all.
        labels: labels of the pod.
        annotations: annotations of the pod.

    Raises:
        ConfigTypeError, ConfigValueError: a value of a wrong type, or fields that Kubernetes does not know; all of them
            in one error.
    """

    pod_spec: Any = field(default=None, metadata=edited("yaml"))
    primary_container_name: str = field(default=PRIMARY, metadata=edited("text"))
    labels: Mapping[str, str] | None = field(default=None, metadata=_LABELS)
    annotations: Mapping[str, str] | None = field(default=None, metadata=_LABELS)

    def __post_init__(self) -> None:
        raise_all(
            self._canonical(
                pod_spec=_spec,
                primary_container_name=text("PodTemplate.primary_container_name", empty=False),
                labels=optional(texts("PodTemplate.labels")),
                annotations=optional(texts("PodTemplate.annotations")),
            )
        )

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
        pod_spec: Any,
        *,
        primary_container_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> PodTemplate:
        """A template of a copy of `pod_spec`; its primary container is the one named, "primary", or the only one.

        Raises:
            ConfigTypeError: it is no spec. ConfigValueError: there is no such container, or Kubernetes does not know a
                field.
        """
        template = cls(pod_spec, PRIMARY, labels or None, annotations or None)
        names = template.container_names()
        name = primary_container_name or (names[0] if len(names) == 1 else PRIMARY)
        if name not in names:
            raise _no_primary(name, names)
        return replace(template, primary_container_name=name)

    def allow_fuse(self, privileged: bool = False) -> PodTemplate:
        """A copy whose primary container may mount file systems of its own (FUSE).

        It asks for a device of the cluster's FUSE device plugin; where there is none, `privileged=True` takes the
        device of the node and makes the container privileged.

        Raises:
            ConfigValueError: the container says already that it must not be privileged.
        """
        spec, primary = self._open()
        security = primary.setdefault("securityContext", {})
        if privileged:
            what = "allow_fuse(privileged=True): the primary container"
            if security.get("privileged") is False:
                raise wrong_value(what, "privileged=False", "a container that may be privileged", "or allow_fuse()")
            if security.get("allowPrivilegeEscalation") is False:
                given = "allowPrivilegeEscalation=False"
                raise wrong_value(what, given, "a container that may gain privileges", "or allow_fuse()")
            name, path = _DEVICE
            _add(spec, "volumes", {"name": name, "hostPath": {"path": path, "type": "CharDevice"}})
            _add(primary, "volumeMounts", {"name": name, "mountPath": path})
            security["privileged"] = True
        else:
            resources = primary.setdefault("resources", {})
            for bound in ("requests", "limits"):
                resources[bound] = {**resources.get(bound, {}), _FUSE: "1"}
        _may_administer(security)
        return self._granted("fuse", spec)

    def allow_nested_sandboxing(self) -> PodTemplate:
        """A copy whose primary container may start sandboxes of its own (user namespaces, as bubblewrap uses).

        Raises:
            ConfigValueError: the container is privileged, may gain privileges, or has another AppArmor profile.
        """
        spec, primary = self._open()
        security = primary.setdefault("securityContext", {})
        profile = f"{_APPARMOR}{self.primary_container_name}"
        what, found = "allow_nested_sandboxing(): the primary container", (self.annotations or {}).get(profile)
        if security.get("privileged") is True:
            raise wrong_value(what, "privileged=True", "a container that is not privileged")
        if security.get("allowPrivilegeEscalation") is True:
            raise wrong_value(what, "allowPrivilegeEscalation=True", "a container that must not gain privileges")
        if found not in (None, "unconfined"):
            raise wrong_value(f"{what}: AppArmor", found, 'the profile "unconfined"', f"annotation {profile}")
        _may_administer(security)
        security["allowPrivilegeEscalation"] = False
        return self._granted("nested-sandboxing", spec, {profile: "unconfined"})

    def with_termination_grace_period(self, termination_grace_period: int | timedelta) -> PodTemplate:
        """A copy in which the pod has so long to end: seconds or a timedelta, 0 or more; fractions are cut.

        Raises:
            ConfigTypeError: neither of these. ConfigValueError: negative.
        """
        what, allowed = "with_termination_grace_period", "seconds or a timedelta, 0 or more"
        given: Any = termination_grace_period
        if isinstance(given, bool) or not isinstance(given, (int, timedelta)):
            raise wrong_type(what, given, allowed, nearest_number(given, 0))
        period = int(given.total_seconds()) if isinstance(given, timedelta) else given
        if period < 0:
            raise wrong_value(what, given, allowed, "the nearest is 0")
        spec, _ = self._open()
        return replace(self, pod_spec=specs.like(self.pod_spec, {**spec, "terminationGracePeriodSeconds": period}))

    def as_request(self) -> dict[str, Any]:
        """What a runner of clusters is asked for: `PodRequest.template`."""
        given = {"labels": self.labels, "annotations": self.annotations}
        made: dict[str, Any] = {"podSpec": specs.as_dict(self.pod_spec or {}), "primary": self.primary_container_name}
        return made | {name: dict(texts) for name, texts in given.items() if texts}

    def in_words(self) -> str:
        """The names of its containers."""
        return f"containers {', '.join(self.container_names()) or self.primary_container_name}"

    def container_names(self) -> list[str]:
        """Names of the containers, in order."""
        return [container.get("name", "") for container in specs.as_dict(self.pod_spec or {}).get("containers", ())]

    def to_json(self) -> dict[str, Any]:
        """What differs from the default, as plain data; the spec in Kubernetes' spelling."""
        given = {"pod_spec": specs.as_dict(self.pod_spec), "labels": self.labels, "annotations": self.annotations}
        if self.primary_container_name != PRIMARY:
            given["primary_container_name"] = self.primary_container_name
        return {"type": "PodTemplate"} | {name: plain(item) for name, item in given.items() if item is not None}

    def _open(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A copy of the spec as a dict, and its primary container, made when it is not there."""
        spec = specs.as_dict(self.pod_spec or {})
        for container in spec.setdefault("containers", []):
            if container.get("name") == self.primary_container_name:
                return spec, container
        spec["containers"].append({"name": self.primary_container_name})
        return spec, spec["containers"][-1]

    def _granted(self, grant: str, spec: dict[str, Any], more: Mapping[str, str] | None = None) -> PodTemplate:
        """With a spec, and the annotation that says what was granted, for those who look after the cluster."""
        annotations = {**(self.annotations or {}), **(more or {}), f"flyte.org/capability-{grant}": "true"}
        return replace(self, pod_spec=specs.like(self.pod_spec, spec), annotations=annotations)


def with_plain_spec(template: PodTemplate) -> PodTemplate:
    """The same with its spec as a dict: where a task runs the client may not be there, and is slow to import."""
    return replace(template, pod_spec=specs.as_dict(template.pod_spec))


def _spec(value: Any) -> Any:
    raise_all(list(specs.problems(value, "pod_spec")))
    return copy.deepcopy(value)


def _add(to: dict[str, Any], name: str, item: dict[str, Any]) -> None:
    """Add an item with a name to a list, unless one of that name is there."""
    items = to.setdefault(name, [])
    if item["name"] not in [other.get("name") for other in items]:
        items.append(item)


def _may_administer(security: dict[str, Any]) -> None:
    """Add SYS_ADMIN, which mounting takes."""
    added = security.setdefault("capabilities", {}).setdefault("add", [])
    if "SYS_ADMIN" not in added:
        added.append("SYS_ADMIN")


def _no_primary(name: str, names: list[str]) -> ConfigError:
    hint = did_you_mean(name, names) or "name it with primary_container_name="
    if len(names) == 1:
        hint = f"write primary_container_name={names[0]!r}"
    allowed = f"one of the containers: {', '.join(names) or 'there are none'}"
    return wrong_value("pod_template: No primary container", name, allowed, hint)
