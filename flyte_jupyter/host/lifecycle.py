"""Every rule about attempts, pure: no process, no clock, no file.

An action is attempted until it succeeds, fails for good, is stopped, or its time is over.  Failures of the task's own
code are charged to its `retries`; attempts that were lost with the machinery below are repeated from another budget.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .. import __version__
from ..config.values.quantity import rough_bytes
from ..pods import Failure, Phase, PodRequest, SecretRef
from .given import WITHOUT_BUCKET
from .machine.limits import give_more, mebibytes

LOST = "AttemptLost"
ABORTED = "ActionAbortedError"
MAX_LOST = 3
"""Attempts lost with the Host or the zygote that are repeated before the action fails (Flyte: system retries)."""


TAKEN_AWAY = Failure(code=LOST, kind="system", message="The pod was asked to end.")
STRANGER = Failure(
    code="EnvironmentLost",
    kind="system",
    message="The Host ended, and so has the kernel whose environment variables this run started with.\nRun it again.",
    recoverable=False,
)


def waits_for(secrets: Iterable[SecretRef]) -> str:
    """What an attempt waits for that has outlived its Host."""
    return f"waits for the kernel that has the value of {', '.join(ref.title for ref in secrets)}"


def forgotten(secrets: Iterable[SecretRef]) -> Failure:
    """Why a run that outlived its Host and its kernel cannot go on."""
    names = ", ".join(sorted({repr(ref.title) for ref in secrets}))
    return Failure(
        code="SecretsLost",
        kind="system",
        message=f"Nobody has the value of {names} any more: the Host that had it has ended, and so has the kernel that "
        "gave it, or it does not answer.\nRun it again.",
        recoverable=False,
    )


def not_handed_out(error: Exception) -> Failure:
    """Why an attempt was not started that has secrets."""
    return Failure(
        code="SecretsNotHandedOut",
        kind="system",
        message=f"Its secrets could not be handed out: {error}",
        recoverable=False,
    )


def not_forked(error: Exception) -> Failure:
    """Why an attempt was not started: the system gave no process."""
    return Failure(code=LOST, kind="system", message=f"No process could be started: {error}.")


def of_another_version(pod: PodRequest, unknown: Iterable[str]) -> Failure:
    """Why a request is not run that has what this version does not know."""
    return Failure(
        code="VersionMismatch",
        kind="user",
        message=f"The image of {pod.title} has flyte_jupyter {__version__}, which does not know what it is asked for: "
        f"{', '.join(unknown)}.\nUse an image with the version of the one who calls.",
        recoverable=False,
    )


TORN = Failure(
    code="HostFailed",
    kind="system",
    message="The local Host could not run this action; the end of its log says why.",
    recoverable=False,
)
_LOST_DELAYS = (0.0, 0.5, 2.0)
LOST_WITH_HOST = Failure(code=LOST, kind="system", message="The task's process was lost together with its Host.")
LOST_WITH_POD = Failure(code=LOST, kind="system", message="The pod that it ran in was lost.")
LOST_WITH_ANOTHER = Failure(
    code=LOST, kind="system", message="The replica that it ran in was lost through another task in it."
)


@dataclass(frozen=True)
class Attempts:
    """How far an action is.

    Attributes:
        number: of the current attempt, from 0.
        failed: attempts charged to the user's retries; lost: those that are not.
        accepted_at: when the action was accepted; queued_at, started_at: of the current attempt, in seconds.
            `queued_at` is None while its image is built, which is no queue.
    """

    accepted_at: float
    queued_at: float | None
    started_at: float | None = None
    number: int = 0
    failed: int = 0
    lost: int = 0

    def next(self, now: float, *, charged: bool) -> Attempts:
        """The standing at the start of another attempt."""
        return replace(
            self,
            number=self.number + 1,
            failed=self.failed + charged,
            lost=self.lost + (not charged),
            queued_at=now,
            started_at=None,
        )


@dataclass(frozen=True)
class Exit:
    """How an attempt's process ended.

    Attributes:
        code: of a normal exit; signal: that killed it; both None when it was lost with its zygote.
        peak_memory: bytes, where known.
        memory_ran_out: whether the system has killed for memory meanwhile, where known.
        at_limit: whether that was the attempt's own limit; it, and then `peak_memory` too, counts all its processes.
    """

    code: int | None = None
    signal: int | None = None
    peak_memory: int | None = None
    memory_ran_out: bool | None = None
    at_limit: bool = False


@dataclass(frozen=True)
class Finish:
    """The action has ended."""

    phase: Phase
    failure: Failure | None


@dataclass(frozen=True)
class Repeat:
    """Another attempt, after `delay` seconds; `charged` to the user's retries or not."""

    delay: float
    charged: bool
    failure: Failure


Step = Finish | Repeat


def advance(attempts: Attempts, pod: PodRequest, failure: Failure | None, stopped: Failure | None) -> Step:
    """What follows on the end of an attempt.

    Args:
        failure: why the attempt failed, None when it succeeded.
        stopped: why the Host ended it (cancelled, or a time was over), which outranks what the process says.
    """
    if stopped is not None:
        if stopped.code == ABORTED:
            return Finish(Phase.ABORTED, stopped)
        if not stopped.recoverable:
            return Finish(Phase.TIMED_OUT, stopped)
        failure = stopped
    if failure is None:
        return Finish(Phase.SUCCEEDED, None)
    if failure.code == LOST and attempts.lost < MAX_LOST:
        return Repeat(_LOST_DELAYS[attempts.lost], charged=False, failure=failure)
    if failure.recoverable and failure.code != LOST and attempts.failed < pod.retries:
        return Repeat(_delay(pod, attempts.failed), charged=True, failure=failure)
    return Finish(Phase.TIMED_OUT if stopped is not None else Phase.FAILED, failure)


def _delay(pod: PodRequest, failed: int) -> float:
    """min(base · factor^n, cap), n from 0 (Flyte's `Backoff`); without one, at once."""
    if pod.backoff is None:
        return 0.0
    base, factor, cap = pod.backoff
    try:
        return float(min(base * factor**failed, cap))
    except OverflowError:
        return cap if base else 0.0


def time_limit(attempts: Attempts, pod: PodRequest) -> tuple[float, Failure] | None:
    """When the action has to be stopped as things stand, and why; None when nothing bounds it."""
    limits: list[tuple[float, Failure]] = []
    if pod.max_runtime and attempts.started_at is not None:
        when = attempts.started_at + pod.max_runtime
        limits.append((when, _late(pod, "MaxRuntime", "ran longer", pod.max_runtime, True)))
    if pod.max_queued_time and attempts.queued_at is not None and attempts.started_at is None:
        when = attempts.queued_at + pod.max_queued_time
        limits.append((when, _late(pod, "MaxQueuedTime", "waited longer", pod.max_queued_time, True)))
    if pod.deadline:
        when = attempts.accepted_at + pod.deadline
        limits.append((when, _late(pod, "Deadline", "took longer, all attempts together,", pod.deadline, False)))
    return min(limits, key=lambda limit: limit[0], default=None)


def _late(pod: PodRequest, what: str, did: str, seconds: float, recoverable: bool) -> Failure:
    name = {"MaxRuntime": "max_runtime", "MaxQueuedTime": "max_queued_time", "Deadline": "deadline"}[what]
    return Failure(
        code=f"{what}ExceededError",
        kind="user",
        message=f"{pod.title} {did} than its timeout allows: {name} is {seconds:g} s.",
        recoverable=recoverable,
    )


def aborted(reason: str) -> Failure:
    """Why an action that somebody cancelled has ended."""
    return Failure(code=ABORTED, kind="user", message=reason or "The run was cancelled.", recoverable=False)


def left_too_much(pod: PodRequest, largest: Mapping[str, int], total: int, most: int) -> Failure:
    """Why an attempt has failed that ended well, in a pod whose store is only its log.

    Args:
        largest: the sizes of what was the most of it in bytes, by key; total: of all; most: that it may be.
    """
    listed = ", ".join(f"{key.rpartition('/')[2]} {rough_bytes(size)}" for key, size in largest.items())
    return Failure(
        code="InlineIOMaxBytesBreached",
        kind="user",
        message=f"{pod.title} has left {rough_bytes(total)} ({listed}).\n"
        f"  without a bucket at most {rough_bytes(most)} come back from a pod\n"
        f"  {WITHOUT_BUCKET}\n"
        "  or return less: write it where both reach it, and return the address",
        recoverable=False,
    )


def unexplained(exit: Exit, pod: PodRequest, said: Failure | None = None) -> Failure:
    """Why an attempt left no outcome, from the way its process ended.

    Args:
        said: what the attempt has told of an end that only followed from it, such as the death of a process it used.
    """
    failure = _why(exit, pod)
    return replace(failure, traceback=said.traceback, frames=said.frames, cause=said.cause) if said else failure


def _why(exit: Exit, pod: PodRequest) -> Failure:
    if exit.code is None and exit.signal is None:
        return LOST_WITH_HOST
    peak = f"; it had used {mebibytes(exit.peak_memory)}" if exit.peak_memory else ""
    if exit.signal == signal.SIGKILL and exit.memory_ran_out is False:
        message = f"{pod.title} was killed by SIGKILL from outside, not for its memory{peak}."
        return Failure(code="TaskInterruptedError", kind="user", message=message)
    if exit.signal == signal.SIGKILL:
        return Failure(
            code="OOMError", kind="user", message=f"{_out_of_memory(exit, pod, peak)}\n{give_more(pod.title)}"
        )
    if exit.signal is not None:
        name = _name(exit.signal)
        hint = " (a crash in compiled code)" if name in ("SIGSEGV", "SIGBUS", "SIGABRT") else ""
        return Failure(code="WorkerCrashedError", kind="user", message=f"{pod.title} was killed by {name}{hint}{peak}.")
    return Failure(
        code="WorkerCrashedError",
        kind="user",
        message=f"{pod.title} ended its process with exit code {exit.code} before it returned (os._exit?){peak}.",
    )


def _out_of_memory(exit: Exit, pod: PodRequest, peak: str) -> str:
    limit = pod.resources.most_memory
    if exit.at_limit and limit is not None:
        more = f"more memory than its limit of {mebibytes(limit)}{peak}"
        return f"{pod.title} was killed: all its processes together needed {more}."
    asked = f" of {mebibytes(limit)}" if limit is not None and peak else ""
    return f"{pod.title} was killed by SIGKILL, as the system does when memory runs out{peak}{asked}."


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have none
        return f"signal {number}"
