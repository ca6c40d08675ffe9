"""Which secrets there are and who has their values, as a table; the values are not in it."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.values.secret import MOUNT, Secret
from ..markup import columns, el, table

_HEAD = ("secret", "in the task", "value from", "needed by")
_MISSING = "nobody: missing"


@dataclass(frozen=True)
class Row:
    """One secret.

    Attributes:
        secret: its name; tasks: who needs it, () when nobody does.
        source: who has its value, "" when nobody has.
    """

    secret: Secret
    tasks: tuple[str, ...]
    source: str

    def cells(self) -> tuple[str, str, str, str]:
        """What people read."""
        secret = self.secret
        file = f"{MOUNT}/{secret.file}" if secret.file is not None else None
        places = " and ".join(place for place in (secret.as_env_var, file) if place)
        users = ", ".join(self.tasks) or "no task"
        return secret.title, places if self.tasks else "", self.source or _MISSING, users


class SecretTable(list[Row]):
    """Rows, shown as a table."""

    def __repr__(self) -> str:
        return columns([_HEAD, *(row.cells() for row in self)], widest=1000) if self else "no secrets"

    def _repr_html_(self) -> str:
        from ..config.show import page

        rows = [[el("b", cell) if cell == _MISSING else cell for cell in row.cells()] for row in self]
        count = "1 secret" if len(self) == 1 else f"{len(self) or 'no'} secrets"
        return page(count, "values are never shown", table(_HEAD, rows, title="Secrets") if rows else None)
