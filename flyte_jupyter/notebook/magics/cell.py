"""`%%flyte_task`: a cell is a task, or declares some."""

from __future__ import annotations

from typing import Any

from ...config import resolve, text
from ...config.spec import Level
from ...engine.run import Run
from ...environment import TaskEnvironment
from ..cells.extract import CellCode, analyse
from .magic import Magic, Use
from .options import TASK_LEVELS, Flag, Line, OptionError, Parser, Wrong, by_level
from .start import FLAGS, OF_RUN, Call, context_of, options_given, start
from .task import TaskCell, environment, not_assigned, task_name, task_of_body, tasks_of_functions


def task(use: Use) -> Any:
    """Run the cell as a task, or declare its functions."""
    line = use.line
    filename, offset = use.file()
    env = environment(line.options.get("--env"), use.variables)
    cell = analyse(use.body, filename=filename, offset=offset)
    fits(line, cell)
    if cell.kind == "functions":
        return _declare(use, cell, env, filename)
    made = task_of_body(
        cell,
        env,
        use.variables,
        filename,
        name=line.words[0] if line.words else "",
        inputs=line.names("--inputs") if "--inputs" in line.options else None,
        outputs=line.names("--output"),
        settings=line.settings,
    )
    if line.words and "--dry-run" not in line.options:
        made.bind(use.variables)
    try:
        return start(
            use,
            Call(made.task, kwargs=made.inputs),
            wait=lambda run: _give(use, made, _value(run, is_wanted=bool(made.outputs) or cell.has_value)),
            later=lambda run: _later(use, made, run),
            here=lambda value: _give(use, made, value),
        )
    except UnboundLocalError as e:
        missing = next((name for name in made.outputs if f"'{name}'" in str(e)), None)
        if missing is None:
            raise
        said = f"{e}; -o {missing} takes its value over, so the cell has to give it one on every way"
        raise UnboundLocalError(said).with_traceback(e.__traceback__) from None


def check(line: Line, body: str) -> None:
    """What no cell takes, and what this one does not. Raises `OptionError`, `ConfigError`, what `analyse` raises."""
    cell = analyse(body)
    fits(line, cell)
    context_of(line)
    decorator, override = by_level(text.collect(line.texts, TASK_LEVELS))
    resolve.check(Level.TASK, decorator)
    resolve.check(Level.OVERRIDE, override)


def fits(line: Line, cell: CellCode) -> None:
    """Whether the options are for a cell of this kind. Raises `OptionError`."""
    if cell.kind == "functions":
        names = ", ".join(cell.functions)
        given = [option for option in _OF_BODIES if option in line.options] + options_given(line)
        wrong = [(option, f"{option} is for a cell that runs; this one declares {names}") for option in given]
        wrong += [(word, f"{word!r}: the functions of the cell have names: {names}") for word in line.words]
    else:
        _named(line)
        may_be_inputs = [*cell.free, *cell.early, *line.names("--inputs")]
        wrong = [
            ("--output", not_assigned(name, cell)) for name in cell.unassigned(line.names("--output"), may_be_inputs)
        ]
    if wrong:
        raise OptionError("\n".join(said for _, said in wrong), [Wrong(said, line.places[one]) for one, said in wrong])


def _named(line: Line) -> None:
    try:
        task_name(line.words[0] if line.words else "")
    except OptionError as e:
        raise line.refusal(str(e), *line.words) from None


_OF_BODIES = ("--inputs", "--output", "--background", "--local")


def _declare(use: Use, cell: CellCode, env: TaskEnvironment, filename: str) -> None:
    if "--dry-run" in use.line.options:
        return use.say(f"would declare: {', '.join(f'{env.name}.{name}' for name in cell.functions)}")
    tasks = tasks_of_functions(cell, env, use.variables, filename, use.line.settings)
    return use.say(f"declared: {', '.join(task.name for task in tasks)}")


def _value(run: Run, *, is_wanted: bool) -> Any:
    """Wait for the run, also where `flyte.run` does not: a cell that is a task ends with it."""
    if is_wanted:
        return run.result()
    run.wait()
    run.raise_for_status()
    return None


def _give(use: Use, made: TaskCell, value: Any) -> Any:
    """The value of the task into the notebook; it is the cell's own value when nothing is named."""
    if not made.outputs:
        return value
    values = (value,) if len(made.outputs) == 1 else value
    use.variables.update(zip(made.outputs, values, strict=True))
    return None


def _later(use: Use, made: TaskCell, run: Run) -> None:
    def arrived() -> bool:
        if not run.done():
            return False
        if run.phase.value == "succeeded":  # else its card says what happened, and nothing is taken over
            _give(use, made, run.result())
        return True

    said = f"{run.name} runs in the background: flyte.runs()[0] is its run."
    if made.outputs:
        use.hooks.before_cell.append(arrived)
        said += f"\n{', '.join(made.outputs)}: there in the first cell that starts after its end."
    use.say(said)


_NAMES = "NAME[,NAME...]"
_ENV = 'The environment: a variable, or its name; "notebook" when not given.'
_INPUTS = "The inputs, instead of those that the cell reads."

TASK = Magic(
    "flyte_task",
    Parser(
        "%%flyte_task [NAME] [options]",
        "Run the cell as a task, in a process of its own. What the cell reads from the notebook becomes its inputs;"
        " -o names what it gives back, otherwise the value of its last expression is shown. With a NAME the task stays"
        " in the notebook under it."
        " A cell that has nothing but functions declares each of them as a task and runs nothing.",
        [
            Flag("--env", _ENV, "NAME", names="environments"),
            Flag("--inputs", _INPUTS, _NAMES, "-i", joined=True, names="variables"),
            Flag("--output", "Variables to take over into the notebook.", _NAMES, "-o", joined=True, names="outputs"),
            *FLAGS,
            *OF_RUN,
        ],
        level=TASK_LEVELS,
    ),
    task,
    check,
    takes_cell=True,
)
