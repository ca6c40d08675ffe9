"""The engine inside a task's process: it talks to the same runner and store as the kernel does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from ..config.cluster import Cluster
from ..config.image.image import Image, key_of
from ..config.values.secret import Secret
from ..credentials.needs import Needs, ref_of
from ..errors import ConfigValueError
from ..home import Home
from ..pods import PodEvent, PodRequest
from ..runners import Runner
from ..runners.local import LocalRunner
from ..store import open_store
from .children import Children
from .engine import Engine
from .options import RunOptions
from .request import Place
from .screen import Screen


def open_caller(
    pod: PodRequest, home: str, secrets: Iterable[tuple[str, str]], recalled: Callable[[PodEvent], None]
) -> Children:
    """What starts the tasks that this action calls.

    Args:
        secrets: names and values of those that the action has been given.
        recalled: tells whoever follows its pod in a cluster of the end of an action that no pod runs.
    """
    whose, store = Home(home), open_store(pod.store)
    runner: Runner
    if pod.cluster is None:
        cluster = None
        runner = local = LocalRunner(whose, pod.session, in_task=True)
        provide = _provider(local)
    else:
        from ..runners.kubernetes.inside import runner_of

        cluster = Cluster.from_json(pod.cluster)
        runner, provide = runner_of(pod, cluster, store, whose.key(), recalled), _leave_to_cluster
    engine = Engine(store, runner, whose.key(), labels={"parent": pod.name})
    labels = {name: value for name, value in pod.labels.items() if name != "parent"}
    place = Place(
        store=pod.store,
        python=pod.python,
        cwd=pod.cwd,
        path=pod.path,
        labels=labels,
        options=RunOptions.of(pod.options),
        cluster=cluster,
        images=_built(cluster) if cluster is not None else None,
        files=pod.files,
    )
    return Children(engine, place, pod.run, pod.action, provide, Screen(secrets))


def _built(cluster: Cluster) -> Callable[[Image | Literal["auto"]], str]:
    """The references of the images of all tasks that the first of the run reaches: pods build none."""

    def of(image: Image | Literal["auto"]) -> str:
        try:
            return str(cluster.built[key_of(image)])
        except KeyError:
            raise ConfigValueError(
                "image: a task that another task has made in its pod has an image that was not there at the start\n"
                "  declare it in the notebook, so that its image is built before"
            ) from None

    return of


def _leave_to_cluster(_: Needs) -> None:
    """The cluster has its own secrets; the runner names those that are missing."""


def _provider(runner: LocalRunner) -> Callable[[Needs], None]:
    known: set[Secret] = set()

    def provide(needs: Needs) -> None:
        """The kernel has given those of the tasks that it saw. For others, there is nobody to ask here."""
        asked = {ref_of(secret): (secret, task) for secret, task in needs if secret not in known}
        unknown = runner.unknown(list(asked)) if asked else []
        if unknown:
            from ..credentials.resolve import resolve

            found = resolve([asked[each] for each in unknown], asking=False)
            runner.entrust({ref_of(secret): each.value for secret, each in found.items()})
        known.update(secret for secret, _ in asked.values())

    return provide
