"""A value in a few words, made where the value is, so that nobody has to unpickle it to show it."""

from __future__ import annotations

import base64
import copy
import io
import itertools
import pprint
import reprlib
from collections.abc import Iterator
from typing import Any

from ..credentials.mask import MASKED, Mask
from ..markup import cut

_TEXT = 4000
_WIDTH = 100
"""A container whose text is longer than this is broken into lines, as IPython does."""
_HTML = 24 * 1024
_DPI = (80, 60, 45, 30)
"""Of a figure: the first that is small enough."""

_NO_MASK = Mask(())


class _Repr(reprlib.Repr):
    """Takes the values of secrets out before it shortens, so that no half of one is left."""

    mask = _NO_MASK

    def masking(self, mask: Mask) -> _Repr:
        made = copy.copy(self)
        made.mask = mask
        return made

    def repr_str(self, x: str, level: int) -> str:
        return super().repr_str(self.mask(x), level)

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """In the order of the dict, as Python prints it; `reprlib` sorts."""
        if not x or level <= 0:
            return "{...}" if x else "{}"
        shown = itertools.islice(x.items(), self.maxdict)
        pieces = [f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}" for key, value in shown]
        return "{" + ", ".join(pieces + ["..."] * (len(x) > self.maxdict)) + "}"

    def repr_instance(self, x: Any, level: int) -> str:
        if self.mask:
            try:
                x = _Text(self.mask(repr(x)))
            except Exception:  # somebody's broken repr: told below
                return super().repr_instance(x, level)
        return super().repr_instance(x, level)


class _Text:
    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


_short = _Repr()
_short.maxlevel = 3
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 8
_short.maxstring = _short.maxother = 200
_long = _Repr()  # the full repr of a list of millions takes seconds
_long.maxlevel = 6
_long.maxlist = _long.maxtuple = _long.maxset = _long.maxfrozenset = _long.maxdict = _long.maxdeque = 200
_long.maxstring = _long.maxother = 3 * _TEXT  # half of it is the beginning, which is shown
_CONTAINERS = (list, tuple, dict, set, frozenset)
_BUILT_IN = (*_CONTAINERS, str, bytes)


def describe(value: Any, limit: int = 200, *, mask: Mask = _NO_MASK) -> str:
    """One short line for a value; frames and arrays by shape, because printing them costs milliseconds.

    Args:
        mask: takes the values of secrets out.
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} {shape}"
    text = mask(" ".join(_short.masking(mask).repr(value).split()))
    return cut(text, limit)


def preview(value: Any, mask: Mask = _NO_MASK) -> dict[str, Any]:
    """How a notebook shows the value: {"text": its repr, "html": its own HTML or picture, or None}, both bounded.

    Args:
        mask: takes the values of secrets out.
    """
    try:
        text = mask(_long.masking(mask).repr(value) if isinstance(value, _BUILT_IN) else repr(value))
        is_whole = "..." not in text and MASKED not in text
        if _WIDTH < len(text) <= _TEXT and is_whole and isinstance(value, _CONTAINERS):
            text = pprint.pformat(value, width=_WIDTH, compact=True, sort_dicts=False)
    except Exception as error:  # somebody's broken repr must not fail the task
        text = mask(f"<{type(value).__name__}, whose repr fails: {error!r}>")
    try:
        rich = None if isinstance(value, type) else next(filter(None, _rich(value)), None)
    except Exception:
        rich = None  # the text is there
    return {
        "text": text if len(text) <= _TEXT else text[:_TEXT] + " …",
        "html": mask(rich) if rich is not None else None,
    }


def _rich(value: Any) -> Iterator[str | None]:
    """What it says of itself in the ways of IPython, as HTML; None is too much, or of another kind."""
    for method in ("_repr_html_", "_repr_svg_"):
        made = _own(value, method)
        yield made if isinstance(made, str) and len(made) <= _HTML else None
    for kind in ("png", "jpeg"):
        yield _picture(kind, _own(value, f"_repr_{kind}_"))
    if any(of.__module__ == "matplotlib.figure" and of.__name__ == "Figure" for of in type(value).__mro__):
        for dpi in _DPI:
            drawn = io.BytesIO()
            value.savefig(drawn, format="png", dpi=dpi, bbox_inches="tight")
            yield _picture("png", drawn.getvalue())


def _own(value: Any, method: str) -> Any:
    maker = getattr(value, method, None)
    made = maker() if callable(maker) else None
    return made[0] if isinstance(made, tuple) and made else made  # IPython takes metadata beside it


def _picture(kind: str, made: Any) -> str | None:
    written = base64.b64encode(made).decode() if isinstance(made, bytes) else None
    html = f'<img alt="the result, a picture" src="data:image/{kind};base64,{written}">'
    return html if written and len(html) <= _HTML else None
