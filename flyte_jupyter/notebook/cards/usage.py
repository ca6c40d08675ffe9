"""What attempts use of what was asked for: the CPU and the memory of all their processes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...config.values.quantity import rough_bytes
from ...markup import Html, el
from . import timeline
from .parts import Action, View, root_of
from .sparkline import sparkline


def usage(view: View, _now: float) -> Html | None:
    """Of the first action: its last attempt."""
    root = root_of(view)
    is_over = view["phase"] in timeline.TERMINAL
    shown = root.get("vitals", {}).get(str(root["attempt"]), {})
    return used(shown, view["asked"], peak=int(root.get("peak_memory") or 0), is_over=is_over)


def used(shown: Mapping[str, Any], asked: Mapping[str, Any], *, peak: int = 0, is_over: bool = True) -> Html | None:
    """Of one attempt: a line each of CPU and memory, in words and as a sparkline where samples were taken.

    Args:
        peak: bytes, when more is known than the samples say.
    """
    of = shown.get("used") or {}
    samples = shown.get("samples") or []
    rows = []
    if of:
        bound = asked.get("cpu_limit") or asked.get("cpu")
        words = [f"{samples[-1][1]:.2g} cores now"] if samples and not is_over else []
        words += [f"{of['cores']:.2g} {'' if words else 'cores '}on average", f"{of['most_cores']:.2g} at most"]
        told = ", ".join(words) + (f" of {bound:g} asked for" if bound else "")
        rows.append(_row("CPU", [float(sample[1]) for sample in samples], bound, told, least=1.0))
    if most := max(peak, int(of.get("most_memory", 0))):
        bound = asked.get("memory_limit") or asked.get("memory")
        words = [f"{rough_bytes(round(of['memory']))} on average"] if of else []
        told = ", ".join([*words, f"{rough_bytes(most)} at most"])
        told += f" of {rough_bytes(bound)} asked for ({100 * most / bound:.0f} %)" if bound else ""
        rows.append(_row("Memory", [float(sample[2]) for sample in samples], bound, told))
    return el("div", *rows, cls="fr-sec fr-small") if rows else None


def in_words(action: Action) -> str:
    """What the last attempt of an action used, on one line; "" when that is not known."""
    of = action.get("vitals", {}).get(str(action["attempt"]), {}).get("used")
    if not of:
        return ""
    return f"CPU {of['cores']:.2g} cores on average · memory {rough_bytes(round(of['most_memory']))} at most"


def _row(label: str, line: Sequence[float], asked: float | None, words: str, least: float = 1e-9) -> Html:
    drawn = sparkline(line, asked, least) if len(line) > 1 else None
    return el("div", el("span", label, cls="fr-label"), " ", drawn, " ", words, cls="fr-line")
