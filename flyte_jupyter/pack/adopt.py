"""Results of an earlier kernel whose classes this one has defined again, word for word: they come back as its own.

A class of a notebook travels by value and is known again by an id that its kernel has drawn.  The next kernel has drawn
another one, so that what is kept from the last one would be of a class of its own: `isinstance(result, Box)` would fail
below the cell that defines `Box`.  So the definitions are told with a result, as digests.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cloudpickle import cloudpickle as internals

from .reach import reach


def told(classes: Mapping[str, type]) -> dict[str, list[str]]:
    """Module, name and digest of the definition of each class, by its id; plain data."""
    return {key: [cls.__module__, cls.__qualname__, reach(cls).digest] for key, cls in classes.items()}


def adopt(told: Mapping[str, Sequence[str]]) -> None:
    """Have the classes of this process stand for those of the same name and definition, whatever their ids."""
    for key, (module, name, digest) in told.items():
        for cls in _candidates(module, name):
            if reach(cls).digest == digest:
                internals._DYNAMIC_CLASS_TRACKER_BY_ID[key] = cls
                break


def _candidates(module: str, name: str) -> list[type]:
    """The class of that name, or, where it has come by value and its module has not, all that are known."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type):
        return [found]
    known = [cls for cls in list(internals._DYNAMIC_CLASS_TRACKER_BY_CLASS) if isinstance(cls, type)]
    return [cls for cls in reversed(known) if (cls.__module__, cls.__qualname__) == (module, name)]
