"""How the source of a module is laid out. Pure."""

from __future__ import annotations

import io
import tokenize


def without_comments(source: str) -> tuple[str, str, str]:
    """(comments above a statement, the statement, the comment behind it)."""
    lines = source.splitlines()
    first = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
    above, code = "\n".join(lines[:first]), lines[first:]
    tokens = tokenize.generate_tokens(io.StringIO("\n".join(code) + "\n").readline)
    behind = next((t for t in tokens if t.type == tokenize.COMMENT and t.start[0] == len(code)), None)
    if behind is None:
        return above, "\n".join(code), ""
    code[-1] = code[-1][: behind.start[1]].rstrip()
    return above, "\n".join(code), behind.string


def indented(source: str, by: str = "    ") -> str:
    """Source one level deeper; lines within a text stay as they are."""
    lines = source.splitlines()
    inside: set[int] = set()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source + "\n").readline):
        name = tokenize.tok_name[token.type]
        if token.type == tokenize.STRING:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif name in ("FSTRING_START", "TSTRING_START"):
            opened.append(token.start[0])
        elif name in ("FSTRING_END", "TSTRING_END"):
            inside.update(range(opened.pop() + 1, token.end[0] + 1))
    return "\n".join(by + line if line.strip() and i not in inside else line for i, line in enumerate(lines, 1))
