"""Snippets and what they have to come to with the two packages.

`accepted`, `refused` and `differs` make the rows of the tables.  All three say what is expected of flyte, so that a
snippet with a mistake in it fails instead of being "the same" in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Outcome: TypeAlias = Mapping[str, Any]
"""What `evaluate.py` says of a snippet: `value`, or `error` (its classes) and `message`; and `warned`."""


@dataclass(frozen=True)
class Snippet:
    """Python to be evaluated with both packages.

    Attributes:
        code: its value is that of its last expression.
        flyte: what flyte makes of it: "accepted", the text of its value, or "ValueError", perhaps with words of its
            message: "ValueError: snake_case".
        ours: what we make of it; None for the same.
        differs: the id of the row of docs/differences.md that tells the difference.
    """

    code: str
    flyte: str
    ours: str | None = None
    differs: str = ""


def accepted(*codes: str) -> list[Snippet]:
    """Both packages come to the same value."""
    return [Snippet(code, "accepted") for code in codes]


def refused(error: str, *codes: str) -> list[Snippet]:
    """Both packages refuse it with this class of error and these words: "ValueError: snake_case"."""
    return [Snippet(code, error) for code in codes]


def differs(row: str, code: str, *, flyte: str, ours: str) -> list[Snippet]:
    """The packages differ, as docs/differences.md says in the row of that id."""
    return [Snippet(code, flyte, ours, row)]


def problem(snippet: Snippet, flyte: Outcome, ours: Outcome) -> str | None:
    """Why the outcomes are not what the snippet says; None when they are."""
    if not fits(snippet.flyte, flyte):
        return f"flyte: expected {snippet.flyte}"
    if snippet.ours is not None:
        if not fits(snippet.ours, ours):
            return f"ours: expected {snippet.ours}"
        is_over = same(flyte, ours) and fits(snippet.ours, flyte)
        return "the packages do not differ any more" if is_over else None
    if not fits(snippet.flyte, ours):
        return f"ours: expected {snippet.flyte}, as flyte"
    return None if same(flyte, ours) else "the packages differ"


def fits(expected: str, found: Outcome) -> bool:
    """Whether an outcome is what is expected."""
    word, _, rest = expected.partition(":")
    if word.isidentifier() and word.endswith(("Error", "Exception")):
        words = rest.strip().lower()
        return word in found.get("error", ()) and words in found["message"].lower()
    if "error" in found:
        return False
    if expected.startswith("accepted"):
        return expected != "accepted with a warning" or found["warned"]
    return expected == text(found["value"])


def same(flyte: Outcome, ours: Outcome) -> bool:
    """Whether ours can stand in for flyte's: the class of its error is among ours, or the value agrees; both warn."""
    if flyte["warned"] and not ours["warned"]:
        return False
    if "error" in flyte:
        return flyte["error"][0] in ours.get("error", ())
    return "error" not in ours and agrees(flyte["value"], ours["value"])


def agrees(flyte: Any, ours: Any) -> bool:
    """Whether all that flyte's value has is the same in ours, which may have more attributes."""
    if isinstance(flyte, dict) and isinstance(ours, dict):
        return all(name in ours and agrees(value, ours[name]) for name, value in flyte.items())
    if isinstance(flyte, list) and isinstance(ours, list):
        return len(flyte) == len(ours) and all(map(agrees, flyte, ours))
    return bool(flyte == ours)


def text(value: Any) -> str:
    """A value as Python would show it."""
    if isinstance(value, list):
        kind, *items = value
        inner = ", ".join(map(text, items))
        return {"list": f"[{inner}]", "tuple": f"({inner}{',' if len(items) == 1 else ''})", "set": f"{{{inner}}}"}[
            kind
        ]
    if isinstance(value, dict) and "dict" in value:
        return "{" + ", ".join(f"{text(key)}: {text(item)}" for key, item in value["dict"]) + "}"
    if isinstance(value, dict):
        parts = ", ".join(f"{name}={text(item)}" for name, item in value.items() if name != "type")
        return f"{value['type']}({parts})"
    return str(value)


def told(found: Outcome) -> str:
    """An outcome for people."""
    warned = " (with a warning)" if found["warned"] else ""
    if "error" in found:
        return f"{'/'.join(found['error'][:3])}: {found['message']}{warned}"
    return text(found["value"]) + warned
