"""A cluster as a runner: one Job per action."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from ...config.cluster import IN_CLUSTER, Cluster
from ...config.values.duration import rough_duration
from ...container.images import Images
from ...host import shelf
from ...host.lifecycle import ABORTED, aborted
from ...pods import Event, Failure, Phase, PodEvent, PodRequest, Synced
from ...store import Store, keys
from . import carriage, ends, found, sweep
from .action import request_of
from .actions import Actions
from .api import Api
from .building import Building
from .error import ApiError
from .features import Features, features_of
from .follow import Follower
from .known import with_end
from .manifest import names
from .manifest.job import job, notes
from .provided import check_secrets, with_template
from .signing import key_secret
from .watch import Watch

_AT_ONCE = 8
"""Requests that are made beside the one that is waited for."""


class KubernetesRunner:
    """Makes Jobs, watches and deletes them; the cluster does the rest.

    Args:
        api: of the cluster and namespace; cluster: its settings.
        store: of the calls and outcomes; when it is not reached by the pods, these are carried there and back.
        key: that signs them; who: the user, as the cluster knows him.
        owner: what its Jobs go away with, as an owner reference; None for nothing.
        images: what has those that pods wait for; None where all of them are there.
        recalled: in a pod, tells whoever follows it of an action that no pod runs.
    """

    def __init__(
        self,
        api: Api,
        cluster: Cluster,
        store: Store,
        key: bytes,
        who: str,
        owner: Mapping[str, Any] | None = None,
        images: Images | None = None,
        *,
        recalled: Callable[[PodEvent], None] | None = None,
    ) -> None:
        self.api = api
        self._cluster = cluster
        self._store = store
        self._key = key
        self._who = who
        self._owner = owner
        self._recalled = recalled
        self._features: Features | None = None
        self._watching: set[Watch] = set()
        self._lock = threading.Lock()
        self._beside = ThreadPoolExecutor(_AT_ONCE, "flyte-jupyter-asks")
        self._building = Building(images, self._launch, self._news, self._fail) if images is not None else None

    def __repr__(self) -> str:
        return f"<KubernetesRunner {self.api!r} [{len(self._watching)} watches]>"

    def another(self) -> KubernetesRunner:
        """One with watches of its own, for runs that others have started."""
        return KubernetesRunner(self.api, self._cluster, self._store, self._key, self._who, self._owner)

    @property
    def features(self) -> Features:
        """What the cluster can do; asked once."""
        if self._features is None:
            self._features = features_of(self.api)
        return self._features

    @property
    def nothing_left(self) -> str:
        kept, ways = rough_duration(self._cluster.ttl), "`ttl` in [kubernetes] says for how long"
        if self._cluster.store == IN_CLUSTER:
            ways += '; with a bucket (`store = "s3://..."`) its outcome would still be there'
        return (
            f"Its Job is not in the cluster any more ({self._cluster.title}), and what its pod has left was not "
            f"fetched while it was: a finished Job stays for {kept}.\n{ways}."
        )

    def missing(self, pod: PodRequest) -> list[str]:
        check_secrets(pod, self.api)
        if self._building is not None:
            self._building.provide(pod)
        return notes(with_template(pod, self.api), self._cluster, self.features)

    def launch(self, pod: PodRequest) -> None:
        if self._building is not None:
            self._building.launch(pod)
        else:
            self._launch(pod)

    def _launch(self, pod: PodRequest) -> None:
        call = carriage.call_secret(self._store, pod) if self._cluster.store == IN_CLUSTER else None
        secret = str(call["metadata"]["name"]) if call is not None else ""
        manifest = job(
            with_template(pod, self.api),
            self._cluster,
            self.features,
            image=pod.image_uri or self._cluster.image,
            call_secret=secret,
            key_secret=key_secret(self._who),
            accepted_at=time.time(),
            owner=self._owner,
        )
        carrying = self._beside.submit(self._carry, call) if call is not None else None
        made = None
        try:
            made = self._create(manifest)
            if carrying is not None:
                carrying.result()
        except BaseException:
            if carrying is not None:
                wait([carrying])
                self._take_back(secret, made)
            raise
        if carrying is not None and made is not None:
            self._beside.submit(self._own, secret, made)

    def _create(self, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
        """The Job as the cluster has made it; None when it was there."""
        try:
            return self.api.create("jobs", manifest, strict=self.features.strict_fields)
        except ApiError as error:
            if not error.is_there_already:
                raise
            return None

    def _carry(self, call: Mapping[str, Any]) -> None:
        """Put what the call consists of where its pod finds it."""
        try:
            self.api.create("secrets", call)
        except ApiError as error:
            if not error.is_there_already:
                raise

    def _take_back(self, secret: str, made: Mapping[str, Any] | None) -> None:
        """One of the two is not there: the other is of no use."""
        with contextlib.suppress(ApiError):  # then `sweep` finds it; the error that led here is the one to tell
            if made is not None:
                self.api.delete("jobs", made["metadata"]["name"], uid=made["metadata"]["uid"])
            self.api.delete("secrets", secret)

    def _own(self, secret: str, made: Mapping[str, Any]) -> None:
        """Have the Secret go away with the Job."""
        owner = names.owner_reference(made)
        with contextlib.suppress(ApiError):  # then `sweep` finds it
            self.api.patch("secrets", secret, {"metadata": {"ownerReferences": [owner]}})

    def watch(self, labels: Mapping[str, str]) -> Iterator[Event | Synced]:
        watch = Watch(self.api, names.selector(labels))
        with self._lock:
            self._watching.add(watch)
        follower = Follower(self.api, watch.put)
        carried = self._cluster.store == IN_CLUSTER
        actions = Actions(self.api, self._store, self._key, follower, watch.put, carried=carried)
        try:
            yield from self._building.events(labels) if self._building is not None else ()
            for item in watch:
                yield from actions.take(item)
        finally:
            with self._lock:
                self._watching.discard(watch)
            actions.close()
            follower.close()
            watch.close()

    def stop(self, name: str, *, reason: str = "", grace: float = 2.0) -> None:
        if self._building is not None and self._building.stop(name, reason):
            return
        try:
            found = self.api.get("jobs", names.job_name(name))
        except ApiError as error:
            if error.is_missing:
                return
            raise
        self._stop([[] if ends.has_finished(found) else [found], *self._open_below([name])], reason, grace)

    def stop_children(self, name: str, *, reason: str = "", grace: float = 2.0) -> None:
        """End what a pod has called, the last ones first."""
        self._stop(self._open_below([name]), reason, grace)

    def _open_below(self, callers: list[str]) -> list[list[dict[str, Any]]]:
        """The Jobs that pods have called and that are still at it, callers before those that they have called."""
        found = []
        while callers:
            listed = self._beside.map(self._called, callers)
            called = [(job, request_of(job)) for jobs in listed for job in jobs]
            is_open = self._beside.map(self._is_open, *zip(*called, strict=True)) if called else ()
            found.append([job for (job, _), at_it in zip(called, is_open, strict=True) if at_it])
            callers = [request.name for _, request in called if request.calls]
        return found

    def _called(self, caller: str) -> list[dict[str, Any]]:
        return self.api.list("jobs", labels=names.selector({"parent": caller})).items

    def _is_open(self, job: Mapping[str, Any], pod: PodRequest) -> bool:
        """Whether it has still to do its work: its Job says a little later that it has, and stays for its log."""
        if ends.has_finished(job):
            return False
        try:
            self._store.get(keys.outcome(pod.run, pod.action))
        except KeyError:
            return True
        return False

    def _stop(self, levels: Sequence[Sequence[Mapping[str, Any]]], reason: str, grace: float) -> None:
        """End Jobs, a few at a time, and those first that the others have called."""
        failure = aborted(reason)
        every = [request_of(job) for jobs in levels for job in jobs]
        # first: one that fails because what it has called has ended was cancelled before
        list(self._beside.map(lambda pod: self._end(pod, failure), every))
        for jobs in reversed(levels):
            list(self._beside.map(lambda job: self._delete(job, failure, grace), jobs))

    def _delete(self, job: Mapping[str, Any], failure: Failure, grace: float) -> None:
        name, uid = job["metadata"]["name"], job["metadata"]["uid"]
        with contextlib.suppress(ApiError):  # who may not do that may still delete it
            self.api.patch("jobs", name, with_end(Phase.ABORTED, failure))
        known = self._pods(name)
        self.api.delete("jobs", name, uid=uid, owned_first=True)
        self._delete_pods(known, grace)  # at once: old nodes give them the time that they are told of first
        self._delete_pods(self._pods(name) - known, grace)

    def _delete_pods(self, pods: set[str], grace: float) -> None:
        with contextlib.suppress(ApiError):  # then they take the time that their Job gives them
            for pod in pods:
                self.api.delete("pods", pod, grace=max(1, math.ceil(grace)))

    def _pods(self, job: str) -> set[str]:
        """The names of the pods that a Job has now; none for who may not see them."""
        try:
            return {pod["metadata"]["name"] for pod in self.api.list("pods", labels=f"job-name={job}").items}
        except ApiError:
            return set()

    def _end(self, pod: PodRequest, failure: Failure) -> PodEvent:
        phase = Phase.ABORTED if failure.code == ABORTED else Phase.FAILED
        event = pod.event(phase, at=time.time(), failure=failure)
        shelf.end(self._store, self._key, event)
        return event

    def _fail(self, pod: PodRequest, failure: Failure) -> None:
        """One that was not started has ended."""
        self._news(self._end(pod, failure))

    def _news(self, event: PodEvent) -> None:
        """Tell all that watch of a pod that has no Job."""
        with self._lock:
            for watch in self._watching:
                watch.put(event)

    def rebuild(self, image: str) -> None:
        if self._building is not None:
            self._building.again(image)

    def tell(self, event: PodEvent, labels: Mapping[str, str]) -> None:  # noqa: ARG002 - what that pod says is known to be its own
        if self._recalled is not None:
            self._recalled(event)

    def runs(self, limit: int, run: str = "") -> list[found.Found]:
        """The newest runs of its user in the cluster; see `found.runs`."""
        return found.runs(self.api, self._who, limit, run)

    def sweep(self, *, delete: bool = True) -> list[sweep.Orphan]:
        """Delete what nobody needs, or only say what that is; see `sweep`."""
        if delete:
            return sweep.sweep(self.api, self._store, self._key, self._who, time.time())
        return sweep.orphans(self.api, self._store, self._who, time.time())

    def close(self) -> None:
        if self._building is not None:
            self._building.close()
        with self._lock:
            for watch in self._watching:
                watch.close()
