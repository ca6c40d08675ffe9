"""The container that a task runs in: what it is told, where it may write, and what it must not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ....config.cluster import IN_CLUSTER, Cluster
from ....config.refusal import wrong_value
from ....config.values.quantity import format_bytes
from ....home import HOME_VARIABLE
from ....host.given import ACCEPTED_AT, CALL, GRACE, KEY, NAMESPACE, POD, REQUEST
from ....pods import PodRequest
from . import secrets
from .names import attempts_secret

COMMAND = ("python3", "-m", "flyte_jupyter.runners.kubernetes.entry")
STATE, WORK, KEYS, CALLS = "/flyte/home", "/flyte/work", "/flyte/key", "/flyte/call"
USER = 1000
"""Who containers run as, where nobody says otherwise."""
LONGEST = 120_000
"""Bytes of a variable: Linux takes 128 KiB."""

_SCRATCH = {"flyte-home": STATE, "flyte-work": WORK, "flyte-tmp": "/tmp"}  # noqa: S108 - a volume of its own
_SHM, _STORE = "flyte-shm", "flyte-store"


def variables(
    request: PodRequest,
    cluster: Cluster,
    template: Sequence[Mapping[str, Any]],
    *,
    grace: float,
    accepted_at: float | None,
) -> list[dict[str, Any]]:
    """The environment of the container: what the task gives wins over the template's.

    Args:
        template: the variables of its template; grace: seconds that the pod has to end; accepted_at: see `job`.

    Raises:
        ConfigValueError: it is more than a process can be told, or a secret cannot be in a cluster.
    """
    usual = {"HOME": WORK, "USER": "flyte"}  # a user without an entry in /etc/passwd has no name otherwise
    if request.resources.gpu == 0:
        usual["NVIDIA_VISIBLE_DEVICES"] = "void"  # images of CUDA ask for all of them
    named = {each.get("name") for each in template}
    ours = {
        REQUEST: told(request),
        HOME_VARIABLE: STATE,
        KEY: f"{KEYS}/key",
        GRACE: f"{grace:g}",
        "RUN_NAME": request.run,
        "ACTION_NAME": request.action,
    }
    if cluster.store == IN_CLUSTER:
        ours[CALL] = CALLS
    if accepted_at is not None:
        ours[ACCEPTED_AT] = repr(accepted_at)
    given = {name: value for name, value in usual.items() if name not in named} | {**request.env, **ours}
    of_pod = {POD: "metadata.name", NAMESPACE: "metadata.namespace"}
    made: list[dict[str, Any]] = [
        *({"name": name, "value": literal(value)} for name, value in given.items() if name not in of_pod),
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in of_pod.items()),
        *secrets.variables(request.secrets),
    ]
    names = {each["name"] for each in made}
    return [*(dict(each) for each in template if each.get("name") not in names), *made]


def told(request: PodRequest) -> str:
    """The request for the Host in the pod: without what the container has, and without what is of this machine alone.

    Raises:
        ConfigValueError: it is longer than a variable can be.
    """
    own = replace(request, env={}, template=None, python=COMMAND[0], cwd="", path=(), preload=())
    said = {name: value for name, value in own.to_json().items() if value not in (None, "", (), {})}
    text = json.dumps(said, separators=(",", ":"))
    if len(text) > LONGEST:
        name = max(said, key=lambda name: len(json.dumps(said[name])))
        raise wrong_value(
            name, said[name], f"at most {LONGEST} bytes for all that a pod is told", "pass it as an input"
        )
    return text


def request_of(container: Mapping[str, Any]) -> PodRequest | None:
    """The request that a container was made for, as far as it was told; None for another container."""
    given = next((each.get("value", "") for each in container.get("env") or () if each.get("name") == REQUEST), "")
    if not given:
        return None
    return PodRequest.from_json(json.loads(given.replace("$$", "$") if "$$" in given else given))  # as `literal` wrote


def literal(text: str) -> str:
    """A value that Kubernetes gives as it is: it would fill in `$(NAME)` with another variable."""
    return text.replace("$", "$$") if "$(" in text or "$$" in text else text


def volumes(
    request: PodRequest, cluster: Cluster, *, call_secret: str, key_secret: str
) -> list[tuple[dict[str, Any], dict[str, Any], bool]]:
    """Volumes of the pod with their places in the container, and whether the place has to be that very volume.

    Raises what `secrets.volume` raises.
    """
    made: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
        ({"name": name, "emptyDir": {}}, {"name": name, "mountPath": path}, False) for name, path in _SCRATCH.items()
    ]
    key: dict[str, Any] = {"secretName": key_secret, "defaultMode": 0o444}
    hidden: dict[str, tuple[str, dict[str, Any]]] = {"flyte-key": (KEYS, {"secret": key})}
    if cluster.store == IN_CLUSTER:
        attempts = {"name": attempts_secret(call_secret), "optional": True}  # it is there when a pod was lost
        sources = [{"secret": {"name": call_secret}}, {"secret": attempts}]
        hidden["flyte-call"] = (CALLS, {"projected": {"sources": sources, "defaultMode": 0o444}})
    for name, (path, volume) in hidden.items():
        made.append(({"name": name, **volume}, {"name": name, "mountPath": path, "readOnly": True}, True))
    if cluster.store_claim is not None:
        claim, _, mount = cluster.store_claim.partition(":")
        volume = {"name": _STORE, "persistentVolumeClaim": {"claimName": claim}}
        made.append((volume, {"name": _STORE, "mountPath": mount}, True))
    if request.resources.shm is not None:
        memory: dict[str, Any] = {"medium": "Memory"}
        if request.resources.shm:
            memory["sizeLimit"] = format_bytes(request.resources.shm)
        made.append(({"name": _SHM, "emptyDir": memory}, {"name": _SHM, "mountPath": "/dev/shm"}, True))  # noqa: S108
    mounted = secrets.volume(request.secrets)
    if mounted is not None:
        made.append((mounted, dict(secrets.MOUNTED), True))
    return made


def security(given: Mapping[str, Any], pod: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    """The security context of the container: as little as possible, but for what its template says.

    Args:
        given: the container's of the template; pod: that of the template's pod.
    """
    rights = given.get("capabilities") or {}
    has_more = bool(given.get("privileged") or rights.get("add"))
    made: dict[str, Any] = {"readOnlyRootFilesystem": True}
    if not has_more:
        made["allowPrivilegeEscalation"] = False
    who = ("runAsUser", "runAsNonRoot")
    if not cluster.run_as_root and not has_more and not any(name in each for name in who for each in (given, pod)):
        user = USER if cluster.run_as_user is None else cluster.run_as_user
        made |= {"runAsNonRoot": user != 0, "runAsUser": user, "runAsGroup": user}
    made |= given
    if not given.get("privileged"):
        made["capabilities"] = {"drop": ["ALL"], **rights}
    return made
