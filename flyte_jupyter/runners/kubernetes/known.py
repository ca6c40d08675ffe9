"""What is kept of the objects of a cluster: as little as the rest asks for, because there may be ten thousand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...host.given import REQUEST
from ...pods import Failure, Phase
from .manifest import names

_END = f"{names.PREFIX}end"
"""The annotation of a Job that says how it has ended that is deleted, for whoever watches."""
_OF_SPEC = ("suspend", "activeDeadlineSeconds", "nodeName", "nodeSelector", "affinity")
_OF_ANNOTATIONS = (_END, names.NOTES)
_OF_METADATA = ("name", "uid", "labels", "creationTimestamp", "deletionTimestamp")
_OF_CONTAINER = ("name", "image", "resources")
_OF_EVENT = ("reason", "message", "firstTimestamp", "lastTimestamp", "eventTime", "series")
_EVENTS = 20
"""Of the cluster's events those that are kept for each object, at most."""


class ClusterEvents:
    """The cluster's events about Jobs and pods, by the uid of what they are about."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, dict[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"<ClusterEvents of {len(self._known)} objects>"

    def take(self, type: str, event: Mapping[str, Any]) -> bool:
        """Keep it, or forget it when it was deleted; whether something is new."""
        about = event.get("involvedObject") or {}
        uid, name = about.get("uid", ""), event["metadata"]["name"]
        if type == "DELETED":
            known = self._known.get(uid, {})
            known.pop(name, None)
            if not known:
                self._known.pop(uid, None)
            return False
        if about.get("kind") not in ("Job", "Pod"):
            return False
        known = self._known.setdefault(uid, {})
        known.pop(name, None)
        known[name] = {"message": "", **{key: event[key] for key in _OF_EVENT if event.get(key)}}  # as the last
        if len(known) > _EVENTS:
            del known[next(iter(known))]
        return True

    def about(self, *objects: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Those about these objects."""
        return [each for about in objects for each in self._known.get(about["metadata"]["uid"], {}).values()]

    def forget(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Nobody will ask about these objects any more."""
        for each in objects:
            self._known.pop(each["metadata"].get("uid", ""), None)


def with_end(phase: Phase, failure: Failure) -> dict[str, Any]:
    """What a Job is patched with before it is deleted."""
    said = json.dumps({"phase": phase.value, "failure": failure.to_json()})
    return {"metadata": {"annotations": {_END: said}}}


def end_of(job: Mapping[str, Any]) -> tuple[Phase, Failure] | None:
    """How a Job has ended that is deleted; None when nobody has said it, so that it can be read."""
    said = (job["metadata"].get("annotations") or {}).get(_END, "")
    try:
        found = json.loads(said)
        return Phase(found["phase"]), Failure.from_json(found["failure"])
    except (ValueError, LookupError, TypeError):
        return None


def kept(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of a Job or a pod what is asked for here: not its volumes, its variables and what the server notes in it."""
    metadata, spec = found["metadata"], found.get("spec") or {}
    annotations = {key: said for key, said in (metadata.get("annotations") or {}).items() if key in _OF_ANNOTATIONS}
    containers = [_container(each) for each in spec.get("containers") or ()]
    return {
        "metadata": {
            **{key: metadata[key] for key in _OF_METADATA if key in metadata},
            "annotations": annotations,
        },
        "spec": {**{key: spec[key] for key in _OF_SPEC if key in spec}, "containers": containers},
        "status": found.get("status") or {},
    }


def _container(each: Mapping[str, Any]) -> dict[str, Any]:
    told = [dict(env) for env in each.get("env") or () if env["name"] == REQUEST]
    return {**{key: each[key] for key in _OF_CONTAINER if key in each}, "env": told}
