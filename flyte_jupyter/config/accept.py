"""What the parameters of the table accept: each function makes a canonical value of what was given, or refuses it.

Value types are loaded when first used, so that importing the table stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ConfigError
from .refusal import nearest_number, raise_all, write_text, wrong_type, wrong_value
from .values.frozen import FrozenDict


def str_or_none(name: str) -> Callable[[Any], str | None]:
    """A str; "" takes away what a level below gave."""

    def accept(value: Any) -> str | None:
        if not isinstance(value, str):
            raise wrong_type(name, value, "a str")
        return value or None

    return accept


def text(name: str, *, empty: bool = True) -> Callable[[Any], str]:
    """A str."""

    def accept(value: Any) -> str:
        if not value and not empty:
            raise wrong_value(name, value, "a str that is not empty")
        if not isinstance(value, str):
            raise wrong_type(name, value, "a str")
        return value

    return accept


def optional(rule: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """None, or what `rule` accepts."""
    return lambda value: None if value is None else rule(value)


def texts(name: str) -> Callable[[Any], dict[str, str]]:
    """A copy of a mapping of str to str. Refuses all that is wrong with it at once."""

    def accept(value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise wrong_type(name, value, 'a dict such as {"name": "value"}')
        problems: list[ConfigError] = []
        for key, item in value.items():
            if not isinstance(key, str):
                problems.append(wrong_type(name, key, "names that are str"))
            if not isinstance(item, str):
                problems.append(wrong_type(f"{name}[{key!r}]", item, "a str", write_text(item)))
        raise_all(problems)
        return FrozenDict(value)

    return accept


def boolean(name: str) -> Callable[[Any], bool]:
    """True or False, and nothing that is merely truthy."""

    def accept(value: Any) -> bool:
        if not isinstance(value, bool):
            raise wrong_type(name, value, "True or False")
        return value

    return accept


def description(value: Any) -> str:
    """A str, cut when it is too long."""
    if not isinstance(value, str):
        raise wrong_type("description", value, "a str")
    from .values.documentation import shorten

    return shorten(value)


def include(value: Any) -> tuple[str, ...]:
    """A list, or another iterable, of paths."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
        found = tuple(value)
        if all(isinstance(item, str) for item in found):
            return found
    hint = f"write include=[{value!r}]" if isinstance(value, str) else ""
    raise wrong_type("include", value, "a list of paths, each a str", hint)


def max_inline(value: Any) -> int:
    """A number of bytes."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("max_inline_io_bytes", value, "a number of bytes, an int", nearest_number(value, 0))
    if value < 0:
        raise wrong_value("max_inline_io_bytes", value, "0 or more bytes", nearest_number(value, 0))
    return value


def image(value: Any) -> Any:
    """See `Image.of`."""
    from .image.image import Image

    return Image.of(value)


def resources(value: Any) -> Any:
    """See `Resources.of`."""
    from .values.resources import Resources

    return Resources.of(value)


def secrets(value: Any) -> Any:
    """See `Secret.of`."""
    from .values.secret import Secret

    return Secret.of(value)


def pod_template(value: Any) -> Any:
    """See `PodTemplate.of`."""
    from .values.pod_template import PodTemplate

    return PodTemplate.of(value)


def reusable(value: Any) -> Any:
    """See `ReusePolicy.of`."""
    from .values.reuse import ReusePolicy

    return ReusePolicy.of(value)


def links(value: Any) -> Any:
    """See `links_of`."""
    from .values.link import links_of

    return links_of(value)


def triggers(value: Any) -> Any:
    """See `Trigger.of`."""
    from .values.trigger import Trigger

    return Trigger.of(value)


def docs(value: Any) -> Any:
    """See `Documentation.of`."""
    from .values.documentation import Documentation

    return Documentation.of(value)
