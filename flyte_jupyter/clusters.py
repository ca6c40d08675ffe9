"""What of this user is in clusters: runs, also of other machines, and what nobody needs any more."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import session
from .config.cluster import IN_CLUSTER
from .engine.record import UNTOLD
from .pods import is_run_name
from .sites import REMOTE, Site, clusters_of, runner_of
from .store import Store, keys

if TYPE_CHECKING:
    from .runners.kubernetes.found import Found
    from .runners.kubernetes.sweep import Orphan


class OrphanList(list["Orphan"]):
    """What nobody needs in a cluster; shown one per line."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "nothing"


def sweep(*, delete: bool = True) -> OrphanList:
    """Delete what of this user is left in the clusters that runs go to and nobody needs; what that was.

    Most goes by itself, with its Job. Left are calls whose Job was never made, Jobs whose run has ended or whose caller
    has, and pods whose Job was taken from them, as when a kernel was killed at the wrong moment. What is only some
    minutes old, and what belongs to other users, is left alone. A kernel that begins to use a cluster does this, too.

    Args:
        delete: False only says what would be deleted.

    Raises:
        HostError: a cluster cannot be reached, or refuses.
    """
    here = session.current()
    return OrphanList(orphan for site in sites(here) for orphan in runner_of(site).sweep(delete=delete))


def sites(here: session.Session) -> list[Site]:
    """The clusters that runs go to, each once; that of the kubeconfig when none is set up.

    Raises:
        ConfigError: the settings are wrong. HostError: a cluster cannot be reached, or refuses.
    """
    settings = here.sites.settings()
    clusters = clusters_of(settings, session.cluster, session.defaults.mode) or {"": settings.cluster}
    found = [here.sites.at(cluster) for cluster in clusters.values()]
    return list({site.title: site for site in found}.values())


# --- runs -------------------------------------------------------------------------------------------------------------


def records(site: Site, limit: int, run: str = "") -> list[dict[str, Any]]:
    """The newest runs of this user in a cluster, as records: those of the bucket, else what their Jobs say.

    Args:
        run: only this one, "" for all.

    Raises:
        HostError: it cannot be reached, or refuses.
    """
    assert site.cluster is not None
    if site.cluster.store == IN_CLUSTER:
        found: Iterable[dict[str, Any]] = (
            _record(site.store, each.request.run) or _as_record(each) for each in runner_of(site).runs(limit, run)
        )
    else:
        found = _of_bucket(site, limit, run)
    here = {"site": site.title, "cluster": site.cluster.to_json()}  # as it is called on this machine
    return [{**record, **here} for record in found]


def find(here: session.Session, run: str) -> dict[str, Any] | None:
    """The record of a run that another machine has started, when a cluster is set up; None when it is not there.

    Raises:
        HostError: a cluster cannot be reached, or refuses.
    """
    is_set_up = clusters_of(here.sites.settings(), session.cluster, session.defaults.mode)
    for site in sites(here) if is_set_up and is_run_name(run) else ():
        for record in records(site, 1, run):
            return record
    return None


def _of_bucket(site: Site, limit: int, run: str) -> Iterator[dict[str, Any]]:
    names = [run] if run else reversed(site.store.list(keys.RUNS))
    found = (record for name in names if (record := _record(site.store, name)) is not None)
    return itertools.islice((each for each in found if each.get("user") == site.labels["user"]), limit)


def _record(store: Store, run: str) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(bytes(store.get(keys.record(run))))
    except KeyError:  # somebody is just writing it down, perhaps
        return None
    return record


def _as_record(found: Found) -> dict[str, Any]:
    """What a Job says of its run, as far as it says it: inputs and configuration are not told to pods."""
    request = found.request
    is_pod = request.parent is None
    return {
        "run": request.run,
        "task": request.task,
        "title": request.title,
        "mode": REMOTE,
        "created": found.created,
        "session": request.session,
        "user": request.labels.get("user"),
        "notebook": {},
        "about": {"environment": request.task.rpartition(".")[0], "description": "", "docs": ""},
        "report": False,
        "links": list(request.links) if is_pod else [],
        "notes": [],
        "config": [],
        "inputs": {},
        "outputs": [],
        "pod": {**request.to_json(), **UNTOLD} if is_pod else None,
    }
