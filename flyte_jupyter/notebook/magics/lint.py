"""What is wrong with the magics of a cell, as far as it shows without running anything. Pure."""

from __future__ import annotations

from ...errors import ConfigError, nearest
from ..cells.extract import UnsupportedCell
from ..files.editing import Used
from .magic import Magic
from .magics import MAGICS, without_cell
from .options import Line, OptionError, Wrong, wrong_settings

_BY_NAME = {magic.name: magic for magic in MAGICS}
_PREFIX = "flyte_"


def magic_of(use: Used) -> Magic | None:
    """The magic of ours that is used; None for others, and where it is no such magic."""
    magic = _BY_NAME.get(use.name)
    return magic if magic is not None and use.is_of_cell is magic.takes_cell else None


def line_of(magic: Magic, use: Used) -> Line:
    """Its line, as far as it can be read."""
    try:
        return magic.parser.parse(use.text)
    except OptionError as e:
        return e.line or Line()


def wrong(use: Used) -> list[tuple[int, Wrong]]:
    """What running it would refuse; each with the line of the body it is about, counted from 1, or 0 for its own line.

    The places are characters of the text of the magic; what is about the magic itself stands before it.
    """
    magic = magic_of(use)
    if magic is None:
        message = _misplaced(use)
        return [(0, Wrong(message, (-len(use.written), 0)))] if message else []
    whole = (len(use.text) - len(use.text.lstrip()), len(use.text.rstrip()))
    try:
        line = magic.parser.parse(use.text)
        if "--help" in line.options:
            return []
        magic.check(line, use.body)
    except ConfigError:
        return [(0, one) for one in wrong_settings(line, lambda part: magic.check(part, use.body))]
    except OptionError as e:
        return [
            (0, one) for one in e.wrong or [Wrong(str(e), whole if whole[0] < whole[1] else (-len(use.written), 0))]
        ]
    except UnsupportedCell as e:
        return [(e.line, Wrong(str(e).partition(": ")[2], (0, 0)))]
    except SyntaxError:
        pass  # of the body, which is being typed
    return []


def _misplaced(use: Used) -> str:
    """What IPython says of one of our names where there is no such magic; "" for other names."""
    if not use.name.startswith(_PREFIX):
        return ""
    magic, near = _BY_NAME.get(use.name), nearest(use.name, _BY_NAME)
    if magic is None:
        kind = "Cell magic" if use.is_of_cell else "Line magic function"
        hint = f"; did you mean {_BY_NAME[near].written}?" if near else ""
        return f"{kind} `{use.written}` not found{hint}"
    if not magic.takes_cell:
        exists = f"(But line magic `{magic.written}` exists, did you mean that instead?)"
        return f"Cell magic `{use.written}` not found {exists}."
    if use.written == magic.written:
        return f"Line magic function `{use.written}` not found; it stands in the first line of a cell"
    return without_cell(magic)
