"""What a task's configuration comes to, with the level that each value came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..markup import Html, table
from .refusal import shortened
from .resolve import LEVEL_NAMES, Resolved
from .say import said
from .spec import PARAMS


class EffectiveConfig(Mapping[str, Any]):
    """The values of all parameters by name, in the order of the table; shown as a table."""

    def __init__(self, title: str, resolved: Resolved) -> None:
        self.title = title
        self.resolved = resolved

    def __getitem__(self, name: str) -> Any:
        if name not in PARAMS:
            raise KeyError(name)
        return getattr(self.resolved.spec, name)

    def __iter__(self) -> Iterator[str]:
        return iter(PARAMS)

    def __len__(self) -> int:
        return len(PARAMS)

    def value(self, name: str) -> Any:
        """The value of a parameter. Raises KeyError."""
        return self[name]

    def level(self, name: str) -> str:
        """ "environment", "decorator", "override", or "default" when nobody gave it. Raises KeyError."""
        if name not in PARAMS:
            raise KeyError(name)
        return LEVEL_NAMES[self.resolved.levels.get(name)]

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value in words, level."""
        return [(name, said(p, self[name]), self.level(name)) for name, p in PARAMS.items()]

    def __repr__(self) -> str:
        rows = [
            ("parameter", "value", "from"),
            *((name, shortened(words, 80), level) for name, words, level in self.rows()),
        ]
        first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
        lines = [f"{name:<{first}}  {value:<{second}}  {level}".rstrip() for name, value, level in rows]
        return "\n".join([self.title, *lines])

    def _repr_html_(self) -> str:
        from .show import page

        return page(self.title, "effective configuration", self.table(self.rows()))

    def table(self, rows: Sequence[tuple[str, str, str]]) -> Html:
        """Some of the rows as HTML; what nobody gave is in the background."""
        from .show import muted, name

        shown = [
            (name(param, PARAMS[param].doc), words, level)
            if level != LEVEL_NAMES[None]
            else (muted(name(param, PARAMS[param].doc)), muted(words), muted(level))
            for param, words, level in rows
        ]
        return table(("parameter", "value", "from"), shown, title=self.title)
