"""What was made of a part of a view is kept: the next view has mostly the same objects, and of those the same is made.

A card that is live is drawn five times a second, and one action in fifty has changed.  So what is made of one action is
a function of its own here, and pays once for each time that something happens to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

_Made = TypeVar("_Made", bound="Callable[..., Any]")
_MOST = 1024
"""Parts that are kept of each kind: those of a few cards, for each of their limits."""


def made_once(make: _Made) -> _Made:
    """`make`, which is asked only once for the same objects.

    Dicts are told apart by which object they are, not by what they hold: nobody may change them.
    """

    @functools.lru_cache(maxsize=_MOST)
    def kept(*given: Any) -> Any:
        return make(*[of.object if type(of) is _Same else of for of in given])

    @functools.wraps(make)
    def made(*given: Any) -> Any:
        return kept(*[_Same(of) if type(of) is dict else of for of in given])

    return cast("_Made", made)


class _Same:
    """An object as a key: equal to itself only. As long as it is a key nothing else can have its identity."""

    __slots__ = ("object",)

    def __init__(self, of: object) -> None:
        self.object = of

    def __hash__(self) -> int:
        return id(self.object)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.object is other.object
