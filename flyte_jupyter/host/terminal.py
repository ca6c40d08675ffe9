"""What a terminal would show of lines that a program writes over again, as progress bars do."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MOVES = re.compile(r"(\n|\r|\x1b\[\d*[AF])")
"""New line, back to its start, and so many lines up."""
_UP = re.compile(r"\x1b\[\d*[AF]")
_CUT_OFF = re.compile(r"\x1b(\[\d*)?$")
"""The beginning of a move, whose end is still to come."""
_MOST = 20
"""Lines that are kept open because one above them may be gone back to."""


class Terminal:
    """The lines of one stream that may still change: the last one, and those of progress bars below each other.

    Of a line that is begun again with a carriage return the last state counts; escape sequences that move upwards, as
    nested bars send them, lead back to a line above.  A bar's line stays open until an ordinary line has ended below
    it, or another bar goes on there.  Columns are not counted: what is shorter replaces all of what was longer.
    """

    def __init__(self) -> None:
        self._rows = [""]
        self._bars = [False]
        self._at = 0
        self._cut_off = ""
        self._begins = False  # what comes next replaces the row
        self._written = 0  # times the last row was begun again, since it was come to

    def __repr__(self) -> str:
        return f"<Terminal {self._rows}>"

    @property
    def unfinished(self) -> str:
        """Its open lines as they are now."""
        return "\n".join(self._rows).rstrip()

    def pull(self) -> str:
        """The row that goes on, taken out; for who has to see it together with what follows."""
        text, self._cut_off = self._cut_off, ""
        if not self._begins:
            text, self._rows[self._at] = self._rows[self._at] + text, ""
        return text

    def feed(self, text: str) -> list[str]:
        """The lines that will not change any more."""
        text, self._cut_off = self._cut_off + text, ""
        if "\x1b" in text[-8:] and (end := _CUT_OFF.search(text)):
            text, self._cut_off = text[: end.start()], end.group()
        is_settled = len(self._rows) == 1 and not self._begins and not self._bars[0]
        if is_settled and "\r" not in text and not ("\x1b[" in text and _UP.search(text)):  # nearly all that is printed
            *lines, self._rows[0] = (self._rows[0] + text).split("\n")
            return lines
        return [line for part in _MOVES.split(text) if part for line in self._take(part)]

    def cut(self, most: int, spare: int) -> Iterator[str]:
        """What is too long to wait for its end, in pieces of `most` characters; `spare` more may wait."""
        while len(self._rows[self._at]) > most + spare:
            yield from self._settle(self._at)
            yield self._rows[self._at][:most]
            self._rows[self._at] = self._rows[self._at][most:]

    def close(self) -> list[str]:
        """The rest; what a bar has wiped out is not there."""
        lines = list(self._write(self._cut_off)) if self._cut_off else []
        lines += self._settle(len(self._rows))
        self._rows, self._bars, self._begins, self._cut_off = [""], [False], False, ""
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _take(self, part: str) -> Iterator[str]:
        if part == "\r":
            self._begins = True
        elif part[-1] in "AF" and part.startswith("\x1b["):
            self._at = max(0, self._at - int(part[2:-1] or 1))
            self._begins, self._written = True, 0
        elif part == "\n":
            yield from self._down()
        else:
            yield from self._write(part)

    def _down(self) -> Iterator[str]:
        self._at += 1
        self._written = 0
        self._begins = self._at < len(self._rows)
        if self._begins:
            return
        self._rows.append("")
        self._bars.append(False)
        is_ordinary = not self._bars[-2] and self._rows[-2].strip()
        if is_ordinary or not any(self._bars):
            yield from self._settle(self._at)
        elif len(self._rows) > _MOST:
            yield from self._settle(1)

    def _write(self, text: str) -> Iterator[str]:
        if self._begins:
            self._bars[self._at] = True
            self._written += 1
            self._rows[self._at] = text
            if self._written > 1 and self._at == len(self._rows) - 1:
                yield from self._settle(self._at)
        else:
            self._rows[self._at] += text
        self._begins = False

    def _settle(self, number: int) -> Iterator[str]:
        """The first rows as they are: nothing leads back to them."""
        rows, bars = self._rows[:number], self._bars[:number]
        del self._rows[:number], self._bars[:number]
        self._at = max(0, self._at - number)
        yield from (row.rstrip() if is_bar else row for row, is_bar in zip(rows, bars, strict=True))
