"""The line of a magic: words and options, the options made from the table of parameters. Pure.

The value of a setting is text, as `config/text.py` reads it, or a Python expression in braces: `--triggers {nightly}`.
What has no text form is given so and not otherwise.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from ...config import text
from ...config.spec import PARAMS, Level
from ...errors import ConfigError, nearest
from .words import Words, in_braces

Names: TypeAlias = Literal[
    "environments",
    "tasks",
    "inputs",
    "runs",
    "actions",
    "queues",
    "secrets",
    "keys",
    "variables",
    "outputs",
    "parameters",
    "notebooks",
    "modules",
]
"""Names that the notebook has; `known.py` finds them."""
T = TypeVar("T")
PYTHON = "{PYTHON}"
"""The metavar of a setting that has no text form."""


class OptionError(Exception):
    """The line of a magic is not right."""


@dataclass(frozen=True)
class Flag:
    """An option of a magic.

    Attributes:
        name: how it is written, with its dashes; short: its one-letter form, or "".
        metavar: what stands for its value; "" for an option without one.
        help: one sentence.
        joined: given again it adds to what it had before, instead of replacing it.
        is_setting: it sets a parameter of the table.
        choices: words to complete; names: which names of the notebook are completed.
    """

    name: str
    help: str
    metavar: str = ""
    short: str = ""
    joined: bool = False
    is_setting: bool = False
    choices: tuple[str, ...] = ()
    names: Names | None = None


@dataclass(frozen=True)
class Line:
    """A parsed line.

    Attributes:
        words: what stands for itself; options: those that were given, by name (without value: "").
        settings: the settings of the table that were given, by option.
        code: the Python expression that the magic is about; "" for none.
    """

    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    def names(self, option: str) -> tuple[str, ...]:
        """The comma-separated names of an option, each once."""
        found = (name.strip() for name in self.options.get(option, "").split(","))
        return tuple(dict.fromkeys(name for name in found if name))


NAMES_OF: Mapping[str, Names] = {"queue": "queues", "secrets": "secrets"}
"""Parameters whose values are names that the notebook may have."""


def settings(level: Level) -> list[Flag]:
    """The options for the parameters of a level, in the order of the table; last what has no text form."""
    found = []
    for option in text.options(level):
        metavar = "" if option.is_bool else option.metavar
        is_listed = option.choices and not option.is_bool and not option.is_open
        said = f"{option.help} One of: {', '.join(option.choices)}." if is_listed else option.help
        words, names = option.choices, NAMES_OF.get(option.param)
        found.append(Flag(option.flag, said, metavar, "", option.is_list, True, words, names))
    known = {flag.name for flag in found}
    for name, p in PARAMS.items():
        flag = text.flag_of(name)
        if p.levels & level and flag not in known and name != "name":
            found.append(Flag(flag, f"{p.sentence()} A Python expression.", PYTHON, is_setting=True))
    return found


_NO_LEVEL = Level(0)
TASK_LEVELS = Level.TASK | Level.OVERRIDE
"""What a task can be given where it is declared and called."""
_SETTINGS = {flag.name: "a task: %%flyte_task" for flag in settings(TASK_LEVELS)} | {
    flag.name: "an environment: %flyte_env NAME" for flag in settings(Level.ENV)
}
"""All settings, and which magic takes them; one that both take is never looked up."""


class Parser:
    """Parses the line of one magic, and writes its help.

    Args:
        usage: how it is written; about: what it does.
        flags: its own options; level: whose settings are options too.
        most: how many words it takes; names: which names of the notebook are completed for them.
        takes_code: whether the first word is a Python expression, which may hold spaces.
    """

    def __init__(
        self,
        usage: str,
        about: str,
        flags: Sequence[Flag] = (),
        *,
        level: Level = _NO_LEVEL,
        most: int = 1,
        names: tuple[Names, ...] = (),
        takes_code: bool = False,
    ) -> None:
        self.usage = usage
        self.about = about
        self.flags = [*flags, Flag("--help", "Show this help.", short="-h"), *settings(level)]
        self._by_name = {flag.name: flag for flag in self.flags}
        self._by_name.update({flag.short: flag for flag in self.flags if flag.short})
        self.names = names
        self.takes_code = takes_code
        self._level = level
        self._most = most

    def __repr__(self) -> str:
        return f"<Parser {self.usage.split()[0]} [{len(self.flags)} options]>"

    def help(self) -> str:
        """Usage and all options, as text."""
        out = [self.usage, "", *textwrap.wrap(self.about, 100), "", "Options:"]
        for flag in self.flags:
            if flag.is_setting and "\nSettings:" not in out:
                out.append("\nSettings:")
            left = ", ".join(n for n in (flag.short, f"{flag.name} {flag.metavar}".rstrip()) if n)
            lines = textwrap.wrap(flag.help, 74) or [""]
            if len(left) > 24:
                out.append(f"  {left}")
                left = ""
            out.append(f"  {left:<25}{lines[0]}")
            out += [" " * 27 + line for line in lines[1:]]
        return "\n".join(out)

    def parse(self, line: str) -> Line:
        """Read a line. Raises `OptionError`, which names everything that is wrong with it."""
        try:
            return self._parse(Words(line))
        except ValueError as e:
            raise OptionError(f"{e}: {line.strip()}") from None

    def flag(self, name: str) -> Flag | None:
        """The option that is written so, long or short; None for none."""
        return self._by_name.get(name)

    def _parse(self, rest: Words) -> Line:
        code = ""
        words: list[str] = []
        given: dict[str, str] = {}
        problems: list[str] = []
        while rest:
            part = rest.peek()
            if not part.startswith("-") or part == "-":
                if self.takes_code and not code:
                    code = rest.pop_code()
                else:
                    words.append(rest.pop())
                continue
            rest.pop()
            try:
                flag, value = self._option(part, rest)
            except OptionError as problem:
                problems.append(str(problem))
                continue
            given[flag.name] = f"{given[flag.name]},{value}" if flag.joined and flag.name in given else value
        problems += [f"{word!r} is one word too many" for word in words[self._most :]]
        found = {name: value for name, value in given.items() if self._by_name[name].is_setting}
        if problems:
            raise OptionError("\n".join([*problems, *self._values(found), f"usage: {self.usage}"]))
        return Line(tuple(words), {name: v for name, v in given.items() if name not in found}, found, code)

    def _option(self, part: str, rest: Words) -> tuple[Flag, str]:
        """An option and its value, which may be in the words that follow; these are taken out of `rest`."""
        name, equals, value = part.partition("=")
        if not part.startswith("--") and name not in self._by_name and part[:2] in self._by_name:
            name, equals, value = part[:2], "=", part[2:]
        follows = bool(rest) and not rest.peek().startswith("-")
        if name not in self._by_name:
            if not equals and follows:
                rest.pop()  # its value, most likely
            raise OptionError(self._unknown(name))
        flag = self._by_name[name]
        if not flag.metavar:
            if equals and not flag.is_setting:
                raise OptionError(f"{flag.name} takes no value")
            return flag, value if equals else "true" if flag.is_setting else ""
        if not equals:
            if not rest or rest.peek().partition("=")[0] in self._by_name:
                raise OptionError(f"{flag.name} needs a value: {flag.name} {flag.metavar}")
            value = rest.pop()
        while flag.joined and rest and (value.endswith(",") or rest.peek()[:1] == ",") and rest.peek()[:1] != "-":
            value += rest.pop()  # "a, b"
        if flag.metavar == PYTHON and in_braces(value) is None:
            raise OptionError(
                f"{flag.name} {value}: it has no text form; write Python in braces, {flag.name} {{{value}}}"
            )
        return flag, value

    def _unknown(self, name: str) -> str:
        long = name if name.startswith("--") else "-" + name
        near = nearest(long, [*(flag.name for flag in self.flags), *_SETTINGS])
        if near is None:
            return f"no option {name}; see --help"
        said = f"no option {name}{'' if near == name else f'; did you mean {near}?'}"
        return said if near in self._by_name else f"{said}; {near} is given to {_SETTINGS[near]}"

    def _values(self, given: Mapping[str, str]) -> list[str]:
        """What is wrong with the values of settings that are text."""
        try:
            text.collect({name: value for name, value in given.items() if in_braces(value) is None}, self._level)
        except ConfigError as problem:
            return [*problem.each] or [str(problem)]
        return []


def values(given: Mapping[str, str], level: Level, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What settings say, by parameter; Python in braces is evaluated with the `variables`.

    Raises:
        ConfigError: values that are not accepted. Whatever the Python raises.
    """
    texts: dict[str, str] = {}
    found: dict[str, Any] = {}
    parts = {option.flag for option in text.options(level) if option.field}
    for flag, value in given.items():
        code = in_braces(value)
        if code is None:
            texts[flag] = value
            continue
        made = eval(code, dict(variables))  # noqa: S307 - the user's own code, in the user's own process
        if flag in parts:
            texts[flag] = str(made)
        else:
            found[text.name_of(flag)] = made
    return {**text.collect(texts, level), **found}


def split_levels(
    given: Mapping[str, str], variables: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values for the decorator, and those that only an override takes. Raises what `values` raises."""
    return by_level(values(given, TASK_LEVELS, variables or {}))


def by_level(given: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """What the decorator takes, and what only an override takes."""
    task = {name: value for name, value in given.items() if PARAMS[name].levels & Level.TASK}
    return task, {name: value for name, value in given.items() if name not in task}
