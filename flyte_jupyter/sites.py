"""Where runs go: this machine, or a cluster; each with an engine, a store and a key of its own."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from .config.cluster import IN_CLUSTER, Cluster, RemoteSettings, parse_clusters, with_folder
from .config.refusal import did_you_mean
from .engine.engine import Engine
from .engine.options import RunOptions
from .engine.request import notes
from .home import Home
from .runners.local import LocalRunner
from .store import Store, open_store

if TYPE_CHECKING:
    from .config.image.image import Image
    from .config.spec import TaskSpec
    from .runners.kubernetes.runner import KubernetesRunner
    from .task import Task

LOCAL, REMOTE = "local", "remote"
_log = logging.getLogger("flyte_jupyter")


@dataclass(frozen=True)
class Site:
    """One place for runs.

    Attributes:
        mode: Flyte's word for it: "local" or "remote"; title: which one, for people.
        store: of its calls and outcomes; key: that signs them; engine: that starts them.
        cluster: its settings, with the context and the namespace that they come to, None for this machine.
        labels: of all pods there.
        images: the reference of what a task runs in there.
    """

    mode: str
    title: str
    store: Store
    key: bytes
    engine: Engine
    cluster: Cluster | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    images: Callable[[Image | Literal["auto"]], str] | None = None

    @property
    def store_url(self) -> str:
        """The store as the pods know it."""
        return self.store.url if self.cluster is None else self.cluster.store

    @property
    def is_local(self) -> bool:
        return self.cluster is None

    def close(self) -> None:
        """Stop watching; what runs, runs on."""
        self.engine.close()
        if not self.is_local:
            runner_of(self).api.close()


class Sites:
    """All places of a process; a cluster is asked nothing before its first run.

    Args:
        session: the name of the kernel.
    """

    def __init__(self, home: Home, session: str) -> None:
        self._home = home
        self._session = session
        self._clusters: dict[str, Site] = {}
        self._connecting: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        store, key, self.runner = open_store(home.store_url), home.key(), LocalRunner(home, session)
        engine = Engine(store, self.runner, key, {"session": session})
        self.local = Site(LOCAL, "this machine", store, key, engine)

    def __repr__(self) -> str:
        return f"<Sites [{', '.join([self.local.title, *(site.title for site in self._clusters.values())])}]>"

    def settings(self) -> RemoteSettings:
        """What the user's settings file says of clusters now. Raises `ConfigError`."""
        return remote_settings(self._home.settings)

    def of(self, spec: TaskSpec | None, options: RunOptions, cluster: Cluster | None = None) -> Site:
        """Where a task runs: as the run says, else where its queue is, else as the settings say.

        Args:
            spec: None for any task that has no queue.
            cluster: what `flyte.init` has set, None for what the settings file says.

        Raises:
            ConfigError: the settings are wrong. HostError: the cluster cannot be reached.
        """
        found = self.cluster_of(spec, options, cluster)
        return self.local if found is None else self.at(found)

    def cluster_of(self, spec: TaskSpec | None, options: RunOptions, cluster: Cluster | None = None) -> Cluster | None:
        """The same as settings, None for this machine. Raises `ConfigError`."""
        if options.mode == LOCAL:
            return None
        settings = self.settings()
        queue = (spec.queue if spec is not None else None) or options.queue
        wanted = settings.queues.get(queue) if queue is not None else None
        if wanted is None and (options.mode or settings.mode) == LOCAL:
            return None
        return wanted or cluster or settings.cluster

    def notes(self, task: Task[..., Any], site: Site, queue: str | None) -> list[str]:
        """What the configuration of a task says and does not come about there, one line each. Raises `ConfigError`."""
        if site.is_local:
            return notes(task, LOCAL)
        said = notes(task, "kubernetes")
        queues = self.settings().queues
        if queue is not None and queue not in queues:
            hint = did_you_mean(queue, queues) or f"{self._home.settings} has {', '.join(sorted(queues)) or 'none'}"
            said.append(f"queue: {queue!r} is not set up, so it runs where runs without a queue do; {hint}")
        return said

    def at(self, cluster: Cluster) -> Site:
        """The site of a cluster. Raises `HostError` when it cannot be reached."""
        name = _name(cluster)
        with self._connecting[name]:
            if name not in self._clusters:
                site = remote(self._home, cluster, {"session": self._session})
                assert site.cluster is not None
                self._clusters[name] = known = self._clusters.setdefault(_name(site.cluster), site)
                if known is site:
                    threading.Thread(target=_tidy, args=(site,), name="flyte-jupyter-sweep", daemon=True).start()
            return self._clusters[name]

    def of_record(self, record: Mapping[str, Any]) -> Site:
        """Where the run of a record is."""
        cluster = record.get("cluster")
        return self.local if cluster is None else self.at(Cluster.from_json(cluster))

    def another(self, record: Mapping[str, Any], labels: dict[str, str]) -> Engine:
        """An engine for a run that another kernel has started, while it is watched."""
        site = self.of_record(record)
        runner = LocalRunner(self._home, self._session) if site.is_local else runner_of(site).another()
        return Engine(site.store, runner, site.key, labels, lingers=False, makes_venvs=site.is_local)

    def close(self) -> None:
        """Stop watching; what runs, runs on."""
        for site in [self.local, *{id(site): site for site in self._clusters.values()}.values()]:
            site.close()


def _name(cluster: Cluster) -> str:
    return json.dumps(cluster.to_json(), sort_keys=True)


def remote(home: Home, cluster: Cluster, labels: dict[str, str]) -> Site:
    """A cluster as a place for runs.

    Raises:
        HostError: it cannot be reached, or refuses. StoreError: there is no such store.
    """
    from .container.images import Images
    from .runners.kubernetes.api import Api
    from .runners.kubernetes.inside import own_pod
    from .runners.kubernetes.runner import KubernetesRunner
    from .runners.kubernetes.signing import signing_key, user

    cluster = with_folder(cluster, os.getuid())
    api = Api(cluster.context or "", cluster.namespace or "")
    where = hashlib.sha256(f"{api.host}\0{api.namespace}".encode()).hexdigest()[:16]
    is_inside = cluster.store == IN_CLUSTER
    store = open_store((home.make().path / "clusters" / where).as_uri() if is_inside else cluster.store)
    who = user()
    key = signing_key(api, who)
    images = Images(cluster)
    owner = own_pod(api) if cluster.owned_by_notebook else None
    runner = KubernetesRunner(api, cluster, store, key, who, owner, images)
    engine = Engine(store, runner, key, labels, makes_venvs=False)
    return Site(
        REMOTE,
        api.place,
        store,
        key,
        engine,
        replace(cluster, context=api.context or None, namespace=api.namespace),
        {"user": who},
        lambda image: images.wanted(image).uri,
    )


def _tidy(site: Site) -> None:
    """Delete what earlier kernels have left in a cluster, once per kernel; `flyte.sweep` tells what goes wrong."""
    try:
        runner_of(site).sweep()
    except Exception:  # nobody has asked for it: whoever does is told
        _log.info("%s was not swept", site.title, exc_info=True)


def runner_of(site: Site) -> KubernetesRunner:
    """The runner of a cluster."""
    return cast("KubernetesRunner", site.engine.runner)


def clusters_of(settings: RemoteSettings, cluster: Cluster | None, mode: str | None) -> dict[str, Cluster]:
    """The clusters that somebody has set up: of queues by name, and that of remote runs as "".

    Args:
        cluster: what `flyte.init` has set; mode: of runs, as it says; None for what the settings say.
    """
    is_meant = cluster is not None or REMOTE in (mode, settings.mode) or settings.cluster != Cluster()
    return {**({"": cluster or settings.cluster} if is_meant else {}), **settings.queues}


def remote_settings(path: Path) -> RemoteSettings:
    """What a settings file says of clusters; the defaults when there is none. Raises `ConfigError`."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return RemoteSettings()
    return parse_clusters(text, path)
