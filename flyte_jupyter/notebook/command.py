"""`flyte_jupyter run notebook.ipynb TASK --x 3`, `rerun RUN`, `export`, `kernel install`: in a terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from pprint import pformat
from typing import Any

from .. import __version__, api, context, session
from ..config.text import overrides
from ..engine import interrupt
from ..errors import ConfigError, RunInterrupted, user_frames
from ..interface import Interface
from ..task import Task
from .cards import card
from .files import arguments, execute
from .files.export import write
from .files.reading import cells_of_file, read
from .files.slices import Program
from .files.tasks import tasks
from .kernel import command as kernel
from .magics.written import written

_USAGE_ERROR, _FAILED, _INTERRUPTED = 2, 1, 130


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 when the task failed, 2 when the command is not right, 130 when it was interrupted."""
    parser = _parser()
    given = parser.parse_args(words)
    try:
        return int(given.do(given))
    except ConfigError as e:
        _say(str(e))
        return _USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flyte_jupyter", description="Tasks of notebooks, in a terminal.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run a task of a notebook",
        description="Run a task of a notebook. Of its cells only what the task needs is executed, in the folder of the"
        " notebook. Without TASK: what the cells tagged `outputs` give, or else a list of the tasks.",
        epilog="flyte_jupyter run NOTEBOOK TASK --help shows the inputs of a task.",
    )
    run.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                     help="another value for a variable of the cell tagged `parameters`")  # fmt: skip
    run.add_argument("--all", action="store_true", help="execute every cell, in IPython")
    run.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    run.add_argument("task", nargs="?", metavar="TASK")
    run.add_argument("inputs", nargs=argparse.REMAINDER, metavar="--INPUT VALUE ...", help="the inputs of the task")
    run.set_defaults(do=_run)
    again = commands.add_parser(
        "rerun",
        help="run again what has run before",
        description="Run again what has run before, with the code and the inputs of then; prints the name of the new"
        " run at once.",
    )
    again.add_argument("run", metavar="RUN", help="its name, as flyte.runs() shows it")
    again.add_argument("--override", action="append", default=[], metavar="PARAMETERS",
                       help="other values of parameters, such as: retries=3, memory=2Gi")  # fmt: skip
    again.add_argument("--json", action="store_true", help="the name, or what was wrong, as JSON")
    again.set_defaults(do=_rerun)
    export = commands.add_parser("export", help="write the tasks of a notebook into a module")
    export.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    export.add_argument("module", type=Path, metavar="MODULE.py")
    export.add_argument("tasks", nargs="*", metavar="TASK", help="all, when none are named")
    export.add_argument("--flyte", action="store_true", help="for Flyte's own package: `import flyte`")
    export.add_argument("--force", action="store_true", help="replace a file that was not written by this")
    export.set_defaults(do=_export)
    about = "The kernel flyte-python for Jupyter, or a whole kernel under a TaskEnvironment."
    kernel.add_to(commands.add_parser("kernel", help="install a kernel for Jupyter", description=about))
    return parser


def _export(given: Any) -> int:
    cells = cells_of_file(given.notebook)
    print(write(given.module, cells, written, given.tasks, for_flyte=given.flyte, is_forced=given.force))
    return 0


def _rerun(given: Any) -> int:
    """In the name of the notebook that the run was of."""
    try:
        override = overrides(", ".join(given.override))
        record = session.current().found(given.run) or {}
        context.notebook.update(record.get("notebook") or {})
        run = api.resubmit(given.run, override)
    except ConfigError as e:
        if not given.json:
            raise
        print(json.dumps({"error": str(e), "kind": type(e).__name__}))
        return _USAGE_ERROR
    print(json.dumps({"run": run.name}) if given.json else run.name)
    return 0


def _run(given: Any) -> int:
    cells = execute.with_parameters(cells_of_file(given.notebook), given.parameter)
    statements, problems = read(cells, written)
    program = Program(statements)
    for problem in problems:
        _say(f"{problem}; the cell is left out")
    called_from = Path.cwd()
    file = given.notebook.resolve()
    if given.task is None:
        return _outputs(program, cells, file)
    if not given.all:
        chosen = _for_task(program, given.task)
        _say(f"of {given.notebook.name}: cells {execute.cells_in_words(chosen, program)}")
    os.chdir(file.parent)
    sys.path.insert(0, str(file.parent))
    try:
        namespace = _all(cells) if given.all else vars(execute.execute(chosen, cells, file))
        task = _task(namespace, given.task)
    except ConfigError:
        raise
    except Exception as e:
        return _failed(e)
    if {"-h", "--help"} & set(given.inputs):
        print(_help(given.notebook.name, given.task, task))
        return 0
    try:
        inputs = arguments.inputs(given.inputs, task.interface, folder=called_from)
    except arguments.ArgumentError as e:
        raise arguments.ArgumentError(f"{e}\n{given.task}{task.interface}") from None
    return _start(task, inputs)


def _for_task(program: Program, name: str) -> list[Any]:
    try:
        return execute.statements_for(program, name)
    except execute.NotebookTaskError as e:
        more = "\n--all executes every cell instead." if name in tasks(program) else ""
        raise execute.NotebookTaskError(f"{e}{more}") from None


def _outputs(program: Program, cells: Sequence[Any], file: Path) -> int:
    chosen = execute.statements_for_outputs(program)
    if not chosen:
        there = "\n".join(f"  {name}" for name in tasks(program)) or "  none"
        raise execute.NotebookTaskError(f"which task of {file.name}?\n{there}")
    _say(f"of {file.name}: cells {execute.cells_in_words(chosen, program)}")
    os.chdir(file.parent)
    sys.path.insert(0, str(file.parent))
    try:
        module = execute.execute([s for s in chosen if not (s.tag == "outputs" and s.is_shown)], cells, file)
        found = execute.values(chosen, module, file)
    except Exception as e:
        return _failed(e)
    for name, value in found.items():
        print(f"{name} = {_shown(value)}")
    return 0


def _all(cells: Sequence[Any]) -> dict[str, Any]:
    """Every cell, as a kernel would execute it."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for cell in cells:
        result: Any = shell.run_cell(cell.source, store_history=True)  # type: ignore[no-untyped-call]  # IPython annotates only a part of itself
        result.raise_error()
    found: dict[str, Any] = shell.user_ns
    return found


def _task(namespace: dict[str, Any], name: str) -> Task[..., Any]:
    first, *rest = name.split(".")
    found: Any = namespace.get(first)
    for part in rest:
        found = getattr(found, part, None)
    if not isinstance(found, Task):
        raise execute.NotebookTaskError(f"{name} is {type(found).__name__}, not a task")
    return found


def _help(notebook: str, name: str, task: Task[..., Any]) -> str:
    interface: Interface = task.interface
    lines = [f"usage: flyte_jupyter run {notebook} {name}{' [--INPUT VALUE ...]' if interface.inputs else ''}"]
    if about := arguments.about(task.func):
        lines += ["", about]
    if interface.inputs:
        lines += ["", "inputs:", *(f"  {arguments.said(n, i)}" for n, i in interface.inputs.items())]
    return "\n".join(lines)


def _start(task: Task[..., Any], inputs: dict[str, Any]) -> int:
    run = api.submit(task, **inputs)
    try:
        interrupt.wait(run)
    except RunInterrupted:
        return _INTERRUPTED
    _say(card.text(run.view(), now=time.time()))
    try:
        value = run.result()
    except RunInterrupted:
        return _INTERRUPTED
    except Exception as e:
        return _failed(e)
    if value is not None:
        print(_shown(value))
    return 0


def _failed(error: BaseException) -> int:
    """Show an error with the frames of the notebook."""
    frames = user_frames(error.__traceback__)
    _say("".join(traceback.format_exception(type(error), error, frames, chain=False)).rstrip())
    return _FAILED


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else pformat(value, width=100, compact=True, sort_dicts=False)


def _say(text: str) -> None:
    """What is not the result goes to standard error, so that the result can be piped."""
    print(text, file=sys.stderr)
