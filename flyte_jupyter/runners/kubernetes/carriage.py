"""A call and what it leaves, carried between our store and pods that do not reach it: `store="cluster"`.

The way there is a Secret, which a pod mounts as a folder of files; the way back is its log. Neither takes much.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Mapping
from typing import Any

from ...config.values.quantity import rough_bytes
from ...errors import ConfigValueError
from ...host.given import WITHOUT_BUCKET
from ...pack.call import code_of
from ...pods import PodRequest
from ...store import Store, keys
from .api import Api
from .error import ApiError
from .manifest import names

_OF_CALL = "-call"
"""How the names of the Secrets of calls end."""
MOST = 900 * 1024
"""Bytes of a call: Kubernetes takes 1 MiB in a Secret."""
_INPUTS, _CODE, _FILES = "inputs", "code with what it captures", "files of include"
_NAME = r"(?!\.)[A-Za-z0-9_.-]+"
_LEFT = f"{keys.actions('{run}')}{_NAME}/{_NAME}|{keys.CACHE}{_NAME}/{_NAME}/{_NAME}"
_DIGEST = re.compile(keys.code("[0-9a-f]{64}"))
_log = logging.getLogger("flyte_jupyter")


def call_secret(store: Store, request: PodRequest) -> dict[str, Any]:
    """The Secret with the blobs of a call, each named as `keys.as_file` says.

    Raises:
        ConfigValueError: it is more than a Secret takes; says what of it, and the ways out.
        KeyError: the call is not in the store.
    """
    inputs = keys.inputs(request.run, request.action)
    data = store.get(inputs)
    code = keys.code(code_of(data))
    blobs = {inputs: data, code: store.get(code)}
    files = _files(store, request)
    _check(request, {_INPUTS: len(data), _CODE: len(blobs[code]), _FILES: sum(map(len, files.values()))})
    blobs |= files
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret_name(request), "labels": names.labels_of(request)},
        "immutable": True,
        "data": {keys.as_file(key): base64.b64encode(blob).decode() for key, blob in blobs.items()},
    }


def _files(store: Store, request: PodRequest) -> dict[str, memoryview]:
    """The files that go along, and their list."""
    if not request.files:
        return {}
    from ...store.included import list_of

    digests = [request.files, *(content.digest for content in list_of(store, request.files))]
    return {keys.file(digest): store.get(keys.file(digest)) for digest in digests}


def hand_on(api: Api, store: Store, request: PodRequest, job: Mapping[str, Any]) -> None:
    """Have the next pod find how far the action is, as far as the store knows; it is a part of its call.

    Args:
        job: that it goes away with.

    Raises:
        ApiError: the cluster refuses.
    """
    secret = attempts_secret(store, request, job)
    if secret is None:
        return
    try:
        api.create("secrets", secret)
    except ApiError as error:
        if not error.is_there_already:
            raise
        api.patch("secrets", secret["metadata"]["name"], {"data": secret["data"]})


def attempts_secret(store: Store, request: PodRequest, job: Mapping[str, Any]) -> dict[str, Any] | None:
    """The Secret that tells it; None when no pod had begun. The arguments are those of `hand_on`."""
    key = keys.attempts(request.run, request.action)
    try:
        data = base64.b64encode(store.get(key)).decode()
    except KeyError:
        return None
    metadata = {
        "name": names.attempts_secret(secret_name(request)),
        "labels": names.labels_of(request),
        "ownerReferences": [names.owner_reference(job)],
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {keys.as_file(key): data}}


def secret_name(request: PodRequest) -> str:
    """The name of the Secret of a call."""
    return f"{names.job_name(request.name)}{_OF_CALL}"


def job_of(secret: Mapping[str, Any]) -> str:
    """The name of the Job that a Secret is the call of, "" for another Secret."""
    name = str(secret["metadata"]["name"])
    return name.removesuffix(_OF_CALL) if name.endswith(_OF_CALL) else ""


def pour(store: Store, request: PodRequest, key: str, data: bytes) -> None:
    """Put a blob that a pod has told into our store: of its run, a result that is kept for later calls, the code of a
    task that it has called. Another one does not come from our program: it is logged, and left out.
    """
    if re.fullmatch(_LEFT.replace("{run}", re.escape(request.run)), key):
        action = key.rpartition("/")[0].rpartition("/")[2]
        if key in (keys.outcome(request.run, action), keys.status(request.run, action)):
            store.put_if_absent(key, [data])  # it, or what it has called, may have been cancelled meanwhile
        else:
            store.put(key, [data])
    elif _DIGEST.fullmatch(key):
        store.put_if_absent(key, [data])
    else:
        _log.warning("The pod of %s has told of %r, which is not its own: it is left out", request.name, key)


def _check(request: PodRequest, sizes: dict[str, int]) -> None:
    total = sum(sizes.values())
    if total <= MOST:
        return
    listed = " and ".join(f"{rough_bytes(size)} are {what}" for what, size in sizes.items() if size > total // 10)
    raise ConfigValueError(
        f"{request.title}: the call has {rough_bytes(total)}, of which {listed}\n"
        f"  without a bucket at most {rough_bytes(MOST)} travel to a pod\n"
        f"  {WITHOUT_BUCKET}\n"
        "  or pass less: an address that the task reads from"
    )
