"""`%%flyte_task`, `%flyte_env` and `%flyte_runs`: what stands between a cell and the functions that do the work.

An error that is about the cell or its first line is shown in a few lines without frames of ours or of IPython: IPython
asks an exception for `_render_traceback_`, and these exceptions answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ... import api
from ...config.say import said
from ...config.spec import PARAMS
from ...environment import TaskEnvironment, environments
from ...errors import ConfigError, user_frames
from ...markup import cut
from ...pack.preview import describe
from ..cards import tables
from ..cells.extract import CellCode, UnsupportedCell, analyse
from ..cells.places import with_source
from ..hooks import Hooks
from .options import ENV, RUNS, TASK, Line, OptionError, Parser
from .task import TaskCell, UndefinedNames, environment, make_environment, task_of_body, tasks_of_functions

_NAMES = {"cell": ("flyte_task",), "line": ("flyte_task", "flyte_env", "flyte_runs")}
"""IPython refuses a cell magic without a cell, so `%flyte_task` is there for its help."""


def register(shell: Any, hooks: Hooks) -> None:
    """Define the magics in a shell; again is harmless."""
    from IPython.core.magic import no_var_expand  # braces belong to the settings, not to IPython

    made = Magics(shell, hooks)
    for kind, names in _NAMES.items():
        for name in names:
            shell.register_magic_function(no_var_expand(made.function(name)), magic_kind=kind, magic_name=name)


def unregister(shell: Any) -> None:
    """Take them away."""
    for kind, names in _NAMES.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)


class Magics:
    """The magics of one shell."""

    def __init__(self, shell: Any, hooks: Hooks) -> None:
        self._shell = shell
        self._hooks = hooks
        self._parsers = {"flyte_task": TASK, "flyte_env": ENV, "flyte_runs": RUNS}

    def __repr__(self) -> str:
        return f"<Magics [{', '.join(self._parsers)}]>"

    def function(self, name: str) -> Callable[..., Any]:
        """A magic as the function that IPython wants: its docstring is what `?` shows."""
        parser = self._parsers[name]
        run = getattr(self, name)

        def magic(line: str, cell: str | None = None) -> Any:
            return self._quietly(name, parser, run, line, cell)

        magic.__doc__ = parser.help()
        magic.__name__ = magic.__qualname__ = name
        return magic

    # --- the magics ---------------------------------------------------------------------------------------------------

    def flyte_task(self, line: Line, raw_line: str, source: str) -> Any:
        """Run the cell as a task, or declare its functions."""
        filename, offset = self._file(raw_line, source)
        env = environment(line.options.get("--env"), self._shell.user_ns)
        cell = analyse(source, filename=filename, offset=offset)
        if cell.kind == "functions":
            self._declare(line, cell, env, filename)
            return None
        made = task_of_body(
            cell,
            env,
            self._shell.user_ns,
            filename,
            name=line.words[0] if line.words else "",
            inputs=line.names("--inputs") if "--inputs" in line.options else None,
            outputs=line.names("--output"),
            settings=line.settings,
        )
        if "--dry-run" in line.options:
            self._explain(made)
            return None
        if "--background" in line.options:
            self._start(made)
            return None
        run = api.run(made.task, **made.inputs)
        if made.outputs:
            self._take_over(made, run)
            return None
        return run.result() if cell.has_value else None

    def flyte_env(self, line: Line, _raw_line: str, _source: str) -> None:
        """Make, show or list environments."""
        from ...config import text
        from ...config.spec import Level

        if not line.words:
            if line.settings:
                raise OptionError(f"which environment?\nusage: {ENV.usage}")
            rows = [(env.name, len(env.tasks), _given(env)) for env in environments().values()]
            head = ("Environment", "Tasks", "Settings")
            self._publish(tables.bundle(head, rows, title="Environments", empty="no environments"))
            return
        name = line.words[0]
        variable = name.replace("-", "_")
        is_there = name in environments() or isinstance(self._shell.user_ns.get(name), TaskEnvironment)
        if is_there and not line.settings:
            env = environment(name, self._shell.user_ns)
            self._publish({"text/plain": repr(env), "text/html": env._repr_html_()})
            return
        env = make_environment(name, text.collect(line.settings, Level.ENV))
        if variable.isidentifier():
            self._shell.user_ns[variable] = env
        self._publish({"text/plain": f"{variable} = {env!r}"})

    def flyte_runs(self, line: Line, _raw_line: str, _source: str) -> None:
        """Show the newest runs."""
        number = line.options.get("--number", "20")
        if not number.isdigit():
            raise OptionError(f"-n {number}: not a number")
        views = [run.view() for run in api.runs(int(number))]
        self._publish(tables.runs(views, now=time.time()))

    # --- their parts --------------------------------------------------------------------------------------------------

    def _declare(self, line: Line, cell: CellCode, env: TaskEnvironment, filename: str) -> None:
        names = ", ".join(cell.functions)
        given = [option for option in ("--inputs", "--output", "--background") if option in line.options]
        problems = [f"{option} is for a cell that runs; this one declares {names}" for option in given]
        problems += [f"{word!r}: the functions of the cell have names: {names}" for word in line.words]
        if problems:
            raise OptionError("\n".join(problems))
        if "--dry-run" in line.options:
            said = [f"{env.name}.{name}" for name in cell.functions]
            self._publish({"text/plain": f"would declare: {', '.join(said)}"})
            return
        tasks = tasks_of_functions(cell, env, self._shell.user_ns, filename, line.settings)
        self._publish({"text/plain": f"declared: {', '.join(task.name for task in tasks)}"})

    def _start(self, made: TaskCell) -> None:
        run = api.submit(made.task, **made.inputs)
        said = f"{run.name} runs in the background: flyte.runs()[0] is its run."
        if made.outputs:
            self._hooks.before_cell.append(lambda: self._later(made, run))
            said += f"\n{', '.join(made.outputs)}: there in the first cell that starts after its end."
        self._publish({"text/plain": said})

    def _later(self, made: TaskCell, run: Any) -> bool:
        if not run.done():
            return False
        if run.phase.value == "succeeded":  # else its card says what happened, and nothing is taken over
            self._take_over(made, run)
        return True

    def _take_over(self, made: TaskCell, run: Any) -> None:
        value = run.result()
        values = (value,) if len(made.outputs) == 1 else value
        self._shell.user_ns.update(zip(made.outputs, values, strict=True))

    def _explain(self, made: TaskCell) -> None:
        from IPython.display import display

        self._publish({"text/plain": f"would run {made.task.name} -> {', '.join(made.outputs) or 'its last value'}"})
        rows = [(name, type(value).__name__, describe(value)) for name, value in made.inputs.items()]
        self._publish(tables.bundle(("Input", "Type", "Value"), rows, title="Inputs", empty="no inputs"))
        display(made.task.effective_config())  # type: ignore[no-untyped-call]  # IPython annotates only a part of itself

    def _publish(self, data: dict[str, str]) -> None:
        from IPython.display import display

        display(data, raw=True)  # type: ignore[no-untyped-call]  # IPython annotates only a part of itself

    def _file(self, line: str, source: str) -> tuple[str, int]:
        """A file name under which tracebacks find the cell's source, and the number of lines above `source` in it."""
        raw = self._hooks.raw_cell
        if not raw.rstrip().endswith(source.rstrip()) or not source.strip():
            raw = f"%%flyte_task {line}\n{source}"  # called by a program
        start = raw.rstrip().rfind(source.rstrip())
        filename = self._shell.compile.cache(raw, self._shell.execution_count, raw_code=raw)
        return filename, raw[:start].count("\n")

    # --- errors -------------------------------------------------------------------------------------------------------

    def _quietly(self, name: str, parser: Parser, run: Callable[..., Any], line: str, cell: str | None) -> Any:
        """Run a magic; what goes wrong is shown as the user's own error."""
        from IPython.core.error import UsageError

        try:
            found = parser.parse(line)
            if "--help" in found.options:
                self._publish({"text/plain": parser.help()})
                return None
            if cell is None and name in _NAMES["cell"]:
                raise OptionError("it runs the cell below it, which is empty; %flyte_task --help shows its options")
            return run(found, line, cell or "")
        except (OptionError, UnsupportedCell) as e:
            kind = "%%" if name in _NAMES["cell"] else "%"
            raise UsageError(f"{kind}{name}: {e}") from None
        except UndefinedNames as e:
            raise _shown(e, [f"Cell line {e.line}: {self._line(line, cell, e.line)}", f"NameError: {e}"]) from None
        except SyntaxError as e:
            raise _shown(CellSyntaxError(str(e)), self._syntax(e)) from None
        except ConfigError as e:
            raise _shown(e, [f"{type(e).__name__}: {e}"]) from None
        except KeyboardInterrupt:
            raise _shown(KeyboardInterrupt(), ["KeyboardInterrupt: the run was cancelled"]) from None
        except Exception as e:
            raise _shown(e, self._frames(e)) from None

    def _line(self, line: str, cell: str | None, number: int) -> str:
        import linecache

        return linecache.getline(self._file(line, cell or "")[0], number).strip()

    def _syntax(self, error: SyntaxError) -> Sequence[str]:
        return list(self._shell.SyntaxTB.structured_traceback(SyntaxError, error, []))

    def _frames(self, error: Exception) -> Sequence[str]:
        """The traceback with the user's frames alone: those of the task's process."""
        frames = with_source(user_frames(error.__traceback__))
        if frames is None:
            return [f"{type(error).__name__}: {error}"]
        error.__cause__, error.__suppress_context__ = None, True
        return list(self._shell.InteractiveTB.structured_traceback(type(error), error, frames, tb_offset=0))


class CellSyntaxError(Exception):
    """A cell that cannot be read. No `SyntaxError`, since IPython would show that with all frames up to here."""


def _shown(error: BaseException, lines: Sequence[str]) -> BaseException:
    """`error`, which IPython will show as `lines`."""
    error._render_traceback_ = lambda: list(lines)  # type: ignore[attr-defined]  # IPython looks for it
    return error


def _given(env: TaskEnvironment) -> str:
    words = {key: said(PARAMS[key], value) for key, value in env._layer.items() if key != "name"}
    return "; ".join(f"{key}: {cut(text, 60)}" for key, text in words.items())
