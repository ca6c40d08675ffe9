"""What goes over the stream."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict, Union

from .actions import ActionRow, LogPage
from .runs import Card, RunSummary


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
