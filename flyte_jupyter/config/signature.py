"""The signatures that `?`, completion and `inspect.signature` show, made from the table."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .spec import ENV, PARAMS, Level, Param


def annotation(level: Level, p: Param) -> str:
    """What may be given for a parameter at a level, as the text of an annotation; None is "not given"."""
    text = p.type_text if level is ENV or not p.off else f'{p.type_text} | Literal["{p.off}"]'
    return text if text == "Any" else f"{text} | None"


def parameters(level: Level, *, without: tuple[str, ...] = ()) -> list[inspect.Parameter]:
    """The keyword parameters of a level; the default is None where a level below may have given the value."""
    lower = [lvl for lvl in Level if lvl.value < level.value]
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if any(lvl & p.levels for lvl in lower) else p.default,
            annotation=annotation(level, p),
        )
        for name, p in PARAMS.items()
        if p.levels & level and name not in without
    ]


def sign(func: Callable[..., Any], first: list[inspect.Parameter], level: Level, returns: str) -> None:
    """Give a function the signature of `first` and the parameters of a level, which its documentation explains."""
    settings = parameters(level, without=tuple(p.name for p in first))
    func.__signature__ = inspect.Signature([*first, *settings], return_annotation=returns)  # type: ignore[attr-defined]
    lines = [f"    {p.name}: {PARAMS[p.name].doc}" for p in settings]
    func.__doc__ = "\n".join(
        [inspect.cleandoc(func.__doc__ or "The settings are parameters."), "", "Settings:", *lines]
    )


def positional(name: str, annotation: str = "", default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """A parameter that may be given by position."""
    return inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=default,
        annotation=annotation or inspect.Parameter.empty,
    )
