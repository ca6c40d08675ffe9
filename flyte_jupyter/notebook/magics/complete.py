"""What can stand at the cursor: in the line of a magic, and in the text of a setting in Python. Pure.

Everything comes from the parsers and the table; `known` gives the names that the notebook has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ...config.codec import codec_of
from ...config.field import Field, fields_of
from ...config.param import Param
from ...config.spec import PARAMS, Level
from ...config.text import name_of
from .options import NAMES_OF, PYTHON, Flag, Names, Parser
from .words import Words


class Known(Protocol):
    """The names of one kind; of `inputs` those of the task that `of` names."""

    def __call__(self, kind: Names, of: str = "") -> Iterable[str]: ...


_MAGIC = re.compile(r"^\s*(?:[\w.,\s]+=\s*)?%{1,2}(\w+)\s+(.*)$", re.DOTALL)
_TEXT = re.compile(r"""(?:(\w+)\s*=\s*)?\[?\s*(?:(["'])[^"']*\2\s*,\s*)*["']([^"']*)$""")


@dataclass(frozen=True)
class Completions:
    """What can stand there.

    Attributes:
        fragment: what is there already, up to the cursor.
        found: (text that replaces it, kind) of each.
    """

    fragment: str
    found: tuple[tuple[str, str], ...]


def in_magic(before: str, parsers: Mapping[str, Parser], known: Known) -> Completions | None:
    """For the line of a magic up to the cursor; None when it is no line of a magic of ours."""
    match = _MAGIC.match(before)
    parser = parsers.get(match[1]) if match else None
    if match is None or parser is None:
        return None
    fragment = _last(match[2])
    earlier = _words(match[2][: len(match[2]) - len(fragment)])
    name, equals, value = fragment.partition("=")
    if equals and (flag := parser.flag(name)):
        return _values(flag, value, known)
    while len(earlier) > 1 and earlier[-1].endswith(","):  # a list that goes on: --secrets token, …
        earlier.pop()
    last = parser.flag(earlier[-1]) if earlier else None
    if last is not None and last.metavar:
        return _values(last, fragment, known)
    if fragment.startswith("-"):
        return _matching(fragment, ((flag.name, "option") for flag in _open(parser, earlier)))
    called = _callee(match[2]) if parser.takes_code else ""
    if called or fragment.startswith("{"):
        inputs = ((f"{name}=", "input") for name in (known("inputs", called) if called else ()))
        return _matching(
            re.split(r"[^\w]", fragment)[-1], [*inputs, *((name, "variable") for name in known("variables"))]
        )
    is_called = parser.takes_code and match[2].rstrip().endswith(")")
    kinds = () if is_called else parser.names
    words = ((name, kind.removesuffix("s")) for kind in kinds for name in known(kind))
    options = () if fragment else ((flag.name, "option") for flag in _open(parser, earlier))
    return _matching(fragment, [*words, *options])


def in_python(before: str, known: Known) -> Completions | None:
    """For Python up to the cursor; None unless it is in the text of a setting: `env.task(queue="…`."""
    match = _TEXT.search(before)
    called = _callee(before[: match.start()]) if match else ""
    fields = dict(_settings(called))
    if match is None or not fields:
        return None
    setting = match[1] or next(iter(fields))
    field = fields.get(setting)
    if field is None:
        return None
    names: Names | None = "keys" if setting in ("secrets", "key") else NAMES_OF.get(setting)
    words = [(word, "choice") for word in _choices(field)]
    return _matching(match[3], [*words, *((name, setting) for name in (known(names) if names else ()))])


def _settings(called: str) -> Iterator[tuple[str, Field]]:
    """What a function or a class takes, by keyword."""
    level = _LEVELS.get(called)
    for name, param in PARAMS.items():
        if level is not None:
            if level & param.levels:
                yield name, param
            continue
        for cls in param.types():
            if cls.__name__ == called:
                yield from ((field.name, field) for field in fields_of(cls))


_LEVELS = {
    "TaskEnvironment": Level.ENV,
    "clone_with": Level.ENV,
    "task": Level.TASK,
    "override": Level.OVERRIDE,
    "with_runcontext": Level.OVERRIDE,
}


def _choices(field: Field) -> tuple[str, ...]:
    """The words that a value can be, also those of the type's field that text alone stands for."""
    codec = codec_of(field)
    off = (field.off,) if isinstance(field, Param) and field.off else ()
    return (*((codec.choices if codec is not None else ()) or field.words()), *off)


def _callee(before: str) -> str:
    """The last name of what is called by the parenthesis that is still open."""
    depth = 0
    for position in range(len(before) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(before[position], 0)
        if depth < 0:
            found = re.search(r"(\w+)\s*$", before[:position])
            return found[1] if found else ""
    return ""


def _words(text: str) -> list[str]:
    words, found = Words(text), []
    try:
        while words:
            found.append(words.pop())
    except ValueError:  # a quotation is still open: what is in it is nobody's to complete
        found.append(words.rest)
    return found


def _last(text: str) -> str:
    match = re.search(r"\S*$", text)
    return match[0] if match else ""


def _open(parser: Parser, earlier: list[str]) -> Iterator[Flag]:
    """The options that may still be given."""
    given = {flag.name for word in earlier if (flag := parser.flag(word.partition("=")[0]))}
    return (flag for flag in parser.flags if flag.joined or flag.name not in given)


def _values(flag: Flag, fragment: str, known: Known) -> Completions:
    """What the value of an option can be."""
    if fragment.startswith("{") or flag.metavar == PYTHON:
        part = re.split(r"[^\w]", fragment)[-1]
        opening = "" if fragment.startswith("{") else "{"
        return _matching(
            part, ((f"{opening}{name}{'}' if opening else ''}", "variable") for name in known("variables"))
        )
    field = PARAMS.get(name_of(flag.name)) if flag.is_setting else None
    *earlier, part = fragment.split(",") if flag.joined or "FIELD" in flag.metavar else [fragment]
    given = {one.partition("=")[0] for one in earlier}
    if field is not None and "FIELD" in flag.metavar:
        inner = {one.name: one for cls in field.types() for one in fields_of(cls)}
        name, equals, value = part.partition("=")
        if equals:
            return _matching(value, ((word, "choice") for word in (inner[name].words() if name in inner else ())))
        words = [(word, "choice") for word in flag.choices] if part == fragment else []
        return _matching(part, [*words, *((f"{name}=", "field") for name in inner if name not in given)])
    words = [(f'"{word}"' if " " in word else word, "choice") for word in flag.choices]
    if flag.names is not None:
        words += [(name, flag.names.removesuffix("s")) for name in known(flag.names) if name not in given]
    return _matching(part, words)


def _matching(fragment: str, candidates: Iterable[tuple[str, str]]) -> Completions:
    """The candidates that begin with a fragment, whatever the case, each once."""
    start = fragment.lower().lstrip('"')
    found = {text: kind for text, kind in candidates if text.lower().lstrip('{"').startswith(start)}
    return Completions(fragment, tuple(found.items()))
