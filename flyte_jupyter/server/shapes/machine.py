"""What there is besides runs: environments, pools, queues, triggers, clusters."""

from __future__ import annotations

from typing import Literal, TypedDict


class Environment(TypedDict):
    """`GET environments`: environments that runs were of, the last used first."""

    name: str
    tasks: list[str]
    runs: int
    last: float
    pools: int


class Replica(TypedDict):
    """A warm process; `idle` is seconds without a call, null for a busy one."""

    number: int
    pid: int | None
    calls: int
    served: int
    memory: int
    age: float
    idle: float | None


class Pool(TypedDict):
    """`GET pools`: the warm processes of an environment."""

    id: str
    environment: str
    about: str
    most: int
    waiting: int
    served: int
    replicas: list[Replica]


class Queue(TypedDict):
    """`GET queues`: at most `concurrency` attempts of it run at a time; `cluster` is "" for this machine."""

    name: str
    concurrency: int | None
    running: int
    waiting: int
    cluster: str


class Trigger(TypedDict):
    """`GET triggers`: of a task that was deployed; `about` says when it fires, `why_not` why it does not."""

    id: str
    name: str
    task: str
    about: str
    is_active: bool
    next: float | None
    last: float | None
    last_run: str | None
    why_not: str


class Cluster(TypedDict):
    """`GET clusters`: `queue` is the name that leads there, "" for remote runs without one."""

    queue: str
    context: str
    namespace: str
    store: str
    is_reached: bool | None
    said: str


class Pruned(TypedDict):
    """`POST prune`: what was deleted, or would be."""

    runs: list[str]
    bytes: int


class ChangeTrigger(TypedDict):
    """The body of `POST triggers/ID`."""

    do: Literal["activate", "deactivate", "delete"]


class _Days(TypedDict):
    days: int


class Prune(_Days, total=False):
    """The body of `POST prune`: runs that ended more than so many days ago; with `dry_run` they are only named."""

    dry_run: bool
