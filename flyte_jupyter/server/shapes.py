"""What the server says and is told: the types of its API, from which `generated.ts` and the OpenAPI document are made.

Times are seconds since the epoch, sizes bytes. A docstring becomes the comment of the type.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict, Union

PhaseName: TypeAlias = Literal[
    "queued", "waiting_for_resources", "initializing", "running", "succeeded", "failed", "aborted", "timed_out"
]
"""Where an action stands; the names are Flyte's."""


# --- runs -------------------------------------------------------------------------------------------------------------


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


# --- actions ----------------------------------------------------------------------------------------------------------


class Stretch(TypedDict):
    """A time in one phase; it lasts until the next one begins, or the action ends."""

    phase: PhaseName
    at: float
    attempt: int
    step: str


class ActionRow(TypedDict):
    """An action of a run, for its timeline and its tree."""

    name: str
    parent: str | None
    task: str
    title: str
    phase: PhaseName
    attempt: int
    is_cached: bool
    history: list[Stretch]
    reason: str


class Failure(TypedDict):
    """Why an attempt failed: `kind` is "user" or "system"."""

    code: str
    kind: str
    message: str
    traceback: str


class Sample(TypedDict):
    """What an attempt used at a time: cores, and bytes of memory."""

    at: float
    cores: float
    memory: int


class Attempt(TypedDict):
    """One attempt of an action: `printed` counts lines of its log, `report` says whether it has one."""

    number: int
    began: float | None
    ended: float | None
    failure: Failure | None
    printed: int
    samples: list[Sample]
    report: bool


class ActionDetail(TypedDict):
    """`GET runs/RUN/actions/ACTION`.

    `requests` and `limits` are what it asks for: cores under "cpu", bytes under "memory", and what else there is.
    `explanation` is why it is pending or has failed, in sentences; "" for one that runs or has succeeded.
    """

    row: ActionRow
    attempts: list[Attempt]
    requests: dict[str, float]
    limits: dict[str, float]
    inputs: dict[str, str]
    result: Preview | None
    notes: list[str]
    links: list[Link]
    cache: str
    replica: str
    pod: str
    peak_memory: int | None
    explanation: str


class LogPage(TypedDict):
    """`GET runs/RUN/actions/ACTION/logs`: lines from `start` on, as far as there are some now.

    A line is [seconds, stream, text]. `total` is how many there are; `is_complete` says that no more will come.
    """

    attempt: int
    start: int
    lines: list[tuple[float, str, str]]
    total: int
    is_complete: bool


class Tab(TypedDict):
    """A tab of a report: a whole document, foreign, for a frame without the page's origin."""

    title: str
    document: str


class Report(TypedDict):
    """`GET runs/RUN/actions/ACTION/report`."""

    attempt: int
    tabs: list[Tab]


# --- what is there ----------------------------------------------------------------------------------------------------


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


# --- the notebook that is open ----------------------------------------------------------------------------------------


class CellSource(TypedDict):
    """A code cell of a notebook, as it stands in the editor."""

    id: str
    source: str


class Problem(TypedDict):
    """Something wrong in a line of a magic; `line` counts from 0, `start` and `end` are characters in it."""

    line: int
    start: int
    end: int
    message: str


class Declared(TypedDict):
    """An environment or a task that a cell makes; `line` counts from 0, `about` is what was given, in words.

    `environment` is "" for an environment itself.
    """

    kind: Literal["environment", "task"]
    name: str
    title: str
    environment: str
    line: int
    about: str


class CellFound(TypedDict):
    """What there is in a cell."""

    id: str
    declared: list[Declared]
    problems: list[Problem]


class NotebookFound(TypedDict):
    """`POST cells`: what the cells of a notebook declare; nothing of them is executed."""

    cells: list[CellFound]


# --- the stream -------------------------------------------------------------------------------------------------------


class Watch(TypedDict):
    """What a front end sends: the topics that it wants from now on, all others are left out.

    "runs"; "card:RUN"; "actions:RUN"; "log:RUN/ACTION/ATTEMPT" with the first line that is wanted in
    `start`, by topic.
    """

    topics: list[str]
    start: dict[str, int]


class RunsNews(TypedDict):
    """The topic "runs": runs that are new or have changed, and the names of those that were deleted."""

    topic: Literal["runs"]
    changed: list[RunSummary]
    gone: list[str]


class CardNews(TypedDict):
    """The topic "card:RUN"."""

    topic: Literal["card"]
    card: Card


class ActionsNews(TypedDict):
    """The topic "actions:RUN": all actions at first, then those that are new or have changed."""

    topic: Literal["actions"]
    run: str
    actions: list[ActionRow]
    is_all: bool


class LogNews(TypedDict):
    """The topic "log:RUN/ACTION/ATTEMPT"; `page` goes on where the one before ended."""

    topic: Literal["log"]
    run: str
    action: str
    page: LogPage


class Refused(TypedDict):
    """What cannot be told, and why; `of` is the topic. Also the body of every answer that is an error."""

    topic: Literal["refused"]
    of: str
    message: str


News: TypeAlias = Union[RunsNews, CardNews, ActionsNews, LogNews, Refused]  # noqa: UP007 - evaluated on Python 3.10
"""What the server sends."""
