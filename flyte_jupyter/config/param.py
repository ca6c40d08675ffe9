"""What the table says of one parameter."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .field import Field


class Level(enum.Flag):
    """Where a parameter may be set; the later one wins."""

    ENV = enum.auto()
    TASK = enum.auto()
    OVERRIDE = enum.auto()


ENV, TASK, OVERRIDE = Level.ENV, Level.TASK, Level.OVERRIDE
EVERYWHERE = ENV | TASK | OVERRIDE

HONOURED: Mapping[str, str] = {"local": "", "kubernetes": ""}
"""A parameter that means the same to every runner, because it only says what is shown or sent."""

LOCAL: Mapping[str, str] = {"local": ""}
CLUSTER: Mapping[str, str] = {"kubernetes": ""}
"""A parameter that says something about machines of a cluster, so that this one can only keep and show it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Param(Field):
    """What is known of one parameter, beside what is known of every field.

    Attributes:
        levels: where it may be set.
        accept: makes a canonical value of what was given, or raises a ConfigError; None never gets there.
        type_text: the annotation of what may be given.
        default: its value when nobody gave it.
        off: a word that takes away what a wider level gave; only in nearer levels.
        fixed: what is said (as a ValueError) when it is overridden; "" where that is a TypeError like any wrong name.
        reuse_locked: not to be overridden while the task is reusable.
        travels: whether the task's own process can use it, so that it is pickled with the task.
        local, kubernetes: what comes of it, on this machine and in a cluster, in one sentence each.
        honoured: the runners that do what it says already; the value says what of it, "" for all.
    """

    levels: Level
    accept: Callable[[Any], Any]
    type_text: str
    local: str
    kubernetes: str
    default: Any = None
    off: str = ""
    fixed: str = ""
    reuse_locked: bool = False
    travels: bool = True
    honoured: Mapping[str, str] = field(default_factory=dict)

    def canonical(self, value: Any) -> Any:
        """What becomes of a value that was given. Raises a ConfigError."""
        return self.accept(value)


def param(levels: Level, doc: str, *, default: Any = None, **more: Any) -> Any:
    """A field of the table; `more` is the rest of `Param`."""
    made = Param(levels=levels, doc=doc, default=default, **more)
    if isinstance(default, dict):  # before Python 3.11 dataclasses refuse even one that cannot be changed
        return field(metadata={"field": made}, default_factory=lambda: default)
    return field(metadata={"field": made}, default=default)
