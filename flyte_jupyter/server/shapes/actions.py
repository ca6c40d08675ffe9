"""Actions of a run, their logs and their reports."""

from __future__ import annotations

from typing import TypedDict

from .runs import Link, PhaseName, Preview


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
    `style` has the escape sequences of colours that lines before `start` have left on.
    """

    attempt: int
    start: int
    lines: list[tuple[float, str, str]]
    total: int
    style: str
    is_complete: bool


class Tab(TypedDict):
    """A tab of a report: a whole document, foreign, for a frame without the page's origin."""

    title: str
    document: str


class Report(TypedDict):
    """`GET runs/RUN/actions/ACTION/report`."""

    attempt: int
    tabs: list[Tab]
