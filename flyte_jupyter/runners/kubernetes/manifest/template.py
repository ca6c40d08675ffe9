"""The pod template of a task: a copy to start from, and what becomes of its other containers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ....config.refusal import raise_all, wrong_value
from ....config.values.pod_template import PRIMARY
from ....pods import PodRequest
from ..features import Features
from .names import bad_labels, checked_key

_NAMED = (PRIMARY, "default")
"""What the task's container is called in templates of the cluster, as in Flyte."""


@dataclass
class Template:
    """A pod to start from, ours to change.

    Attributes:
        spec: of the pod, without the primary container; primary: the primary container.
        labels, annotations: of the pod.
        notes: what of it does not hold, for people.
    """

    spec: dict[str, Any]
    primary: dict[str, Any]
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def of_object(found: Mapping[str, Any]) -> dict[str, Any]:
    """What `PodRequest.template` is for a PodTemplate of the cluster, as its API gives it.

    The task's container is the one called "primary", else "default", else the only one. Kubernetes wants an image
    there, which stands for the task's, as in Flyte.
    """
    template = found.get("template") or {}
    spec, about = copy.deepcopy(template.get("spec") or {}), template.get("metadata") or {}
    names = [container["name"] for container in spec.get("containers") or ()]
    primary = next((name for name in _NAMED if name in names), names[0] if len(names) == 1 else PRIMARY)
    for container in spec.get("containers") or ():
        if container["name"] == primary:
            container.pop("image", None)
    more = {name: about[name] for name in ("labels", "annotations") if about.get(name)}
    return {"podSpec": spec, "primary": primary, **more}


def opened(request: PodRequest, features: Features) -> Template:
    """The template of a request, an empty one where there is none.

    Raises:
        ConfigValueError: it is only named, and has not been looked up; it has no primary container; or labels that
            Kubernetes does not take.
    """
    given = request.template or {}
    if "name" in given:
        allowed = "the name of a PodTemplate of the namespace"
        raise wrong_value("pod_template", given["name"], allowed, "kubectl get podtemplates shows those that are there")
    spec: dict[str, Any] = copy.deepcopy(dict(given.get("podSpec") or {}))
    labels, annotations = dict(given.get("labels") or {}), dict(given.get("annotations") or {})
    raise_all(list(bad_labels(labels, "pod_template: labels")))
    for key in labels:
        checked_key(key, "pod_template: labels")
    for key in annotations:
        checked_key(key, "pod_template: annotations")
    name = given.get("primary") or PRIMARY
    containers = spec.pop("containers", None) or []
    primary = next((container for container in containers if container.get("name") == name), None)
    if primary is None:
        if containers:
            names = ", ".join(str(container.get("name")) for container in containers)
            raise wrong_value("pod_template: No primary container", name, f"one of the containers: {names}")
        primary = {"name": name}
    made = Template(spec, primary, labels, annotations)
    _arrange(made, [container for container in containers if container is not primary], features)
    return made


def _arrange(made: Template, others: list[dict[str, Any]], features: Features) -> None:
    """Other containers must not keep the pod running after the task: the cluster ends them where it can."""
    dropped = [name for name in ("command", "args") if made.primary.pop(name, None)]
    if dropped:
        made.notes.append(f"pod_template: {' and '.join(dropped)} of its primary container: the task runs there")
    if not others:
        return
    if features.sidecars:
        started = [{**container, "restartPolicy": "Always"} for container in others]
        made.spec["initContainers"] = [*(made.spec.get("initContainers") or ()), *started]
        return
    made.spec["containers"] = others
    names = ", ".join(str(container.get("name")) for container in others)
    verb = "does" if len(others) == 1 else "do"
    made.notes.append(
        f"pod_template: {names} {verb} not end with the task on Kubernetes {'.'.join(map(str, features.version))} "
        "(from 1.29 on it does): the pod is there until a kernel that watches it has it deleted"
    )
