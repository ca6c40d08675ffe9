"""The statements of a notebook: of its file, or of what a kernel has executed.

IPython's own syntax is Python by then.  What some of our magics stand for is written out: `%flyte_env` makes an
environment, a cell under `%%flyte_task` is a function with a decorator and the run that gave its outputs.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConfigValueError
from .statements import Place, Statement

TAGS = ("parameters", "injected-parameters", "outputs")
"""Tags of cells that papermill and its relatives know."""

_BUILTIN = "from IPython.display import display"
"""What notebooks have without importing it."""
_RUNS_ITS_BODY = {"time", "capture", "prun"}
_STATEMENT = re.compile(r"^(\s*)%time\s+(?=\S)", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A cell with code.

    Attributes:
        name: as people call it; tag: the one of its tags that is in `TAGS`, or "".
    """

    source: str
    name: str
    tag: str = ""


@dataclass(frozen=True)
class Written:
    """What a use of a magic comes to in Python.

    Attributes:
        source: statements.
        lines: for each of its lines the one of the magic's body that it stands for, counted from 1; 0 is the magic's.
    """

    source: str
    lines: Sequence[int]

    @classmethod
    def of(cls, *parts: tuple[str, int]) -> Written:
        """Of lines with their numbers."""
        return cls("".join(f"{line}\n" for line, _ in parts), [number for _, number in parts])


@dataclass(frozen=True)
class Magicked:
    """A use of a magic.

    Attributes:
        name: without percent signs; line: what follows it.
        body: of its cell, "" for a line magic.
        target: what its value is assigned to, "" for nothing.
    """

    name: str
    line: str
    body: str = ""
    target: str = ""


Writer = Callable[[Magicked, "list[Statement]"], "Written | None"]
"""Says what a magic comes to, after the statements that stand above it; None for one that leaves nothing behind."""


class NotebookFileError(ConfigValueError):
    """A file that is no notebook, or one whose cells cannot be read."""


def cells_of_file(path: Path) -> list[Cell]:
    """The code cells of a notebook file, counted from 1 among all that have code. Raises `NotebookFileError`."""
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        near = sorted(p.name for p in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
        there = f"\nThere: {', '.join(near)}" if near else ""
        raise NotebookFileError(f"{path}: {getattr(e, 'strerror', None) or e}.{there}") from None
    try:
        notebook: Any = nbformat.reads(text, as_version=4)
    except Exception as e:  # of many kinds: JSON, missing keys, versions of the future
        raise NotebookFileError(f"{path}: not a notebook: {e}") from None
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = []
    for number, cell in enumerate(code, 1):
        tags = [tag for tag in cell.metadata.get("tags", ()) if tag in TAGS]
        found.append(Cell(str(cell.source), f"cell {number}", tags[0] if tags else ""))
    return found


def cells_of_kernel(history: Iterable[str]) -> list[Cell]:
    """What a kernel has executed: `In`, whose first item is empty."""
    return [Cell(source, f"Cell In[{number}]") for number, source in enumerate(history) if number and source.strip()]


def read(cells: Iterable[Cell], write: Writer) -> tuple[list[Statement], list[str]]:
    """All statements in order, and what cannot be read, in words."""
    found = _statements(_BUILTIN, Cell(_BUILTIN, "IPython"), -1, [1])
    problems: list[str] = []
    for number, cell in enumerate(cells):
        try:
            found.extend(_of_cell(cell, number, found, write))
        except SyntaxError as e:
            problems.append(f"{cell.name}, line {e.lineno}: {e.msg}")
    return found, problems


def _of_cell(cell: Cell, number: int, before: list[Statement], write: Writer) -> Iterator[Statement]:
    for magic, source, above in split(cell.source):
        if magic == "flyte_task":
            body = "".join(cell.source.splitlines(keepends=True)[above:])
            if (written := write(Magicked(magic, source, body), before)) is not None:
                yield from _statements(written.source, cell, number, [above + n for n in written.lines])
            return
        if magic:
            continue
        plain = python(source)
        at = range(above + 1, above + 2 + plain.count("\n"))
        for statement in _statements(plain, cell, number, at):
            use = line_magic(statement.node)
            written = write(use, before) if use is not None else None
            if written is None:
                yield statement
            else:
                yield from _statements(written.source, cell, number, [statement.place.line] * len(written.lines))


def _statements(source: str, cell: Cell, number: int, lines: Sequence[int]) -> list[Statement]:
    """The statements of Python source whose lines are `lines` of the cell. Raises `SyntaxError`."""
    try:
        tree = ast.parse(source)
    except SyntaxError as e:
        raise SyntaxError(e.msg, (None, lines[min(e.lineno or 1, len(lines)) - 1], 0, e.text)) from None
    written = source.splitlines()
    found: list[Statement] = []
    for index, node in enumerate(tree.body):
        is_shown = node is tree.body[-1] and isinstance(node, ast.Expr) and not _is_silenced(source)
        before = (tree.body[index - 1].end_lineno or 0) if index else 0
        text = _text(node, source, written, before)
        first = (node.end_lineno or 0) - text.count("\n")
        place = Place(cell.name, lines[_first(node) - 1])
        found.append(
            Statement(text, node, place, number, is_shown=is_shown, gap=max(first - before - 1, 0), tag=cell.tag)
        )
    for part in ast.walk(tree):
        if isinstance(part, (ast.stmt, ast.expr, ast.excepthandler, ast.arg, ast.keyword, ast.alias, ast.pattern)):
            part.lineno = lines[part.lineno - 1]
            part.end_lineno = max(part.lineno, lines[min(part.end_lineno or 1, len(lines)) - 1])
    return found


def python(source: str) -> str:
    """A cell without IPython's syntax: `!` and `%` become calls of `get_ipython()`."""
    from IPython.core.inputtransformer2 import TransformerManager

    manager: Any = TransformerManager()  # type: ignore[no-untyped-call]  # IPython annotates only a part of itself
    return str(manager.transform_cell(_STATEMENT.sub(r"\1", source)))


def split(source: str) -> Iterator[tuple[str, str, int]]:
    """(name of a cell magic or "", its line, lines above its body) from outside inwards, until the body is reached.

    The last one is ("", source of the body, lines above it); nothing comes last when the body is not Python.
    """
    lines = source.splitlines(keepends=True)
    at = 0
    while True:
        while at < len(lines) and not lines[at].strip():
            at += 1
        found = re.match(r"%%(\w+)(.*)", lines[at].rstrip("\r\n")) if at < len(lines) else None
        if found is None:
            yield "", "".join(lines[at:]), at
            return
        yield found[1], found[2].strip(), at + 1
        at += 1
        if found[1] not in (*_RUNS_ITS_BODY, "flyte_task"):
            return


def line_magic(node: ast.stmt) -> Magicked | None:
    """The magic that a statement of `python` is, perhaps with its value assigned."""
    target = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
    value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    words = [str(argument.value) for argument in value.args if isinstance(argument, ast.Constant)]
    if value.func.attr != "run_line_magic" or len(words) != 2:
        return None
    return Magicked(words[0], words[1], target=target)


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _text(node: ast.stmt, source: str, lines: list[str], before: int) -> str:
    """Its lines with the comments right above and behind it; its own part of them where it shares them."""
    first, last = _first(node), node.end_lineno or node.lineno
    alone = lines[first - 1][: node.col_offset].strip() in ("", "@") and first > before
    rest = lines[last - 1].encode()[node.end_col_offset or 0 :].decode().strip()
    if not alone or (rest and not rest.startswith("#") and rest != ";"):
        return ast.get_source_segment(source, node) or ast.unparse(node)
    start = first
    while start - 1 > before and lines[start - 2].lstrip().startswith("#"):
        start -= 1
    text = "\n".join(lines[start - 1 : last]).rstrip()
    return text[:-1].rstrip() if rest == ";" else text


def _is_silenced(source: str) -> bool:
    """Whether the last token is a semicolon, which in a notebook means: show nothing."""
    skip = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.DEDENT, tokenize.INDENT}
    tokens = [t.string for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in skip]
    return tokens[-1:] == [";"]
