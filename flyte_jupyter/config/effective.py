"""What a task's configuration comes to, with the level that each value came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .resolve import LEVEL_NAMES, Resolved
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

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(name, _short(self[name]), self.level(name)) for name in PARAMS]

    def __repr__(self) -> str:
        rows = [("parameter", "value", "from"), *self._rows()]
        first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
        lines = [f"{name:<{first}}  {value:<{second}}  {level}".rstrip() for name, value, level in rows]
        return "\n".join([self.title, *lines])

    def _repr_html_(self) -> str:
        """The table for a notebook; everything in it is escaped."""
        import html

        rows = "".join(
            _row_tag(level)
            + "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in (name, value, level))
            + "</tr>"
            for name, value, level in self._rows()
        )
        head = "".join(f'<th style="text-align:left">{word}</th>' for word in ("parameter", "value", "from"))
        caption = html.escape(self.title)
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _row_tag(level: str) -> str:
    return "<tr>" if level == LEVEL_NAMES[None] else '<tr style="font-weight:600">'
