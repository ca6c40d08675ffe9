"""What was made of a part of a view is kept with it: the next view has mostly the same parts.

A card that is live is drawn five times a second, and one action in fifty has changed.  So what is made of one action is
a function of its own, and is paid for once for each time that something happens to it.  A part that is no longer in any
view takes all of it along.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

_Made = TypeVar("_Made", bound="Callable[..., Any]")
_MOST = 64
"""Results that are kept of one part: of each function, for some of the limits that a card may have."""


class Part(dict[str, Any]):
    """An object of JSON that nobody changes, and that keeps what functions with `made_once` have made of it.

    As a key it is itself, whatever it holds.
    """

    __slots__ = ("made",)
    __hash__ = object.__hash__  # type: ignore[assignment]  # that of dicts is None

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given)
        self.made: dict[tuple[Any, ...], Any] = {}


def made_once(make: _Made) -> _Made:
    """`make`, which is asked only once for the same part and equal other arguments; a dict that it makes is a part too.

    What is not a `Part` is asked for each time.
    """

    @functools.wraps(make)
    def made(of: Any, *others: Any) -> Any:
        if type(of) is not Part:
            return _as_part(make(of, *others))
        key = (make, *others)
        with contextlib.suppress(KeyError):  # another thread may be about to clear it
            return of.made[key]
        if len(of.made) >= _MOST:
            of.made.clear()
        result = of.made[key] = _as_part(make(of, *others))
        return result

    return cast("_Made", made)


def _as_part(made: Any) -> Any:
    return Part(made) if type(made) is dict else made
