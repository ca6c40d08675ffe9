"""How the configuration says no: three short lines that name what was given, what is allowed and the next step."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ..errors import ConfigError, ConfigTypeError, ConfigValueError, is_our_frame, nearest


class ConfigTypeAndValueError(ConfigTypeError, ConfigValueError):
    """Several things are not accepted, some for their type and some for their value."""


def refusal(what: str, given: object, allowed: str, hint: str = "") -> str:
    """The text of an error for one value."""
    shown = shortened(repr(given), 60)
    hint = shortened(hint, 160)
    return "\n".join(
        part for part in (f"{what}: {shown} is not accepted", f"  allowed: {allowed}", hint and f"  {hint}") if part
    )


def shortened(text: str, longest: int) -> str:
    """At most `longest` characters of `text`, as errors and tables of text have it."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def wrong_type(what: str, given: object, allowed: str, hint: str = "") -> ConfigTypeError:
    """The error for a value of a type that is not accepted."""
    return ConfigTypeError(refusal(what, given, allowed, hint))


def wrong_value(what: str, given: object, allowed: str, hint: str = "") -> ConfigValueError:
    """The error for a value that is not accepted."""
    return ConfigValueError(refusal(what, given, allowed, hint))


def whole(value: object, least: int) -> bool:
    """Whether `value` is an int (not a bool) of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def nearest_number(value: object, least: float, *, is_whole: bool = True) -> str:
    """ "the nearest is 3", of a number or its digits; "" of anything else. `least` is the lowest that is accepted."""
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        return ""
    return f"the nearest is {max(least, round(value) if is_whole else value)}"


def similar(given: str, names: Iterable[str]) -> str | None:
    """The name most like what was given, None when nothing comes near; capitals do not count."""
    by_lower = {name.lower(): name for name in names}
    found = nearest(given.lower(), by_lower)
    return by_lower[found] if found else None


def did_you_mean(given: str, names: Iterable[str]) -> str:
    """ "did you mean 'x'?", or "" when nothing comes near."""
    found = similar(given, names)
    return f"did you mean {found!r}?" if found else ""


def write_text(value: object) -> str:
    """What to write instead of something that is no str."""
    return "leave it out" if value is None else f"write {str(value)!r}"


@contextmanager
def gathered(problems: list[ConfigError]) -> Iterator[None]:
    """What is refused within it is added to `problems`, to be raised with others."""
    try:
        yield
    except ConfigError as problem:
        problems.append(problem)


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn of something that is accepted; the warning is shown with the line that is not ours."""
    level, frame = 2, inspect.currentframe()
    frame = frame and frame.f_back
    while frame is not None and is_our_frame(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def raise_all(problems: Sequence[ConfigError]) -> None:
    """Raise one error for all problems; it is a TypeError or a ValueError as they are, or both when they differ."""
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    texts = [text for problem in problems for text in (problem.each or [str(problem)])]
    found = _united(problems)(f"{len(texts)} problems\n" + "\n".join(texts))
    found.each = texts
    raise found


def _united(problems: Sequence[ConfigError]) -> type[ConfigError]:
    found = [cls for cls in (ConfigTypeError, ConfigValueError) if any(isinstance(one, cls) for one in problems)]
    return found[0] if len(found) == 1 else ConfigTypeAndValueError
