"""Environment variables of a task."""

from __future__ import annotations

import re
from typing import Any

from ...errors import ConfigError
from ..refusal import raise_all, write_text, wrong_type, wrong_value
from .frozen import FrozenDict

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")


def env_vars_of(value: Any, what: str = "env_vars") -> dict[str, str]:
    """A copy of a dict of names and values.

    Raises:
        ConfigTypeError: it is not a dict, or a name or value is not a str. ConfigValueError: a name that Kubernetes
            refuses, or a value with a null character. All of them in one error.
    """
    if not isinstance(value, dict):
        raise wrong_type(what, value, 'a dict such as {"NAME": "value"}')
    problems: list[ConfigError] = []
    for name, text in value.items():
        if not isinstance(name, str):
            problems.append(wrong_type(what, name, "names that are str"))
        elif not _NAME.fullmatch(name):
            allowed = "names of letters, digits, _, - and ., not starting with a digit"
            nearest = re.sub(r"^(?=\d)|[^A-Za-z0-9_.-]", "_", name)
            problems.append(wrong_value(what, name, allowed, f"the nearest is {nearest!r}" if name else ""))
        if not isinstance(text, str):
            problems.append(wrong_type(f"{what}[{name!r}]", text, "a str", write_text(text)))
        elif "\0" in text:
            problems.append(wrong_value(f"{what}[{name!r}]", text, "a str without null characters"))
    raise_all(problems)
    return FrozenDict(value)
