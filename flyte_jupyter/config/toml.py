"""TOML as plain data, and where in a file it says something."""

from __future__ import annotations

import importlib
import re
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


def where(path: Path, text: str, section: list[str], key: str) -> str:
    """File, line and name of a key; the parser does not say where it found it."""
    wanted = [*section, key]
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\]]+)\]", line)
        name = re.match(r"\s*([^#=\[]+?)\s*=(.*)", line)
        if header:
            inside = _parts(header[1])
        named = [*inside, *_parts(name[1])] if name else inside
        inline = name is not None and named == section and key in name[2]
        if (header or name) and (named[: len(wanted)] == wanted or inline):
            return f"{path}, line {number}: {'.'.join(wanted)}"
    return f"{path}: {'.'.join(wanted)}"


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
