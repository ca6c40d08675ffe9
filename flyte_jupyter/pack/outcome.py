"""What an action ended with, as a payload: its outputs, or why it failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..credentials.mask import Mask
from ..errors import BaseRuntimeError
from ..pods import Failure
from .codec import Pickled, dumps, loads
from .envelope import Envelope, check_versions, seal, unseal
from .failure import error_from, failure_of, masked, portable

_WHAT = "outcome"
_KEPT = "kept"
_NO_MASK = Mask(())


@dataclass(frozen=True)
class Outcome:
    """A verified outcome that is not unpickled yet.

    Attributes:
        failure: why the action failed, None when it succeeded.
        preview: how to show the value without unpickling it: {"text": str, "html": str or None}, or None.
    """

    envelope: Envelope
    worker: str

    @property
    def failure(self) -> Failure | None:
        told = self.envelope.header.get("failure")
        return Failure.from_json(told) if told is not None else None

    @property
    def preview(self) -> dict[str, Any] | None:
        return self.envelope.header.get("preview")

    def outputs(self) -> tuple[Any, ...]:
        """Unpickle the outputs, or raise the action's error; `PayloadError` when other versions have made them."""
        error = self.error()
        if error is not None:
            raise error
        check_versions(self.envelope.header["versions"], f"outcome of {self.worker}")
        if classes := self.envelope.header.get("classes"):
            from .adopt import adopt

            adopt(classes)
        try:
            outputs: tuple[Any, ...] = loads(self.envelope.parts)
        except (ImportError, AttributeError) as problem:  # an image may have what this process has not
            raise error_from(_unreadable(problem, self.worker), problem, self.worker) from None
        return outputs

    def error(self) -> BaseRuntimeError | None:
        """The action's error, None when it succeeded."""
        failure = self.failure
        if failure is None:
            return None
        return error_from(failure, self._original(), self.worker)

    def _original(self) -> BaseException | None:
        if not self.envelope.parts:
            return None
        try:
            check_versions(self.envelope.header["versions"], _WHAT)
            rebuild, arguments = loads(self.envelope.parts)
            original = rebuild(*arguments)
        except Exception:  # a class that this process cannot rebuild: the failure's text says it all
            return None
        return original if isinstance(original, BaseException) else None


def _unreadable(error: ImportError | AttributeError, worker: str) -> Failure:
    if isinstance(error, ModuleNotFoundError) and error.name:
        why = f"it needs {error.name.partition('.')[0]}, and there is {str(error)[:1].lower()}{str(error)[1:]} here"
    else:
        why = f"{error}; its library has another version here"
    return Failure(
        code=type(error).__name__,
        kind="user",
        message=f"What {worker} returned cannot be opened in this process: {why}.\n"
        "Install the same here, or have the task return plain data: numbers, text, lists, dicts, a path.",
        recoverable=False,
    )


def seal_value(key: bytes, outputs: Pickled, preview: dict[str, Any] | None, *, name: str) -> list[bytes | memoryview]:
    """The payload of a success.

    Args:
        outputs: what is pickled is the tuple of them.
        name: of the pod whose outcome it is; it can be opened as that and nothing else.
    """
    return seal(key, {"kind": _WHAT, "name": name, "preview": preview}, outputs.parts)


def header_of_kept(
    outputs: Pickled, preview: dict[str, Any] | None, *, entry: str, about: Mapping[str, Any]
) -> dict[str, Any]:
    """What is told with a success that is kept for later calls.

    Args:
        entry: under which it is kept; it can be opened as that and nothing else.
        about: when and by which run and action it was made: "created", "run", "action".
    """
    from .adopt import told

    return {"kind": _KEPT, "name": entry, "preview": preview, "classes": told(outputs.classes), "about": about}


def unseal_kept(key: bytes, data: memoryview, *, entry: str, opens: bool = True) -> Envelope:
    """Verify a success that was kept. Raises `PayloadError`, also when it is another entry's."""
    return unseal(key, data, what="result that was kept", is_for={"kind": _KEPT, "name": entry}, opens=opens)


def seal_again(key: bytes, kept: Mapping[str, Any], *, name: str) -> list[bytes | memoryview]:
    """The outcome of a pod that has what was kept (with that header) as its value, which lies beside it."""
    return seal(key, _again(kept, name), [])


def outcome_again(kept: Envelope, *, name: str) -> Outcome:
    """What `seal_again` seals, as if it had been opened, with its value."""
    return _with_value(Envelope(_again(kept.header, name), []), kept, name)


def _again(kept: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"kind": _WHAT, "name": name, "entry": kept["name"], **{part: kept[part] for part in ("preview", "classes")}}


def _with_value(outcome: Envelope, kept: Envelope, worker: str) -> Outcome:
    """With the versions that have pickled the value: those who pass it on may have others."""
    header = {**outcome.header, "versions": kept.header["versions"]}
    return Outcome(replace(outcome, header=header, parts=kept.parts), worker)


def seal_error(
    key: bytes, error: BaseException, *, name: str, mask: Mask = _NO_MASK
) -> tuple[list[bytes | memoryview], Failure]:
    """The payload of an exception, with the exception itself when it can be pickled.

    Args:
        mask: takes the values of secrets out of both; an exception that keeps them too deep inside does not travel.
    """
    failure = masked(failure_of(error), mask)
    parts: list[bytes | memoryview] = []
    with contextlib.suppress(Exception):  # what holds a socket cannot travel: the failure's text is left of it
        parts = dumps(portable(error, mask)).parts
    if mask.is_in(parts):
        parts = []
    return seal(key, {"kind": _WHAT, "name": name, "failure": failure.to_json()}, parts), failure


def seal_failure(key: bytes, failure: Failure, *, name: str) -> list[bytes | memoryview]:
    """The payload for an action that could not tell itself, as the Host writes it."""
    return seal(key, {"kind": _WHAT, "name": name, "failure": failure.to_json()}, [])


def unseal_outcome(
    key: bytes, data: memoryview, *, worker: str, kept: Callable[[], memoryview] | None = None
) -> Outcome:
    """Verify the outcome of a pod; whether this process can open it is said when its value is asked for.

    Args:
        kept: gives what lies beside the outcome of one whose value is kept for later calls; None when its value is not
            wanted.

    Raises:
        PayloadError: it is damaged or another pod's, or its value is.
    """
    found = unseal(key, data, what=f"outcome of {worker}", is_for={"kind": _WHAT, "name": worker}, opens=False)
    entry = found.header.get("entry")
    if entry is not None and kept is not None:
        return _with_value(found, unseal_kept(key, kept(), entry=entry, opens=False), worker)
    return Outcome(found, worker)


def outcome_of(failure: Failure, *, worker: str) -> Outcome:
    """What stands for the outcome of an action that has left none, of which only the reason is known."""
    return Outcome(Envelope({"failure": failure.to_json()}, []), worker)
