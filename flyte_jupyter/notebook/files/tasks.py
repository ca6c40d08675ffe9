"""Which names of a notebook are tasks, as its text says. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .slices import Program
from .statements import PACKAGE, Statement, imports_from, root

_MAKERS = {"TaskEnvironment", "clone_with"}
_DEEPEST = 3
"""So many functions are looked into, one from within another, for the task that they return."""


def tasks(program: Program) -> list[str]:
    """Names that stand for tasks at the end, in the order of their definitions."""
    found: dict[str, None] = {}
    for index, statement in enumerate(program.statements):
        for name, _ in declared(statement.node, program, index):
            found.pop(name, None)
            if program.binding(name) in (statement, None):
                found[name] = None
    return list(found)


def environment_named(name: str, statements: list[Statement]) -> str | None:
    """The variable of an environment, from that variable or the environment's own name."""
    for statement in reversed(statements):
        made = environment_made(statement.node)
        if made is not None and name in (made.variable, made.name):
            return made.variable
    return None


@dataclass(frozen=True)
class Made:
    """An environment that a statement makes: its variable, its name ("" when only running it tells), and the call."""

    variable: str
    name: str
    call: ast.Call


def environment_made(node: ast.stmt) -> Made | None:
    """What `x = TaskEnvironment("y")` and `x = env.clone_with("y")` make."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    call = getattr(node, "value", None)
    if not isinstance(target, ast.Name) or not isinstance(call, ast.Call) or _last(call.func) not in _MAKERS:
        return None
    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "name")]
    name = given[0].value if given and isinstance(given[0], ast.Constant) else ""
    return Made(target.id, name if isinstance(name, str) else "", call)


def package_alias(statements: list[Statement]) -> str | None:
    """The name of the package itself, if it is imported as a module."""
    for statement in reversed(statements):
        if isinstance(statement.node, ast.Import) and imports_from(statement.node, PACKAGE):
            for alias in statement.node.names:
                if alias.name == PACKAGE:
                    return alias.asname or alias.name
    return None


def is_code(statement: Statement, statements: list[Statement]) -> bool:
    """Whether a statement binds what goes along with a task's code, rather than data that are handed to it."""
    node = statement.node
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)):
        return True
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    if isinstance(value, ast.Lambda):
        return True
    if isinstance(value, ast.Call):
        return _last(value.func) in {*_MAKERS, "override", "task", "partial", "Image"}
    if isinstance(value, ast.Name):
        origin = next((s for s in reversed(statements) if value.id in s.sure and s is not statement), None)
        return origin is not None and is_code(origin, statements)
    return False


def declared(node: ast.stmt, program: Program, index: int, depth: int = 0) -> Iterator[tuple[str, ast.expr]]:
    """Names of the tasks that a statement declares when it runs, those in a class as `Class.task`; and the decorator or
    the call that makes each.
    """
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        decorator = next((d for d in node.decorator_list if _makes_tasks(d, program, index, depth)), None)
        if decorator is not None:
            yield node.name, decorator
    elif isinstance(node, ast.ClassDef):
        for part in node.body:
            yield from ((f"{node.name}.{name}", by) for name, by in declared(part, program, index, depth))
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        if isinstance(node.value, ast.Call) and _is_task(node.value, program, index, depth):
            yield node.targets[0].id, node.value
    else:
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                yield from declared(inner, program, index, depth)


def _makes_tasks(node: ast.expr, program: Program, index: int, depth: int) -> bool:
    """Whether it is `env.task`, `env.task(...)`, a name for one of them, or a function that makes and returns tasks."""
    if isinstance(node, ast.Call):
        return _makes_tasks(node.func, program, index, depth)
    if isinstance(node, ast.Attribute):
        return node.attr == "task" and _is_no_module(root(node), program, index)
    if isinstance(node, ast.Name) and depth < _DEEPEST:
        origin = program.binding(node.id, index)
        if origin is not None and _gives_task(origin.node, program, index, depth + 1):
            return True
        value = origin.node.value if origin is not None and isinstance(origin.node, ast.Assign) else None
        return value is not None and _makes_tasks(value, program, index, depth + 1)
    return False


def _is_task(call: ast.Call, program: Program, index: int, depth: int) -> bool:
    """Whether it is `task.override(...)`, `env.task(function)`, `env.task(...)(function)`, or the call of a function
    that returns such a thing.
    """
    if isinstance(call.func, ast.Attribute) and call.func.attr == "override":
        return True
    if isinstance(call.func, ast.Attribute) and call.func.attr == "task":
        return bool(call.args) and _makes_tasks(call.func, program, index, depth)
    return isinstance(call.func, (ast.Call, ast.Name)) and _makes_tasks(call.func, program, index, depth)


def _gives_task(node: ast.stmt, program: Program, index: int, depth: int) -> bool:
    """Whether it is a function that makes a task and returns it, as a factory or as a decorator."""
    if not isinstance(node, ast.FunctionDef):
        return False
    made = {name for inner in node.body for name, _ in declared(inner, program, index, depth)}
    returned = [part.value for inner in node.body for part in ast.walk(inner) if isinstance(part, ast.Return)]
    return any(
        (isinstance(value, ast.Name) and value.id in made)
        or (isinstance(value, ast.Call) and _is_task(value, program, index, depth))
        for value in returned
    )


def _is_no_module(name: str, program: Program, index: int) -> bool:
    """Tasks are made by environments: `invoke.task` and its like are somebody else's."""
    origin = program.binding(name, index) if name else None
    return origin is None or not isinstance(origin.node, ast.Import)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
