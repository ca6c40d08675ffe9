"""Names and labels as Kubernetes has them: computed, so that whoever asks again finds what is there, and checked.

Source of the rules: Kubernetes' own (RFC 1123 names, label syntax).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ....config.refusal import wrong_value
from ....errors import ConfigError
from ....pods import PodRequest

PREFIX = "flyte-jupyter/"
"""Of our own labels and annotations."""
NOTES = f"{PREFIX}notes"
"""The annotation of a Job that says what of the configuration does not hold as it was given, a line each."""
MANAGED = {"app.kubernetes.io/managed-by": "flyte-jupyter"}
"""What all that we make in a cluster is found by."""
OURS = ("run", "action", "parent", "task", "environment", "user", "session")
"""The labels that have the prefix; others are the user's, and stay as they are."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(r"((?P<prefix>[^/]*)/)?(?P<name>[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)")


def job_name(pod: str) -> str:
    """The name of the Job of a pod (`PodRequest.name`), at most 63 characters: that itself where it can be one."""
    return pod if _LABEL.fullmatch(pod) else _computed(re.sub(r"[^a-z0-9]+", "-", pod.lower()), pod)


def owner_reference(job: Mapping[str, Any]) -> dict[str, Any]:
    """What says that something goes away with a Job."""
    return {"apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}


def attempts_secret(call_secret: str) -> str:
    """The name of the Secret that tells the next pod of attempts that were lost, beside that of the call."""
    return f"{call_secret}-attempts"


def label_value(text: str) -> str:
    """A text as the value of a label: the text itself wherever that can be one, else its beginning and its digest."""
    return text if _VALUE.fullmatch(text) else _computed(re.sub(r"[^A-Za-z0-9_.-]+", "-", text), text)


def label_key(name: str) -> str:
    """The key of a label of `PodRequest.labels`, or of another word in `OURS`."""
    return PREFIX + name if name in OURS else name


def labels_of(request: PodRequest) -> dict[str, str]:
    """The labels of a request's Job and pod.

    Raises:
        ConfigValueError: a key that Kubernetes does not take, or that is ours.
    """
    given = {
        **request.labels,
        "run": request.run,
        "action": request.action,
        "task": request.task,
        "environment": request.task.rpartition(".")[0],
    }
    given = {name: value for name, value in given.items() if value or name not in OURS}
    for key in given:
        checked_key(key, "labels")
    return {**{label_key(name): label_value(value) for name, value in given.items()}, **MANAGED}


def selector(labels: Mapping[str, str]) -> str:
    """What finds the objects with such `PodRequest.labels`, as the API and kubectl take it."""
    wanted = {**MANAGED, **{label_key(name): label_value(value) for name, value in labels.items()}}
    return ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))


def checked(name: str, what: str) -> str:
    """The name of an object, such as a service account.

    Raises:
        ConfigValueError: no object can have that name.
    """
    if not _SUBDOMAIN.fullmatch(name):
        near = subdomain(name)
        allowed = "the name of an object: lower-case letters, digits, - and ."
        raise wrong_value(what, name, allowed, f"the nearest is {near!r}" if near else "")
    return name


def subdomain(text: str) -> str:
    """The name nearest to a text that an object can have; "" when there is none."""
    parts = (re.sub(r"[^a-z0-9-]+", "-", part).strip("-") for part in text.lower()[:253].split("."))
    return ".".join(part for part in parts if part)


def checked_key(key: str, what: str) -> str:
    """The key of a label or an annotation that a user has given.

    Raises:
        ConfigValueError: Kubernetes does not take it, or it is one of ours.
    """
    match = _KEY.fullmatch(key)
    prefix = match["prefix"] if match else None
    if match is None or (prefix is not None and not _SUBDOMAIN.fullmatch(prefix)):
        allowed = "at most 63 letters, digits, -, _ and ., with or without a domain and / in front"
        raise wrong_value(what, key, allowed, f"try {label_value(key).strip('-')!r}")
    if f"{prefix}/" == PREFIX or key in MANAGED:
        raise wrong_value(what, key, "other keys: this one says what flyte_jupyter has made")
    return key


def bad_labels(labels: Mapping[str, str], what: str) -> Iterable[ConfigError]:
    """What Kubernetes would not take of labels that are passed on as they are."""
    for key, value in labels.items():
        if not _VALUE.fullmatch(value):
            allowed = "at most 63 letters, digits, -, _ and ., with a letter or digit at both ends"
            yield wrong_value(f"{what}[{key!r}]", value, allowed, f"try {label_value(value)!r}")


def _computed(near: str, text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{near[:46].strip('-_.') or 'x'}-{digest}"
