"""Runs."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypedDict

from .parameters import Words

PhaseName: TypeAlias = Literal[
    "queued", "waiting_for_resources", "initializing", "running", "succeeded", "failed", "aborted", "timed_out"
]
"""Where an action stands; the names are Flyte's."""


class RunSummary(TypedDict):
    """A run in a list.

    `reason` is why it waits, or the first line of what went wrong; `attempt` counts from 0.
    `began` is when its first attempt ran, `ended` when it had ended.
    `actions` counts the actions that it has called, by phase.
    `notebook` is the path of its notebook within the server's root, or an absolute one outside of it; `cell` the id of
    the cell that has started it, `kernel` the id of the kernel; null where that is not known.
    `can_rerun` says whether there is something that can be run again.
    """

    name: str
    task: str
    title: str
    environment: str
    phase: PhaseName
    warning: str
    reason: str
    created: float
    began: float | None
    ended: float | None
    attempt: int
    is_cached: bool
    actions: dict[str, int]
    mode: Literal["local", "remote"]
    site: str
    notebook: str | None
    cell: str | None
    kernel: str | None
    trigger: str | None
    can_rerun: bool


class RunPage(TypedDict):
    """`GET runs`: the newest first; `total` counts all that match, `offset` is of the first one here."""

    runs: list[RunSummary]
    offset: int
    total: int


class NotebookRuns(TypedDict):
    """`GET notebooks`: a notebook that runs were started in, the last used first; null stands for none.

    `runs` counts those that match; `last` is the name of the newest.
    """

    notebook: str | None
    runs: int
    last: str


class Setting(TypedDict):
    """A parameter that was given, in words, and the level it came from."""

    name: str
    value: str
    level: str


class Difference(TypedDict):
    """What a run and the one of the same task before it do not have alike; null where one has nothing."""

    name: str
    before: str | None
    after: str | None


class Previous(TypedDict):
    """The run of the same task before this one."""

    run: str
    differences: list[Difference]


class Command(TypedDict):
    """What can be done about a run, as a line of code."""

    name: str
    label: str
    code: str


class Link(TypedDict):
    """Where else there is something of it."""

    name: str
    uri: str | None


class Preview(TypedDict):
    """A value in a few words; `html` is foreign: for a frame without scripts, never for the page."""

    text: str
    html: str | None


class Source(TypedDict):
    """The code of a task as it was sent; `name` is of the function or the cell."""

    name: str
    text: str


class RunDetail(TypedDict):
    """`GET runs/RUN`: all that is known of a run and not of its actions."""

    summary: RunSummary
    description: str
    docs: str
    inputs: dict[str, str]
    result: Preview | None
    config: list[Setting]
    notes: list[str]
    links: list[Link]
    commands: list[Command]
    previous: Previous | None
    source: list[Source]


class Card(TypedDict):
    """`GET runs/RUN/card`, and the topic `card:RUN`: the card as a notebook would show it now.

    `html` is ours and safe to insert; what is foreign in it is within frames without scripts.
    """

    run: str
    phase: PhaseName
    html: str
    commands: list[Command]


class Cancel(TypedDict, total=False):
    """The body of `POST runs/RUN/cancel`."""

    reason: Annotated[str, Words(most=1000)]


class Rerun(TypedDict, total=False):
    """The body of `POST runs/RUN/rerun`; `override` is such as "retries=3, memory=2Gi"."""

    override: Annotated[str, Words(most=10_000)]


class Started(TypedDict):
    """The answer to `POST runs/RUN/rerun`: the name of the new run."""

    run: str
