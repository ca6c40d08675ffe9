"""The line of a magic: words and options, the options made from the table of parameters. Pure."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...config import text
from ...config.spec import PARAMS, Level
from ...errors import ConfigError, nearest


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
    """

    name: str
    help: str
    metavar: str = ""
    short: str = ""
    joined: bool = False
    is_setting: bool = False


@dataclass(frozen=True)
class Line:
    """A parsed line: the words, the options that were given by name (without value: ""), the settings among them."""

    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def names(self, option: str) -> tuple[str, ...]:
        """The comma-separated names of an option, each once."""
        found = (name.strip() for name in self.options.get(option, "").split(","))
        return tuple(dict.fromkeys(name for name in found if name))


def settings(level: Level) -> list[Flag]:
    """The options for the parameters of a level."""
    found = []
    for option in text.options(level):
        metavar = "" if option.is_bool else option.metavar
        is_listed = option.choices and not option.is_bool and not option.is_open
        said = f"{option.help} One of: {', '.join(option.choices)}." if is_listed else option.help
        found.append(Flag(option.flag, said, metavar, joined=option.is_list, is_setting=True))
    return found


_NO_LEVEL = Level(0)
_SETTINGS = {option.flag: "a task: %%flyte_task" for option in text.options(Level.TASK | Level.OVERRIDE)} | {
    option.flag: "an environment: %flyte_env NAME" for option in text.options(Level.ENV)
}
"""All settings, and which magic takes them; one that both take is never looked up."""


class Parser:
    """Parses the line of one magic, and writes its help."""

    def __init__(
        self, usage: str, about: str, flags: Sequence[Flag] = (), *, level: Level = _NO_LEVEL, most: int = 1
    ) -> None:
        self.usage = usage
        self.about = about
        self.flags = [*flags, Flag("--help", "Show this help.", short="-h"), *settings(level)]
        self._by_name = {flag.name: flag for flag in self.flags}
        self._by_name.update({flag.short: flag for flag in self.flags if flag.short})
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
            rest = shlex.split(line)
        except ValueError as e:
            raise OptionError(f"{e}: {line.strip()}") from None
        words: list[str] = []
        given: dict[str, str] = {}
        problems: list[str] = []
        while rest:
            part = rest.pop(0)
            if not part.startswith("-") or part == "-":
                words.append(part)
                continue
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
        return Line(tuple(words), {name: v for name, v in given.items() if name not in found}, found)

    def _option(self, part: str, rest: list[str]) -> tuple[Flag, str]:
        """An option and its value, which may be in the parts that follow; these are taken out of `rest`."""
        name, equals, value = part.partition("=")
        if not part.startswith("--") and name not in self._by_name and part[:2] in self._by_name:
            name, equals, value = part[:2], "=", part[2:]
        follows = bool(rest) and not rest[0].startswith("-")
        if name not in self._by_name:
            if not equals and follows:
                rest.pop(0)  # its value, most likely
            raise OptionError(self._unknown(name))
        flag = self._by_name[name]
        if not flag.metavar:
            if equals and not flag.is_setting:
                raise OptionError(f"{flag.name} takes no value")
            return flag, value if equals else "true" if flag.is_setting else ""
        if not equals:
            if not rest or rest[0].partition("=")[0] in self._by_name:
                raise OptionError(f"{flag.name} needs a value: {flag.name} {flag.metavar}")
            value = rest.pop(0)
        while flag.joined and rest and (value.endswith(",") or rest[0].startswith(",")) and not rest[0].startswith("-"):
            value += rest.pop(0)  # "a, b"
        return flag, value

    def _unknown(self, name: str) -> str:
        long = name if name.startswith("--") else "-" + name
        near = nearest(long, [*(flag.name for flag in self.flags), *_SETTINGS])
        if near is None:
            return f"no option {name}; see --help"
        said = f"no option {name}{'' if near == name else f'; did you mean {near}?'}"
        return said if near in self._by_name else f"{said}; {near} is given to {_SETTINGS[near]}"

    def _values(self, given: Mapping[str, str]) -> list[str]:
        """What is wrong with the values of settings."""
        try:
            text.collect(given, self._level)
        except ConfigError as problem:
            return [str(problem)]
        return []


def split_levels(given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values for the decorator, and those that only an override takes. Raises `ConfigError`."""
    values = text.collect(given, Level.TASK | Level.OVERRIDE)
    task = {name: value for name, value in values.items() if PARAMS[name].levels & Level.TASK}
    return task, {name: value for name, value in values.items() if name not in task}
