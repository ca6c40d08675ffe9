"""Canonical bytes of values: the same for equal plain values, in every process."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable, Mapping
from typing import Any

SCALARS = frozenset({bool, int, float, complex, str, bytes, type(None), type(...)})
MARSHALLED = SCALARS - {type(...)}
"""`marshal` writes them, and lists and tuples of them, in one way only (in version 2)."""
_SHORT = 64
"""Longer encodings are replaced by their digest."""


def joined(kind: str, parts: Iterable[bytes]) -> bytes:
    """The parts in this order, as one; another kind, or parts cut at other places, make something else."""
    out = [kind.encode(), b"("]
    for part in parts:
        out += [b"%d:" % len(part), part]
    return _short(b"".join(out))


def unordered(kind: str, parts: Iterable[bytes]) -> bytes:
    """The same for parts whose order means nothing."""
    return joined(kind, sorted(parts))


def scalar(value: Any) -> bytes:
    """A value whose type is one of `SCALARS`."""
    kind = type(value)
    if kind is str:
        return _short(b"s" + value.encode("utf-8", "surrogatepass"))
    if kind is bytes:
        return _short(b"b" + value)
    if kind is int:
        return _short(b"i%x" % value)  # decimal digits are limited
    return kind.__name__.encode() + b"=" + repr(value).encode()


def plain_items(kind: str, items: Any) -> bytes | None:
    """Long lists and dicts of scalars, as data sets are, many times faster than item by item; None for others."""
    if isinstance(items, Mapping):  # in their order, which loops and columns of frames have too
        if set(map(type, items)) != {str} or not MARSHALLED.issuperset(map(type, items.values())):
            return None
        items = items.items()
    elif not MARSHALLED.issuperset(map(type, items)):
        return None
    return _short(kind.encode() + b"!" + marshal.dumps(list(items), 2))


def buffer(data: bytes | bytearray | memoryview) -> bytes:
    """The content of memory, which is not copied."""
    return b"#" + hashlib.sha256(data).digest()


def _short(encoded: bytes) -> bytes:
    return encoded if len(encoded) <= _SHORT else b"#" + hashlib.sha256(encoded).digest()
