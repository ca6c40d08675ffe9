"""The name of an environment."""

from __future__ import annotations

import re
from typing import Any

from ..refusal import wrong_type, wrong_value

_NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


def environment_name(value: Any) -> str:
    """A name of lower-case letters and digits, in groups joined by single "_" or "-".

    Raises:
        ConfigTypeError: it is not a str. ConfigValueError: it is not of that form.
    """
    if not isinstance(value, str):
        raise wrong_type("name", value, "a str")
    if not _NAME.fullmatch(value):
        words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", value).lower()).strip("_")
        allowed = "snake_case or kebab-case: lower-case letters and digits, joined by single _ or -"
        raise wrong_value("name", value, allowed, f"try {words!r}" if words else "")
    return value
