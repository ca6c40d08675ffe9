"""A thin layer of JSON over a cluster's API; credentials, TLS and proxies are the official client's.

The official client takes 0.9 s to import all of its models and makes an object of each answer; this loads its
configuration alone, when the first question is asked, and gives answers as they came.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from .connection import Connection, connect
from .error import ApiError, refused, unreachable
from .stream import Stream

_GROUPS = {
    "jobs": "apis/batch/v1",
    "cronjobs": "apis/batch/v1",
    "selfsubjectaccessreviews": "apis/authorization.k8s.io/v1",
    "events": "api/v1",
}
"""Where kinds are served that are not in the core group."""
_OF_THE_CLUSTER = ("nodes", "namespaces", "selfsubjectaccessreviews", "persistentvolumes", "priorityclasses")
"""Kinds without a namespace."""
_CONNECT, _ANSWER = 5.0, 60.0
"""Seconds for a connection and for an answer."""
_PATIENCE, _FIRST_DELAY = 8.0, 0.1
"""Seconds for which a question is repeated that was not answered, and before it is for the first time."""
_JSON = "application/json"
_BARE = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""How metadata alone is asked for: what Secrets hold, and Jobs in their thousands, need not be sent."""
_PAGE = 500
"""Objects that are asked for at a time."""


class Listing(NamedTuple):
    """Objects, and the version of the cluster's state that they were at."""

    items: list[dict[str, Any]]
    version: str


class Api:
    """The API of one cluster, as one user, in one namespace. Any thread may call it.

    Kinds are plurals as in URLs: "pods", "jobs", "secrets"; others than those of `_GROUPS` and of the core as
    "group/version/plural". Selectors are written as kubectl takes them: "app=a,tier!=b".

    Args:
        context: of the kubeconfig, "" for its current one. Without a kubeconfig, and within a pod, the pod's service
            account is used. The kubeconfig is what $KUBECONFIG names, else ~/.kube/config.
        namespace: "" for that of the context, else of the pod, else "default".
        kubeconfig: another file.

    All methods raise `ApiError` when the cluster refuses or does not answer, `HostError` when there is no
    configuration for it. What may be granted a little later is asked again for some seconds; so a creation that was
    answered with a broken connection may be told to be there already.
    """

    def __init__(self, context: str = "", namespace: str = "", *, kubeconfig: str = "") -> None:
        self._context, self._kubeconfig, self._given = context, kubeconfig, namespace
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        return f"<Api {self.title}>"

    @property
    def title(self) -> str:
        """Which cluster, for people."""
        known = self._connected()
        return f"The cluster {known.title!r} ({known.host}, namespace {known.namespace!r})"

    @property
    def place(self) -> str:
        """Context and namespace: "kind-kind/default"."""
        known = self._connected()
        return f"{known.title}/{known.namespace}"

    @property
    def context(self) -> str:
        """Of the kubeconfig, "" for the service account of a pod."""
        return self._connected().context

    @property
    def namespace(self) -> str:
        return self._connected().namespace

    @property
    def host(self) -> str:
        """Where it is, as a URL."""
        return self._connected().host

    # --- objects ------------------------------------------------------------------------------------------------------

    def get(self, kind: str, name: str, *, part: str = "") -> dict[str, Any]:
        """One object, or a part of it, such as "status"."""
        return self.ask("GET", self._path(kind, name, part), what=f"get the {_one(kind)} {name}")

    def list(
        self, kind: str, *, labels: str = "", fields: str = "", everywhere: bool = False, bare: bool = False
    ) -> Listing:
        """All objects that are selected.

        Args:
            everywhere: of all namespaces; bare: their metadata alone.
        """
        items: list[dict[str, Any]] = []
        query: dict[str, Any] = {"labelSelector": labels, "fieldSelector": fields, "limit": _PAGE}
        path, what = self._path(kind, everywhere=everywhere), f"list {kind.rpartition('/')[2]}"
        while True:
            try:
                page = self.ask("GET", path, query, what=what, accept=_BARE if bare else _JSON)
            except ApiError as error:
                if not error.is_expired or "continue" not in query:
                    raise
                items, query = [], {**query, "continue": "", "limit": ""}  # it took too long: all at once
                continue
            items += page["items"] or ()  # null, when there is no metadata to tell
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return Listing(items, page["metadata"].get("resourceVersion", ""))

    def create(
        self, kind: str, manifest: Mapping[str, Any], *, dry_run: bool = False, strict: bool = False
    ) -> dict[str, Any]:
        """Create an object; what the cluster has made of it. See `ApiError.is_there_already`.

        Args:
            dry_run: check it as if, and create nothing.
            strict: fields that the cluster does not know are an error (from 1.25 on; older ones ignore this).
        """
        query = {"dryRun": "All" if dry_run else "", "fieldValidation": "Strict" if strict else ""}
        what = f"create the {_one(kind)} {manifest['metadata'].get('name', '')}".rstrip()
        return self.ask("POST", self._path(kind), query, manifest, what=what)

    def patch(
        self, kind: str, name: str, change: Mapping[str, Any] | Sequence[Any], *, part: str = ""
    ) -> dict[str, Any]:
        """Change an object: a mapping is merged into it, a list is a JSON patch.

        Args:
            part: of it, such as "status".
        """
        kind_of_patch = "merge-patch" if isinstance(change, Mapping) else "json-patch"
        path, what = self._path(kind, name, part), f"change the {_one(kind)} {name}"
        return self.ask("PATCH", path, body=change, content=f"application/{kind_of_patch}+json", what=what)

    def delete(
        self, kind: str, name: str, *, grace: int | None = None, uid: str = "", owned_first: bool = False
    ) -> bool:
        """Delete an object, and what it owns; whether there was one.

        Args:
            grace: seconds that a pod has to end, None for as long as it says itself.
            uid: delete it only if it is this very one.
            owned_first: whether it stays until its pods are gone; else they go in the background.
        """
        options = {
            "propagationPolicy": "Foreground" if owned_first else "Background",
            **({"gracePeriodSeconds": grace} if grace is not None else {}),
            **({"preconditions": {"uid": uid}} if uid else {}),
        }
        try:
            self.ask("DELETE", self._path(kind, name), body=options, what=f"delete the {_one(kind)} {name}")
        except ApiError as error:
            if error.is_missing or (uid and error.status == 409):
                return False
            raise
        return True

    def delete_all(self, kind: str, *, labels: str, grace: int | None = None) -> None:
        """Delete all that is selected, and in the background what it owns."""
        if not labels:
            raise ValueError("all objects of a namespace are not deleted without a selector")
        options = {"propagationPolicy": "Background", **({"gracePeriodSeconds": grace} if grace is not None else {})}
        query = {"labelSelector": labels}
        self.ask("DELETE", self._path(kind), query, options, what=f"delete {kind.rpartition('/')[2]}")

    # --- what comes line by line --------------------------------------------------------------------------------------

    def watch(
        self, kind: str, version: str, *, seconds: int, silence: float, labels: str = "", fields: str = ""
    ) -> Stream:
        """What happens to objects after that version: each line {"type", "object"} in JSON, with bookmarks.

        A line of type "ERROR" has a `Status`, see `refused`.

        Args:
            seconds: after which the server ends it.
            silence: seconds without a byte after which it raises `ApiError`.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": seconds,
            "labelSelector": labels,
            "fieldSelector": fields,
        }
        return self.stream(self._path(kind), query, silence=silence, what=f"watch {kind.rpartition('/')[2]}")

    def log(
        self, pod: str, *, container: str = "", follow: bool = False, since: str = "", silence: float | None = None
    ) -> Stream:
        """What a container has printed, each line with its time in front.

        Args:
            follow: until it ends; since: a time as the cluster writes it.
        """
        query = {
            "container": container,
            "follow": "true" if follow else "",
            "sinceTime": since,
            "timestamps": "true",
        }
        path = self._path("pods", pod, "log")
        return self.stream(path, query, silence=silence, what=f"read the log of the pod {pod}")

    def stream(
        self, path: str, query: Mapping[str, Any] | None = None, *, silence: float | None = None, what: str = ""
    ) -> Stream:
        """An answer line by line, as it comes; asked once."""
        where = self.title
        response = self._send("GET", path, query or {}, None, "", silence, what=what or f"read {path}")
        if response.status >= 400:
            error = _refused(response.read(), response.status, what=what, where=where)
            if error.is_of_a_stranger:
                self.renew()  # for who asks again
            raise error
        return Stream(response, what=what, where=where)

    # --- any question -------------------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        *,
        content: str = _JSON,
        accept: str = _JSON,
        what: str = "",
    ) -> dict[str, Any]:
        """The answer to any question, asked again for some seconds if it may be granted a little later."""
        import urllib3

        what, began, delay = what or f"{method} {path}", time.monotonic(), _FIRST_DELAY
        data = json.dumps(body).encode() if body is not None else None
        renewed = False
        while True:
            try:
                response = self._send(method, path, query or {}, data, content, _ANSWER, what=what, accept=accept)
                answer = response.read()
                if response.status < 400:
                    return dict(json.loads(answer))
                error = _refused(answer, response.status, what=what, where=self.title)
            except ApiError as failed:
                error = failed
            except urllib3.exceptions.HTTPError as failed:  # while the answer was read
                error = unreachable(failed, what=what, where=self.title)
            if error.is_of_a_stranger and not renewed:
                self.renew()
                renewed = True
                continue
            wait = max(delay, error.retry_after or 0.0) * random.uniform(0.8, 1.2)
            if not error.is_passing or time.monotonic() + wait - began > _PATIENCE:
                raise error
            time.sleep(wait)
            delay *= 3

    def renew(self) -> None:
        """Read the configuration again: tokens and certificates may have been replaced."""
        with self._lock:
            self._connection = None

    def close(self) -> None:
        """Let go of idle connections; streams are closed by those who read them."""
        with self._lock:
            if self._connection is not None:
                self._connection.pool.clear()

    def _path(self, kind: str, name: str = "", part: str = "", *, everywhere: bool = False) -> str:
        group, _, plural = kind.rpartition("/")
        root = f"apis/{group}" if group else _GROUPS.get(plural, "api/v1")
        is_without = everywhere or plural in _OF_THE_CLUSTER
        scope = "" if is_without else f"namespaces/{quote(self.namespace, safe='')}/"
        rest = "/".join(quote(each, safe="") for each in (plural, name, part) if each)
        return f"/{root}/{scope}{rest}"

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        data: bytes | None,
        content: str,
        silence: float | None,
        *,
        what: str,
        accept: str = _JSON,
    ) -> Any:
        """The answer, of which only the head has been read."""
        import urllib3

        known = self._connected()
        headers = {"Accept": accept, "User-Agent": "flyte_jupyter"}
        if data is not None:
            headers["Content-Type"] = content
        with self._lock:  # a plugin is run once, by one thread
            headers |= known.authorization()
        asked = "&".join(
            f"{name}={quote(str(value), safe='')}" for name, value in query.items() if value not in ("", None)
        )
        try:
            return known.pool.request(
                method,
                f"{known.host}{path}{'?' if asked else ''}{asked}",
                body=data,
                headers=headers,
                preload_content=False,
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(connect=_CONNECT, read=silence),
            )
        except urllib3.exceptions.HTTPError as error:
            raise unreachable(error, what=what, where=self.title) from None

    def _connected(self) -> Connection:
        with self._lock:
            if self._connection is None:
                self._connection = connect(self._context, self._given, self._kubeconfig)
            return self._connection


def _one(kind: str) -> str:
    """Of a plural, for people."""
    return kind.rpartition("/")[2].removesuffix("s")


def _refused(answer: bytes, status: int, *, what: str, where: str) -> ApiError:
    try:
        said = json.loads(answer)
    except ValueError:  # of a proxy in between
        said = None
    if not isinstance(said, dict):
        said = {"message": answer.decode(errors="replace")[:500]}
    return refused(said, status, what=what, where=where)
