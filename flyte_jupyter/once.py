"""What was made of a part of a view is kept with it: the next view has mostly the same parts.

A card that is live is drawn five times a second, and one action in fifty has changed.  So what is made of one action is
a function of its own, and is paid for once for each time that something happens to it.  A part that is no longer in any
view takes all of it along.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

_Made = TypeVar("_Made", bound="Callable[..., Any]")
_MOST = 64
"""Results that are kept of one part: of each function, for some of the limits that a card may have."""


class Part(dict[str, Any]):
    """An object of JSON that nobody changes, and that keeps what functions with `made_once` have made of it."""

    __slots__ = ("made",)

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given)
        self.made: dict[tuple[Any, ...], Any] = {}


def made_once(make: _Made) -> _Made:
    """`make`, which is asked only once for the same part and equal other arguments; a dict that it makes is a part too.

    What is not a `Part` is asked for each time.
    """

    @functools.wraps(make)
    def made(of: Any, *others: Any) -> Any:
        kept = of.made if type(of) is Part else {}
        key = (make, *others)
        if key in kept:
            return kept[key]
        result = make(of, *others)
        if type(result) is dict:
            result = Part(result)
        if len(kept) >= _MOST:
            kept.clear()
        kept[key] = result
        return result

    return cast("_Made", made)
