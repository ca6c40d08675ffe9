"""A cell as it stands in an editor, perhaps while it is typed: its statements, and the magics in it with their places.

Pure, and without IPython: what IPython would make of a line is not asked, only which lines are Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .reading import split

_MAGIC = re.compile(r"([ \t]*)([\w.,\[\]'\" ]*?[\w\]] *= *)?(%{1,2})([A-Za-z_]\w*)(.*)")
_ESCAPED = re.compile(r"([ \t]*)([\w., ]*\w *= *)?(?:[!?].*|[\w.%*]+\?{1,2}\s*)$")
_GOES_ON = re.compile(r"[\s)\]}@]|(?:else|elif|except|finally|case)\b")
"""The beginning of a line that does not begin a statement at the top, or not yet."""


@dataclass(frozen=True)
class Used:
    """A magic in a cell.

    Attributes:
        written: its name with its percent signs; text: what follows it, without line breaks.
        at: where it begins, as characters of the cell; text_at: where its text does.
        body: what stands below a cell magic; body_line: the line it begins on, counted from 0.
    """

    written: str
    text: str
    at: int
    text_at: int
    body: str = ""
    body_line: int = 0

    @property
    def name(self) -> str:
        """Without percent signs."""
        return self.written.lstrip("%")

    @property
    def is_of_cell(self) -> bool:
        """Whether it stands at the top of the cell, as cell magics do."""
        return self.body_line > 0


@dataclass(frozen=True)
class Edited:
    """What a cell has.

    Attributes:
        statements: those at its top that can be read, on the lines of the cell; those below `%%flyte_task` too.
        uses: magics, from the top down.
    """

    statements: tuple[ast.stmt, ...]
    uses: tuple[Used, ...]


def edited(source: str) -> Edited:
    """Read a cell."""
    starts = [0, *(found.end() for found in re.finditer("\n", source))]
    uses: list[Used] = []
    first = 0
    for name, _, above in split(source):
        first = above if not name else len(starts)
        if name:
            at = source.index("%%", starts[above - 1])
            text_at = at + 2 + len(name)
            text = source[text_at:].partition("\n")[0]
            body = source[starts[above] :] if above < len(starts) else ""
            uses.append(Used(f"%%{name}", text, at, text_at, body, above))
            if name == "flyte_task":
                first = above
                break
    lines = source.split("\n")
    inner, statements = _python([*[""] * first, *lines[first:]], starts)
    return Edited(tuple(statements), (*uses, *inner))


def _python(lines: list[str], starts: list[int]) -> tuple[list[Used], list[ast.stmt]]:
    """The magics in lines of Python, and the statements."""
    try:
        return [], ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError, RecursionError):
        pass  # it has magics, or is being typed
    plain, found = list(lines), {}
    row = 0
    while row < len(lines):
        first = row
        magic = _MAGIC.match(lines[row])
        escaped = magic or _ESCAPED.match(lines[row])
        row += 1
        if escaped is None:
            continue
        text = lines[first]
        while text.endswith("\\") and row < len(lines):
            text = f"{text[:-1]}  {lines[row]}"  # as long as it is in the cell, with its line break
            plain[row] = ""
            row += 1
        plain[first] = f"{escaped[1]}{escaped[2] or ''}None"
        if magic is not None:
            if magic[4] == "time" and magic[3] == "%":
                plain[first] = f"{magic[1]}{magic[5].lstrip()}"
            at = starts[first]
            found[first + 1] = Used(
                magic[3] + magic[4], text[magic.start(5) :], at + magic.start(3), at + magic.start(5)
            )
    statements = [statement for part in _parts(plain) for statement in _parsed(part)]
    lines_of_statements = {node.lineno for top in statements for node in ast.walk(top) if isinstance(node, ast.stmt)}
    return [use for line, use in found.items() if line in lines_of_statements], statements


def _parts(lines: list[str]) -> Iterator[str]:
    """The lines, or each statement at the top by itself, on its own line, when they cannot be read together."""
    whole = "\n".join(lines)
    try:
        ast.parse(whole)
    except (SyntaxError, ValueError, RecursionError):
        pass
    else:
        yield whole
        return
    begin, is_decorated = 0, False
    for row, line in enumerate(lines):
        if line and not _GOES_ON.match(line):
            if not is_decorated:
                yield "\n" * begin + "\n".join(lines[begin:row])
                begin = row
            is_decorated = False
        elif line.startswith("@") and not is_decorated:
            yield "\n" * begin + "\n".join(lines[begin:row])
            begin, is_decorated = row, True
    yield "\n" * begin + "\n".join(lines[begin:])


def _parsed(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return []  # it is being typed
