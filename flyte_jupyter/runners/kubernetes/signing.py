"""The key that signs every payload of a user in a namespace: a Secret, made once, mounted by every pod."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import re
import secrets

from .api import Api
from .error import ApiError
from .manifest.names import MANAGED

ENTRY = "key"
"""Of the Secret, and the name of its file where it is mounted."""
_BYTES = 32


def user() -> str:
    """Who uses this kernel, as a name in the cluster: JupyterHub's user, else the one of the system."""
    name = os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")


def key_secret(who: str) -> str:
    """The name of that user's Secret."""
    return f"flyte-jupyter-key-{who}"


def signing_key(api: Api, who: str) -> bytes:
    """The key of a user; made when there is none. Raises `ApiError`."""
    name = key_secret(who)
    made = base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {**MANAGED, "flyte-jupyter/user": who}},
        "data": {ENTRY: made},
    }
    try:
        found = api.get("secrets", name)
    except ApiError as missing:
        if not missing.is_missing:
            raise
        try:
            found = api.create("secrets", manifest)
        except ApiError as error:  # another kernel was faster
            if not error.is_there_already:
                raise
            found = api.get("secrets", name)
    return base64.b64decode(found["data"][ENTRY])
