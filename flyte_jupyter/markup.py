"""HTML that is safe by construction: text is escaped when it becomes part of an element, and only `Html` is not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

CUT = "…"
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "source", "track", "wbr"})

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # control sequences: cursor movements, colours
    r"|\x1b[ -/]*[0-~]?"  # everything else that begins with escape
)
# C0 and C1 controls but tab and newline, lone surrogates (they cannot be written as UTF-8), code points that are no
# characters and never will be (HTML has no place for them), and the characters that reorder text: a log must not be
# able to show something else than what it says.
_ENDS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef" + _ENDS + "]")


class Html(str):
    """Text that already is HTML."""

    __slots__ = ()


def clean(text: str) -> str:
    """`text` without escape sequences and without characters that a page must not contain; tabs and newlines stay."""
    if text.isprintable():  # most of it, and quickly known
        return text
    return _CONTROL.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def cut(text: str, size: int) -> str:
    """At most `size` characters of `text`: the beginning."""
    return text if len(text) <= size else text[: max(0, size - 1)] + CUT


def text(value: object) -> Html:
    """`value` as HTML text, escaped, without control characters."""
    return value if isinstance(value, Html) else Html(html.escape(clean(str(value))))


def el(name: str, *content: object, **attributes: object) -> Html:
    """An element; an attribute that is None or False is left out, `cls` is `class`, `_` in a name is `-`."""
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        name_ = "class" if key == "cls" else key.replace("_", "-")
        written.append(f" {name_}" if value is True else f' {name_}="{html.escape(clean(str(value)))}"')
    start = f"<{name}{''.join(written)}>"
    return Html(start) if name in VOID else Html(f"{start}{join(*content)}</{name}>")


def join(*parts: object) -> Html:
    """Parts one after the other; None is nothing."""
    return Html("".join(text(part) for part in parts if part is not None))


def table(head: Sequence[object], rows: Iterable[Sequence[object]], *, title: str, **attributes: object) -> Html:
    """A table: `rows` of cells, below a `head` that may be empty; `title` is what screen readers say of it."""
    top = el("thead", el("tr", *(el("th", name, scope="col") for name in head))) if head else None
    body = el("tbody", *(el("tr", *(el("td", cell) for cell in row)) for row in rows))
    return el("table", top, body, aria_label=title, **attributes)


def columns(rows: Iterable[Sequence[object]], *, widest: int = 60) -> str:
    """A table as text, for where there is no HTML; a cell that is wider is cut."""
    lines = [[cut(clean(str(cell)).replace("\n", " "), widest) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)
