"""The clusters that are set up or in use, and whether they answer; nobody who asks waits for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from ...config.cluster import Cluster as Settings
from ...sites import clusters_of, remote_settings
from ..shapes.machine import Cluster
from .here import Here

_FRESH = 30.0
"""Seconds that an answer of a cluster is good for."""


@dataclass
class _Reached:
    """What is known of a cluster: whether it has answered, what it said, when, and whether it is being asked.

    Attributes:
        context, namespace: which one it is, as the kubeconfig says.
    """

    context: str
    namespace: str
    is_reached: bool | None = None
    said: str = ""
    at: float = float("-inf")
    is_asked: bool = False


_known: dict[tuple[str, str], _Reached] = {}
_lock = threading.Lock()


def clusters(here: Here) -> list[Cluster]:
    """Those of the settings file, of queues by name and that of remote runs; and those that other runs have been in
    since the server began. They are asked in the background.
    """
    set_up = clusters_of(remote_settings(here.home.settings), None, None)
    found = [_told(queue, cluster, _look(cluster)) for queue, cluster in set_up.items()]
    places = {_place(each) for each in found}
    return [*found, *(told for told in _in_use(here) if _place(told) not in places)]


def _in_use(here: Here) -> Iterator[Cluster]:
    """The clusters of runs, each once: what else a kernel has set up for it makes no other cluster of it."""
    of_runs = {(cluster.context, cluster.namespace, cluster.store): cluster for cluster in here.feed.clusters()}
    for cluster in of_runs.values():
        yield _told("", cluster, _look(cluster))


def _told(queue: str, cluster: Settings, known: _Reached) -> Cluster:
    return Cluster(
        queue=queue,
        context=known.context,
        namespace=known.namespace,
        store=cluster.store,
        is_reached=known.is_reached,
        said=known.said,
    )


def _place(told: Cluster) -> tuple[str, str, str]:
    return told["context"], told["namespace"], told["store"]


def _look(cluster: Settings) -> _Reached:
    with _lock:
        place = cluster.context or "", cluster.namespace or ""
        known = _known.setdefault(place, _Reached(*place))
        if not known.is_asked and time.monotonic() - known.at > _FRESH:
            known.is_asked = True
            threading.Thread(target=_ask, args=(cluster, known), name="flyte-jupyter-cluster", daemon=True).start()
        return known


def _ask(cluster: Settings, known: _Reached) -> None:
    place = cluster.context or "", cluster.namespace or ""
    try:
        from ...doctor import of_api
        from ...runners.kubernetes.api import Api
        from ...runners.kubernetes.features import features_of

        with closing(Api(*place)) as api:
            found = list(of_api(api))
            is_reached, said = found[0].is_fine, next((each.text for each in found if not each.is_fine), "")
            if is_reached:
                place = api.context, api.namespace
                said = said or "Kubernetes {}.{}".format(*features_of(api).version)
    except Exception as error:  # whatever its configuration does: it is told, and not waited for
        is_reached, said = False, f"{type(error).__name__}: {error}"
    with _lock:
        known.context, known.namespace = place
        known.is_reached, known.said = is_reached, said
        known.at, known.is_asked = time.monotonic(), False
