"""`%%flyte_task`: a cell is a task, or declares some."""

from __future__ import annotations

from typing import Any

from ... import api
from ...config.spec import Level
from ...environment import TaskEnvironment
from ...pack.preview import describe
from ..cards import tables
from ..cells.extract import CellCode, analyse
from .magic import Magic, Use
from .options import Flag, OptionError, Parser
from .task import TaskCell, environment, task_of_body, tasks_of_functions


def task(use: Use) -> Any:
    """Run the cell as a task, or declare its functions."""
    line = use.line
    filename, offset = use.file()
    env = environment(line.options.get("--env"), use.variables)
    cell = analyse(use.body, filename=filename, offset=offset)
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
    if "--dry-run" in line.options:
        return _explain(use, made)
    if "--background" in line.options:
        return _start(use, made)
    run = api.run(made.task, **made.inputs)
    if made.outputs:
        return _take_over(use, made, run)
    return run.result() if cell.has_value else None


def _declare(use: Use, cell: CellCode, env: TaskEnvironment, filename: str) -> None:
    names = ", ".join(cell.functions)
    given = [option for option in ("--inputs", "--output", "--background") if option in use.line.options]
    problems = [f"{option} is for a cell that runs; this one declares {names}" for option in given]
    problems += [f"{word!r}: the functions of the cell have names: {names}" for word in use.line.words]
    if problems:
        raise OptionError("\n".join(problems))
    if "--dry-run" in use.line.options:
        return use.say(f"would declare: {', '.join(f'{env.name}.{name}' for name in cell.functions)}")
    tasks = tasks_of_functions(cell, env, use.variables, filename, use.line.settings)
    return use.say(f"declared: {', '.join(task.name for task in tasks)}")


def _start(use: Use, made: TaskCell) -> None:
    run = api.submit(made.task, **made.inputs)
    said = f"{run.name} runs in the background: flyte.runs()[0] is its run."
    if made.outputs:
        use.hooks.before_cell.append(lambda: _later(use, made, run))
        said += f"\n{', '.join(made.outputs)}: there in the first cell that starts after its end."
    use.say(said)


def _later(use: Use, made: TaskCell, run: Any) -> bool:
    if not run.done():
        return False
    if run.phase.value == "succeeded":  # else its card says what happened, and nothing is taken over
        _take_over(use, made, run)
    return True


def _take_over(use: Use, made: TaskCell, run: Any) -> None:
    value = run.result()
    values = (value,) if len(made.outputs) == 1 else value
    use.variables.update(zip(made.outputs, values, strict=True))


def _explain(use: Use, made: TaskCell) -> None:
    from IPython.display import display

    use.say(f"would run {made.task.name} -> {', '.join(made.outputs) or 'its last value'}")
    rows = [(name, type(value).__name__, describe(value)) for name, value in made.inputs.items()]
    use.publish(tables.bundle(("Input", "Type", "Value"), rows, title="Inputs", empty="no inputs"))
    display(made.task.effective_config())  # type: ignore[no-untyped-call]  # IPython annotates only a part of itself


_NAMES = "NAME[,NAME...]"

TASK = Magic(
    "flyte_task",
    Parser(
        "%%flyte_task [NAME] [options]",
        "Run the cell as a task, in a process of its own. What the cell reads from the notebook becomes its inputs;"
        " -o names what it gives back, otherwise the value of its last expression is shown."
        " A cell that has nothing but functions declares each of them as a task and runs nothing.",
        [
            Flag("--env", 'The environment: a variable, or its name; "notebook" when not given.', "NAME"),
            Flag("--inputs", "The inputs, instead of those that the cell reads.", _NAMES, "-i", joined=True),
            Flag("--output", "Variables to take over into the notebook.", _NAMES, "-o", joined=True),
            Flag("--background", "Do not wait; outputs arrive before the first cell that starts after the end."),
            Flag("--dry-run", "Show inputs and configuration; run nothing."),
        ],
        level=Level.TASK | Level.OVERRIDE,
    ),
    task,
    takes_cell=True,
)
