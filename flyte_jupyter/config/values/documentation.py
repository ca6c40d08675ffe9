"""Documentation: what a task is for, in the user's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..accept import text
from ..field import edited
from ..refusal import raise_all, wrong_type
from .value import Value

_LONGEST, _SUFFIX = 255, "...(tr.)"


@dataclass(frozen=True, repr=False)
class Documentation(Value):
    """The documentation of a task.

    Attributes:
        description: the text.

    Raises:
        ConfigTypeError: it is not a str.
    """

    description: str = field(metadata=edited("text"))

    def __post_init__(self) -> None:
        raise_all(self._canonical(description=text("Documentation.description")))

    @classmethod
    def of(cls, value: Any) -> Documentation:
        """A Documentation, or its text. Raises ConfigTypeError."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(value)
        raise wrong_type("docs", value, "a str or Documentation(description)")


def shorten(description: str) -> str:
    """A description of at most 255 characters; a longer one ends in "...(tr.)", as in Flyte."""
    if len(description) <= _LONGEST:
        return description
    return description[: _LONGEST - len(_SUFFIX)] + _SUFFIX
