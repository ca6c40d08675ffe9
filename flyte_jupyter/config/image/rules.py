"""What images and their layers accept, argument by argument."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ...errors import ConfigError
from ..accept import boolean, optional, text
from ..refusal import did_you_mean, gathered, raise_all, wrong_type, wrong_value
from ..values.secret import Secret

Architecture: TypeAlias = Literal["linux/amd64", "linux/arm64"]
Rule: TypeAlias = Callable[[Any], Any]

BOTH: tuple[Architecture, ...] = ("linux/amd64", "linux/arm64")
_WORD = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_NAME = re.compile(f"{_WORD}(?:/{_WORD})*")


def checked(**given: tuple[Rule, Any]) -> dict[str, Any]:
    """What the rules make of values, by name; all that they refuse is raised as one error."""
    problems: list[ConfigError] = []
    found = {}
    for key, (rule, value) in given.items():
        with gathered(problems):
            found[key] = rule(value)
    raise_all(problems)
    return found


def one_of(what: str, *words: str) -> Rule:
    """One of some words."""

    def accept(value: Any) -> str:
        if value not in words:
            allowed = " or ".join(f'"{word}"' for word in words)
            raise wrong_value(what, value, allowed, did_you_mean(str(value), words))
        return str(value)

    return accept


def path(what: str) -> Rule:
    """A path, as a str or a Path."""

    def accept(value: Any) -> Path:
        if not isinstance(value, (str, Path)):
            raise wrong_type(what, value, "a path, as a str or a Path")
        return Path(value)

    return accept


def paths(what: str) -> Rule:
    """One path or several, no two of one name."""

    def accept(value: Any) -> tuple[Path, ...]:
        given = value if isinstance(value, (list, tuple)) else (value,)
        found = tuple(path(what)(item) for item in given)
        names = [item.name for item in found]
        for twice in dict.fromkeys(word for word in names if names.count(word) > 1):
            raise wrong_value(what, twice, "each name once", "copy one of them with another dst=")
        return found

    return accept


def words(what: str) -> Rule:
    """Arguments that have to be str, one by one."""

    def accept(value: tuple[Any, ...]) -> tuple[str, ...]:
        for word in value:
            if not isinstance(word, str):
                hint = f"pass them one by one: {what}(*[...])" if isinstance(word, (list, tuple)) else ""
                raise wrong_type(f"Image.{what}", word, "str arguments", hint)
            if not word.strip():
                raise wrong_value(f"Image.{what}", word, "text that is not empty")
        return value

    return accept


def lines(what: str) -> Rule:
    """One str, or a list of these."""
    return lambda value: words(what)(tuple(value) if isinstance(value, (list, tuple)) else (value,))


def secrets(mounts: Any) -> dict[str, tuple[Rule, Any]]:
    """The secrets that a layer is made with, for `checked`."""
    return {"secret_mounts": (lambda value: () if value is None else Secret.of(value), mounts)}


def installer(extra_args: Any, secret_mounts: Any) -> dict[str, tuple[Rule, Any]]:
    """What each installer is told, for `checked`."""
    return {"extra_args": (optional(text("Image: extra_args")), extra_args), **secrets(secret_mounts)}


def index(url: Any, extra: Any, pre: Any, extra_args: Any, secret_mounts: Any) -> dict[str, tuple[Rule, Any]]:
    """Where packages come from, and what their installer is told, for `checked`."""
    return {
        "index_url": (optional(text("Image: index_url")), url),
        "extra_index_urls": (lines("extra_index_urls"), extra or ()),
        "pre": (boolean("Image: pre"), pre),
        **installer(extra_args, secret_mounts),
    }


def version(value: Any) -> tuple[int, int]:
    """Major and minor version of Python."""
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, int) for part in value):
        return value
    raise wrong_type("Image: python_version", value, "a tuple such as (3, 12)")


def platform(value: Any) -> tuple[Architecture, ...]:
    """One architecture or several."""
    found = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for item in found or ("",):
        one_of("Image: platform", *BOTH)(item)
    return found


def uri(what: str, value: Any) -> str:
    """The URI of an image."""
    if not isinstance(value, str):
        raise wrong_type(what, value, "the URI of an image, a str")
    if not value or re.search(r"\s", value):
        raise wrong_value(what, value, 'the URI of an image, such as "python:3.12-slim"')
    return value


def name(value: Any) -> str:
    """The name of an image on a registry."""
    found = text("Image: name")(value)
    if not _NAME.fullmatch(found):
        allowed = "lower-case letters and digits, joined by single . or _, by __ or by -; parts with / between"
        other = re.sub(r"[^a-z0-9/]+", "-", found.lower()).strip("-/")
        raise wrong_value("Image: name", value, allowed, f"try {other!r}" if _NAME.fullmatch(other) else "")
    return found


def registry(value: Any) -> str:
    """A registry, without a scheme."""
    found = text("Image: registry")(value)
    if not found or "://" in found or re.search(r"\s", found):
        hint = f"try {found.partition('://')[2]!r}" if "://" in found else ""
        raise wrong_value("Image: registry", value, 'a host and a path, such as "ghcr.io/me"', hint)
    return found.rstrip("/")


def secret(value: Any) -> Secret:
    """A secret, or its key."""
    return value if isinstance(value, Secret) else Secret(text("Image: registry_secret")(value))
