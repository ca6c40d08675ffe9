"""Configuration values as text, for magics and forms: each codec turns text into a value and back.

What comes out of `format` goes into `parse` and gives an equal value.  A value with no text form is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from datetime import timedelta
from typing import Any, cast

from .field import Field, fields_of
from .image.image import Image
from .refusal import did_you_mean, wrong_type, wrong_value
from .spec import Param
from .values.duration import format_duration, parse_duration
from .values.secret import Secret, derived_env_var

_PAIR = re.compile(r'\s*([^=,"]+?)\s*=\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)')
_ITEM = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)')
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Codec:
    """How a parameter looks as text.

    Attributes:
        parse: text to value; raises ConfigValueError.
        format: value to text; raises ConfigTypeError for a value that has no text form.
        metavar: what help shows for the text, such as "N".
        choices: the words to choose from, when these are all; else ().
    """

    parse: Callable[[str], Any]
    format: Callable[[Any], str]
    metavar: str
    choices: tuple[str, ...] = ()


def quote(text: str) -> str:
    """Text as part of a list: in double quotes when it would otherwise be misread."""
    plain = text and text == text.strip() and not re.search(r'[,"=\\\x00-\x1f]', text)
    return text if plain else json.dumps(text)


def _unquote(text: str, whole: str) -> str:
    text = text.strip()
    if not text.startswith('"'):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        raise wrong_value("text", whole, 'values such as 1 or "a, b"; a double quote ends what it begins') from None
    return str(value)


def split_pairs(text: str) -> dict[str, str]:
    """The pairs of "a=1,b=2"; a value with a comma is in double quotes. Raises ConfigValueError."""
    pairs: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        match = _PAIR.match(text, at)
        if match is None or match.end() == at:
            raise wrong_value("text", text, 'pairs such as name=value,other="a, b"')
        pairs[match[1]] = _unquote(match[2], text)
        at = match.end()
    return pairs


def split_items(text: str) -> list[str]:
    """The items of "a,b"; an item with a comma is in double quotes. Raises ConfigValueError."""
    items = []
    at = 0
    while text[at:].strip():
        match = _ITEM.match(text, at)
        if match is None or match.end() == at:
            raise wrong_value("text", text, 'items such as one,two,"a, b"')
        items.append(_unquote(match[1], text))
        at = match.end()
    return items


# --- plain values


def _parse_int(text: str) -> int:
    try:
        return int(text.strip().replace("_", ""))
    except ValueError:
        raise wrong_value("text", text, "a whole number") from None


_BOOL = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _parse_bool(text: str) -> bool:
    found = _BOOL.get(text.strip().lower())
    if found is None:
        raise wrong_value("text", text, ", ".join(_BOOL), did_you_mean(text, _BOOL))
    return found


def _parse_duration(text: str) -> int | float | timedelta:
    found = parse_duration(text)
    if found is None:
        raise wrong_value("text", text, 'seconds such as 60, or "90s", "1h30m"')
    return found


def _parse_number(text: str) -> int | float | str:
    """2 and 0.5 are numbers, "500m" and '"2"' are text."""
    text = text.strip()
    if text.isdecimal():
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else _unquote(text, text)


def _format_number(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value) if _NUMBER.fullmatch(value.strip()) or not value or "," in value else value
    return _shown(value, (int, float))


def _shown(value: Any, types: tuple[type, ...]) -> str:
    if isinstance(value, types):
        return str(value)
    raise wrong_type("format", value, "a value that can be written as text")


def _text(value: Any) -> str:
    return _shown(value, (str,))


INT = Codec(_parse_int, lambda value: _shown(value, (int,)), "N")
BOOL = Codec(_parse_bool, lambda value: "true" if value else "false", "BOOL", ("true", "false"))
STR = Codec(str.strip, _text, "TEXT")
SIZE = Codec(str.strip, _text, "SIZE")
DURATION = Codec(_parse_duration, format_duration, "TIME")
NUMBER = Codec(_parse_number, _format_number, "N")
CORES = replace(NUMBER, metavar="CORES")


# --- lists


def _format_items(value: Any) -> str:
    return ",".join(quote(item) for item in value)


def _format_env(value: Any) -> str:
    return ",".join(f"{name}={quote(text)}" for name, text in value.items())


def _parse_secrets(text: str) -> list[Secret]:
    secrets = []
    for item in split_items_with_targets(text):
        source, equals, target = item.partition("=")
        group, slash, key = source.rpartition("/")
        secrets.append(Secret(key, group if slash else None, as_env_var=target if equals else None))
    return secrets


def split_items_with_targets(text: str) -> list[str]:
    """The items of "group/key=NAME,other"."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _format_secret(secret: Secret) -> str:
    if secret.mount is not None or re.search(r'[,=/"]|^\s|\s$', secret.key + (secret.group or "")):
        raise wrong_type("format", secret, "secrets as environment variables, with plain names")
    source = secret.key if secret.group is None else f"{secret.group}/{secret.key}"
    return source if secret.as_env_var == derived_env_var(secret.key, secret.group) else f"{source}={secret.as_env_var}"


ITEMS = Codec(lambda text: tuple(split_items(text)), _format_items, "NAME,...")
ENV_VARS = Codec(split_pairs, _format_env, "NAME=VALUE,...")
SECRETS = Codec(
    _parse_secrets, lambda value: ",".join(_format_secret(secret) for secret in value), "GROUP/KEY=NAME,..."
)


# --- values with fields


def _of_fields(cls: type, shorthand: str) -> Codec:
    """The codec of a value type: "field=text,...", or the text of the field `shorthand` alone."""
    found = {f.name: codec_of(f, inside=True) for f in fields_of(cls)}
    codecs = {name: codec for name, codec in found.items() if codec is not None}
    words = next((f.words() for f in fields_of(cls) if f.name == shorthand), ())

    def parse(text: str) -> Any:
        if not text.strip():
            return cls()
        if shorthand and not re.match(r"\s*\w+\s*=", text):
            return cls(**{shorthand: codecs[shorthand].parse(text)})
        pairs = split_raw(text)
        for name in pairs:
            if name not in codecs:
                raise wrong_value("text", name, ", ".join(codecs), did_you_mean(name, codecs))
        return cls(**{name: codecs[name].parse(raw) for name, raw in pairs.items()})

    def show(value: Any) -> str:
        given = {
            f.name: getattr(value, f.name)
            for f in fields(value)
            if getattr(value, f.name) is not None and (f.default is MISSING or getattr(value, f.name) != f.default)
        }
        for name, item in given.items():
            if name not in codecs:
                raise wrong_type(f"format: {name}", item, "a value that can be written as text")
        if shorthand and list(given) == [shorthand]:
            return codecs[shorthand].format(given[shorthand])
        return ",".join(f"{name}={codecs[name].format(item)}" for name, item in given.items())

    first = "WORD or " if words else f"{shorthand.upper()} or " if shorthand else ""
    return Codec(parse, show, f"{first}FIELD=VALUE,...", words)


def split_raw(text: str) -> dict[str, str]:
    """As `split_pairs`, but a quoted value keeps its quotes, for the codec of the field."""
    pairs: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        match = _PAIR.match(text, at)
        if match is None or match.end() == at:
            raise wrong_value("text", text, 'fields such as name=value,other="a, b"')
        pairs[match[1]] = match[2]
        at = match.end()
    return pairs


QUOTED = Codec(lambda text: _unquote(text, text), lambda value: quote(_text(value)), "TEXT")
WORDS = Codec(
    lambda text: tuple(_unquote(text, text).split()), lambda value: quote(" ".join(map(_word, value))), '"NAME ..."'
)


def _word(value: Any) -> str:
    if isinstance(value, str) and value and not re.search(r"\s", value):
        return value
    raise wrong_type("format", value, "names without spaces")


def _format_image(image: Any) -> str:
    if image == "auto":
        return "auto"
    if isinstance(image, Image) and image == Image.from_base(str(image.base_image)):
        return str(image.base_image)
    raise wrong_type("format", image, "an image given by its URI alone")


IMAGE = Codec(str.strip, _format_image, "URI")
DOCS = Codec(str.strip, lambda docs: _text(docs.description), "TEXT")
ACCELERATOR = replace(NUMBER, metavar="GPU")


def _or(word: str, codec: Codec) -> Codec:
    """`codec`, or a word; None is the word too."""
    return Codec(
        lambda text: word if text.strip() == word else codec.parse(text),
        lambda value: word if value is None or value == word else codec.format(value),
        f"{word} or {codec.metavar}",
    )


# --- which is whose

_SIMPLE = {"text": STR, "switch": BOOL, "duration": DURATION, "pairs": ENV_VARS, "list": ITEMS}
_INSIDE = {"text": QUOTED, "switch": BOOL, "duration": DURATION, "list": WORDS}
"""Within "field=text,..." a comma ends the field."""


def codec_of(f: Field, *, inside: bool = False) -> Codec | None:
    """The codec of a parameter, or of a field of a value type (`inside`); None when it has no text form."""
    if f.codec:
        return cast("Codec", globals()[f.codec])
    if f.editor == "fields" and len(f.of) == 1 and not inside:
        found = _of_fields(f.types()[0], f.shorthand)
        return _or(f.off, found) if isinstance(f, Param) and f.off else found
    if f.editor == "number":
        return _ranged(f, INT if f.is_whole else NUMBER)
    if f.editor == "quantity":
        return _ranged(f, CORES if f.unit == "cores" else SIZE)
    if f.editor == "choice":
        return replace(STR, choices=f.words())
    return (_INSIDE if inside else _SIMPLE).get(f.editor)


def _ranged(f: Field, one: Codec) -> Codec:
    """`one`, and where two are accepted "request..limit"."""
    if not f.is_pair:
        return one

    def read(text: str) -> Any:
        low, dots, high = text.partition("..")
        return (one.parse(low), one.parse(high)) if dots else one.parse(text)

    def write(value: Any) -> str:
        return "..".join(one.format(part) for part in value) if isinstance(value, tuple) else one.format(value)

    return replace(one, parse=read, format=write)
