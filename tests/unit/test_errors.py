"""What users read when something is wrong."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter import errors
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.errors import (
    CODED,
    BaseRuntimeError,
    ConfigError,
    ConfigTypeError,
    ConfigValueError,
    MaxRuntimeExceededError,
    OOMError,
    RuntimeSystemError,
    RuntimeUnknownError,
    RuntimeUserError,
    TaskTimeoutError,
    is_ours,
    nearest,
    user_frames,
)

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]
CONFIG = [cls for cls in CLASSES if issubclass(cls, ConfigError)]
PUBLIC_CODED = sorted(CODED)


def through_us(error: BaseException) -> BaseException:
    """Raised by a function of ours that a function of the user's called."""
    scope: dict[str, Any] = {"error": error}
    exec(compile("def inside():\n    raise error", errors.__file__, "exec"), scope)

    def cell() -> None:
        scope["inside"]()

    try:
        cell()
    except BaseException as caught:
        return caught
    raise AssertionError


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_says_what_it_is(cls: type) -> None:
    text = cls.__dict__["__doc__"]
    assert text
    assert "." in text


@pytest.mark.parametrize("cls", CONFIG)
def test_the_docstring_is_the_text(cls: type[ConfigError]) -> None:
    assert cls.__doc__ == str(cls())
    assert "text" == str(cls("text"))


@pytest.mark.parametrize("code", PUBLIC_CODED)
def test_the_code_is_the_name_of_the_class(code: str) -> None:
    error = CODED[code]()
    assert (code, "user", None, CODED[code].__doc__) == (error.code, error.kind, error.worker, str(error))
    assert ("text", "w") == (str(CODED[code]("text", "w")), CODED[code]("text", "w").worker)


def test_families() -> None:
    assert issubclass(ConfigTypeError, TypeError)
    assert issubclass(ConfigValueError, ValueError)
    assert issubclass(errors.RunNotFoundError, LookupError)
    assert issubclass(MaxRuntimeExceededError, TaskTimeoutError)
    both = [errors.ImageFileError]  # for a file of an image Flyte raises now the one, now the other
    assert both == [cls for cls in CONFIG if issubclass(cls, BaseRuntimeError)]
    assert {True} == {issubclass(cls, RuntimeUserError) for cls in CODED.values()}


def test_kinds() -> None:
    kinds = [cls("Code", "text").kind for cls in (RuntimeUserError, RuntimeSystemError, RuntimeUnknownError)]
    assert ["user", "system", "unknown"] == kinds


@pytest.mark.parametrize(
    "error",
    [
        *(CODED[code]("text", "w") for code in PUBLIC_CODED),
        RuntimeSystemError("C", "text", "w"),
        ConfigTypeError("text"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_pickled(error: BaseException) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(error), str(error), vars(error)) == (type(again), str(again), vars(again))


# --- tracebacks -------------------------------------------------------------------------------------------------------


def test_which_frames_are_ours() -> None:
    package = str(Path(errors.__file__).parent)
    ours = [f"{package}/errors.py", f"{package}/pack/codec.py", f"{package}_else/errors.py", __file__, "<string>", ""]
    assert [True, True, False, False, False, False] == [is_ours(name) for name in ours]


def test_our_frames_are_left_out() -> None:
    tb = user_frames(through_us(ConfigError("text")).__traceback__)
    assert ["through_us", "cell"] == [frame.name for frame in traceback.extract_tb(tb)]
    assert None is user_frames(None)


def test_what_dataclasses_make_for_us_is_left_out_too() -> None:
    with pytest.raises(ConfigValueError) as caught:
        Timeout(-1)
    assert "<string>" in [frame.filename for frame in traceback.extract_tb(caught.tb)]
    shown = [frame.name for frame in traceback.extract_tb(user_frames(caught.tb))]
    assert [test_what_dataclasses_make_for_us_is_left_out_too.__name__] == shown


def test_the_real_traceback_stays_whole() -> None:
    error = through_us(ConfigError("text"))
    user_frames(error.__traceback__)
    assert ["through_us", "cell", "inside"] == [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("error", [ConfigValueError("text"), OOMError("text")], ids=lambda error: type(error).__name__)
def test_a_notebook_shows_the_short_traceback(error: Any) -> None:
    lines = through_us(error)._render_traceback_()  # type: ignore[attr-defined]
    shown = "\n".join(lines)
    assert "cell()" in shown or 'scope["inside"]()' in shown
    assert errors.__file__ not in shown
    assert f"{type(error).__name__}: text" in lines[-1]


def test_a_notebook_shows_it_in_its_own_way(tmp_path: Path) -> None:
    """In a real IPython: the user's line, none of ours, and not the cause, whose text is part of the error's."""
    program = """
from IPython.core.interactiveshell import InteractiveShell
from flyte_jupyter.errors import ConfigValueError
shell = InteractiveShell.instance(colors="NoColor")
shell.run_cell('''
def mine():
    try:
        {}["inner cause"]
    except KeyError as error:
        from flyte_jupyter.config.values.resources import Resources
        Resources(cpu="many")
mine()
''')
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={"IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin"},
        check=True,
    )
    assert 'Resources(cpu="many")' in done.stdout
    assert "ConfigValueError" in done.stdout
    assert str(Path(errors.__file__).parent) not in done.stdout
    assert "inner cause" not in "".join(line for line in done.stdout.splitlines() if line.startswith("KeyError"))


# --- hints ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"), [("memroy", "memory"), ("cpus", "cpu"), ("xyz", None), ("", None), ("memory", "memory")]
)
def test_the_nearest_name(name: str, expected: str | None) -> None:
    assert expected == nearest(name, (n for n in ("cpu", "memory", "disk")))
