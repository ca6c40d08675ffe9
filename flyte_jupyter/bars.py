"""`flyte.progress`: how far a task is, for its card."""

from __future__ import annotations

import operator
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

from . import context
from .errors import ConfigTypeError

T = TypeVar("T")
Number = int | float
_MOST = 8
"""Bars that a card shows of a task."""
_USES = (
    "for row in flyte.progress(rows): ...      flyte.progress(3, 10)      "
    "with flyte.progress(total=10) as bar: bar.update()"
)


@dataclass(slots=True)
class Progress:
    """Where one bar stands.

    Attributes:
        total: None when it is not known; unit: what is counted; key: it takes the place of an earlier one of that key.
        began, at: seconds since the epoch, of its start and of its last step; is_over: whether it came to its end.
    """

    done: Number
    total: Number | None
    unit: str
    description: str
    key: str | None = None
    began: float = field(default_factory=time.time)
    at: float = 0.0
    is_over: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "done": self.done,
            "total": self.total,
            "unit": self.unit[:40],
            "description": self.description[:120],
            "began": round(self.began, 3),
            "at": round(self.at or self.began, 3),
            "is_over": self.is_over,
        }


class Bars:
    """The bars of an attempt: the last few."""

    def __init__(self) -> None:
        self._shown: list[Progress] = []

    def __repr__(self) -> str:
        return f"<Bars [{len(self._shown)}]>"

    def put(self, new: Progress) -> Progress:
        """Show it: below the others, or in the place of one that is over and is called the same."""
        for i, old in enumerate(self._shown):
            if new.key is not None and old.key == new.key:
                old.done, old.total, old.unit = new.done, new.total, new.unit
                return old
            if new.key is None and old.key is None and old.is_over and old.description == new.description:
                self._shown[i] = new
                return new
        if len(self._shown) >= _MOST:
            self._shown.remove(next((old for old in self._shown if old.is_over), self._shown[0]))
        self._shown.append(new)
        return new

    def to_json(self) -> list[dict[str, Any]]:
        """All of them, in their order."""
        return [one.to_json() for one in tuple(self._shown)]


class Bar(Generic[T]):
    """A bar on the card of the task: iterate over it, or `update` it; it is over at the end of either.

    Attributes:
        done: so far; may be set. total: None when it is not known; may be set.
    """

    def __init__(self, over: Iterable[T] | AsyncIterable[T] | None, progress: Progress) -> None:
        self._over = over
        self._outlet = context.outlet()
        self._progress = self._outlet.bars.put(progress) if self._outlet is not None else progress
        self._tell()

    def __repr__(self) -> str:
        of = f" of {self.total:,}" if self.total is not None else ""
        return f"<Bar {self._progress.description or 'progress'} [{self.done:,}{of} {self._progress.unit}]>"

    @property
    def done(self) -> Number:
        return self._progress.done

    @done.setter
    def done(self, value: Number) -> None:
        self._progress.done = value
        self._progress.is_over = self.total is not None and value >= self.total
        self._tell()

    @property
    def total(self) -> Number | None:
        return self._progress.total

    @total.setter
    def total(self, value: Number | None) -> None:
        self._progress.total = value
        self._tell()

    def update(self, n: Number = 1) -> None:
        """So much more is done."""
        self.done = self._progress.done + n

    def __len__(self) -> int:
        return int(self.total or 0)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[T]:
        if not _is_iterable(self._over):
            raise ConfigTypeError(f"This bar has nothing to iterate over.\n{_USES}")
        progress = self._progress
        for item in self._over:  # type: ignore[union-attr]  # just asked
            yield item
            progress.done += 1
            if self._outlet is not None:
                self._outlet.changed()
        self._end()

    async def __aiter__(self) -> AsyncIterator[T]:
        if not isinstance(self._over, AsyncIterable):
            raise ConfigTypeError(f"This bar has nothing to iterate over with `async for`.\n{_USES}")
        async for item in self._over:
            yield item
            self._progress.done += 1
            self._tell()
        self._end()

    def __enter__(self) -> Bar[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._end()

    def _end(self) -> None:
        self._progress.is_over = True
        self._tell()

    def _tell(self) -> None:
        if self._outlet is not None:
            self._outlet.changed()


@overload
def progress(over: Iterable[T], total: Number | None = ..., *, unit: str = ..., description: str = ...) -> Bar[T]: ...
@overload
def progress(
    over: AsyncIterable[T], total: Number | None = ..., *, unit: str = ..., description: str = ...
) -> Bar[T]: ...
@overload
def progress(
    over: Number | None = ..., total: Number | None = ..., *, unit: str = ..., description: str = ...
) -> Bar[Any]: ...
def progress(over: Any = None, total: Number | None = None, *, unit: str = "items", description: str = "") -> Bar[Any]:
    """Show on the card how far this task is: a bar, with its pace and the time that is left.

        for row in flyte.progress(rows, unit="rows"): ...      # also `async for`
        flyte.progress(3, 10, description="training")          # so much is done, of so much
        with flyte.progress(total=size, unit="bytes") as bar:
            bar.update(4096)

    It may be told as often as one likes: the card hears of it a few times a second.  Outside a task nothing is shown.
    Flyte has none.

    Args:
        over: what is iterated over, or how much is done.
        total: how much there is to do, by default the length of what is iterated over; None when it is not known.
        unit: what is counted; description: what is done, also tells bars apart.

    Raises:
        ConfigTypeError: it is neither something to iterate over nor a number.
    """
    if total is not None and not _is_number(total):
        raise ConfigTypeError(f"flyte.progress(..., total={total!r}): a number is needed.\n{_USES}")
    if over is None or _is_number(over):
        key = None if over is None else f"{description}\n{unit}"
        bar: Bar[Any] = Bar(None, Progress(over or 0, total, unit, description, key))
        if over is not None:
            bar.done = over
        return bar
    if not _is_iterable(over) and not isinstance(over, AsyncIterable):
        raise ConfigTypeError(f"flyte.progress({over!r}): neither something to iterate over nor a number.\n{_USES}")
    if total is None and (hint := operator.length_hint(over, -1)) >= 0:
        total = hint
    return Bar(over, Progress(0, total, unit, description))


def _is_iterable(value: object) -> bool:
    return hasattr(value, "__iter__") or hasattr(value, "__getitem__")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
