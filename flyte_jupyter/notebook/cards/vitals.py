"""What attempts have shown of themselves, cut to what a card may hold: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...markup import clean, cut

_BARS, _TABS = 8, 20
_BARS_OF_CALLED = 2
_MOST_NUMBER = 1e15


def cut_vitals(vitals: Mapping[str, Any], attempts: int, samples: int) -> dict[str, Any]:
    """By attempt: "bars", "report", "samples" and "used", what the samples say on the whole; each if there is any.

    Args:
        attempts: the last ones that are kept; samples: of each, where 0 is none.
    """
    kept = {}
    for number in sorted(vitals, key=int)[-attempts:]:
        of = vitals[number]
        parts = {
            "bars": [_bar(bar) for bar in list(of.get("bars") or ())[: _BARS if samples else _BARS_OF_CALLED]],
            "report": cut_report(of.get("report")),
            "used": of.get("used") or _used(of.get("samples") or ()),
            "samples": [[round(float(n), 3) for n in each] for each in _thin(of.get("samples") or (), samples)],
        }
        if told := {name: part for name, part in parts.items() if part}:
            kept[str(number)] = told
    return kept


def _bar(bar: Mapping[str, Any]) -> dict[str, Any]:
    total = bar.get("total")
    return {
        "done": _number(bar["done"]),
        "total": _number(total) if total is not None else None,
        "unit": _line(bar["unit"], 40),
        "description": _line(bar.get("description") or "", 80),
        "began": bar["began"],
        "at": bar["at"],
        "is_over": bool(bar.get("is_over")),
    }


def _number(value: Any) -> float:
    """One that a page can show: a task may say anything."""
    number = value if isinstance(value, (int, float)) else 0
    if math.isnan(number):
        return 0
    return number if -_MOST_NUMBER < number < _MOST_NUMBER else math.copysign(_MOST_NUMBER, number)


def _line(value: object, size: int) -> str:
    return cut(clean(str(value)).replace("\n", " "), size)


def cut_report(report: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a card says of a report, but for what is in it."""
    if not report:
        return None
    return {"tabs": [_line(name, 60) for name in report["tabs"][:_TABS]], "size": int(report["size"])}


def _used(samples: Sequence[Sequence[float]]) -> dict[str, float]:
    if not samples:
        return {}
    cores, memory = [each[1] for each in samples], [each[2] for each in samples]
    averages = {"cores": sum(cores) / len(cores), "memory": sum(memory) / len(memory)}
    return {
        name: round(of, 3) for name, of in (averages | {"most_cores": max(cores), "most_memory": max(memory)}).items()
    }


def _thin(samples: Sequence[Sequence[float]], most: int) -> Sequence[Sequence[float]]:
    """So many of them, evenly: those with the most memory of their neighbours."""
    if len(samples) <= most:
        return samples
    step = math.ceil(len(samples) / most) if most else 0
    return [max(samples[i : i + step], key=lambda each: each[2]) for i in range(0, len(samples), step)] if step else []
