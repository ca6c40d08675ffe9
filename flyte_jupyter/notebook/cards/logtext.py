"""What a task printed, made fit for a page: no control characters, colours as spans, one state per progress bar."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator

from ...markup import CUT, clean, cut

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

_RAW_FACTOR = 8
"""How many characters with colour codes may stand for one that is shown; what is beyond is cut before it is parsed."""


def middle(text: str, size: int) -> str:
    """At most about `size` characters of a longer text: its beginning, and twice as much of its end, in whole lines."""
    if len(text) <= size:
        return text
    head, tail = text[: size // 3], text[-(size - size // 3) :]
    head = head[: head.rfind("\n") + 1] or head + "\n"
    tail = tail[tail.find("\n") + 1 :] or tail
    return f"{head}{CUT} {len(text) - len(head) - len(tail)} characters left out {CUT}\n{tail}"


def last_state(line: str) -> str:
    """What a terminal shows of a line that was overwritten with carriage returns, as progress bars do."""
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line


def plain(line: str, width: int) -> str:
    """A log line as text without colours, at most `width` characters long."""
    return cut(clean(last_state(line)[: width * _RAW_FACTOR]), width)


_remembered = functools.lru_cache(maxsize=8192)
"""For lines of a log, which are the same in each update of a card that is live."""


@_remembered
def normal(line: str, width: int) -> str:
    """A log line in its smallest form that still has its colours: what is stored in a notebook."""
    out = []
    for bold, colour, text in _segments(line, width):
        codes = [code for code in ("1" if bold else "", str(30 + COLOURS.index(colour)) if colour else "") if code]
        out.append(f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text)
    return "".join(out)


@_remembered
def coloured(line: str, width: int) -> str:
    """A log line as HTML: escaped, colours and bold as spans."""
    out = []
    for bold, colour, text in _segments(line, width):
        classes = [name for name in ("fr-bold" if bold else "", f"fr-{colour}" if colour else "") if name]
        escaped = html.escape(text)
        out.append(f'<span class="{" ".join(classes)}">{escaped}</span>' if classes else escaped)
    return "".join(out)


def _segments(line: str, width: int) -> Iterator[tuple[bool, str, str]]:
    """(bold, colour, text) of the parts of a line, at most `width` characters of text in all."""
    if line.isprintable():
        if line:
            yield False, "", cut(line, width)
        return
    line = last_state(line)
    raw = line[: width * _RAW_FACTOR]
    bold, colour, left = False, "", width
    parts = _SGR.split(raw)
    for i, part in enumerate(parts):
        if i % 2:
            bold, colour = _sgr(part, bold, colour)
            continue
        text = clean(part)
        if not text:
            continue
        if len(text) > left:
            yield bold, colour, text[: max(0, left - 1)] + CUT
            return
        left -= len(text)
        yield bold, colour, text
    if len(raw) < len(line):
        yield False, "", CUT


def _sgr(codes: str, bold: bool, colour: str) -> tuple[bool, str]:
    numbers = iter([int(c) if c.isdigit() and len(c) < 4 else 0 for c in codes.replace(":", ";").split(";")])
    for n in numbers:
        if n == 0:
            bold, colour = False, ""
        elif n in (1, 22):
            bold = n == 1
        elif n == 39:
            colour = ""
        elif 30 <= n <= 37 or 90 <= n <= 97:
            colour = COLOURS[n % 10]
        elif n in (38, 48):  # a palette or true colour: its arguments are not codes of their own
            kind = next(numbers, None)
            for _ in range({5: 1, 2: 3}.get(kind or 0, 0)):
                next(numbers, None)
    return bold, colour
