"""Which Secret of the namespace a Flyte secret is, and how a container gets it: by reference, never by value.

The rule: `Secret("api-key", group="db")` is the key `api-key` of the Secret `db`.  Without a group the Secret is called
as the key.  Kubernetes' names of objects have neither capitals nor "_": `Secret("OPENAI_API_KEY")` is the key
`OPENAI_API_KEY` of the Secret `openai-api-key`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ....config.refusal import wrong_value
from ....config.values.secret import MOUNT
from ....pods import SecretRef
from .names import subdomain

VOLUME = "flyte-secrets"
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class SecretKey(NamedTuple):
    """One value in the cluster: a key of a Secret of the namespace."""

    secret: str
    key: str


def secret_key(ref: SecretRef) -> SecretKey:
    """Where the value of a secret is.

    Raises:
        ConfigValueError: there can be no such Secret, or no such key in one.
    """
    given = ref.group or ref.key
    name = subdomain(given.replace("_", "-"))
    if not name:
        allowed = "with letters or digits: it names a Secret of the cluster"
        raise wrong_value("Secret.group" if ref.group else "Secret.key", given, allowed)
    if not _KEY.fullmatch(ref.key):
        allowed = "letters, digits, -, _ and .: it is a key of a Secret of the cluster"
        near = re.sub("[^-._a-zA-Z0-9]", "-", ref.key)[:253]
        raise wrong_value("Secret.key", ref.key, allowed, f"the nearest is {near!r}" if near else "")
    return SecretKey(name, ref.key)


def wanted(secrets: Iterable[SecretRef]) -> dict[SecretKey, list[SecretRef]]:
    """What has to be in the namespace before a pod with these secrets can start. Raises what `secret_key` raises."""
    found: dict[SecretKey, list[SecretRef]] = {}
    for ref in secrets:
        found.setdefault(secret_key(ref), []).append(ref)
    return found


def variables(secrets: Sequence[SecretRef]) -> list[dict[str, Any]]:
    """The environment variables that hold secrets. Raises what `secret_key` raises."""
    made = []
    for ref in secrets:
        if ref.env_var:
            name, key = secret_key(ref)
            made.append({"name": ref.env_var, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}})
    return made


def volume(secrets: Sequence[SecretRef]) -> dict[str, Any] | None:
    """The volume for those that are files, `<group>/<key>` each; None when none is. Raises what `secret_key` raises."""
    files: dict[str, dict[str, str]] = {}
    for ref in secrets:
        if ref.mounted:
            name, key = secret_key(ref)
            files.setdefault(name, {})[ref.title] = key
    sources = [
        {"secret": {"name": name, "items": [{"key": key, "path": path} for path, key in items.items()]}}
        for name, items in files.items()
    ]
    # whoever the container runs as has to read them; nobody else is in its pod
    return {"name": VOLUME, "projected": {"defaultMode": 0o444, "sources": sources}} if sources else None


MOUNTED = {"name": VOLUME, "mountPath": MOUNT, "readOnly": True}
