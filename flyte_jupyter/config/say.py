"""Configuration values in people's words, on one line, with units and without what looks like a credential."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from .credential import masked
from .field import Field, fields_of
from .values.duration import format_duration
from .values.quantity import format_bytes, parse_bytes, parse_cores
from .values.trigger import Cron, FixedRate, OnArtifact
from .words import in_words

NOTHING = "–"

_UNITS = {"d": "d", "h": "h", "m": "min", "s": "s"}
_SUFFIXED = re.compile(r"([\d.]+)([KMGTPE]i|[kMGTPE])")


def said(f: Field, value: Any) -> str:
    """The value of a parameter or field."""
    return _said(f, masked(value))


def described(value: Any) -> str:
    """A value of a value type: what has to be given, and what differs from its default."""
    return _listed(masked(value))


def span(value: float | timedelta) -> str:
    """A duration, given in seconds or as a timedelta: "1 h 30 min"."""
    span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    if timedelta() < span < timedelta(seconds=1):
        return f"{span.total_seconds() * 1000:g} ms"
    if span < timedelta(minutes=1):
        return f"{span.total_seconds():g} s"
    text = format_duration(timedelta(days=span.days, seconds=span.seconds))
    return re.sub(r"(\d+)([dhms])", lambda part: f"{part[1]} {_UNITS[part[2]]} ", text).strip()


def plainly(value: Any) -> str:
    """A value that no field describes: text, paths, secrets by name, versions such as (3, 12), lists of these."""
    value = masked(value)
    if isinstance(value, tuple) and all(isinstance(part, int) for part in value):
        return ".".join(map(str, value))
    return _listed(value)


def _said(f: Field, value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, tuple) and f.is_pair:
        low, high = (_said(f, part) for part in value)
        return low if low == high else f"{low}, at most {high}" if f.editor == "quantity" else f"{low} to {high}"
    if f.editor == "duration" and isinstance(value, (int, float, timedelta)):
        return span(value)
    if f.editor == "quantity" and value not in f.words():
        return _cores(value) if f.unit == "cores" else _bytes(value)
    if isinstance(value, int) and not isinstance(value, bool) and f.unit:
        return _count(value) if f.unit == "bytes" else f"{value} {f.unit}"
    return _listed(value)


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_listed(item)}" for name, item in value.items()) or NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join("=".join(item) if isinstance(item, tuple) else _listed(item) for item in value) or NOTHING
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (Cron, FixedRate, OnArtifact)):
        return in_words(value)
    if hasattr(value, "in_words"):
        return str(value.in_words())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _described(value)
    name = getattr(value, "name", None)  # environments and links are known by theirs
    return value if isinstance(value, str) else name if isinstance(name, str) else repr(value)


def _described(value: Any) -> str:
    parts = []
    for f in fields_of(type(value)):
        own, default = getattr(value, f.name), type(value).__dataclass_fields__[f.name].default
        if default is dataclasses.MISSING:
            parts.append(_said(f, own))
        elif (text := _said(f, own)) != _said(f, default):
            parts.append(f"{f.name} {text}")
    return "; ".join(part for part in parts if part != NOTHING) or NOTHING


def _cores(value: float | str) -> str:
    cores = parse_cores(value)
    return "1 core" if cores == 1 else f"{cores:g} cores"


def _bytes(value: str) -> str:
    found = _SUFFIXED.fullmatch(value)
    return f"{found[1]} {found[2]}B" if found else _count(parse_bytes(value))


def _count(number: int) -> str:
    """Bytes: 10485760 is "10 MiB", 1000000 is "1 MB"."""
    if (text := format_bytes(number))[-1] == "i":
        return _bytes(text)
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number and number % size == 0:
            return f"{number // size} {unit}"
    return f"{number} bytes"
