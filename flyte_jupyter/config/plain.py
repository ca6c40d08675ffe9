"""Configuration values as plain JSON data, for records and cards; never the other way round."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import PurePath
from typing import Any

from .values.pod_spec import as_dict, is_model


def plain(value: Any) -> Any:
    """`value` as dicts, lists, strings, numbers, booleans and None.

    A dataclass becomes a dict with its class name under "type" and without the fields that hold their default; a
    timedelta becomes seconds; a value with `to_json()` says itself how it looks; anything unknown becomes its repr.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if is_model(value):  # before `to_json`, which some versions of the client have, for text
        return plain(as_dict(value))
    if hasattr(value, "to_json") and not isinstance(value, type):
        return value.to_json()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):  # also datetime
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__} | {
            f.name: plain(item)
            for f in dataclasses.fields(value)
            if f.repr and not _is_default(f, item := getattr(value, f.name))
        }
    return repr(value)


def _is_default(f: dataclasses.Field[Any], value: Any) -> bool:
    return f.default is not dataclasses.MISSING and type(value) is type(f.default) and bool(value == f.default)
