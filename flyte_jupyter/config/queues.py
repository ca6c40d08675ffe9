"""The settings file, as far as it says how many attempts of each queue run at a time on this machine.

[queues]
concurrency = 4         # of queues that are not listed

[queues.gpu]
concurrency = 1
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .cluster import OF_QUEUES, SECTION
from .refusal import did_you_mean, raise_all, whole, wrong_type, wrong_value
from .toml import parse_toml, where

_SECTIONS = ("queues", "run", SECTION)
_KEYS = ("concurrency", *OF_QUEUES)


@dataclass(frozen=True)
class QueueSettings:
    """How many attempts of a queue run at a time.

    Attributes:
        concurrency: by queue; others: of those that are not listed, None for one per core.
    """

    concurrency: Mapping[str, int] = field(default_factory=dict)
    others: int | None = None


def parse_settings(text: str, path: Path) -> QueueSettings:
    """What a settings file says.

    Raises:
        ConfigTypeError, ConfigValueError: it is no TOML, or says what is not known here: all of it, with file and line.
    """
    said = parse_toml(text, "settings", path)
    problems: list[ConfigError] = [
        wrong_value(where(path, text, [], name), name, _SECTIONS[0], did_you_mean(name, _SECTIONS))
        for name in said
        if name not in _SECTIONS
    ]
    concurrency: dict[str, int] = {}
    others: int | None = None
    queues = said.get("queues", {})
    if not isinstance(queues, dict):
        problems.append(wrong_type(where(path, text, [], "queues"), queues, "a section: [queues]"))
        queues = {}
    for name, given in queues.items():
        place = where(path, text, ["queues"], name)
        if name == "concurrency" and not isinstance(given, dict):
            others = _number(place, given, problems)
        elif not isinstance(given, dict):
            allowed = f"a section: [queues.{name}], with {_KEYS[0]} = ..."
            problems.append(wrong_type(place, given, allowed, did_you_mean(name, _KEYS)))
        else:
            problems += _unknown(path, text, name, given)
            number = given.get("concurrency")
            if number is not None:
                found = _number(where(path, text, ["queues", name], "concurrency"), number, problems)
                concurrency[name] = found or 1
    raise_all(problems)
    return QueueSettings(concurrency, others)


def _number(place: str, given: Any, problems: list[ConfigError]) -> int | None:
    if whole(given, 1):
        return int(given)
    problems.append(wrong_value(place, given, "a whole number of 1 or more"))
    return None


def _unknown(path: Path, text: str, queue: str, given: Iterable[str]) -> list[ConfigError]:
    return [
        wrong_value(where(path, text, ["queues", queue], key), key, ", ".join(_KEYS), did_you_mean(key, _KEYS))
        for key in given
        if key not in _KEYS
    ]
