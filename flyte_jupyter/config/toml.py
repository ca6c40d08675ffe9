"""TOML as plain data."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from .refusal import wrong_value


def parse_toml(text: str, what: str, path: Path) -> dict[str, Any]:
    """TOML as plain data. Raises ConfigValueError, with the line."""
    toml: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        return dict(toml.loads(text))
    except toml.TOMLDecodeError as error:
        raise wrong_value(what, str(path), "valid TOML", str(error)) from None
