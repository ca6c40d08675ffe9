"""The engine inside a task's process: it talks to the same Host and store as the kernel does."""

from __future__ import annotations

from ..home import Home
from ..pods import PodRequest
from ..runners.local import LocalRunner
from ..store import open_store
from .children import Children
from .engine import Engine
from .options import RunOptions
from .request import Place


def open_caller(pod: PodRequest, home: str) -> Children:
    """What starts the tasks that this action calls."""
    whose = Home(home)
    store = open_store(pod.store)
    engine = Engine(store, LocalRunner(whose, session=None), whose.key(), labels={"parent": pod.name})
    labels = {name: value for name, value in pod.labels.items() if name != "parent"}
    place = Place(
        store=pod.store,
        python=pod.python,
        cwd=pod.cwd,
        path=pod.path,
        labels=labels,
        options=RunOptions.of(pod.options),
    )
    return Children(engine, place, pod.run, pod.action)
