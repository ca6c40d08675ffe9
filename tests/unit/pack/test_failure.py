"""Exceptions on their way back: what they are stays, and where they were raised is seen."""

from __future__ import annotations

import builtins
import errno
import os
import pickle
import socket
import subprocess
import traceback
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter import errors
from flyte_jupyter.errors import (
    ActionAbortedError,
    BaseRuntimeError,
    NonRecoverableError,
    OOMError,
    RuntimeSystemError,
    RuntimeUnknownError,
    RuntimeUserError,
    is_ours,
)
from flyte_jupyter.pack.failure import error_from, failure_of
from flyte_jupyter.pack.outcome import seal_error, unseal_outcome
from flyte_jupyter.pods import Failure, FrameName

KEY = b"k" * 32


class Custom(Exception):
    """Takes two arguments and keeps one, so that pickle cannot make it again."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.number = code
        self.reason = reason


class Forgetful(Exception):
    """Never calls the `__init__` of its base."""

    def __init__(self, a: int, b: int) -> None:
        self.total = a + b

    def __str__(self) -> str:
        return f"total {self.total}"


class Missing(KeyError, LookupError):
    """Of a class of a class."""


class Moody(Exception):
    def __str__(self) -> str:
        raise ValueError("not today")


class Holder(Exception):
    def __init__(self, what: Any) -> None:
        super().__init__("holds something")
        self.what = what


class Final(ValueError):
    def __reduce__(self) -> Any:
        raise TypeError("never pickled")


def raised(error: BaseException) -> BaseException:
    """The exception after it was raised, so with a traceback."""

    def task() -> None:
        raise error

    try:
        task()
    except BaseException as caught:
        return caught
    raise AssertionError


def back(error: BaseException) -> BaseRuntimeError:
    """What a caller gets for what a task raised."""
    payload, _ = seal_error(KEY, error, name="r1-a0")
    found = unseal_outcome(KEY, memoryview(b"".join(payload)), worker="r1-a0").error()
    assert found is not None
    return found


# --- the class stays --------------------------------------------------------------------------------------------------


def test_except_works_as_if_the_task_had_run_here() -> None:
    with pytest.raises(KeyError) as caught:
        raise back(raised(KeyError("name")))
    error = caught.value
    assert isinstance(error, RuntimeUserError)
    assert ("KeyError", "user", "r1-a0", "'name'", ("name",)) == (
        error.code,
        error.kind,
        error.worker,
        str(error),
        error.args,
    )


def test_notes_are_part_of_the_message_and_are_told_once() -> None:
    noted = raised(KeyError("name"))
    vars(noted)["__notes__"] = ["in row 3", "of birds.csv"]
    error = back(noted)
    assert "'name'\nin row 3\nof birds.csv" == str(error)
    head = "".join(traceback.format_exception(error)).rpartition("KeyError: ")[2]
    assert ("'name'\nin row 3\nof birds.csv\n", KeyError) == (head, type(error.__cause__))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("text"),
        ValueError(),
        ValueError("two", 3),
        ZeroDivisionError("division by zero"),
        StopIteration(7),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        SyntaxError("bad", ("file.py", 3, 1, "text", 3, 2)),
        ImportError("no module", name="nothing", path="/nowhere"),
        AttributeError("no attribute"),
        NameError("no name"),
        subprocess.CalledProcessError(3, ["false"], b"out"),
        Custom(3, reason="odd"),
        Forgetful(1, 2),
        Missing("m"),
        getattr(builtins, "ExceptionGroup", lambda *_: ValueError())("several", [ValueError("a"), KeyError("b")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_class_text_arguments_and_attributes_stay(error: Exception) -> None:
    found = back(raised(error))
    assert isinstance(found, type(error))
    assert isinstance(found, RuntimeUserError)
    assert (type(error).__name__, str(error), repr(error.args)) == (found.code, str(found), repr(found.args))
    assert vars(error) == {name: getattr(found, name) for name in vars(error)}
    cause = found.__cause__
    assert cause is not None
    assert (type(error), str(error), repr(error.args)) == (type(cause), str(cause), repr(cause.args))
    assert vars(error) == vars(cause)


def test_an_oserror_keeps_its_number_and_file_name() -> None:
    found = back(raised(FileNotFoundError(errno.ENOENT, "No such file", "/nowhere", None, "/else")))
    assert isinstance(found, FileNotFoundError)
    assert (errno.ENOENT, "No such file", "/nowhere", "/else") == (
        found.errno,
        found.strerror,
        found.filename,
        found.filename2,
    )
    assert "[Errno 2] No such file: '/nowhere' -> '/else'" == str(found)


def test_a_real_oserror() -> None:
    with pytest.raises(OSError, match="nowhere") as caught:
        os.open("/nowhere/at/all", os.O_RDONLY)
    found = back(caught.value)
    assert isinstance(found, FileNotFoundError)
    assert ("/nowhere/at/all", errno.ENOENT) == (found.filename, found.errno)


def test_other_built_in_attributes_stay() -> None:
    imported = back(raised(ImportError("m", name="n", path="p")))
    assert isinstance(imported, ImportError)
    stopped = back(raised(StopIteration(7)))
    assert isinstance(stopped, StopIteration)
    decoded = back(raised(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")))
    assert isinstance(decoded, UnicodeDecodeError)
    assert ("n", "p", 7, b"\xff") == (imported.name, imported.path, stopped.value, decoded.object)


def test_an_exception_of_the_notebook() -> None:
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec("class Mine(Exception):\n    def hint(self): return self.args[0]", cell)
    found = back(raised(cell["Mine"]("hello")))
    assert isinstance(found, cell["Mine"])
    assert "hello" == found.hint()  # type: ignore[attr-defined]


def test_a_failure_keeps_its_name_in_a_traceback() -> None:
    last = traceback.format_exception_only(back(raised(Custom(3, reason="odd"))))[-1]
    assert f"{Custom.__module__}.Custom: 3: odd\n" == last


# --- what cannot be rebuilt -------------------------------------------------------------------------------------------


def test_what_cannot_be_pickled_is_told() -> None:
    with socket.socket() as sock:
        found = back(raised(Holder(sock)))
    assert (RuntimeUserError, "Holder", "holds something") == (type(found), found.code, str(found))


def test_an_own_way_of_pickling_does_not_matter() -> None:
    found = back(raised(Final("value")))
    assert isinstance(found, Final)
    assert "value" == str(found)


def test_a_class_that_cannot_be_opened_here() -> None:
    failure = failure_of(raised(ValueError("text")))
    found = error_from(failure, None, "r1-a0")
    assert (RuntimeUserError, "ValueError", "text") == (type(found), found.code, str(found))


def test_an_exception_that_cannot_be_told() -> None:
    found = back(raised(Moody()))
    assert isinstance(found, Moody)
    assert "<Moody, whose text cannot be made: ValueError('not today')>" == str(found)


def test_exit_is_no_way_out() -> None:
    found = back(raised(SystemExit(3)))
    assert isinstance(found, RuntimeUserError)
    assert not isinstance(found, SystemExit)
    text = "The task called sys.exit(3); return a value or raise an exception instead."
    assert ("SystemExit", text) == (found.code, str(found))


def test_an_interrupt_of_the_task_does_not_interrupt_its_caller() -> None:
    assert RuntimeUserError is type(back(raised(KeyboardInterrupt())))


def test_texts_are_bounded() -> None:
    assert 32 * 1024 == len(failure_of(raised(ValueError("x" * 100_000))).message)


# --- our own errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(errors.CODED))
def test_our_errors_keep_their_class(code: str) -> None:
    found = error_from(Failure(code=code, kind="user", message="text"), None, "r1-a0")
    assert (errors.CODED[code], code, "text", "r1-a0") == (type(found), found.code, str(found), found.worker)


@pytest.mark.parametrize(
    ("kind", "cls"), [("system", RuntimeSystemError), ("unknown", RuntimeUnknownError), ("user", RuntimeUserError)]
)
def test_kinds(kind: str, cls: type[BaseRuntimeError]) -> None:
    found = error_from(Failure(code="Whatever", kind=kind, message="text"), None, None)
    assert (cls, "Whatever", kind) == (type(found), found.code, found.kind)


def test_what_a_called_task_raised_goes_on_unchanged() -> None:
    """A child's error that its parent lets pass is the same error to the parent's caller."""
    child = back(raised(KeyError("name")))
    parent = back(raised(child))
    assert isinstance(parent, KeyError)
    assert ("KeyError", "user", "'name'", ("name",)) == (parent.code, parent.kind, str(parent), parent.args)
    aborted = back(raised(ActionAbortedError("enough")))
    assert (ActionAbortedError, "enough") == (type(aborted), str(aborted))


def test_a_users_class_of_one_of_our_names_is_the_users() -> None:
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec("class OOMError(ValueError): pass", cell)
    found = back(raised(cell["OOMError"]("mine")))
    assert isinstance(found, cell["OOMError"])
    assert not isinstance(found, OOMError)


def test_only_the_task_says_that_another_attempt_is_useless() -> None:
    assert failure_of(ValueError()).recoverable
    assert not failure_of(NonRecoverableError("no")).recoverable

    class Mine(NonRecoverableError):
        pass

    assert not failure_of(Mine("no")).recoverable


# --- where ------------------------------------------------------------------------------------------------------------


def from_a_file(tmp_path: Path) -> BaseException:
    """An exception from two functions of a file, called by this package."""
    path = tmp_path / "my_task.py"
    source = "def helper():\n    n = 0\n    return 1 / n\n\ndef my_task():\n    return helper()\n"
    path.write_text(source)
    scope: dict[str, Any] = {}
    exec(compile(source, str(path), "exec"), scope)
    ours = compile("def call(f): f()", errors.__file__, "exec")
    plumbing: dict[str, Any] = {}
    exec(ours, plumbing)
    try:
        plumbing["call"](scope["my_task"])
    except ZeroDivisionError as error:
        # as in a task's process: what calls the task is ours, from the first frame on
        return error.with_traceback(getattr(error.__traceback__, "tb_next", None))
    raise AssertionError


def test_frames_are_the_users_own(tmp_path: Path) -> None:
    failure = failure_of(from_a_file(tmp_path))
    path = str(tmp_path / "my_task.py")
    assert (FrameName(path, 6, "my_task", 5), FrameName(path, 3, "helper", 1)) == failure.frames
    assert f'  File "{path}", line 6, in my_task\n    return helper()\n' in failure.traceback
    assert failure.traceback.rstrip().endswith("return 1 / n") or "^" in failure.traceback


def test_the_traceback_goes_on_in_the_task(tmp_path: Path) -> None:
    found = back(from_a_file(tmp_path))
    path = str(tmp_path / "my_task.py")
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(found.__traceback__)]
    assert [(path, 6, "my_task", "return helper()"), (path, 3, "helper", "return 1 / n")] == frames
    assert (FrameName(path, 6, "my_task", 5), FrameName(path, 3, "helper", 1)) == found.remote_frames


def test_a_raised_error_shows_here_and_there_and_nothing_of_ours(tmp_path: Path) -> None:
    found = back(from_a_file(tmp_path))

    def cell() -> None:
        raise found

    with pytest.raises(ZeroDivisionError) as caught:
        cell()
    frames = traceback.extract_tb(caught.value.__traceback__)
    names = [f.name for f in frames]
    assert ["cell", "my_task", "helper"] == names[-3:]
    assert [] == [f.filename for f in frames if is_ours(f.filename)]


def test_frames_of_asyncio_before_the_task_are_left_out() -> None:
    import asyncio

    async def my_task() -> None:
        raise ValueError("text")

    async def ours() -> None:
        await asyncio.wait_for(my_task(), 1)

    with pytest.raises(ValueError, match="text") as caught:
        asyncio.run(ours())
    tb = caught.value.__traceback__
    while tb is not None and tb.tb_frame.f_code.co_filename == __file__:
        tb = tb.tb_next
    failure = failure_of(caught.value.with_traceback(tb))
    assert ["ours", "my_task"] == [f.function for f in failure.frames if f.function in ("ours", "my_task")]
    assert "ours" == failure.frames[0].function


def test_a_deep_recursion_is_bounded() -> None:
    def down(n: int) -> None:
        if n == 0:
            raise ValueError("bottom")
        down(n - 1)

    with pytest.raises(ValueError, match="bottom") as caught:
        down(300)
    failure = failure_of(caught.value)
    assert (5, "down") == (len(failure.frames), failure.frames[-1].function)  # the same line three times, not 300
    assert len(failure.traceback) <= 32 * 1024


def test_functions_without_a_proper_name() -> None:
    frames = (FrameName("<cell>", 3, "<module>", 1), FrameName("<cell>", 5, "<lambda>", 5))
    failure = Failure(code="E", kind="user", message="m", frames=frames)
    tb = traceback.extract_tb(error_from(failure, None, None).__traceback__)
    assert [("<cell>", 3, "<module>"), ("<cell>", 5, "<lambda>")] == [(f.filename, f.lineno, f.name) for f in tb]


def test_where_a_function_begins_is_found_in_its_source(tmp_path: Path) -> None:
    """What has crashed could not tell."""
    path = tmp_path / "mine.py"
    path.write_text("def task(f):\n    return f\n\n@task\ndef crash():\n    return None.it\n")
    for frame, first in (
        (FrameName(str(path), 6, "crash", 0), 4),
        (FrameName(str(path), 6, "other", 0), 6),
        (FrameName(str(path), 2, "task", 0), 1),
        (FrameName("<gone>", 9, "crash", 0), 9),
    ):
        tb = error_from(Failure(code="E", kind="user", message="m", frames=(frame,)), None, None).__traceback__
        assert tb is not None
        assert (first, frame.line) == (tb.tb_frame.f_code.co_firstlineno, tb.tb_lineno)


# --- pickling the error again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [KeyError("name"), Custom(3, reason="odd"), FileNotFoundError(2, "No such file", "/nowhere"), OOMError("too much")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_can_be_pickled_again(error: Exception) -> None:
    found = back(raised(error))
    again = pickle.loads(pickle.dumps(found))
    assert isinstance(again, type(error))
    assert type(found).__name__ == type(again).__name__
    for name in ("code", "kind", "worker", "remote_traceback", "remote_frames", "args"):
        assert getattr(found, name) == getattr(again, name)
    assert str(found) == str(again)


def test_a_system_error_can_be_pickled_again() -> None:
    found = error_from(Failure(code="Code", kind="system", message="text", traceback="tb"), None, "w")
    again = pickle.loads(pickle.dumps(found))
    assert (RuntimeSystemError, "Code", "system", "text", "w", "tb") == (
        type(again),
        again.code,
        again.kind,
        str(again),
        again.worker,
        again.remote_traceback,
    )


def test_causes_are_told() -> None:
    def outer() -> None:
        try:
            {}["missing"]
        except KeyError as inner:
            raise ValueError("outer") from inner

    with pytest.raises(ValueError, match="outer") as caught:
        outer()
    told = failure_of(caught.value).cause
    assert "KeyError: 'missing'" in told
    assert told.endswith("\nThe above exception was the direct cause of the following exception:\n\n")


def test_what_was_being_handled_is_told_unless_suppressed() -> None:
    def outer(hide: bool) -> None:
        try:
            {}["missing"]
        except KeyError:
            if hide:
                raise ValueError("outer") from None
            raise ValueError("outer")  # noqa: B904 - that is the case

    told = []
    for hide in (False, True):
        with pytest.raises(ValueError, match="outer") as caught:
            outer(hide)
        told.append(failure_of(caught.value).cause)
    assert "During handling of the above exception, another exception occurred:" in told[0]
    assert "" == told[1]
