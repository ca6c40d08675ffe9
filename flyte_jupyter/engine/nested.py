"""The engine inside a task's process: it talks to the same Host and store as the kernel does."""

from __future__ import annotations

from collections.abc import Iterable

from ..config.values.secret import Secret
from ..credentials.needs import Needs, ref_of
from ..home import Home
from ..pods import PodRequest
from ..runners.local import LocalRunner
from ..store import open_store
from .children import Children
from .engine import Engine
from .options import RunOptions
from .request import Place
from .screen import Screen


def open_caller(pod: PodRequest, home: str, secrets: Iterable[tuple[str, str]]) -> Children:
    """What starts the tasks that this action calls.

    Args:
        secrets: names and values of those that the action has been given.
    """
    whose = Home(home)
    store = open_store(pod.store)
    runner = LocalRunner(whose, pod.session, in_task=True)
    engine = Engine(store, runner, whose.key(), labels={"parent": pod.name})
    labels = {name: value for name, value in pod.labels.items() if name != "parent"}
    place = Place(
        store=pod.store,
        python=pod.python,
        cwd=pod.cwd,
        path=pod.path,
        labels=labels,
        options=RunOptions.of(pod.options),
    )
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

    return Children(engine, place, pod.run, pod.action, provide, Screen(secrets))
