"""How much of a value would be passed inline: what `max_inline_io_bytes` is about.

Plain data counts: numbers, text, bytes, lists, dicts, dataclasses and models of pydantic.  Arrays, data frames and all
other objects go as files in Flyte, and beside the pickle here when they are large; they do not count.
"""

from __future__ import annotations

import dataclasses
import enum
import io
from collections.abc import Mapping
from typing import Any

from ..config.values.quantity import rough_bytes
from ..errors import InlineIOMaxBytesBreached
from .codec import Pickled, Pickler

_PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, type(None), enum.Enum)


def check(task: str, what: str, values: Mapping[str, Any], pickled: Pickled, limit: int) -> None:
    """Refuse values that are too large to be passed inline.

    Args:
        task: its name; what: "input" or "output"; values: by name; pickled: all of them.
        limit: bytes, 0 for no bound.

    Raises:
        InlineIOMaxBytesBreached: naming those that are too large, or the largest of those that are it together.
    """
    if not limit or memoryview(pickled.parts[0]).nbytes <= limit:
        return  # nearly always: nothing has to be looked at
    sizes = {name: _size(value) for name, value in values.items()}
    total = sum(sizes.values())
    if total <= limit:
        return
    alone = [name for name in sizes if sizes[name] > limit]
    named = alone or [name for name in sorted(sizes, key=lambda name: -sizes[name]) if sizes[name] > total // 10][:3]
    listed = " and ".join(f"{what} {name!r} has {rough_bytes(sizes[name])}" for name in named)
    together = "" if alone else f", all {what}s together {rough_bytes(total)}"
    raise InlineIOMaxBytesBreached(
        f"{task}: {listed}{together}; {rough_bytes(limit)} may be passed by value (max_inline_io_bytes).\n"
        f"  write it to a file and pass a File, or its path; or allow more: "
        f".override(max_inline_io_bytes={_round(total)})"
    )


class _Counter(Pickler):
    """Pickles plain data, and puts nothing in the place of everything else."""

    def persistent_id(self, obj: Any) -> str | None:
        cls = type(obj)
        if issubclass(cls, _PLAIN) or (dataclasses.is_dataclass(cls) and not isinstance(obj, type)):
            return None
        return None if hasattr(cls, "model_validate") else ""


def _size(value: Any) -> int:
    file = io.BytesIO()
    _Counter(file, None).dump(value)
    return file.tell()


def _round(size: int) -> str:
    """The next number of MiB, as one would write it."""
    return f"{-(-size // (1 << 20))} * 1024 * 1024"
