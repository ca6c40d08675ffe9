"""`flyte.cache`: the results that are stored for tasks with `cache=...`, to be looked at and forgotten.

    flyte.cache.list()  # a table of all
    flyte.cache.list(my_task)
    flyte.cache.clear(my_task)
    flyte.cache.size()  # bytes

They are those of the place where a call would look for one: this machine, or the cluster that runs go to.
Policies say which changes count: `Cache("auto", policies=[FunctionBodyPolicy(), MyRelease()])`.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from . import session
from .config.show import page
from .config.values.duration import rough_duration
from .config.values.quantity import rough_bytes
from .engine.version import FunctionBodyPolicy, VersionParameters
from .errors import ConfigTypeError
from .markup import Html, columns, el, table
from .sites import Site
from .store import cached
from .store.cached import Kept
from .task import Task

__all__ = ["FunctionBodyPolicy", "VersionParameters", "clear", "list", "size"]

HEAD = ("Task", "Inputs", "Stored", "Last used", "Size", "By run", "Version")
_NOT_SO_LONG_AGO = 600.0
"""Seconds: of a use within these the store knows nothing."""


@dataclass(frozen=True)
class CachedResult:
    """A result that is stored.

    Attributes:
        task: full name; inputs: in words, by name; version: the one that was given, else the beginning of a digest.
        run: the run that computed it; stored: when; used: when it was last used, within ten minutes.
        size: bytes.
    """

    task: str
    inputs: Mapping[str, str]
    version: str
    run: str
    stored: datetime
    used: datetime
    size: int

    @classmethod
    def of(cls, kept: Kept) -> CachedResult:
        """From what is told of it."""
        told = kept.about
        given = _part(told, "version").get("version_override")
        return cls(
            task=str(told.get("task", "unknown")),
            inputs=_part(told, "said"),
            version=given if given is not None else kept.key.rpartition("/")[2][:8],
            run=str(told.get("run", "")),
            stored=_moment(kept.use.created),
            used=_moment(kept.use.used),
            size=kept.use.size,
        )

    def row(self, now: datetime) -> tuple[str, ...]:
        """As the columns of `HEAD`."""
        inputs = ", ".join(f"{name}={value}" for name, value in self.inputs.items())
        used = (now - self.used).total_seconds()
        return (
            self.task,
            inputs,
            f"{rough_duration((now - self.stored).total_seconds())} ago",
            f"{rough_duration(used)} ago" if used > _NOT_SO_LONG_AGO else "lately",
            rough_bytes(self.size),
            self.run,
            self.version,
        )


class CachedResults(builtins.list[CachedResult]):
    """Results, the last used one first; shown as a table.

    Args:
        where: they are stored, for people; "" for this machine.
    """

    def __init__(self, found: Iterable[CachedResult] = (), where: str = "") -> None:
        super().__init__(found)
        self._where = where

    def __repr__(self) -> str:
        return columns([HEAD, *self._rows()]) if self else self._nothing()

    def _repr_html_(self) -> str:
        """The table for a notebook; everything in it is escaped."""
        about = f"{len(self)} results, {rough_bytes(sum(each.size for each in self))}{self._in()}"
        return page("Cache", about, self.table())

    def table(self) -> Html:
        """The same without a title around it."""
        return table(HEAD, self._rows(), title="Cache") if self else el("div", self._nothing())

    def _nothing(self) -> str:
        return f"nothing is stored{self._in()}"

    def _in(self) -> str:
        return f" in cluster {self._where}" if self._where else ""

    def _rows(self) -> builtins.list[tuple[str, ...]]:
        now = datetime.now(timezone.utc)
        return [each.row(now) for each in self]


def list(task: Task[..., Any] | str | None = None) -> CachedResults:  # noqa: A001 - flyte.cache.list
    """The results that are stored, of a task (or of a full name) or of all."""
    site = _site(task)
    found = [CachedResult.of(kept) for kept in cached.kept(site.store, _name(task))]
    where = "" if site.is_local else site.title
    return CachedResults(sorted(found, key=lambda each: (each.used, each.stored), reverse=True), where)


def clear(task: Task[..., Any] | str | None = None) -> int:
    """Forget the results of a task (or of a full name) or of all tasks; how many there were. Runs keep their values."""
    return cached.clear(_site(task).store, _name(task))


def size(task: Task[..., Any] | str | None = None) -> int:
    """The bytes that the results of a task, or of all tasks, take."""
    return sum(kept.use.size for kept in cached.kept(_site(task).store, _name(task)))


def _site(task: Any) -> Site:
    """Where a call of it would look for a result. Raises `ConfigError`, `HostError`."""
    spec = task.spec if isinstance(task, Task) else None
    return session.current().sites.of(spec, session.defaults, session.cluster)


def _name(task: Any) -> str | None:
    if task is None or isinstance(task, str):
        return task
    if not isinstance(task, Task):
        raise ConfigTypeError(f"flyte.cache takes a task or its full name, not {task!r}.")
    return task.name


def _part(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A part of what is told of a result, which another version of this package may have written."""
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
