"""Text and values, for magics and forms; and the options that magics have."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from ..errors import ConfigError, ConfigTypeError, ConfigValueError
from .codec import Codec, codec_of
from .field import Field, fields_of
from .refusal import did_you_mean, raise_all, wrong_type
from .spec import OVERRIDE, PARAMS, Level
from .values.resources import Resources

_SPREAD = "resources"  # its fields are options of their own: --cpu 1 --memory 512Mi


@dataclass(frozen=True)
class Option:
    """An option of a magic.

    Attributes:
        flag: as it is written, such as "--max-inline-io-bytes" or "--cpu".
        param: the parameter that it sets.
        field: the field of that parameter; "" for all of it.
        metavar: what help shows for its text.
        help: one sentence.
        choices: words to complete; () when there are none.
        is_open: whether other text is accepted too.
        is_bool: whether the flag alone means true.
        is_list: whether its text is a list, to which more may be added.
    """

    flag: str
    param: str
    field: str
    metavar: str
    help: str
    choices: tuple[str, ...]
    is_open: bool
    is_bool: bool
    is_list: bool


def flag_of(name: str) -> str:
    """How a parameter, an input or a field is written as an option: "max_runtime" is "--max-runtime"."""
    return "--" + name.replace("_", "-")


def name_of(flag: str) -> str:
    """What an option is about, with or without its dashes: "--max-runtime" is "max_runtime"."""
    return flag.lstrip("-").replace("-", "_")


def parse(name: str, text: str) -> Any:
    """The value of a parameter from its text, fit to be given at any level that takes it.

    Raises:
        ConfigTypeError: no such parameter, or it has no text form. ConfigValueError: the text is not accepted.
    """
    value = _in_context(name, lambda: _codec(name).parse(text))
    canonical = PARAMS[name].accept(value)
    return value if canonical is None else canonical  # "off" and "" have to be given as they are


def format(name: str, value: Any) -> str:
    """The text from which `parse` makes an equal value.

    Raises:
        ConfigTypeError: no such parameter, or the value has no text form.
    """
    return _codec(name).format(value)


def options(level: Level) -> list[Option]:
    """The options for the parameters of a level (or of any of a union of levels), in the order of the table."""
    return list(_options(level))


@functools.cache  # a magic asks each time it is used
def _options(level: Level) -> tuple[Option, ...]:
    found = []
    for name, p in PARAMS.items():
        text = codec_of(p) if p.levels & level else None
        if text is None or name == "name":  # which magics take as a word
            continue
        found.append(_option(p, text, name))
        if name == _SPREAD:
            found += [_option(f, cast("Codec", codec_of(f, inside=True)), name, f.name) for f in fields_of(Resources)]
    return tuple(found)


def _option(f: Field, text: Codec, param: str, field: str = "") -> Option:
    *most, last = [text.format(f.canonical(example)) for example in f.examples] or [""]
    such = f" Such as {', '.join(most)}{' or ' * bool(most)}{last}." if last else ""
    return Option(
        flag=flag_of(f.name),
        param=param,
        field=field,
        metavar=text.metavar,
        help=f.sentence() + such,
        choices=text.choices or f.words(),
        is_open=f.is_open,
        is_bool=f.editor == "switch",
        is_list=f.editor in ("list", "pairs"),
    )


def collect(texts: Mapping[str, str], level: Level) -> dict[str, Any]:
    """What the options say, by parameter: {"--cpu": "1", "--memory": "2Gi"} is {"resources": Resources(...)}.

    A field's own option wins over the same field in `--resources`.

    Raises:
        ConfigTypeError, ConfigValueError: unknown options and texts that are not accepted, all in one error.
    """
    by_flag = {option.flag: option for option in options(level)}
    given: dict[str, Any] = {}
    parts: dict[str, str] = {}
    problems: list[ConfigError] = []
    for flag, text in texts.items():
        option = by_flag.get(flag)
        try:
            if option is None:
                raise ConfigTypeError(
                    f"{flag}: no such option\n  {did_you_mean(flag, by_flag) or 'options: ' + ' '.join(by_flag)}"
                )
            if option.field:
                parts[option.field] = text
            else:
                given[option.param] = parse(option.param, text)
        except ConfigError as problem:
            problems.append(problem)
    if parts:
        try:
            given[_SPREAD] = _merged(given.get(_SPREAD), parts)
        except ConfigError as problem:
            problems.append(problem)
    raise_all(problems)
    return given


def overrides(text: str) -> dict[str, Any]:
    """What one line says of parameters that may be overridden: "retries=3, memory=2Gi, short_name='a b'".

    Raises:
        ConfigTypeError, ConfigValueError: unknown parameters and values that are not accepted, all in one error.
    """
    names = "|".join(sorted((name_of(option.flag) for option in options(OVERRIDE)), key=len, reverse=True))
    # another word begins a parameter only behind a space: env_vars=A=1,B=2 goes on
    parts = re.split(rf"(?:(?:^|[,\s])\s*(?=(?:{names})\s*=)|(?:^|\s)(?=\w+\s*=))(\w+)\s*=\s*", text.strip())
    if parts[0].strip():
        raise ConfigValueError(f"{text!r}: no parameter with its value\n  write them so: retries=3, memory=2Gi")
    values = (value.strip().rstrip(",").strip() for value in parts[2::2])
    given = {flag_of(name): _unquoted(value) for name, value in zip(parts[1::2], values, strict=True)}
    return collect(given, OVERRIDE)


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text


def _merged(whole: Resources | None, parts: Mapping[str, str]) -> Resources:
    more = parse(_SPREAD, ",".join(f"{name}={text}" for name, text in parts.items()))
    values = {f.name: getattr(whole, f.name) for f in fields(Resources)} if whole else {}
    return Resources(**{**values, **{name: getattr(more, name) for name in parts}})


@functools.cache
def _codec(name: str) -> Codec:
    if name not in PARAMS:
        raise ConfigTypeError(f"{name}: no such parameter\n  {did_you_mean(name, PARAMS) or ', '.join(PARAMS)}")
    found = codec_of(PARAMS[name])
    if found is None:
        raise wrong_type(name, "text", "a value given in Python; it has no text form")
    return found


def _in_context(name: str, read: Any) -> Any:
    """Say which parameter the text was for."""
    try:
        return read()
    except ConfigValueError as problem:
        said = ConfigValueError(str(problem).replace("text:", f"{name}:", 1))
        said.each = problem.each
        raise said from None
