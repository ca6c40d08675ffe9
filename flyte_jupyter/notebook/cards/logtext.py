"""What a task printed, made fit for a page: no control characters, colours as spans, one state per progress bar."""

from __future__ import annotations

import colorsys
import functools
import html
import re
from collections.abc import Iterator

from ...markup import CUT, clean, cut

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

_NOT_WORTH_SAYING = 60
"""Characters that are shown too: to say that they are left out takes as much room."""
_RAW_FACTOR = 8
"""How many characters with colour codes may stand for one that is shown; what is beyond is cut before it is parsed."""


def middle(text: str, size: int) -> str:
    """At most about `size` characters of a longer text: its beginning, and twice as much of its end, in whole lines."""
    if len(text) <= size:
        return text
    head, tail = text[: size // 3], text[-(size - size // 3) :]
    head = head[: head.rfind("\n") + 1] or head + "\n"
    tail = tail[tail.find("\n") + 1 :] or tail
    gone = len(text) - len(head) - len(tail)
    return f"{head}{CUT} {gone:,} characters left out {CUT}\n{tail}" if gone > _NOT_WORTH_SAYING else text


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
    """What follows from the numbers of one sequence; what it says of the background and of other looks is left out."""
    numbers = _numbers(codes)
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
            given = [next(numbers, 0) for _ in range({5: 1, 2: 3}.get(kind or 0, 0))]
            if n == 38 and given:
                colour = _of_palette(*given) if kind == 5 else _nearest(*given)
    return bold, colour


def _numbers(codes: str) -> Iterator[int]:
    for code in codes.split(";"):
        parts = code.split(":")
        if len(parts) > 5 and parts[1] == "2":
            del parts[2]  # the colour space, which is mostly empty
        yield from (int(part) if part.isdigit() and len(part) < 4 else 0 for part in parts)


def _of_palette(n: int) -> str:
    """One of 256: the eight twice, a cube of colours, and greys."""
    if n < 16:
        return COLOURS[n % 8]
    if n > 231:
        return _nearest(*[8 + 10 * (n - 232)] * 3)
    steps = [(n - 16) // step % 6 for step in (36, 6, 1)]
    return _nearest(*[55 + 40 * step if step else 0 for step in steps])


_HUES = ((25, "red"), (75, "yellow"), (160, "green"), (200, "cyan"), (265, "blue"), (335, "magenta"), (360, "red"))
"""Up to which degree of the circle a colour has its name; orange is a yellow."""


def _nearest(red: int, green: int, blue: int) -> str:
    """The one of the eight that is nearest: these can be read on each kind of theme, which any other may not be."""
    parts = [min(part, 255) / 255 for part in (red, green, blue)]
    if max(parts) - min(parts) < 0.125:
        return "white" if max(parts) >= 0.5 else "black"
    hue, _, _ = colorsys.rgb_to_hls(*parts)
    return next(name for most, name in _HUES if 360 * hue <= most)
