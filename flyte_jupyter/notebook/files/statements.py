"""A statement at the top of a cell: which names it reads, binds and changes. Pure.

What stands in the body of a function is read when the function is called, so those names are kept apart: `eager` is
read when the statement runs, `deferred` later.  Whether a statement changes an object cannot be known from its text;
what is said here is meant to err towards "it does": a line too many does no harm.
"""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..cells.names import Flow, bound_plainly, names

PACKAGE = "flyte_jupyter"
PATH = "sys.path"
"""Stands for what imports read; no name can be taken for it."""

_RUNS = {"run", "submit", "map", "with_runcontext"}
_SETTING_UP = {"init", "secrets"}
"""What of the package is called for what it sets, and not to run or to show something."""
_SETS_UP = re.compile(
    r"seed|manual_seed|set|set_\w+|use\w*|\w*config|filterwarnings|simplefilter|append|insert|extend|update|setdefault"
    r"|register\w*|add\w*|allow|init\w*|pop|remove|disable\w*|enable\w*|load_dotenv|chdir"
)
"""Functions of modules that are called for what they leave behind: `random.seed(1)`, `sys.path.append("lib")`."""
_ONLY_SHOWS = re.compile(
    r"head|tail|describe|info|sample|keys|values|items|copy|show\w*|plot\w*|panel|effective_config|is\w*|get\w*|mean|sum"
)
"""Methods whose call as a statement shows something."""
_CHANGING_BUILTINS = {"setattr", "delattr", "next", "exec", "eval"}


@dataclass(frozen=True)
class Place:
    """Where something stands: a cell as people call it, and a line in it, counted from 1."""

    cell: str
    line: int

    def __str__(self) -> str:
        return f"{self.cell}, line {self.line}"


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement at the top of a cell.

    Attributes:
        text: its source, with the comments right above it.
        node: its syntax tree; place: where it stands; number: the index of its cell.
        is_shown: it is an expression whose value the cell shows.
        gap: empty lines above it.
        tag: the tag of its cell that means something to papermill and us, or "".
    """

    text: str
    node: ast.stmt
    place: Place
    number: int
    is_shown: bool = False
    gap: int = 0
    tag: str = ""

    def __repr__(self) -> str:
        return f"<Statement {self.place}: {self.text.splitlines()[-1][:60]}>"

    # --- names --------------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _flow(self) -> Flow:
        flow = Flow()
        flow.statement(_Eager().visit(copy.deepcopy(self.node)))
        return flow

    @functools.cached_property
    def bound(self) -> frozenset[str]:
        """Names that it binds, on some way at least."""
        plain = bound_plainly(self.node)
        return names(self.node).bound if plain is None else plain

    @functools.cached_property
    def sure(self) -> frozenset[str]:
        """Those that it binds on every way."""
        return frozenset(self._flow.sure) & self.bound

    @functools.cached_property
    def eager(self) -> frozenset[str]:
        """Names that it reads when it runs, and imports' search path."""
        found = frozenset(self._flow.early)
        return found | {PATH} if self.is_import else found

    @functools.cached_property
    def hinted(self) -> frozenset[str]:
        """Names in annotations that are written as text, among them words that are none."""
        return _named_in_texts(self.node)

    @functools.cached_property
    def deferred(self) -> frozenset[str]:
        """Names that functions in it read when they are called."""
        bodies = _Bodies()
        bodies.visit(copy.deepcopy(self.node))
        return names(*bodies.found).read if bodies.found else frozenset()

    @functools.cached_property
    def alias_of(self) -> str:
        """The name whose object, or a part of it, it gives another name: `x = y`, `x = y.z[0]`; else ""."""
        value = self.node.value if isinstance(self.node, (ast.Assign, ast.AnnAssign)) else None
        is_part = value is not None and not any(isinstance(part, ast.Call) for part in ast.walk(value))
        return root(value) if value is not None and is_part else ""

    @property
    def is_import(self) -> bool:
        """Whether it is an import."""
        return isinstance(self.node, (ast.Import, ast.ImportFrom))

    @property
    def is_star(self) -> bool:
        """Whether it is `from ... import *`."""
        return isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"

    # --- objects ------------------------------------------------------------------------------------------------------

    @functools.cached_property
    def stored(self) -> frozenset[str]:
        """Names of what it stores into: `x[0] = 1`, `x.a = 1`, `del x.a`; also within functions that it defines."""
        found = set()
        for node in ast.walk(self.node):
            if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
                found.add(root(node))
            elif isinstance(node, ast.Global):
                found.update(node.names)
        return frozenset(name for name in found if name)

    @functools.cached_property
    def calls(self) -> frozenset[tuple[str, str]]:
        """Calls whose value is thrown away, as (name, attribute): `x.sort()` is ("x", "sort"), `f(x)` is ("f", "")."""
        found = set()
        for node in ast.walk(self.node):
            if isinstance(node, ast.Expr):
                value = node.value.value if isinstance(node.value, ast.Await) else node.value
                if isinstance(value, ast.Call) and (name := root(value.func)):
                    found.add((name, value.func.attr if isinstance(value.func, ast.Attribute) else ""))
        return frozenset(found)

    @functools.cached_property
    def changes(self) -> bool:
        """Whether it calls or stores something for its effect, apart from what only shows."""
        return bool(self.stored) or any(
            not _ONLY_SHOWS.fullmatch(last) and (not hasattr(builtins, name) or name in _CHANGING_BUILTINS)
            for name, last in self.calls
            if name != "display"
        )

    def may_change(self, name: str, binding: Statement | None) -> bool:
        """Whether the object that `name` was bound to by `binding` may be another one after it."""
        if name in self.bound or name in self.stored:
            return True
        if name == PATH:
            return ("sys", "path") in _chains(self.node)
        if name not in self.eager or not self.changes:
            return False
        if binding is None and hasattr(builtins, name):
            return False
        node = binding.node if binding is not None else None
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            ours = imports_from(node, PACKAGE)
            return any(
                _SETS_UP.fullmatch(last) or _SETS_UP.fullmatch(called) if not ours else _sets_up_ours(self.node)
                for called, last in self.calls
                if called == name
            ) and not _reads_results(self.node, name)
        return not (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or is_constant(node))

    def may_change_within(self, name: str) -> bool:
        """Whether a function that it defines may change what `name` stands for."""
        return name in self.stored or any(called == name for called, _ in self.calls)

    def starts_runs(self, packages: frozenset[str]) -> bool:
        """Whether it calls `flyte.run` or a relative when it runs, where `packages` are the names of the package."""
        for node in ast.walk(_Eager().visit(copy.deepcopy(self.node))):
            if isinstance(node, ast.Call) and root(node.func) in packages and _RUNS & set(_attributes(node.func)):
                return True
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in packages & _RUNS:
                return True
        return False


def root(node: ast.AST) -> str:
    """The name at the beginning of `a.b[0].c(1)`; "" when it begins otherwise."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def is_constant(node: ast.stmt | None) -> bool:
    """Whether it binds what no call can change: text, numbers, tuples of these."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return False
    kinds = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.JoinedStr, ast.operator, ast.unaryop, ast.Load)
    return all(isinstance(part, kinds) for part in ast.walk(node.value))


def imports_from(node: ast.AST | None, package: str) -> bool:
    """Whether it imports a package or something of it."""
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] == package for alias in node.names)
    return isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] == package


def _attributes(node: ast.AST) -> Iterator[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        node = node.func if isinstance(node, ast.Call) else node.value


def _chains(node: ast.AST) -> set[tuple[str, str]]:
    """(name, attribute) of all `name.attribute`."""
    return {
        (n.value.id, n.attr) for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    }


def _sets_up_ours(node: ast.AST) -> bool:
    return any(attribute in _SETTING_UP for _, attribute in _chains(node))


def _reads_results(node: ast.AST, module: str) -> bool:
    """Whether a call of a module is given more than constants and other attributes: then it shows or computes."""
    return any(isinstance(n, ast.Name) and n.id != module for n in ast.walk(node))


def _named_in_texts(node: ast.AST) -> frozenset[str]:
    """Names in annotations that are written as text."""
    found: set[str] = set()
    for part in ast.walk(node):
        for annotation in (getattr(part, "annotation", None), getattr(part, "returns", None)):
            for text in ast.walk(annotation) if isinstance(annotation, ast.AST) else ():
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value.strip():
                    try:
                        found |= names(ast.parse(text.value.strip(), mode="eval").body).read
                    except SyntaxError:
                        continue  # the text of a Literal or an Annotated
    return frozenset(found)


class _Eager(ast.NodeTransformer):
    """A statement without the bodies of its functions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node.args)
        node.body = [ast.copy_location(ast.Pass(), node)]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815  # ast calls it so

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.generic_visit(node.args)
        node.body = ast.copy_location(ast.Constant(None), node)
        return node


class _Bodies(ast.NodeTransformer):
    """The outermost functions of a statement, without what is evaluated when they are defined."""

    def __init__(self) -> None:
        self.found: list[ast.stmt | ast.expr] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for inner in (*node.decorator_list, node.args):
            self.visit(inner)  # lambdas among them
        node.decorator_list, node.returns = [], None
        return self._found(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815  # ast calls it so

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.visit(node.args)
        return self._found(node)

    def _found(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        node.args.defaults, node.args.kw_defaults = [], [None] * len(node.args.kwonlyargs)
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        self.found.append(node)
        return node
