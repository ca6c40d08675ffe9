"""Every exception of the package.

Two families.  What the user wrote wrongly is a `ConfigError` (also the `TypeError` or `ValueError` that Flyte 2
raises there).  What went wrong while something ran is a `BaseRuntimeError` with Flyte's `code` and `kind`.
The docstring of a class is the text used when none is given.  Both families show a short traceback in a notebook:
the frames of this package are left out, so that the last line is the user's own.
"""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from .pods import FrameName

Kind: TypeAlias = Literal["user", "system", "unknown"]

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def is_ours(filename: str) -> bool:
    """Whether a file belongs to this package."""
    return filename.startswith(_PACKAGE)


def is_our_frame(frame: FrameType) -> bool:
    """Whether code of this package runs in a frame; what dataclasses make for it comes from no file."""
    return is_ours(frame.f_code.co_filename) or str(frame.f_globals.get("__name__", "")).startswith(f"{__package__}.")


def user_frames(tb: TracebackType | None) -> TracebackType | None:
    """A copy of `tb` without the frames of this package."""
    kept: list[TracebackType] = []
    while tb is not None:
        if not is_our_frame(tb.tb_frame):
            kept.append(tb)
        tb = tb.tb_next
    head: TracebackType | None = None
    for t in reversed(kept):
        head = TracebackType(head, t.tb_frame, t.tb_lasti, t.tb_lineno)
    return head


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like `name`, for "did you mean"; None when nothing comes near."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return found[0] if found else None


class ShortTraceback(BaseException):
    """Mixed into our exceptions: IPython calls `_render_traceback_` and shows what it returns."""

    def _render_traceback_(self) -> list[str]:
        return [*getattr(self, "remote_cause", "").splitlines(), *short_traceback(self)]


def short_traceback(error: BaseException) -> list[str]:
    """The lines of a traceback as IPython, where it runs, would show it, without our frames."""
    tb = user_frames(error.__traceback__)
    shell = _shell()
    if shell is not None:
        cause, error.__cause__ = error.__cause__, None  # its frames are already part of `tb` or of the message
        suppressed, error.__suppress_context__ = error.__suppress_context__, True
        try:
            return list(shell.InteractiveTB.structured_traceback(type(error), error, tb, tb_offset=0))
        finally:
            error.__cause__, error.__suppress_context__ = cause, suppressed
    return "".join(traceback.format_exception(type(error), error, tb, chain=False)).splitlines()


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


# --- what the user wrote ---------------------------------------------------------------------------------------------


class ConfigError(ShortTraceback, Exception):
    """The configuration is not valid."""

    each: Sequence[str] = ()
    """What is wrong, one text each, when it is more than one thing."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or type(self).__doc__)


class ConfigTypeError(ConfigError, TypeError):
    """A parameter or a value of a type that is not accepted here."""


class ConfigValueError(ConfigError, ValueError):
    """A value that is not accepted here."""


class CaptureError(ConfigError, TypeError):
    """Something that the task needs cannot be sent to another process."""


class HostError(ConfigError, RuntimeError):
    """The local Host could not be started or did not answer."""


class StoreError(ConfigError, RuntimeError):
    """The store could not be read or written."""


class StoreRefusedError(StoreError):
    """The store cannot be used as things are; asking again would not help."""


class RunNotFoundError(ConfigError, LookupError):
    """There is no run of that name in the store."""


class MissingSecretError(ConfigError, LookupError):
    """A secret has no value."""


class RunInterrupted(ShortTraceback, KeyboardInterrupt):
    """The run was cancelled."""


RunInterrupted.__name__ = "KeyboardInterrupt"  # what people and front ends look for


# --- what went wrong while running (names, codes and kinds are Flyte's) -----------------------------------------------


class BaseRuntimeError(ShortTraceback, RuntimeError):
    """Something went wrong while running.

    Attributes:
        code: what happened, in one word; for an exception of the user's code the name of its class.
        kind: "user", "system" or "unknown": who has to mend it.
        worker: where it happened (the pod's name), or None.
        remote_traceback: the traceback as text, as it was in the task's process; "" when there is none.
        remote_frames: the same frame by frame, outermost first.
        remote_cause: the exceptions that led to it, as Python prints them.
    """

    remote_traceback: str = ""
    remote_frames: tuple[FrameName, ...] = ()
    remote_cause: str = ""

    def __init__(self, code: str, kind: Kind, root_cause_message: str, worker: str | None = None) -> None:
        super().__init__(root_cause_message)
        self.code = code
        self.kind = kind
        self.worker = worker

    def __reduce__(self) -> Any:
        return _restore, (type(self), self.args, dict(self.__dict__))


def _restore(cls: type[BaseRuntimeError], args: tuple[Any, ...], attributes: dict[str, Any]) -> BaseRuntimeError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(attributes)
    return error


class RuntimeUserError(BaseRuntimeError):
    """The task's own code failed."""

    def __init__(self, code: str, root_cause_message: str, worker: str | None = None) -> None:
        super().__init__(code, "user", root_cause_message, worker)


class RuntimeSystemError(BaseRuntimeError):
    """What runs the task failed, not the task."""

    def __init__(self, code: str, root_cause_message: str, worker: str | None = None) -> None:
        super().__init__(code, "system", root_cause_message, worker)


class RuntimeUnknownError(BaseRuntimeError):
    """The task failed for an unknown reason."""

    def __init__(self, code: str, root_cause_message: str, worker: str | None = None) -> None:
        super().__init__(code, "unknown", root_cause_message, worker)


class _Coded(RuntimeUserError):
    """An error whose code is the name of its class."""

    def __init__(self, root_cause_message: str = "", worker: str | None = None) -> None:
        super().__init__(type(self).__name__, root_cause_message or str(type(self).__doc__), worker)


class OOMError(_Coded):
    """The task used more memory than it may."""


class TaskInterruptedError(_Coded):
    """The task's process was stopped from outside."""


class TaskTimeoutError(_Coded):
    """The task took too long."""


class MaxQueuedTimeExceededError(TaskTimeoutError):
    """The task waited longer than `max_queued_time` before it started."""


class MaxRuntimeExceededError(TaskTimeoutError):
    """The task ran longer than `max_runtime`."""


class DeadlineExceededError(TaskTimeoutError):
    """The task did not end within `deadline`, all attempts taken together."""


class NonRecoverableError(_Coded):
    """Raised by a task to say that another attempt would fail too."""


class ActionAbortedError(_Coded):
    """The action was cancelled."""


class RuntimeDataValidationError(_Coded):
    """A value does not fit the declared type."""


class SyncTaskCallInAsyncContextError(_Coded):
    """A task that is not async was called inside a running event loop; use `await task.aio(...)`."""


class InlineIOMaxBytesBreached(_Coded):
    """The inputs or outputs are larger than `max_inline_io_bytes`."""


class ImageBuildError(_Coded):
    """The image of the task could not be built."""


class ImageFileError(ConfigValueError, FileNotFoundError, ImageBuildError):
    """An image names files that are missing or cannot be used."""

    code = "ImageBuildError"
    kind = "user"
    worker = None


class WorkerCrashedError(_Coded):
    """The task's process ended without a result."""


class RunNotDoneError(_Coded):
    """The run has not ended yet."""


CODED: dict[str, type[_Coded]] = {
    cls.__name__: cls
    for cls in (
        OOMError,
        TaskInterruptedError,
        MaxQueuedTimeExceededError,
        MaxRuntimeExceededError,
        DeadlineExceededError,
        NonRecoverableError,
        ActionAbortedError,
        RuntimeDataValidationError,
        SyncTaskCallInAsyncContextError,
        InlineIOMaxBytesBreached,
        ImageBuildError,
        WorkerCrashedError,
    )
}
"""The errors that keep their class on the way from the task's process to its caller, by code."""
