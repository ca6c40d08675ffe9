"""What the value types have in common."""

from __future__ import annotations

import dataclasses
from typing import Any


class Value:
    """Shown with the fields that differ from their default, so that the text could be pasted back."""

    def __repr__(self) -> str:
        parts = []
        required = True
        for f in dataclasses.fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, f.name)
            default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            required = required and default is dataclasses.MISSING
            if required:
                parts.append(repr(value))
            elif type(value) is not type(default) or value != default:
                parts.append(f"{f.name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        from .show import value

        return value(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        from .show import pretty

        pretty(self, printer)
