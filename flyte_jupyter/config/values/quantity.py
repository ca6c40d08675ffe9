"""Kubernetes quantities: "512Mi" to bytes, "500m" to cores.

Source of the notation: the resource model of Kubernetes. A milli-byte is legal there and never meant, so it is refused.
"""

from __future__ import annotations

import math
import re
import sys

from ..refusal import nearest_number, wrong_value

_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<suffix>[A-Za-z]*|[eE][+-]?\d+)", re.ASCII)
_BINARY: dict[str, int] = {
    suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)
}
_DECIMAL: dict[str, int] = {"": 1} | {
    suffix: 1000**power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), start=1)
}
_BYTES = _BINARY | _DECIMAL
_CORES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def parse_bytes(text: str, what: str = "memory") -> int:
    """Bytes of a quantity such as "512Mi", "2G", "1.5Gi" or "1e9", rounded up.

    Raises:
        ConfigValueError: it is not a quantity, or it has a unit that bytes do not have ("512m", "2GB").
    """
    allowed = 'a Kubernetes quantity such as "512Mi" or "2Gi"'
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        near = _QUANTITY.fullmatch("".join(text.split()).lstrip("-"))
        raise wrong_value(what, text, allowed, _memory_hint(near["number"], near["suffix"]) if near else "")
    number, suffix = match["number"], match["suffix"]
    if suffix and suffix[1:].lstrip("+-").isdigit():  # an exponent; "E" alone is exa
        return _whole(float(number + suffix), what, text)
    if suffix not in _BYTES:
        raise wrong_value(what, text, allowed, _memory_hint(number, suffix))
    if number.isdigit():
        return int(number) * int(_BYTES[suffix])
    return _whole(float(number) * _BYTES[suffix], what, text)


def parse_cores(value: float | str, what: str = "cpu") -> float:
    """Cores of 2, 0.5, "500m" or "2".

    Raises:
        ConfigValueError: it is negative, not finite or not a quantity of cores.
    """
    allowed = 'a number of cores of 0 or more, or a Kubernetes quantity such as "500m"'
    if not isinstance(value, str):
        if not 0 <= value <= sys.float_info.max:  # nan neither
            raise wrong_value(what, value, allowed, nearest_number(value, 0))
        return float(value)
    match = _QUANTITY.fullmatch(value.strip())
    if match is None:
        raise wrong_value(what, value, allowed)
    number, suffix = match["number"], match["suffix"]
    is_exponent = bool(suffix) and suffix[1:].lstrip("+-").isdigit()
    if not is_exponent and suffix not in _CORES:
        raise wrong_value(what, value, allowed, f"{suffix!r} is not a unit of CPU")
    cores = float(number + suffix) if is_exponent else float(number) * _CORES[suffix]
    if not math.isfinite(cores):
        raise wrong_value(what, value, "a finite quantity")
    return cores


def format_bytes(count: int) -> str:
    """The shortest exact binary quantity: 536870912 is "512Mi"."""
    for suffix, size in reversed(_BINARY.items()):
        if count and count % size == 0:
            return f"{count // size}{suffix}"
    return str(count)


def rough_bytes(count: int) -> str:
    """A number of bytes as people say it: "1.5 MiB"."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:{'.3g' if count < 999.5 * unit else '.0f'}} {name}"
    return f"{count} bytes"


def _whole(number: float, what: str, text: str) -> int:
    if not math.isfinite(number):
        raise wrong_value(what, text, "a finite quantity")
    return math.ceil(number)


def _memory_hint(number: str, suffix: str) -> str:
    if suffix in _BYTES:
        return f"did you mean {number + suffix!r}?"
    if suffix in ("m", "u", "n"):
        return f"{suffix!r} means a small fraction of a byte; did you mean {number + 'Mi'!r}?"
    unit = suffix.removesuffix("B").removesuffix("b").capitalize()
    if unit in ("K", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"):
        return f"did you mean {number + (unit if len(unit) == 2 else unit + 'i')!r}?"
    return f"{suffix!r} is not a unit of memory"
