"""What a cell is made of, and the function that it becomes: pure, without IPython.

    cell = analyse(source)
    tree = cell.function("summing", inputs=["rows"], outputs=["total"])

A cell of functions declares tasks.  Any other cell is a body: what it reads from the notebook are its inputs, what it
binds are its locals, and what it gives back is named or is the value of its last expression.
"""

from __future__ import annotations

import ast
import copy
import inspect
import io
import tokenize
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .names import Flow, names


class UnsupportedCell(Exception):
    """Something that may stand in a cell but not in a task."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


@dataclass(frozen=True, kw_only=True)
class CellCode:
    """A cell, read.

    Attributes:
        tree: the syntax tree, with the line numbers of the cell in the notebook.
        kind: "functions" when it has nothing but functions, imports and text; else "body".
        functions: their names, in order; () for a body.
        free: names that it reads and never binds, in the order they appear.
        early: names that it binds too, but may read before: inputs when the notebook has them.
        required: those of `early` that it surely reads before: without them it cannot work.
        assigned: names that it binds, in the order they appear.
        has_value: it ends with an expression that has no semicolon behind it.
        is_async: it awaits something at its top.
    """

    tree: ast.Module
    kind: Literal["body", "functions"]
    functions: tuple[str, ...]
    free: tuple[str, ...]
    early: tuple[str, ...]
    required: tuple[str, ...]
    assigned: tuple[str, ...]
    has_value: bool
    is_async: bool

    def unassigned(self, outputs: Iterable[str], inputs: Collection[str]) -> list[str]:
        """Those outputs that it neither binds nor is given: a task of it is refused."""
        return [name for name in outputs if name not in self.assigned and name not in inputs]

    def line_of(self, name: str) -> int:
        """The line on which a name appears first; 0 when it does not."""
        return _order(self.tree).get(name, (0, 0))[0]

    def function(self, name: str, inputs: Sequence[str], outputs: Sequence[str] = ()) -> ast.Module:
        """A module with one function that does what the cell does, on the cell's own lines.

        It returns the tuple of `outputs` (a single one alone), or else the value of the last expression, or None.
        """
        local = {*self.assigned, *inputs}
        scope = _Scope(local)
        copied = copy.deepcopy(self.tree)
        first = copied.body[0] if copied.body else ast.Pass(lineno=1, col_offset=0)
        last = copied.body[-1] if copied.body else first
        body: list[ast.stmt] = list(scope.visit(copied).body) or [first]
        future = [s for s in body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
        body = [s for s in body if s not in future] or [first]
        if outputs:
            loaded = [ast.Name(o, ast.Load()) for o in outputs]
            value: ast.expr = loaded[0] if len(loaded) == 1 else ast.Tuple(list[ast.expr](loaded), ast.Load())
            body.append(ast.copy_location(ast.Return(value), last))
        elif self.has_value and body and isinstance(body[-1], ast.Expr):
            body[-1] = ast.copy_location(ast.Return(body[-1].value), body[-1])
        if hidden := sorted(scope.shared - set(inputs)):
            body.insert(_after_docstring(body), ast.copy_location(_declaration(hidden), first))
        made = "async " if self.is_async else ""
        module = ast.parse(f"{made}def {name}({', '.join(inputs)}): pass")
        made_function = ast.copy_location(module.body[0], first)
        assert isinstance(made_function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for argument in made_function.args.args:
            ast.copy_location(argument, first)
        made_function.body = body
        module.body[:0] = future
        return ast.fix_missing_locations(module)


def analyse(source: str, *, filename: str = "<cell>", offset: int = 0) -> CellCode:
    """Read a cell; `offset` is the number of lines above `source` in the notebook's cell.

    Raises:
        SyntaxError: with the cell's own line. UnsupportedCell: star imports, IPython's own syntax.
    """
    above = "\n" * offset
    try:
        code = compile(above + source, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as e:
        if (e.text or "").lstrip().startswith("%%"):
            raise UnsupportedCell(e.lineno or 0, "a cell magic stands above %%flyte_task, not below it") from None
        if (e.text or "").lstrip()[:1] in ("!", "%"):
            raise UnsupportedCell(e.lineno or 0, _not_in_a_task((e.text or "").strip())) from None
        raise
    tree = ast.parse(above + source, filename)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            raise UnsupportedCell(
                node.lineno, f"`from {node.module} import *` cannot stand in a task; name what it needs"
            )
    found = names(*tree.body)
    flow = Flow()
    flow.block(tree.body)
    order = _order(tree)
    functions = functions_of(tree.body)
    return CellCode(
        tree=tree,
        kind="functions" if functions else "body",
        functions=functions,
        free=_sorted(found.read - found.bound, order),
        early=_sorted((flow.early & found.bound), order),
        required=_sorted((flow.early & flow.required & found.bound), order),
        assigned=_sorted(found.bound, order),
        has_value=bool(tree.body) and isinstance(tree.body[-1], ast.Expr) and not _is_silenced(source),
        is_async=bool(code.co_flags & inspect.CO_COROUTINE),
    )


def _not_in_a_task(line: str) -> str:
    command = line.lstrip("!").strip()
    way = f"; subprocess.run({command!r}, shell=True) can" if line.startswith("!") and command else ""
    return f"IPython's ! and % cannot stand in a task{way}"


def functions_of(body: Sequence[ast.stmt]) -> tuple[str, ...]:
    """The functions of a cell that only declares some; () for any other."""
    if not all(_is_declaration(statement) for statement in body):
        return ()
    return tuple(s.name for s in body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _is_declaration(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    return isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom, ast.Pass))


def _sorted(found: Collection[str], order: dict[str, tuple[int, int]]) -> tuple[str, ...]:
    return tuple(sorted(found, key=lambda n: (order.get(n, (1 << 30, 0)), n)))


def _order(tree: ast.Module) -> dict[str, tuple[int, int]]:
    """Where each name appears first."""
    first: dict[str, tuple[int, int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            at = (node.lineno, node.col_offset)
            first[node.id] = min(at, first.get(node.id, at))
    return first


def _is_silenced(source: str) -> bool:
    """Whether the last token is a semicolon, which in a notebook means: show nothing."""
    skip = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.DEDENT, tokenize.INDENT}
    last = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skip:
            last = token.string
    return last == ";"


def _after_docstring(body: Sequence[ast.stmt]) -> int:
    first = body[0] if body else None
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return int(is_text)


def _declaration(local: Sequence[str]) -> ast.stmt:
    """Makes names local without binding them: needed where only a nested function binds one, by `global`."""
    return ast.parse(f"if False: {' = '.join(local)} = None").body[0]


class _Scope(ast.NodeTransformer):
    """The cell's top is now a function: what was global there is a local of that function for the functions inside."""

    def __init__(self, local: set[str]) -> None:
        self.shared: set[str] = set()
        self._local = local
        self._depth = 0

    def _nested(self, node: ast.AST) -> ast.AST:
        self._depth += 1
        try:
            return self.generic_visit(node)
        finally:
            self._depth -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _nested  # noqa: N815  # ast calls them so

    def visit_Global(self, node: ast.Global) -> ast.AST | list[ast.AST]:
        if self._depth == 0:
            return ast.copy_location(ast.Pass(), node)
        mine = [n for n in node.names if n in self._local]
        others = [n for n in node.names if n not in self._local]
        out: list[ast.AST] = []
        if mine:
            self.shared |= set(mine)
            out.append(ast.copy_location(ast.Nonlocal(mine), node))
        if others:
            out.append(ast.copy_location(ast.Global(others), node))
        return out
