"""Which names a piece of code reads and binds, and which of them it reads before it has bound them.

Scopes (comprehensions, lambdas, classes, nested functions, walrus) are left to Python's own `symtable`; what is added
here is the order of things at the top of a cell: `total += 1` reads `total` from the notebook, `total = 1; total += 1`
does not.
"""

from __future__ import annotations

import ast
import copy
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Names:
    """Names of the cell's own scope that some code reads, and those that it binds."""

    read: frozenset[str]
    bound: frozenset[str]


def names(*nodes: ast.stmt | ast.expr) -> Names:
    """The names of statements or expressions, as if they stood at the top of a cell."""
    body = [ast.Expr(n) if isinstance(n, ast.expr) else n for n in copy.deepcopy(nodes)]
    module = ast.fix_missing_locations(_Plain().visit(ast.Module(body, [])))
    top = symtable.symtable(ast.unparse(module), "<cell>", "exec")
    read = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    for table in _below(top):
        for s in table.get_symbols():
            is_written = s.is_declared_global() and s.is_assigned()
            if s.is_global() and (s.is_referenced() or is_written):  # `x += 1` reads, but does not count as reference
                read.add(s.get_name())
            if is_written:
                bound.add(s.get_name())
    return Names(frozenset(read), frozenset(bound))


def bound_plainly(node: ast.stmt) -> frozenset[str] | None:
    """What a statement binds, if it is of a kind that shows it at once; None for `names` to find out."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        found = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        return None if "*" in found else frozenset(found)
    parts = list(ast.walk(node))
    if any(isinstance(part, (ast.NamedExpr, ast.Global)) for part in parts):
        return None
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return frozenset({node.name})
    if not isinstance(node, (ast.Expr, ast.Assign)) or any(isinstance(part, ast.comprehension) for part in parts):
        return None
    return frozenset(part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _below(child)


class _Plain(ast.NodeTransformer):
    """The same names without async and await, which are refused outside a function, without f-strings, which cannot all
    be written back as source before Python 3.12, and with generators for comprehensions, whose own variables symtable
    gives to the scope around them since Python 3.12.
    """

    def visit_JoinedStr(self, node: ast.AST) -> ast.AST:
        inside = [self.visit(n) for n in ast.iter_child_nodes(node) if not isinstance(n, ast.Constant)]
        return ast.Tuple(inside, ast.Load())

    visit_FormattedValue = visit_TemplateStr = visit_Interpolation = visit_JoinedStr  # noqa: N815  # ast calls them so

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)  # type: ignore[no-any-return]  # a visitor returns anything

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        return self.generic_visit(ast.For(node.target, node.iter, node.body, node.orelse))

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self.generic_visit(ast.With(node.items, node.body))

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    visit_SetComp = visit_ListComp  # noqa: N815  # ast calls it so

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        item = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(item, node.generators))

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.is_async = 0
        return self.generic_visit(node)


@dataclass
class Flow:
    """Walks the statements of a cell in order.

    Attributes:
        sure: bound on every way to here; possible: bound on some way, or by something that may have run.
        early: read where not sure; required: read where not even possible.
    """

    sure: set[str] = field(default_factory=set)
    possible: set[str] = field(default_factory=set)
    early: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        visit = getattr(self, f"_{type(node).__name__}", None)
        if visit is not None:
            visit(node)
        else:
            self.read(*(n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)))

    def read(self, *nodes: ast.expr | None) -> None:
        given = [n for n in nodes if n is not None]
        if given:
            found = names(*given)
            self.possible |= found.bound  # by a walrus, which may stand before or after the reading
            self._reads(found.read)
            self.sure |= set() if any(_may_skip(n) for g in given for n in ast.walk(g)) else found.bound

    def _reads(self, found: Iterable[str]) -> None:
        self.early |= set(found) - self.sure
        self.required |= set(found) - self.possible

    def bind(self, *targets: ast.AST | None) -> None:
        for target in targets:
            for node in ast.walk(target) if target is not None else ():
                if isinstance(node, ast.Name):
                    self._binds(node.id) if isinstance(node.ctx, ast.Store) else self._reads([node.id])
                elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
                    self._binds(node.name)
                elif isinstance(node, ast.MatchMapping) and node.rest:
                    self._binds(node.rest)

    def _binds(self, name: str) -> None:
        self.sure.add(name)
        self.possible.add(name)

    def _branches(self, *blocks: Iterable[ast.stmt]) -> None:
        """Of which one runs."""
        before, after = set(self.sure), []
        for statements in blocks:
            self.sure = set(before)
            self.block(statements)
            after.append(self.sure)
        self.sure = set.intersection(*after)

    # --- one method per statement that has an order of its own ---

    def _Assign(self, node: ast.Assign) -> None:
        self.read(node.value)
        self.bind(*node.targets)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        self.read(node.annotation, node.value)
        if node.value is not None:
            self.bind(node.target)

    def _AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._reads([node.target.id])
        self.read(node.value)
        self.bind(node.target)

    def _For(self, node: ast.For | ast.AsyncFor) -> None:
        self.read(node.iter)
        before = set(self.sure)
        self.possible |= names(node).bound
        self.bind(node.target)
        self.block(node.body)
        self.sure = before
        self._branches(node.orelse, [])

    _AsyncFor = _For

    def _While(self, node: ast.While) -> None:
        self.possible |= names(node).bound - names(node.test).read
        self.read(node.test)
        self.possible |= names(node).bound
        self._branches(node.body, [])
        self._branches(node.orelse, [])

    def _If(self, node: ast.If) -> None:
        self.read(node.test)
        self._branches(node.body, node.orelse)

    def _With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.read(item.context_expr)
            self.bind(item.optional_vars)
        self.block(node.body)

    _AsyncWith = _With

    def _Try(self, node: ast.Try) -> None:
        before = set(self.sure)
        self.block([*node.body, *node.orelse])
        after = [self.sure]
        for handler in node.handlers:
            self.sure = set(before)
            self.read(handler.type)
            if handler.name:
                self._binds(handler.name)
            self.block(handler.body)
            self.sure.discard(handler.name or "")
            after.append(self.sure)
        both = set.intersection(*after)
        self.sure = set(before)
        self.block(node.finalbody)
        self.sure |= both

    _TryStar = _Try

    def _Match(self, node: ast.Match) -> None:
        self.read(node.subject)
        before = set(self.sure)
        for case in node.cases:
            self.sure = set(before)
            self.bind(case.pattern)
            self.read(case.guard)
            self.block(case.body)
        self.sure = before

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.early |= names(node).read - self.sure - {node.name}  # when it will be called nobody knows
        self.possible |= names(node).bound
        self._binds(node.name)

    _AsyncFunctionDef = _FunctionDef

    def _ClassDef(self, node: ast.ClassDef) -> None:
        self.early |= names(node).read - self.sure - {node.name}
        self._binds(node.name)

    def _Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._binds(alias.asname or alias.name.partition(".")[0])

    _ImportFrom = _Import

    def _Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._reads([n.id for n in ast.walk(target) if isinstance(n, ast.Name)])
            self.sure -= {target.id} if isinstance(target, ast.Name) else set()


def _may_skip(node: ast.AST) -> bool:
    """Whether a walrus inside may not be reached."""
    if isinstance(node, ast.Compare):
        return len(node.ops) > 1
    return isinstance(
        node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.BoolOp, ast.IfExp, ast.Lambda)
    )
