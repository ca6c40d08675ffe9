"""Files of cells by the names that people know: `Cell In[4]` instead of a path in the kernel's temporary folder."""

from __future__ import annotations

import functools
import html
import json
import linecache
import os
import re
import site
import sysconfig
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from ...once import made_once
from ...pack.failure import without_columns

NameOf = Callable[[str], "str | None"]
"""What people call a file; None for a real file."""

_FILE = re.compile(r'File "([^"\n]+)", line (\d+)')
_DEFINES = re.compile(r"^\s*(async\s+def|def|class)\b|^\s*@|\blambda\b")
_CELL = re.compile(r"[\\/](?:ipykernel|xpython)_\d+[\\/]\d+\.py$|^<ipython-input-|^<cell")


def names_of(shell: Any) -> NameOf:
    """The names that a shell gives to its cells; cells of other kernels are just cells."""

    def name_of(filename: str) -> str | None:
        known = getattr(shell.compile, "format_code_name", lambda _: None)(filename)
        return " ".join(known) if known is not None else cell_name(filename)

    return name_of


def cell_name(filename: str) -> str | None:
    """The same without a shell: cells are just cells."""
    return "Cell" if _CELL.search(filename) else None


def readable(view: Mapping[str, Any], name_of: NameOf) -> dict[str, Any]:
    """`view` with the tracebacks of its failures, and what the cache says of places, naming cells and short files."""
    return {**view, "actions": [_readable(of, name_of) for of in view.get("actions", ())]}


@made_once
def _readable(action: Mapping[str, Any], name_of: NameOf) -> Mapping[str, Any]:
    def place(found: re.Match[str]) -> str:
        name = name_of(found[1])
        return f"{name}, line {found[2]}" if name is not None else f'File "{file(found[1])}", line {found[2]}'

    def told(failure: Mapping[str, Any]) -> dict[str, Any]:
        texts = {name: _FILE.sub(place, str(failure.get(name) or "")) for name in ("traceback", "cause")}
        return {**failure, **texts, "frames": []}

    def short(found: re.Match[str]) -> str:
        return f"{name_of(found[1]) or os.path.basename(found[1])}, line {found[2]}"

    failures = {n: told(failure) for n, failure in (action.get("failures") or {}).items()}
    return {**action, "failures": failures, "cache": _FILE.sub(short, action.get("cache") or "")}


def file(path: str) -> str:
    """A file as others may see it: from the folder of the notebook, or of the libraries."""
    for folder in (*_libraries(), os.getcwd()):
        if path.startswith(f"{folder}{os.sep}"):
            return path[len(folder) + 1 :]
    return path


@functools.cache
def _libraries() -> tuple[str, ...]:
    """Where libraries are, the innermost folders first: one of the user may be within that of Python."""
    found = {*sysconfig.get_paths().values(), site.getusersitepackages(), *site.getsitepackages()}
    return tuple(sorted((os.path.normpath(path) for path in found), key=len, reverse=True))


def without_home(made: Mapping[str, Any]) -> dict[str, Any]:
    """A MIME bundle with `~` for the home of the user in all its texts, as IPython writes it in tracebacks."""
    home = os.path.expanduser("~").rstrip(os.sep)
    if not home or home == "~":  # there is none, or it is the root of everything
        return dict(made)
    pattern = _pattern(home)
    written = {home, html.escape(home), json.dumps(home, ensure_ascii=False)[1:-1]}

    def told(of: Any) -> Any:
        if isinstance(of, str):
            return pattern.sub("~", of)
        if isinstance(of, dict):
            return {told(key): told(each) for key, each in of.items()}
        return list(map(told, of)) if isinstance(of, list) else of

    def has_it(part: Any) -> bool:
        text = part if isinstance(part, str) else json.dumps(part, ensure_ascii=False)
        return any(each in text for each in written)

    return {kind: told(part) if has_it(part) else part for kind, part in made.items()}


@functools.cache
def _pattern(home: str) -> re.Pattern[str]:
    """The home as a whole, as text or in HTML."""
    either = "|".join(map(re.escape, {home, html.escape(home)}))
    return re.compile(rf"(?<![\w.~-])(?:{either})(?![\w.-])")


def with_source(tb: TracebackType | None) -> TracebackType | None:
    """`tb` with the frames of cell bodies as frames of modules.

    The function that a cell became has no `def` in the cell. `inspect`, and so IPython, looks for one and shows the
    wrong lines; of a module it shows the lines that it is told.
    """
    if tb is None:
        return None
    below = with_source(tb.tb_next)
    filename, line = tb.tb_frame.f_code.co_filename, tb.tb_lineno
    first = linecache.getline(filename, tb.tb_frame.f_code.co_firstlineno)
    if not first or _DEFINES.search(first) or tb.tb_frame.f_code.co_name == "<module>":
        return TracebackType(below, tb.tb_frame, tb.tb_lasti, line)
    return at_line(filename, line, below)


def at_line(filename: str, line: int, below: TracebackType | None) -> TracebackType | None:
    """A frame of a module on that line, above the frames `below`."""
    try:
        code = compile("\n" * (line - 1) + "1 / 0", filename, "exec")
        exec(without_columns(code, line), {"__name__": "__main__"})  # noqa: S102 - of that
    except ZeroDivisionError as stop:
        own = stop.__traceback__
        inner = own.tb_next if own is not None else None
        return TracebackType(below, inner.tb_frame, inner.tb_lasti, line) if inner is not None else below
    return below
