"""A value in a few words, made where the value is, so that nobody has to unpickle it to show it."""

from __future__ import annotations

import pprint
import reprlib
from typing import Any

_TEXT = 4000
_WIDTH = 100
"""A container whose text is longer than this is broken into lines, as IPython does."""
_HTML = 24 * 1024

_short = reprlib.Repr()
_short.maxlevel = 3
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 8
_short.maxstring = _short.maxother = 200
_long = reprlib.Repr()  # the full repr of a list of millions takes seconds
_long.maxlevel = 6
_long.maxlist = _long.maxtuple = _long.maxset = _long.maxfrozenset = _long.maxdict = _long.maxdeque = 200
_long.maxstring = _long.maxother = 3 * _TEXT  # half of it is the beginning, which is shown
_CONTAINERS = (list, tuple, dict, set, frozenset)
_BUILT_IN = (*_CONTAINERS, str, bytes)


def describe(value: Any, limit: int = 200) -> str:
    """One short line for a value; frames and arrays by shape, because printing them costs milliseconds."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} {shape}"
    text = " ".join(_short.repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def preview(value: Any) -> dict[str, Any]:
    """How a notebook shows the value: {"text": its repr, "html": its `_repr_html_` or None}, both bounded."""
    try:
        text = _long.repr(value) if isinstance(value, _BUILT_IN) else repr(value)
        if _WIDTH < len(text) <= _TEXT and "..." not in text and isinstance(value, _CONTAINERS):
            text = pprint.pformat(value, width=_WIDTH, compact=True, sort_dicts=False)
    except Exception as error:  # somebody's broken repr must not fail the task
        text = f"<{type(value).__name__}, whose repr fails: {error!r}>"
    html = None
    try:
        maker = getattr(value, "_repr_html_", None) if not isinstance(value, type) else None
        made = maker() if callable(maker) else None
        html = made if isinstance(made, str) and len(made) <= _HTML else None
    except Exception:
        html = None  # the text is there
    return {"text": text if len(text) <= _TEXT else text[:_TEXT] + " …", "html": html}
