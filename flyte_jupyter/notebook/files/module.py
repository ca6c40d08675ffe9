"""A module made of the tasks of a notebook and what they need. Pure."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...errors import ConfigValueError, nearest
from .imports import Imported, import_lines, imported
from .layout import indented, without_comments
from .slices import Missing, Program, Slice
from .statements import PACKAGE, PATH, Statement, root
from .tasks import tasks

FLYTE = "flyte"
"""Flyte's own package, for which a module can be written too."""


class ExportError(ConfigValueError):
    """A notebook whose tasks cannot be taken out of it."""


@dataclass
class Module:
    """A module.

    Attributes:
        text: its source; tasks: names of the tasks in it; notes: what whoever uses it should know.
    """

    text: str
    tasks: list[str]
    notes: list[str] = field(default_factory=list)


def module(
    program: Program,
    wanted: Sequence[str] = (),
    *,
    title: str = "Tasks of a notebook.",
    package: str = PACKAGE,
    is_local: Callable[[str], bool] = lambda _: False,
) -> Module:
    """The tasks of a notebook as a module, which does what the notebook's runs did when it is run itself.

    Args:
        wanted: names of tasks; () for all.
        title: its docstring.
        package: what its tasks are of, `PACKAGE` or `FLYTE`.
        is_local: whether a module lies beside the notebook.

    Raises:
        ExportError: there is no such task, or it needs what no cell defines.
    """
    there = tasks(program)
    chosen = list(wanted) or there
    _check(chosen, there)
    core = program.needs_of_tasks(*chosen)
    if core.missing:
        raise ExportError("\n".join(map(str, core.missing.values())))
    if awaited := [s for s in _of(program, core.chosen) if _awaits([s.node])]:
        raise ExportError(
            f"{awaited[0].place}: a module cannot `await` at its top, and the tasks need what comes of it.\n"
            "Compute it in a task, or hand it to the tasks as an input."
        )
    notes = [
        f"{s.place}: starts a run whenever the module is imported; hand what comes of it to the tasks as an input"
        for s in _of(program, core.chosen)
        if s.starts_runs(program.packages)
    ]
    main = _main(program, chosen, core, notes)
    needed = _of(program, core.chosen | main)
    imports = _hoisted(needed)
    body = [s for s in _of(program, core.chosen) if s not in imports]
    steps = [s for s in _of(program, main - core.chosen) if s not in imports]
    aliases = _used(imports, [s for s in needed if s not in imports], chosen)
    is_async = _awaits([s.node for s in steps])
    if is_async:
        aliases.add(Imported("asyncio"))
    top = import_lines(aliases, package=package, is_local=is_local)
    text = _joined(f'"""{title}"""\n\n{top}', _laid_out(body), _guarded(steps, program, is_async=is_async))
    if package == FLYTE:
        notes += _ours_alone(needed, program)
    return Module(text, chosen, notes)


def _check(chosen: Sequence[str], there: Sequence[str]) -> None:
    if not there:
        raise ExportError("no cell declares a task: a function below @env.task, or a cell below %%flyte_task")
    for name in chosen:
        if name not in there:
            near = nearest(name, there)
            hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(there)}"
            raise ExportError(f"no cell declares a task {name!r}; {hint}")


def _of(program: Program, indices: set[int]) -> list[Statement]:
    return [program.statements[index] for index in sorted(indices)]


def _main(program: Program, chosen: Sequence[str], core: Slice, notes: list[str]) -> set[int]:
    """The statements that run the tasks, and what these need besides."""
    names = {name.partition(".")[0] for name in chosen}
    known = {name for s in _of(program, core.chosen) for name in s.bound}
    found: set[int] = set()
    said: dict[str, int] = {}
    for index, statement in enumerate(program.statements):
        is_run = statement.starts_runs(program.packages) and bool(names & statement.eager)
        if index not in core.chosen and (is_run or statement.tag == "outputs"):
            said.pop(statement.text, None)  # a cell that was run again
            said[statement.text] = index
    for index in said.values():
        needs = program.needs(chosen=[index], known=known)  # as it is at the end, also where it was another before
        missing: list[Missing] = list(needs.missing.values())
        if missing:
            notes.append(f"{program.statements[index].place}: left out, since {missing[0]}")
        else:
            found |= needs.chosen
    return found


def _hoisted(needed: Sequence[Statement]) -> set[Statement]:
    """Imports that can stand at the top: of names that nothing else binds, with the search path as it is."""
    path = next((i for i, s in enumerate(needed) if not s.is_import and s.may_change(PATH, None)), len(needed))
    bound = {name for s in needed if not s.is_import for name in s.bound}
    return {
        statement
        for index, statement in enumerate(needed)
        if statement.is_import and not statement.bound & bound and (index < path or _is_standard(statement))
    }


def _is_standard(statement: Statement) -> bool:
    return all(name.is_standard or name.module == PACKAGE for name in imported(statement.node))


def _used(imports: set[Statement], rest: Sequence[Statement], names: Sequence[str]) -> set[Imported]:
    """The imported names that anything reads; of the same name the last one."""
    read = {name for s in rest for name in s.eager | s.deferred | s.hinted} | set(names)
    found: dict[str, Imported] = {}
    for statement in sorted(imports, key=lambda s: (s.number, s.place.line)):
        for name in imported(statement.node):
            if name.bound in read or name.is_kept:
                found[f"{name.bound} {name.module if not name.name else ''}"] = name
    return set(found.values())


def _awaits(nodes: Sequence[ast.stmt]) -> bool:
    tree = ast.Module(list(nodes), [])
    code = compile(tree, "<cells>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _laid_out(statements: Sequence[Statement]) -> str:
    out = ""
    before: Statement | None = None
    for statement in statements:
        if before is not None:
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            is_apart = isinstance(statement.node, kinds) or isinstance(before.node, kinds)
            same = statement.number == before.number
            out += "\n" * (3 if is_apart else 1 + min(statement.gap, 1) if same else 2)
        out += statement.text
        before = statement
    return out


def _guarded(steps: Sequence[Statement], program: Program, *, is_async: bool) -> str:
    """What is done when the module is run as a program; "" for nothing."""
    if not steps:
        return ""
    lines: list[str] = []
    for index, step in enumerate(steps):
        gap = 1 if index and (step.gap or step.number != steps[index - 1].number) else 0
        lines += [""] * gap + [_printed(step, program)]
    body = "\n".join(lines)
    if not is_async:
        return f'if __name__ == "__main__":\n{indented(body)}'
    return f'async def main() -> None:\n{indented(body)}\n\n\nif __name__ == "__main__":\n    asyncio.run(main())'


def _printed(step: Statement, program: Program) -> str:
    """A step that prints what its cell would show, or what its run has given."""
    node = step.node
    if isinstance(node, ast.Expr):
        is_print = isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in ("print", "display")
        if not step.is_shown or is_print:
            return step.text
        above, code, behind = without_comments(step.text)
        shown = f"print({code}.outputs())" if _is_run(node.value) else f"print({code})"
        return "\n".join(part for part in (above, f"{shown}  {behind}".rstrip()) if part)
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if target is None or not isinstance(node, ast.Assign) or not step.starts_runs(program.packages):
        return step.text
    names = [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
    said = f"{names[0]}.outputs()" if len(names) == 1 and _is_run(node.value) else ", ".join(names)
    return f"{step.text}\nprint({said})"


def _is_run(node: ast.expr) -> bool:
    """Whether the value is a run itself: `flyte.run(...)`, `await flyte.run.aio(...)`, `flyte.submit(...)`."""
    call = node.value if isinstance(node, ast.Await) else node
    return isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in ("run", "aio", "submit")


def _joined(head: str, body: str, main: str) -> str:
    """The parts of a module, with two empty lines where a definition or the program begins."""
    text = head.strip()
    if body:
        begins = next(line for line in body.splitlines() if not line.startswith("#"))
        text += ("\n\n\n" if begins.startswith(("@", "def ", "class ", "async def ")) else "\n\n") + body
    return f"{text}\n\n\n{main}\n" if main else f"{text}\n"


def _ours_alone(needed: Sequence[Statement], program: Program) -> list[str]:
    """What Flyte does not have."""
    found: dict[str, str] = {}
    for statement in needed:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Attribute) and root(node.value) in program.packages and node.attr in OURS_ALONE:
                found.setdefault(node.attr, f"{statement.place}: {node.attr} is not in {FLYTE}")
    return list(found.values())


OURS_ALONE = frozenset(
    {"attach", "prepare", "pools", "runs", "submit", "triggers", "Run", "queues", "Task", "cache", "secrets"}
)
"""Names of the package that Flyte does not have."""
