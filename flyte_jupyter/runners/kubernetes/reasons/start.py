"""On its node: the image, what the pod refers to, the container."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ....pods import Phase
from .. import primary
from .reason import CONTAINER, IMAGE, VOLUMES, Object, Reason, lasted, never, tail

_PATIENCE = 15.0
"""Seconds after which what a pod refers to and is not there is not waited for any more."""
_NEVER_PULLED = re.compile(
    r"not found|NotFound|manifest unknown|invalid reference|unauthorized|authorization failed|denied|Forbidden"
    r"|no match for platform|does not exist|couldn't parse image",
    re.IGNORECASE,
)
"""What a registry says of an image that it will not give: it has answered, and another answer is not to be expected."""
_NETWORK = re.compile(
    r"no such host|timeout|timed out|connection refused|i/o|EOF|toomanyrequests|50[0234]", re.IGNORECASE
)


def image(pod: Object, waiting: Object, events: Sequence[Object]) -> Reason | None:
    reason = waiting.get("reason", "")
    image = primary.container_of(pod).get("image", "")
    if reason == "InvalidImageName":
        return never(Phase.INITIALIZING, IMAGE, f"{image!r} is no name of an image", "ImagePullError")
    if reason == "ErrImageNeverPull":
        text = f"the image {image} is not on the node, and imagePullPolicy is Never"
        return never(Phase.INITIALIZING, IMAGE, text, "ImagePullError")
    if reason not in ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"):
        return None
    failed = [
        each["message"] for each in events if each.get("reason") == "Failed" and "image" in each.get("message", "")
    ]
    said = next((each for each in reversed(failed) if each.startswith("Failed to pull")), waiting.get("message", ""))
    word = _registrys(said)
    text = f"the image {image} cannot be pulled{tail(word)}"
    if _NEVER_PULLED.search(said) and not _NETWORK.search(word):
        return never(Phase.INITIALIZING, IMAGE, text, "ImagePullError")
    return Reason(Phase.INITIALIZING, IMAGE, f"{text}; it is tried again")


def _registrys(said: str) -> str:
    """Of a message with many layers the innermost."""
    words = said.rpartition("failed to resolve reference ")[2] or said
    words = words.rpartition("desc = ")[2]
    return words.rpartition(": ")[2] if words.endswith("not found") else re.sub(r'^"[^"]*": ', "", words)


def missing(waiting: Object, events: Sequence[Object]) -> Reason | None:
    """What the pod refers to and the node does not find. What we make ourselves may come a moment later."""
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    step = CONTAINER
    event = next(
        (each for each in reversed(events) if each.get("reason") == "Failed" and message in each["message"]), None
    )
    if reason != "CreateContainerConfigError":
        mounts = [each for each in events if each.get("reason") in ("FailedMount", "FailedAttachVolume")]
        event = next(
            (each for each in reversed(mounts) if "not found" in each["message"]), mounts[-1] if mounts else None
        )
        if event is None:
            return None
        message, step = event["message"], VOLUMES
    found = re.search(r'(secret|configmap) "(?:[^"/]+/)?([^"]+)" not found', message)
    key = re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)", message)
    keys = re.search(r"references non-existent (?:secret|config) key: (\S+)", message)
    if found is not None:
        what = {"secret": "Secret", "configmap": "ConfigMap"}[found[1]]
        text, code = f"there is no {what} {found[2]} in this namespace: create it", f"{what}Missing"
    elif key is not None:
        text, code = f"the {key[2]} {key[3]} has no key {key[1]}: add it", f"{key[2]}Missing"
    elif keys is not None:
        text, code = f"a Secret or ConfigMap that it mounts has no key {keys[1]}: add it", "SecretMissing"
    elif reason == "CreateContainerConfigError":
        text, code = f"its container cannot be created: {message}", "ContainerRefused"
    else:
        return Reason(Phase.INITIALIZING, step, f"its volumes are not ready: {_mount_in_short(message)}")
    if re.search("image will run as root|non-numeric user|breaks non-root policy", message):
        text = "its image runs as root, which is not allowed: take another, or set run_as_root = true in [kubernetes]"
        return never(Phase.INITIALIZING, step, text, code)
    if event is not None and lasted(event) >= _PATIENCE:
        return never(Phase.INITIALIZING, step, text, code)
    return Reason(Phase.INITIALIZING, step, text)


def _mount_in_short(message: str) -> str:
    return re.sub(r"^MountVolume\.\S+ failed for volume (\"[^\"]+\") : ", r"\1: ", message)


def container(waiting: Object) -> Reason | None:
    if waiting.get("reason") in ("CreateContainerError", "RunContainerError"):
        text = f"its container cannot be started: {waiting.get('message', '')}"
        return Reason(Phase.INITIALIZING, CONTAINER, text)
    return None


def progress(pod: Object, events: Sequence[Object]) -> Reason | None:
    """What the node does, when nothing is wrong."""
    last = events[-1] if events else {}
    if last.get("reason") == "FailedCreatePodSandBox":
        return Reason(Phase.INITIALIZING, CONTAINER, f"its node is not ready for it: {last['message']}")
    if last.get("reason") == "Pulling":
        return Reason(Phase.INITIALIZING, IMAGE, f"pulls the image {primary.container_of(pod).get('image', '')}")
    return Reason(Phase.INITIALIZING, "", "")
