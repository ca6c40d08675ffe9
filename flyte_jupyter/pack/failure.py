"""Exceptions on their way from a task's process to its caller.

What travels is a `Failure` (plain text, always) and, when it can be pickled, the exception itself.  What the caller
gets is an error of Flyte's (`code`, `kind`) that is an instance of the original class too, and whose traceback goes
on with the task's own frames, so that notebooks show the task's lines as if it had run there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import linecache
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterable
from functools import lru_cache
from types import CodeType, FunctionType, TracebackType
from typing import Any

from ..credentials.mask import Mask
from ..errors import (
    CODED,
    BaseRuntimeError,
    CaptureError,
    InlineIOMaxBytesBreached,
    NonRecoverableError,
    RuntimeSystemError,
    RuntimeUnknownError,
    RuntimeUserError,
    is_our_frame,
    is_ours,
)
from ..pods import Failure, FrameName
from .envelope import PayloadError

_STDLIB = os.path.realpath(sysconfig.get_paths()["stdlib"]) + os.sep
_HEAP_TYPE = 1 << 9
"""CPython's flag of classes that are made by Python code."""
_MAX_FRAMES = 60
_MAX_REPEATED = 3
_MAX_CAUSES = 5
_MAX_TEXT = 32 * 1024


def failure_of(error: BaseException) -> Failure:
    """Describe what a task raised: only frames from the user's first one on, none of this package."""
    frames = _user_frames(error.__traceback__)
    return Failure(
        code=error.code if isinstance(error, BaseRuntimeError) else type(error).__name__,
        kind=error.kind if isinstance(error, BaseRuntimeError) else "user",
        message=_message(error)[:_MAX_TEXT],
        traceback=text_of(frames)[-_MAX_TEXT:],
        frames=tuple(frames[-_MAX_FRAMES:]),
        cause=_causes(error)[-_MAX_TEXT:],
        recoverable=not (
            isinstance(
                error, (NonRecoverableError, CaptureError, InlineIOMaxBytesBreached, PayloadError)
            )  # it would be so again
            or getattr(error, "code", "") == "NonRecoverableError"
        ),
    )


def masked(failure: Failure, mask: Mask) -> Failure:
    """Without the values of secrets."""
    if not mask:
        return failure
    texts = {name: mask(getattr(failure, name)) for name in ("message", "traceback", "cause")}
    return dataclasses.replace(failure, **texts)  # type: ignore[arg-type]  # these three are texts


def text_of(frames: Iterable[FrameName]) -> str:
    """Frames as Python prints them, with their lines of code where the source is at hand."""
    summaries = [traceback.FrameSummary(frame.file, frame.line, frame.function) for frame in frames]
    return "".join(traceback.StackSummary.from_list(summaries).format())


def _causes(error: BaseException) -> str:
    """What led to an exception, in Python's words; what our own errors were made from is not told twice."""
    told = ""
    for _ in range(_MAX_CAUSES):
        if isinstance(error, BaseRuntimeError):
            return error.remote_cause + told
        direct = error.__cause__ is not None
        before = error.__cause__ if direct else None if error.__suppress_context__ else error.__context__
        if before is None:
            break
        link = _DIRECTLY if direct else _MEANWHILE
        text = text_of(_user_frames(before.__traceback__))
        told = f"{_HEAD}{text}{type(before).__name__}: {_message(before)}\n\n{link}\n\n{told}"
        error = before
    return told


_HEAD = "Traceback (most recent call last):\n"
_DIRECTLY = "The above exception was the direct cause of the following exception:"
_MEANWHILE = "During handling of the above exception, another exception occurred:"


def _user_frames(tb: TracebackType | None) -> list[FrameName]:
    frames: list[FrameName] = []
    while tb is not None:
        code = tb.tb_frame.f_code
        if not is_our_frame(tb.tb_frame):
            frames.append(FrameName(code.co_filename, tb.tb_lineno, code.co_name, code.co_firstlineno))
        tb = tb.tb_next
    return _from_user(frames)


def _from_user(frames: Iterable[FrameName]) -> list[FrameName]:
    """Those from the user's first one on, none of this package."""
    kept: list[FrameName] = []
    for frame in frames:
        is_users = not is_ours(frame.file) and (kept or not frame.file.startswith(_PLUMBING))
        if is_users and kept[-_MAX_REPEATED:].count(frame) < _MAX_REPEATED:  # endless recursion says nothing more
            kept.append(frame)
    return kept


def of_user(frames: Iterable[FrameName]) -> list[FrameName]:
    """The same of a stack, outermost first; [] when nothing in it is the user's."""
    kept = _from_user(frames)
    return kept[-_MAX_FRAMES:] if any(not frame.file.startswith((_STDLIB, "<frozen ")) for frame in kept) else []


_PLUMBING = tuple(os.path.join(_STDLIB, name) for name in ("asyncio", "concurrent", "threading.py", "contextlib.py"))
"""Frames of the standard library that stand between us and the task's first line."""


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"The task called sys.exit({error.code!r}); return a value or raise an exception instead."
    notes = getattr(error, "__notes__", None)
    try:
        return "\n".join((str(error), *(map(str, notes) if isinstance(notes, list) else ())))
    except Exception as broken:  # an exception whose __str__ fails must still be told
        return f"<{type(error).__name__}, whose text cannot be made: {broken!r}>"


# --- on the caller's side ---------------------------------------------------------------------------------------------


def error_from(failure: Failure, original: BaseException | None, worker: str | None) -> BaseRuntimeError:
    """The exception to raise for a failure.

    An error of the user's code is a `RuntimeUserError` and an instance of the class that was raised, so that
    `except KeyError` works; the original is its `__cause__`.
    """
    error = _make(failure, original, worker)
    error.remote_traceback = failure.traceback
    error.remote_frames = failure.frames
    error.remote_cause = failure.cause
    if original is not None and not isinstance(original, BaseRuntimeError):
        error.__cause__ = original
    return error.with_traceback(_rebuild_traceback(failure.frames))


def _make(failure: Failure, original: BaseException | None, worker: str | None) -> BaseRuntimeError:
    if failure.code in CODED and not (original is not None and not isinstance(original, BaseRuntimeError)):
        return CODED[failure.code](failure.message, worker)
    if failure.kind == "system":
        return RuntimeSystemError(failure.code, failure.message, worker)
    if failure.kind == "unknown":
        return RuntimeUnknownError(failure.code, failure.message, worker)
    if isinstance(original, Exception) and not isinstance(original, BaseRuntimeError):
        cls: Any = type(original)
        mixed = _class_for(cls)
        if mixed is not None:
            error: BaseRuntimeError = mixed(failure, original, worker)
            return error
    return RuntimeUserError(failure.code, failure.message, worker)


class _Mixed:
    """The part of an error that is also an instance of the class that the task raised."""

    def __new__(cls, _failure: Failure, original: BaseException, _worker: str | None) -> Any:
        return _built_in(type(original)).__new__(cls, *_take(original)[0])

    def __init__(self, failure: Failure, original: BaseException, worker: str | None) -> None:
        _fill(self, _built_in(type(original)), *_take(original))
        self.__dict__.pop("__notes__", None)  # the message has them
        self.__dict__.update(code=failure.code, kind=failure.kind, worker=worker)
        self._failure = failure
        self._original = original

    def __str__(self) -> str:
        return self._failure.message

    def __reduce__(self) -> Any:
        return _again, (self._failure, *portable(self._original), self.__dict__["worker"])


def _again(failure: Failure, rebuild: Any, arguments: tuple[Any, ...], worker: str | None) -> BaseRuntimeError:
    return error_from(failure, rebuild(*arguments), worker)


def _built_in(cls: type) -> type:
    return next(c for c in cls.__mro__ if not c.__flags__ & _HEAP_TYPE)


def _take(error: BaseException) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments (with what built-in classes keep elsewhere, such as a file name) and attributes of an exception."""
    built_in: Any = _built_in(type(error))
    _, args, *state = built_in.__reduce__(error)
    return args, {**(state[0] if state and state[0] else {}), **error.__dict__}


def _fill(error: Any, built_in: type, args: tuple[Any, ...], attributes: dict[str, Any]) -> None:
    """Set them without calling an `__init__` of the user's, whose arguments we do not know."""
    with contextlib.suppress(TypeError):  # only classes such as UnicodeError insist on their own arguments
        built_in.__init__(error, *args)  # type: ignore[misc]  # that is the point
    for name, value in attributes.items():
        if hasattr(built_in, name):  # kept outside the dictionary, such as the name of an ImportError
            object.__setattr__(error, name, value)
        else:
            error.__dict__[name] = value


def portable(error: BaseException, mask: Mask | None = None) -> Any:
    """What to pickle for an exception whose own pickling may fail: many forget that `__init__` is called again.

    Args:
        mask: takes the values of secrets out of what it holds.
    """
    if isinstance(error, _Mixed):
        return portable(error._original, mask)
    args, attributes = _take(error)
    if mask:
        args, attributes = mask.within(args), mask.within(attributes)
    return _rebuild, (type(error), args, attributes)


def _rebuild(cls: type[BaseException], args: tuple[Any, ...], attributes: dict[str, Any]) -> BaseException:
    error: BaseException = _built_in(cls).__new__(cls, *args)
    _fill(error, _built_in(cls), args, attributes)
    return error


@lru_cache(maxsize=256)
def _class_for(original: Any) -> Any:
    try:
        names = {"__module__": original.__module__, "__qualname__": original.__qualname__, "__doc__": original.__doc__}
        return type(original.__name__, (_Mixed, RuntimeUserError, original), names)
    except TypeError:  # a class that cannot be combined: the cause still has it
        return None


def _rebuild_traceback(frames: tuple[FrameName, ...]) -> TracebackType | None:
    """A traceback whose frames name the task's files and lines; debuggers and IPython read the source from there."""
    head: TracebackType | None = None
    for named in reversed(frames):
        frame = named if named.first_line else named._replace(first_line=_first_line(named))
        stub = FunctionType(_stub(frame), {"__name__": "__main__", "__file__": frame.file})
        try:
            stub()
        except ZeroDivisionError as stop:
            found = stop.__traceback__
            inner = found.tb_next if found is not None else None
            if inner is not None:
                head = TracebackType(head, inner.tb_frame, inner.tb_lasti, frame.line)
    return head


def _first_line(frame: FrameName) -> int:
    """Where its function begins, going by the source; the line itself where that is not at hand."""
    import ast

    try:
        tree = ast.parse("".join(linecache.getlines(frame.file)))
    except (SyntaxError, ValueError):
        return frame.line
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    around = (node for node in functions if node.lineno <= frame.line <= (node.end_lineno or 0))
    begins = (
        min(part.lineno for part in (node, *node.decorator_list)) for node in around if node.name == frame.function
    )
    return max(begins, default=frame.line)


@lru_cache(maxsize=1024)
def _stub(frame: FrameName) -> CodeType:
    """The code of a function that fails in that line, under the name and in the place of somebody else's."""
    first = min(frame.first_line, frame.line)
    source = "\n" * (first - 1) + "def stub():" + "\n" * (frame.line - first) + " 1 / 0"
    module = compile(source, frame.file, "exec")
    code = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    if sys.version_info >= (3, 11):
        code = code.replace(co_qualname=frame.function)
    return without_columns(code.replace(co_name=frame.function), frame.line)


def without_columns(code: CodeType, line: int) -> CodeType:
    """The same code, all of it in one line and with its columns unknown; else carets would point anywhere."""
    if not hasattr(code, "co_positions"):  # before Python 3.11 there are none
        return code
    units, delta = len(code.co_code) // 2, line - code.co_firstlineno
    table = bytearray()  # in CPython's own form
    while units > 0:
        length = min(units, 8)
        table.append(0x80 | 13 << 3 | length - 1)
        rest = delta << 1  # deltas are not negative here, so this is their signed form
        while rest >= 0x40:
            table.append(0x40 | rest & 0x3F)
            rest >>= 6
        table.append(rest)
        units, delta = units - length, 0
    return code.replace(co_linetable=bytes(table))
