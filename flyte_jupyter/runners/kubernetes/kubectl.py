"""Lines for a terminal, which people copy: they have to mean the same cluster and namespace as we do."""

from __future__ import annotations

import json
import shlex

IN_POD = "in-cluster"
"""What stands for the context of a kubeconfig where there is none: the service account of a pod."""


def kubectl(place: str, *words: str) -> str:
    """A command for what is there.

    Args:
        place: context and namespace, as `Api.place` tells them. words: of the command, not quoted.
    """
    context, _, namespace = place.rpartition("/")
    where = () if context == IN_POD else ("--context", context)
    return shlex.join(["kubectl", *where, "-n", namespace, *words])


def to_make_secret(place: str, secret: str, *keys: str) -> str:
    """What makes a Secret with these keys; the values are for the reader to fill in."""
    return kubectl(place, "create", "secret", "generic", secret, *(f"--from-literal={key}=..." for key in keys))


def to_add_to_secret(place: str, secret: str, *keys: str) -> str:
    """What adds these keys to a Secret that is there."""
    values = dict.fromkeys(keys, "...")
    return kubectl(place, "patch", "secret", secret, "-p", json.dumps({"stringData": values}))
