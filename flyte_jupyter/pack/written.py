"""The code of tasks as it was sent, in words: read from the header of the payload, so that nothing is unpickled."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..credentials.mask import MASKED
from .envelope import unseal
from .suspects import kind

if TYPE_CHECKING:
    from ..task import Task

_BEGINS = re.compile(r"\s*(@|async\s+def\b|def\b|class\b)")
_GIVEN = re.compile(r"""(?P<name>\w+)["']?\]?(?P<between>\s*[:=]\s*)(?P<quote>["'])(?P<text>[^"'\n]{8,})(?P=quote)""")


def places(tasks: Iterable[Task[..., Any]]) -> list[tuple[str, str, int]]:
    """Where tasks are written: name, file and first line; for the header of their payload."""
    found = []
    for task in tasks:
        code = getattr(inspect.unwrap(task.func), "__code__", None)
        if code is not None:
            found.append((task.name, code.co_filename, code.co_firstlineno))
    return found


def written(key: bytes, data: memoryview, *, digest: str) -> list[tuple[str, str]]:
    """The name and the text of each task in a payload, the one that was sent first; what is installed has no text.

    Raises:
        PayloadError: it is damaged, or something else.
    """
    header = unseal(key, data, what="task's code", is_for={"kind": "code", "digest": digest}, opens=False).header
    sources: Mapping[str, str] = header["sources"]
    texts = ((name, _part(sources[file], line)) for name, file, line in header.get("tasks", ()) if file in sources)
    return [(name, _masked(text)) for name, text in texts]


def _part(text: str, line: int) -> str:
    """The function that begins in a line; all of it for a cell that is a task as a whole."""
    lines = text.splitlines(keepends=True)[max(0, line - 1) :]
    if not lines or not _BEGINS.match(lines[0]):
        return text
    return textwrap.dedent("".join(inspect.getblock(lines)))


def _masked(text: str) -> str:
    """Without texts that look like credentials by the name that they are given."""

    def told(found: re.Match[str]) -> str:
        if kind(found["name"], found["text"]) is None:
            return found[0]
        return found[0].replace(found["text"], MASKED)

    return _GIVEN.sub(told, text)
