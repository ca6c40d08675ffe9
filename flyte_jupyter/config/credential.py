"""What looks like a credential, by its name, and is shown to nobody: of environment variables and the like."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from .plain import plain

HIDDEN = "…"

_NAME = re.compile("KEY|TOKEN|SECRET|PASSW|PASSPHRASE|PWD|CREDENTIAL|AUTH", re.IGNORECASE)
_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def is_credential(name: str, text: str) -> bool:
    """Whether a value should be hidden: it is named like one, or it is a URL with a password."""
    return bool(text) and bool(_NAME.search(name) or _URL.search(text))


def masked(value: Any) -> Any:
    """`value` with credentials hidden: in dicts of text, in lists of pairs and in environments of containers."""
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):  # as Kubernetes writes variables
            return {**value, "value": _masked_text(value["name"], value["value"])}
        return {name: _masked_text(name, item) for name, item in value.items()}
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value):
        return (value[0], _masked_text(*value))
    if isinstance(value, (list, tuple)):
        return type(value)(masked(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _masked_fields(value)
    return value


def _masked_text(name: Any, value: Any) -> Any:
    if isinstance(value, str):
        return HIDDEN if is_credential(str(name), value) else value
    return masked(value)


def _masked_fields(value: Any) -> Any:
    changed = {}
    for f in dataclasses.fields(value):
        own = getattr(value, f.name)
        is_spec = "field" in f.metadata and f.metadata["field"].editor == "yaml"
        shown = masked_spec(own) if is_spec and own is not None else masked(own)
        if shown is not own and shown != own:
            changed[f.name] = shown
    if not changed:
        return value
    shown = copy.copy(value)
    for name, own in changed.items():
        object.__setattr__(shown, name, own)
    return shown


def masked_spec(spec: Any) -> Any:
    """A pod's specification as plain data: there a `key` or a `secretName` is no secret, but a variable may be."""
    return _masked_variables(plain(spec))


def _masked_variables(spec: Any) -> Any:
    if isinstance(spec, dict):
        if isinstance(spec.get("name"), str) and isinstance(spec.get("value"), str):
            return masked(spec)
        return {name: _masked_variables(item) for name, item in spec.items()}
    return [_masked_variables(item) for item in spec] if isinstance(spec, list) else spec
