"""A line as words: as a shell reads them, but for Python, which is one word whatever stands in it. Pure."""

from __future__ import annotations

import ast
import io
import re
import shlex
from collections.abc import Iterable

_OPENS = re.compile(r"(?:-{1,2}[\w-]+=)?(?=\{)")


class Words:
    """The words of a line, taken one at a time.

    `{...}`, also behind `--option=`, is one word when it holds a Python expression. A word that begins with `#` and all
    that follows is a comment, as in Python and in a shell.

    Attributes:
        rest: what was not taken yet, as it was written.
        place: where what was taken last stands, as characters of the line.
    """

    def __init__(self, line: str) -> None:
        self.place = (0, 0)
        self._length = len(line.rstrip())
        self.rest = _uncommented(line.strip())

    def __repr__(self) -> str:
        return f"<Words {self.rest!r}>"

    def __bool__(self) -> bool:
        return bool(self.rest)

    def peek(self) -> str:
        """The next word. Raises `ValueError`: a quotation that does not end."""
        return self._read()[0]

    def pop(self) -> str:
        """Take the next word. Raises `ValueError`."""
        word, rest = self._read()
        self._take(rest)
        return word

    def pop_code(self) -> str:
        """Take a Python expression: up to the end, or to the options or the comment behind it."""
        ends = [found.start() for found in re.finditer(r"\s+[-#]", self.rest)]
        code = _shortest(self.rest, ends) or self.rest
        self._take(self.rest[len(code) :].lstrip())
        return code

    def _take(self, rest: str) -> None:
        taken = self.rest[: len(self.rest) - len(rest)].rstrip()
        start = self._length - len(self.rest)
        self.place = (start, start + len(taken))
        self.rest = _uncommented(rest)

    def _read(self) -> tuple[str, str]:
        if opens := _OPENS.match(self.rest):
            ends = [found.end() for found in re.finditer(r"\}(?=\s|$)", self.rest)]
            if inside := _shortest(self.rest[opens.end() :], [end - opens.end() for end in ends], braced=True):
                end = opens.end() + len(inside)
                return self.rest[:end], self.rest[end:].lstrip()
        stream = io.StringIO(self.rest)
        lexer = shlex.shlex(stream, posix=True)
        lexer.whitespace_split, lexer.commenters = True, ""
        word = lexer.get_token() or ""
        return word, self.rest[stream.tell() :].lstrip()


def _uncommented(rest: str) -> str:
    return "" if rest.startswith("#") else rest


def in_braces(text: str) -> str | None:
    """The expression in `{...}`; None when the text is no such thing."""
    inside = text[1:-1].strip()
    return inside if text[:1] == "{" and text[-1:] == "}" and inside and _is_expression(inside) else None


def _shortest(text: str, ends: Iterable[int], *, braced: bool = False) -> str | None:
    """The shortest beginning of a text, up to one of `ends`, that is an expression; None when none is."""
    for end in ends:
        part = text[:end]
        if in_braces(part) is not None if braced else _is_expression(part.strip()):
            return part
    return None


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True
