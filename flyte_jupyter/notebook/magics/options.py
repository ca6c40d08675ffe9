"""The line of a magic: words and options, the options made from the table of parameters. Pure.

The value of a setting is text, as `config/text.py` reads it, or a Python expression in braces: `--triggers {nightly}`.
What has no text form is given so and not otherwise.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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


Span: TypeAlias = tuple[int, int]
"""Where something stands in a line: from this character on, and up to that."""


@dataclass(frozen=True)
class Wrong:
    """One thing that is not right in a line, and where it stands."""

    message: str
    place: Span


class OptionError(Exception):
    """The line of a magic is not right.

    Attributes:
        wrong: each thing that is not, as far as its place is known.
        line: what of it could be read.
    """

    def __init__(self, message: str, wrong: Sequence[Wrong] = (), line: Line | None = None) -> None:
        super().__init__(message)
        self.wrong = tuple(wrong)
        self.line = line


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
        places: where each option, word and the expression stand; of an option with its value.
    """

    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    places: Mapping[str, Span] = field(default_factory=dict, compare=False)

    def names(self, option: str) -> tuple[str, ...]:
        """The comma-separated names of an option, each once."""
        found = (name.strip() for name in self.options.get(option, "").split(","))
        return tuple(dict.fromkeys(name for name in found if name))

    def refusal(self, message: str, *about: str) -> OptionError:
        """The error for some of its options and words."""
        return OptionError(message, [Wrong(message, self.places[one]) for one in about if one in self.places])

    @property
    def texts(self) -> dict[str, str]:
        """The settings that are text, and not Python in braces."""
        return {name: value for name, value in self.settings.items() if in_braces(value) is None}


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
        self.level = level
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
        places: dict[str, Span] = {}
        wrong: list[Wrong] = []
        while rest:
            part = rest.peek()
            if not part.startswith("-") or part == "-":
                if self.takes_code and not code:
                    code = rest.pop_code()
                    places[code] = rest.place
                    continue
                words.append(rest.pop())
                places[part] = rest.place
                if len(words) > self._most:
                    wrong.append(Wrong(f"{part!r} is one word too many", rest.place))
                continue
            rest.pop()
            start = rest.place[0]
            try:
                flag, value = self._option(part, rest)
            except OptionError as problem:
                wrong += problem.wrong
                continue
            given[flag.name] = f"{given[flag.name]},{value}" if flag.joined and flag.name in given else value
            places[flag.name] = (start, rest.place[1])
        found = {name: value for name, value in given.items() if self._by_name[name].is_setting}
        line = Line(tuple(words), {name: v for name, v in given.items() if name not in found}, found, code, places)
        if wrong:
            wrong += self._values(line)
            raise OptionError("\n".join([*(one.message for one in wrong), f"usage: {self.usage}"]), wrong, line)
        return line

    def _option(self, part: str, rest: Words) -> tuple[Flag, str]:
        """An option, which was just taken, and its value, which may be in the words that follow; these are taken too.

        Raises:
            OptionError: with one thing that is wrong.
        """
        start, end = rest.place
        name, equals, value = part.partition("=")
        if not part.startswith("--") and name not in self._by_name and part[:2] in self._by_name:
            name, equals, value = part[:2], "=", part[2:]
        follows = bool(rest) and not rest.peek().startswith("-")
        if name not in self._by_name:
            if not equals and follows:
                rest.pop()  # its value, most likely
            raise _wrong(self._unknown(name), (start, end))
        flag = self._by_name[name]
        if not flag.metavar:
            if equals and not flag.is_setting:
                raise _wrong(f"{flag.name} takes no value", (start, end))
            return flag, value if equals else "true" if flag.is_setting else ""
        if not equals:
            if not rest or rest.peek().partition("=")[0] in self._by_name:
                raise _wrong(f"{flag.name} needs a value: {flag.name} {flag.metavar}", (start, end))
            value = rest.pop()
        while flag.joined and rest and (value.endswith(",") or rest.peek()[:1] == ",") and rest.peek()[:1] != "-":
            value += rest.pop()  # "a, b"
        if flag.metavar == PYTHON and in_braces(value) is None:
            said = f"{flag.name} {value}: it has no text form; write Python in braces, {flag.name} {{{value}}}"
            raise _wrong(said, (start, rest.place[1]))
        return flag, value

    def _unknown(self, name: str) -> str:
        long = name if name.startswith("--") else "-" + name
        near = nearest(long, [*(flag.name for flag in self.flags), *_SETTINGS])
        if near is None:
            return f"no option {name}; see --help"
        said = f"no option {name}{'' if near == name else f'; did you mean {near}?'}"
        return said if near in self._by_name else f"{said}; {near} is given to {_SETTINGS[near]}"

    def _values(self, line: Line) -> list[Wrong]:
        """What is wrong with the values of settings that are text."""
        return wrong_settings(line, lambda given: text.collect(given.texts, self.level))


def _wrong(message: str, place: Span) -> OptionError:
    return OptionError(message, [Wrong(message, place)])


def wrong_settings(line: Line, check: Callable[[Line], object]) -> list[Wrong]:
    """What `check` refuses of a line by a `ConfigError`, each thing at the option that it is about.

    What remains without options is about the first word, and what no option alone is refused for is about all of it.
    """
    left = _refused(line, check)
    found: list[Wrong] = []
    for part, place in _parts(line) if left else ():
        for message in _refused(part, check):
            if message in left:
                left.remove(message)
                found.append(Wrong(message, place))
    spans = list(line.places.values())
    return found + [Wrong(one, (min(start for start, _ in spans), max(end for _, end in spans))) for one in left]


def _parts(line: Line) -> Iterator[tuple[Line, Span]]:
    """The line without options, then with each of them alone."""
    yield from ((replace(line, options={}, settings={}), line.places[word]) for word in line.words[:1])
    for name, value in line.options.items():
        yield replace(line, options={name: value}, settings={}), line.places[name]
    for name, value in line.settings.items():
        yield replace(line, options={}, settings={name: value}), line.places[name]


def _refused(line: Line, check: Callable[[Line], object]) -> list[str]:
    try:
        check(line)
    except ConfigError as problem:
        return [*problem.each] or [str(problem)]
    except OptionError:  # of a part alone, not of the line
        return []
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
