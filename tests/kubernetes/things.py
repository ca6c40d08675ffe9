"""Jobs as tests write them, and what a cluster has of them."""

from __future__ import annotations

from typing import Any

from flyte_jupyter.runners.kubernetes.api import Api


def job(
    name: str, image: str, code: str = "pass", *, pod: dict[str, Any] | None = None, retries: int = 0, **container: Any
) -> dict[str, Any]:
    """One that runs Python code; `container` and `pod` are further fields of the two."""
    ours = {"name": "task", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["python3", "-uc", code]}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [{**ours, **container}]}
    return {
        "metadata": {"name": name},
        "spec": {"backoffLimit": retries, "template": {"spec": {**spec, **(pod or {})}}},
    }


def of_job(api: Api, name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Its pods, the newest first; the events about it and them; itself."""
    of = api.get("jobs", name)
    pods = sorted(api.list("pods", labels=f"job-name={name}").items, key=_age, reverse=True)
    about = {each["metadata"]["uid"] for each in (of, *pods)}
    events = [each for each in api.list("events").items if each["involvedObject"].get("uid") in about]
    return pods, events, of


def _age(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["creationTimestamp"])
