"""Environment variables of a task."""

from __future__ import annotations

import re
from typing import Any

from .refusal import wrong_type, wrong_value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")


def env_vars_of(value: Any, what: str = "env_vars") -> dict[str, str]:
    """A copy of a dict of names and values.

    Raises:
        ConfigTypeError: it is not a dict, or a name or value is not a str. ConfigValueError: a name that Kubernetes
            refuses, or a value with a null character.
    """
    if not isinstance(value, dict):
        raise wrong_type(what, value, 'a dict such as {"NAME": "value"}')
    for name, text in value.items():
        if not isinstance(name, str):
            raise wrong_type(what, name, "names that are str")
        if not isinstance(text, str):
            raise wrong_type(f"{what}[{name!r}]", text, "a str", f"write {str(text)!r}")
        if not _NAME.fullmatch(name):
            raise wrong_value(what, name, "names of letters, digits, _, - and ., not starting with a digit")
        if "\0" in text:
            raise wrong_value(f"{what}[{name!r}]", text, "a str without null characters")
    return dict(value)
