"""The clusters that are set up, and whether they answer; nobody who asks waits for one."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass

from ...config.cluster import Cluster as Settings
from ...errors import ConfigError
from ...sites import clusters_of, remote_settings
from ..shapes.machine import Cluster
from .here import Here

_FRESH = 30.0
"""Seconds that an answer of a cluster is good for."""


@dataclass
class _Reached:
    """What is known of a cluster: whether it has answered, what it said, when, and whether it is being asked."""

    is_reached: bool | None = None
    said: str = ""
    at: float = float("-inf")
    is_asked: bool = False


_known: dict[str, _Reached] = {}
_lock = threading.Lock()


def clusters(here: Here) -> list[Cluster]:
    """Those of the settings file: of queues by name, and that of remote runs; asked in the background."""
    found = []
    for queue, cluster in clusters_of(remote_settings(here.home.settings), None, None).items():
        known = _look(cluster)
        found.append(
            Cluster(
                queue=queue,
                context=cluster.context or "",
                namespace=cluster.namespace or "",
                store=cluster.store,
                is_reached=known.is_reached,
                said=known.said,
            )
        )
    return found


def _look(cluster: Settings) -> _Reached:
    with _lock:
        known = _known.setdefault(json.dumps(cluster.to_json(), sort_keys=True), _Reached())
        if not known.is_asked and time.monotonic() - known.at > _FRESH:
            known.is_asked = True
            threading.Thread(target=_ask, args=(cluster, known), name="flyte-jupyter-cluster", daemon=True).start()
        return known


def _ask(cluster: Settings, known: _Reached) -> None:
    try:
        from ...runners.kubernetes.api import Api

        api = Api(cluster.context or "", cluster.namespace or "")
        version = api.ask("GET", "/version", what="ask for its version")["gitVersion"]
        told = True, f"{api.place}, Kubernetes {version}"
        api.close()
    except (ConfigError, ImportError) as error:
        told = False, str(error)
    except Exception as error:  # whatever its configuration does: it is told, and not waited for
        told = False, f"{type(error).__name__}: {error}"
    with _lock:
        known.is_reached, known.said = told
        known.at, known.is_asked = time.monotonic(), False
