"""The magics in a real IPython shell; nothing is run here, that is for the kernel tests."""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import flyte_jupyter
from flyte_jupyter import context
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.notebook import extension
from flyte_jupyter.notebook.cells.extract import analyse
from flyte_jupyter.notebook.magics import magics
from flyte_jupyter.notebook.magics import task as cells
from flyte_jupyter.notebook.magics.options import OptionError
from flyte_jupyter.server.answers.cells import found
from flyte_jupyter.task import Task


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell puts its own there
    monkeypatch.setattr(sys, "displayhook", sys.displayhook)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(context, "observers", [])
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=config)
    made.history_manager.end_session = lambda: None
    extension.load(made)
    yield made
    extension.unload(made)
    InteractiveShell.clear_instance()
    cells._kept.clear()
    gc.collect()


def run(shell: Any, source: str) -> tuple[Any, str]:
    """Run a cell: what it raised or returned, and all that it printed or displayed."""
    with capture_output() as captured:
        result = shell.run_cell(source, store_history=False)
    shown = "".join(output.data.get("text/plain", "") + "\n" for output in captured.outputs)
    return result.error_in_exec or result.result, captured.stdout + captured.stderr + shown


def names(magics: Any) -> set[str]:
    return {name for kind in ("cell", "line") for name in magics[kind] if name.startswith("flyte_")}


def test_load_and_unload_can_be_repeated(shell: Any) -> None:
    extension.load(shell)
    assert {magic.name for magic in magics.MAGICS} == names(shell.magics_manager.magics)
    assert 1 == len(context.observers)
    for _ in range(2):
        extension.unload(shell)
    assert set() == names(shell.magics_manager.magics)
    assert [] == context.observers
    extension.load(shell)
    assert 1 == len(context.observers)


def test_the_package_loads_as_an_extension(shell: Any) -> None:
    extension.unload(shell)
    assert shell.extension_manager.load_extension("flyte_jupyter") is None
    assert "flyte_task" in shell.magics_manager.magics["cell"]
    assert shell.extension_manager.unload_extension("flyte_jupyter") is None
    assert "flyte_task" not in shell.magics_manager.magics["cell"]


def test_importing_the_package_does_not_import_ipython() -> None:
    import subprocess

    code = "import sys, flyte_jupyter; sys.exit('IPython' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_help(shell: Any) -> None:
    assert "--max-inline-io-bytes" in (inspect.getdoc(shell.magics_manager.magics["cell"]["flyte_task"]) or "")
    for source in ("%%flyte_task --help\nx", "%flyte_task --help"):
        assert "%%flyte_task [NAME] [options]" in run(shell, source)[1]


def test_a_cell_magic_without_a_cell(shell: Any) -> None:
    with pytest.raises(UsageError, match="%%flyte_task: it runs the cell below it, which is empty"):
        shell.run_line_magic("flyte_task", "--retries 3")


# --- cells of functions -----------------------------------------------------------------------------------------------


def test_functions_become_tasks(shell: Any) -> None:
    run(shell, "import flyte_jupyter as flyte\nenv = flyte.TaskEnvironment(name='my_env')")
    source = """\
%%flyte_task --env env --retries 2 --cpu 1
import math

def one(x: int) -> int:
    "Adds one."
    return x + 1

async def two(x: float) -> float:
    return math.floor(x)
"""
    result, shown = run(shell, source)
    one, two = shell.user_ns["one"], shell.user_ns["two"]
    assert result is None
    assert "declared: my_env.one, my_env.two" in shown
    assert ("my_env.one", 2, 1) == (one.name, one.retries.count, one.resources.cpu)
    assert two.is_async
    assert 3 == one(2)
    assert shell.user_ns["math"].__name__ == "math"


def test_a_function_that_already_is_a_task_stays_what_it_is(shell: Any) -> None:
    run(shell, "import flyte_jupyter as flyte\nenv = flyte.TaskEnvironment(name='my_env')")
    run(shell, "%%flyte_task\n@env.task(retries=4)\ndef one(): pass")
    assert ("my_env.one", 4) == (shell.user_ns["one"].name, shell.user_ns["one"].retries.count)


def test_tracebacks_of_declared_functions_have_the_cells_lines(shell: Any) -> None:
    run(shell, "%%flyte_task\n\ndef one():\n    raise KeyError")
    assert 3 == shell.user_ns["one"].func.__code__.co_firstlineno


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-o x", "--output is for a cell that runs"),
        ("-i x", "--inputs is for a cell that runs"),
        ("name", "the functions of the cell have names: f"),
        ("--background", "--background is for a cell that runs"),
    ],
)
def test_options_that_do_not_fit_functions(shell: Any, line: str, message: str) -> None:
    error, shown = run(shell, f"%%flyte_task {line}\ndef f(): pass")
    assert isinstance(error, UsageError)
    assert message in shown
    assert "f" not in shell.user_ns


# --- what is wrong is said shortly ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("%%flyte_task --retrys 3\n1", "no option --retrys; did you mean --retries?"),
        ("%%flyte_task --retries many\n1", "retries: 'many' is not accepted"),
        ("%%flyte_task --env nowhere\n1", "--env nowhere: no such environment"),
        (
            "%%flyte_task\nx = 1\n!ls",
            "line 3: IPython's ! and % cannot stand in a task; subprocess.run('ls', shell=True)",
        ),
        ("%%flyte_task\n%%time\nx = 1", "line 2: a cell magic stands above %%flyte_task, not below it"),
        ("%%flyte_task --triggers nightly\n1", "it has no text form; write Python in braces, --triggers {nightly}"),
        ("%%flyte_task --local --dry-run\n1", "--dry-run and --local do not go together"),
        ("%flyte_run", "which task?"),
        ("%flyte_run f(", "'(' was never closed"),
        ("%flyte_run len --retries 3", "len is no task but a builtin_function_or_method"),
        ("%flyte_override len", "len is no task"),
        ("%flyte_run --retrys 3 len", "no option --retrys; did you mean --retries?"),
        ("%flyte_logs nothing", "nothing: no such run"),
        ("%flyte_cancel a --all", "--all is for all that run"),
        ("%flyte_config retrys", "did you mean retries?"),
        ("%%flyte_task\nsum(rowz)", "name 'rowz' is not defined"),
        ("%%flyte_task\ntotal += 1", "name 'total' is not defined"),
        ("%%flyte_task\nx = (\n1 +", "line 2"),
        ("%%flyte_task\nx = 1\nreturn x", "line 3"),
        ("%%flyte_task\nfrom math import *", "line 2: `from math import *` cannot stand in a task"),
        ("%%flyte_task -o totl\ntotal = 1", "-o totl: the cell does not assign it; did you mean total?"),
        ("%%flyte_task -i nothing\n1", "-i nothing: no such variable"),
        ("%%flyte_task 1st\n1", "'1st' cannot be the name of a task"),
        ("%flyte_env my-env --retries 3", "no option --retries"),
        ("%flyte_env Bad", "Bad"),
        ("%flyte_env --cpu 1", "which environment?"),
        ("%flyte_runs -n many", "--number many: not a number"),
    ],
)
def test_errors_are_a_few_lines(shell: Any, source: str, message: str) -> None:
    _, shown = run(shell, source)
    assert message in shown
    assert "interactiveshell.py" not in shown
    assert len(shown.splitlines()) <= 8
    assert "flyte_jupyter/" not in shown


def test_the_line_of_an_undefined_name_is_shown(shell: Any) -> None:
    _, shown = run(shell, "rows = 1")
    _, shown = run(shell, "%%flyte_task\nx = 1\n\ny = len(rowz)")
    assert "Cell line 4: y = len(rowz)" in shown
    assert "did you mean 'rows'?" in shown


# --- environments -----------------------------------------------------------------------------------------------------


def test_flyte_env_makes_and_binds(shell: Any) -> None:
    _, shown = run(shell, "%flyte_env my-env --memory 512Mi --env-vars A=1 --env-vars B={x}")
    env = shell.user_ns["my_env"]
    assert ("my-env", {"A": "1", "B": "{x}"}, "512Mi") == (env.name, env.env_vars, env.resources.memory)
    assert "my_env = TaskEnvironment('my-env'" in shown


def test_flyte_env_shows(shell: Any) -> None:
    run(shell, "%flyte_env my-env --memory 512Mi")
    assert "512Mi" in run(shell, "%flyte_env my-env")[1]
    assert "512Mi" in run(shell, "%flyte_env my_env")[1]
    assert "resources: memory 512 MiB" in run(shell, "%flyte_env")[1]


# --- a body -----------------------------------------------------------------------------------------------------------


def test_dry_run_shows_inputs_and_configuration_and_runs_nothing(shell: Any) -> None:
    run(shell, "rows = [1, 2]\ndef helper(): pass\nimport math")
    _, shown = run(shell, "%%flyte_task summing --dry-run --retries 3 -o total\nhelper(); total = math.fsum(rows)")
    for expected in ("would run notebook.summing: ", "rows", "[1, 2]", "helper", "retries", "decorator"):
        assert expected in shown
    assert "total" not in shell.user_ns


def made(source: str, variables: dict[str, Any], **more: Any) -> cells.TaskCell:
    env = TaskEnvironment("test-cells")
    return cells.task_of_body(analyse(source), env, {**variables}, "<cell>", **more)


def test_data_becomes_inputs_and_code_goes_along() -> None:
    def helper() -> None: ...

    variables = {"rows": [1], "helper": helper, "sys": sys, "Task": Task, "env": TaskEnvironment("other")}
    found = made("sys, Task, env, helper(), rows, __name__", variables)
    assert {"rows": [1]} == dict(found.inputs)


def test_given_inputs_replace_those_that_are_read() -> None:
    found = made("a, b", {"a": 1, "b": 2}, inputs=("a",))
    assert {"a": 1} == dict(found.inputs)


def test_what_is_read_and_bound_is_an_input_in_any_case() -> None:
    found = made("total += a", {"a": 1, "total": 2}, inputs=("a",), outputs=("total",))
    assert {"a": 1, "total": 2} == dict(found.inputs)
    assert 3 == found.task(**found.inputs)


def test_an_input_can_be_an_output() -> None:
    found = made("rows.append(1)", {"rows": []}, outputs=("rows",))
    assert [1] == found.task(**found.inputs)


@pytest.mark.parametrize(
    ("source", "outputs", "expected"),
    [("x = 1", (), ()), ("1", (), (Any,)), ("x = 1", ("x",), (Any,)), ("x = y = 1", ("x", "y"), (Any, Any))],
)
def test_outputs_of_the_task(source: str, outputs: tuple[str, ...], expected: tuple[Any, ...]) -> None:
    found = made(source, {}, outputs=outputs)
    assert expected == tuple(output.annotation for output in found.task.interface.outputs)


def test_name_and_settings() -> None:
    found = made("1", {}, name="my-cell", settings={"--retries": "3", "--cpu": "2", "--interruptible": "true"})
    task = found.task
    assert ("test-cells.my_cell", 3, 2, True) == (task.name, task.retries.count, task.resources.cpu, task.interruptible)


def test_the_environment_without_a_name_is_kept() -> None:
    env = cells.environment(None, {})
    gc.collect()
    assert env is cells.environment(None, {})
    assert "notebook" == env.name


def test_environments_by_variable_and_by_name() -> None:
    env = TaskEnvironment("by-name")
    assert env is cells.environment("variable", {"variable": env})
    assert env is cells.environment("by-name", {})
    with pytest.raises(OptionError, match="did you mean by-name"):
        cells.environment("by-nme", {})


def test_the_observer_of_the_package_counts(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    extension.unload(shell)
    monkeypatch.setattr(flyte_jupyter, "_show", lambda run: None, raising=False)
    context.observers.append(flyte_jupyter._show)
    extension.load(shell)
    assert [flyte_jupyter._show] == context.observers


@pytest.mark.parametrize(
    "source",
    [
        "%flyte_env a --retrys 2",
        "%flyte_env a --cpu x --memory y",
        "%flyte_env A!",
        "%flyte_env --cpu 1",
        "%flyte_env 'a",
        "%flyte_run",
        "%flyte_run f( --cpu 1",
        "%flyte_override f --labels a=1 --retries 1",
        "%flyte_logs --lines x",
        "%flyte_runs -n x",
        "%flyte_cancel a --all",
        "%flyte_export",
        "%flyte_task y",
        "%flyte_evn",
        "x = 1\n%%flyte_task y",
        "%%flyte_env a\n1",
        "%%flyte_task 3x\n1",
        "%%flyte_task -o nix\nx = 1",
        "%%flyte_task --mode far\nx = 1",
        "%%flyte_task --labels a\nx = 1",
        "%%flyte_task --local --background\nx = 1",
        "%%flyte_task --local\ndef f(): ...",
        "%%flyte_task --retries x --timeout soon\nx = 1",
        "%%flyte_task\nx = 1\n!ls",
    ],
)
def test_an_editor_underlines_what_running_refuses(shell: Any, source: str) -> None:
    run(shell, "from flyte_jupyter import TaskEnvironment\n@TaskEnvironment('of-f').task\ndef f(): ...")
    problems = found([{"id": "", "source": source}])["cells"][0]["problems"]
    _, said = run(shell, source)
    assert [] != problems
    for problem in problems:
        assert problem["message"].partition("\n")[0].partition("; it stands")[0].partition("; did you")[0] in said
