"""`%flyte_run task(args)` and `%flyte_override task`: tasks of the notebook, called with other settings."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...config import resolve, text
from ...config.spec import PARAMS, Level
from ...config.text import flag_of
from ...engine.run import Run
from ...task import Task
from .magic import Magic, Use
from .options import Line, OptionError, Parser, values
from .start import FLAGS, OF_RUN, Call, context_of, options_given, start
from .words import in_braces


def run(use: Use) -> Any:
    """Run a task, perhaps with an override, and return the run."""
    _callable(use.line, RUN.parser)
    return _start(use, _called(use), overridden(use))


def override(use: Use) -> Any:
    """Show the line that an override stands for, and return what it makes: a task, or the run of one with inputs.

    Without settings the override panel opens.
    """
    _callable(use.line, OVERRIDE.parser)
    found = _called(use)
    task = found.task if isinstance(found, Call) else found
    settings = overridden(use)
    if not isinstance(task, Task):
        raise OptionError(_no_task(use, task))
    if not settings:
        from ..panel.opening import open_line

        return open_line(use.line.code, use.variables)
    use.say(line_of(use, settings, is_call=isinstance(found, Call)))
    if isinstance(found, Call):
        return _start(use, found, settings)
    _without_options(use.line)
    return task.override(**settings)


def line_of(use: Use, settings: Mapping[str, Any], *, is_call: bool) -> str:
    """The Python that an override stands for, as it can be pasted; Python in braces as it was written."""
    from ..panel import code
    from ..panel.editors import expression

    names = code.Names(use.variables)
    given = {}
    for name, value in settings.items():
        written = in_braces(use.line.settings.get(flag_of(name), ""))
        given[name] = written or expression(name, PARAMS[name].accept(value), names)
    tree = ast.parse(use.line.code, mode="eval").body
    if not is_call or not isinstance(tree, ast.Call):
        return code.call(f"{use.line.code}.override", (), given)
    inputs = [ast.unparse(one) for one in (*tree.args, *tree.keywords)]
    return code.call(code.call(f"{ast.unparse(tree.func)}.override", (), given), inputs)


def overridden(use: Use) -> dict[str, Any]:
    """The settings of the line. Raises `ConfigError`."""
    return values(use.line.settings, Level.OVERRIDE, use.variables)


def check_run(line: Line, _: str) -> None:
    """What no run takes. Raises `OptionError`, `ConfigError`."""
    _callable(line, RUN.parser)
    context_of(line)
    resolve.check(Level.OVERRIDE, text.collect(line.texts, Level.OVERRIDE))


def check_override(line: Line, _: str) -> None:
    """The same; a task that is not called has no run."""
    if not isinstance(_callable(line, OVERRIDE.parser), ast.Call) and line.settings:
        _without_options(line)
    check_run(line, "")


def _callable(line: Line, parser: Parser) -> ast.expr:
    """The code of a line: a task, or its call. Raises `OptionError`."""
    if not line.code:
        raise line.refusal(f"which task?\nusage: {parser.usage}", *line.places)
    try:
        return ast.parse(line.code, mode="eval").body
    except SyntaxError as e:
        raise line.refusal(f"{line.code}: {e.msg}\nusage: {parser.usage}", line.code) from None


def _without_options(line: Line) -> None:
    if of_run := options_given(line):
        raise line.refusal(f"{' and '.join(of_run)}: for a run; give {line.code} its inputs", *of_run)


def _start(use: Use, found: Any, settings: Mapping[str, Any]) -> Any:
    call = found if isinstance(found, Call) else Call(found)
    if settings:
        if not isinstance(call.task, Task):
            raise OptionError(f"{', '.join(use.line.settings)}: for a task; {_no_task(use, call.task)}")
        call = replace(call, task=call.task.override(**settings))
    return start(use, call, wait=_itself, later=_itself, here=_itself)


def _itself(value: Run | Any) -> Any:
    return value


def _no_task(use: Use, value: Any) -> str:
    return f"{use.line.code} is no task but a {type(value).__name__}"


def _called(use: Use) -> Any:
    """What the code of the line stands for: a task and its inputs when it calls a task, else its value."""
    filename, above = use.file()
    tree = ast.increment_lineno(ast.parse(use.line.code, filename, "eval"), above)
    call = tree.body
    if not isinstance(call, ast.Call):
        return _named(tree, filename, use.variables)
    function = _named(ast.Expression(call.func), filename, use.variables)
    gather = ast.copy_location(ast.Name(_GATHER, ast.Load()), call)
    args, kwargs = _value(
        ast.Expression(ast.copy_location(ast.Call(gather, call.args, call.keywords), call)),
        filename,
        {**use.variables, _GATHER: lambda *args, **kwargs: (args, kwargs)},
    )
    return Call(function, args, kwargs) if isinstance(function, Task) else function(*args, **kwargs)


_GATHER = " inputs"
"""A name that nothing in a notebook has."""


def _named(tree: ast.Expression, filename: str, variables: dict[str, Any]) -> Any:
    """A value, or the task that an environment has under this name: that of a cell, or one that a card names."""
    try:
        return _value(tree, filename, variables)
    except (NameError, AttributeError):
        from ..panel.draft import declared_task

        if (found := declared_task(ast.unparse(tree))) is None:
            raise
        return found


def _value(tree: ast.Expression, filename: str, variables: dict[str, Any]) -> Any:
    return eval(compile(tree, filename, "eval"), variables)  # noqa: S307 - the user's own code, in the user's process


RUN = Magic(
    "flyte_run",
    Parser(
        "%flyte_run TASK(INPUTS) [options]",
        "Run a task in a process of its own, as flyte.run(TASK, INPUTS) does, with an override of what the options say."
        " Its value is the run: r = %flyte_run train(rows) --retries 0",
        [*FLAGS, *OF_RUN],
        level=Level.OVERRIDE,
        names=("tasks",),
        takes_code=True,
    ),
    run,
    check_run,
)
OVERRIDE = Magic(
    "flyte_override",
    Parser(
        "%flyte_override TASK[(INPUTS)] [options]",
        "Show the line of Python that an override stands for, and apply it: the value is the overridden task, or its"
        " run when it is called with inputs. Without settings, open the override panel: a form for both.",
        [*FLAGS, *OF_RUN],
        level=Level.OVERRIDE,
        names=("tasks",),
        takes_code=True,
    ),
    override,
    check_override,
)
