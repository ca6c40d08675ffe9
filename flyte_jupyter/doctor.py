"""`python -m flyte_jupyter.doctor`: what of this installation works, tried and not guessed, and what to do."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from . import __version__, api, session
from .config.cluster import IN_CLUSTER, Cluster
from .environment import TaskEnvironment
from .errors import ConfigError, HostError
from .home import Home
from .host.client import call
from .sites import clusters_of, remote_settings, runner_of
from .store import Store, open_store

if TYPE_CHECKING:
    from .runners.kubernetes.api import Api

_PACKAGES = (
    "cloudpickle",
    "cronsim",
    "ipykernel",
    "nbformat",
    "nbclient",
    "platformdirs",
    "psutil",
    "uv",
    "jupyterlab",
    "kubernetes",
    "obstore",
)


def _versions() -> str:
    found = [f"flyte_jupyter {__version__}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


def _store() -> str:
    store = session.current().store
    _probe(store)
    return f"{store.url} can be written and read"


def _probe(store: Store) -> None:
    key = f"doctor/{secrets.token_hex(8)}"
    store.put(key, [b"probe"])
    read = bytes(store.get(key))
    store.delete(key)
    if read != b"probe":
        raise RuntimeError(f"wrote 'probe', read {read!r}")


def _host() -> str:
    start = time.monotonic()
    api.prepare()
    status = call(Home(), {"op": "status"})
    if status is None:
        raise RuntimeError("it was started and is gone again")
    return f"process {status['pid']}, {len(status['pods'])} actions open, reached in {time.monotonic() - start:.2f} s"


def _task() -> str:
    def which_process(caller: int) -> bool:
        return os.getpid() != caller

    environment = TaskEnvironment(name="doctor")
    start = time.monotonic()
    isolated = api.with_runcontext(mode="local").run(environment.task(which_process), os.getpid()).outputs()[0]
    if not isolated:
        raise RuntimeError("it ran in the caller's own process")
    return f"ran in a process of its own and came back in {(time.monotonic() - start) * 1000:.0f} ms"


CHECKS: dict[str, Callable[[], str]] = {"versions": _versions, "store": _store, "Host": _host, "task": _task}


class Result(NamedTuple):
    """What a check has found.

    Attributes:
        name: of the check; is_fine: whether it works; text: what was found, and what to do.
        page: what is to be handed on, "" for nothing.
    """

    name: str
    is_fine: bool
    text: str
    page: str = ""


def results() -> Iterator[Result]:
    """Each check as it is done: those of this machine, then those of the clusters that are set up."""
    for name, check in CHECKS.items():
        yield _tried(name, check)
    try:
        clusters = clusters_of(remote_settings(Home().settings), session.cluster, session.defaults.mode)
    except ConfigError as error:
        yield Result("settings", False, str(error))
        return
    for queue, cluster in clusters.items():
        yield from _of_cluster(f"{queue} ".lstrip(), cluster)


def _tried(name: str, check: Callable[[], str]) -> Result:
    try:
        return Result(name, True, check())
    except Exception as error:  # the next check may still tell something
        told = str(error) if isinstance(error, (ConfigError, HostError)) else f"{type(error).__name__}: {error}"
        return Result(name, False, told)


# --- clusters ---------------------------------------------------------------------------------------------------------


def _of_cluster(prefix: str, cluster: Cluster) -> Iterator[Result]:
    from .runners.kubernetes.api import Api

    api = Api(cluster.context or "", cluster.namespace or "")
    try:
        found = list(of_api(api, prefix))
        yield from found
        if found[-1].is_fine:
            yield _tried(f"{prefix}left over", lambda: _left_over(cluster))
        yield _tried(f"{prefix}data", lambda: _data(cluster))
        yield _tried(f"{prefix}images", lambda: _images(cluster))
    finally:
        api.close()


def of_api(api: Api, prefix: str = "") -> Iterator[Result]:
    """Whether a cluster is reached, what may be done there, and whether the namespace is there; up to what is wrong."""
    reached = _tried(f"{prefix}cluster", lambda: _reached(api))
    yield reached
    if reached.is_fine:  # else each of them would wait for nothing
        rights = _rights(f"{prefix}rights", api)
        yield rights
        if rights.is_fine:
            yield _tried(f"{prefix}namespace", lambda: _namespace(api))


def _reached(api: Api) -> str:
    from .runners.kubernetes.features import features_of

    title, start = api.title, time.monotonic()
    features = features_of(api)
    seconds = time.monotonic() - start
    version = ".".join(map(str, features.version))
    kueue = f", Kueue {features.kueue}" if features.kueue else ""
    return f"{title}: Kubernetes {version}{kueue}, reached in {seconds:.2f} s"


def _rights(name: str, api: Api) -> Result:
    from .runners.kubernetes import role

    try:
        missing = role.missing(api)
    except HostError as error:
        return Result(name, False, str(error))
    needed: dict[str, list[str]] = {}
    for question in missing:
        if question.right.is_needed:
            needed.setdefault(question.right.kind, []).append(question.verb)
    if needed:
        said = "; ".join(f"{', '.join(verbs)} {kind}" for kind, verbs in needed.items())
        told = (
            f"missing: {said}. If {api.namespace!r} is the namespace you mean, hand the Role below to an administrator"
        )
        return Result(name, False, told, role.page(api.namespace))
    without = "; ".join(dict.fromkeys(each.right.lost for each in missing))
    return Result(name, True, f"all that are needed{without and f'; not granted, and not needed: {without}'}")


def _namespace(api: Api) -> str:
    """Nobody may be able to see a namespace that may be used; what is created there as if, tells."""
    metadata = {"name": "flyte-jupyter-doctor"}
    api.create("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}, dry_run=True)
    return f"{api.namespace} is there"


def _left_over(cluster: Cluster) -> str:
    found = runner_of(session.current().sites.at(cluster)).sweep(delete=False)
    return f"{len(found)} objects that nobody needs: flyte.sweep() deletes them" if found else "nothing"


def _data(cluster: Cluster) -> str:
    if cluster.store == IN_CLUSTER:
        return "without a bucket: calls travel in Secrets, and what they leave comes with the log"
    start = time.monotonic()
    _probe(open_store(cluster.store))
    return f"{cluster.store} can be written and read from here, in {time.monotonic() - start:.2f} s"


def _images(cluster: Cluster) -> str:
    from .container import builders, registry
    from .container.images import Images

    wanted = Images(cluster).wanted("auto")
    if wanted.reference is None:
        return f"tasks run in {wanted.uri}, as the settings say"
    is_there = registry.exists(wanted.reference, os.environ)
    if is_there:
        return f"{wanted.uri} is there"
    builder = builders.find(cluster.builder)
    said = "is not there yet" if is_there is False else "may be there or not, the registry does not say"
    return f"{wanted.uri} {said}: the first run builds it with {type(builder).__name__.lower()}"


def main() -> int:
    """Print a line per check; the exit code is the number of checks that failed."""
    found = []
    for result in results():
        found.append(result)
        text = result.text.replace("\n", f"\n{'':18}")
        print(f"  {'ok' if result.is_fine else '--'}  {result.name:<11} {text}", flush=True)
    for result in found:
        print(f"\n{result.page}" if result.page else "", end="")
    return sum(not result.is_fine for result in found)


if __name__ == "__main__":
    sys.exit(main())
