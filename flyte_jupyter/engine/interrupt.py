"""■ or Ctrl-C: what was waited for is cancelled, waited for a little while, and then let go.

The first interrupt cancels; a second one, while the end is waited for, detaches: the cell is over at once. Either says
what has happened.
"""

from __future__ import annotations

import asyncio
import enum
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent import futures
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import RunInterrupted, short_traceback
from . import sigint
from .arrival import SLICE, arrival

if TYPE_CHECKING:
    from .run import Run

CANCEL_WITHIN = 5.0
"""Seconds that an interrupted cell waits for what it has cancelled."""
_SOON = 0.5
"""Seconds after which it says that it waits."""
REASON = "The cell was interrupted."


class Ending(enum.Enum):
    """How the wait for something that was cancelled has ended."""

    ENDED = "ended"
    LATE = "late"
    DETACHED = "detached"


def wait(*runs: Run) -> None:
    """Wait for runs that an interrupt cancels, all of them side by side. Raises `RunInterrupted`, having said it."""
    try:
        for run in runs:
            run.until_ended()
    except KeyboardInterrupt:
        titles = _titles(runs)
        ending = end(titles, lambda: _cancel(runs), lambda seconds: _have_ended(runs, seconds))
        _say_all(runs, ending)
        raise RunInterrupted(cancelled(titles)) from None


async def wait_aio(*runs: Run) -> None:
    """The same without blocking the event loop. Raises what has ended the wait."""
    try:
        await asyncio.gather(*(run.until_ended_aio() for run in runs))
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        ended = asyncio.gather(*(run.until_ended_aio() for run in runs))
        titles = _titles(runs)
        ending = await end_aio(titles, lambda: _cancel(runs), ended)
        _say_all(runs, ending)
        raise of_user(error, cancelled(titles)) from None


class LeftAlone:
    """Within it a run is waited for that goes on when the wait is interrupted, and says so."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)) or self._run.phase.is_terminal:
            return
        name = self._run.name
        say(
            f"Detached: {self._run.label} goes on. flyte.attach({name!r}) waits for it again,"
            f" flyte.get_run({name!r}).cancel() ends it."
        )
        raise of_user(error, f"{self._run.label} goes on.") from None


def of_user(error: BaseException, text: str) -> BaseException:
    """What to raise after an interrupt, so that a notebook shows none of the frames below the user's own.

    What cancels a coroutine stays what it is, since asyncio looks for it; only Ctrl-C can have a text.
    """
    if isinstance(error, KeyboardInterrupt):
        return RunInterrupted(text)
    error._render_traceback_ = lambda: short_traceback(error)  # type: ignore[attr-defined]  # IPython looks for it
    return error.with_traceback(None)


def cancelled(what: str) -> str:
    """The text of an interrupt that has cancelled something."""
    return f"{what} {'were' if ', ' in what else 'was'} cancelled."


def end(what: str, cancel: Callable[[], None], has_ended: Callable[[float], bool]) -> Ending:
    """Cancel something, and wait at most `CANCEL_WITHIN` seconds until it has ended.

    Args:
        what: for people.
        cancel: asks for its end; done on another thread, so that a second interrupt does not keep it from it.
        has_ended: waits so many seconds at most, and says whether it has ended.

    Raises:
        HostError: it could not be asked for.
    """
    cancelling = _aside(cancel)
    begin = time.monotonic()
    try:
        if _is_done(cancelling, _SOON) and has_ended(_SOON):
            return Ending.ENDED
        say_waiting(what)
        cancelling.result(CANCEL_WITHIN)
        return Ending.ENDED if has_ended(max(0.0, begin + CANCEL_WITHIN - time.monotonic())) else Ending.LATE
    except futures.TimeoutError:
        return Ending.LATE
    except KeyboardInterrupt:
        return Ending.DETACHED


async def end_aio(what: str, cancel: Callable[[], None], ended: Awaitable[Any]) -> Ending:
    """The same without blocking the event loop.

    Args:
        ended: arrives when it has ended.
    """
    cancelling = _aside(cancel)
    waiting = asyncio.ensure_future(asyncio.gather(arrival(cancelling), ended))
    again = threading.Event()
    try:
        with sigint.told(again.set):  # ipykernel tells an async cell of the first one only
            await _comes(waiting, _SOON, again)
            if not (waiting.done() or again.is_set()):
                say_waiting(what)
                await _comes(waiting, CANCEL_WITHIN - _SOON, again)
        ending = Ending.DETACHED if again.is_set() else Ending.ENDED if waiting.done() else Ending.LATE
    except (asyncio.CancelledError, KeyboardInterrupt):
        ending = Ending.DETACHED
    finally:
        if waiting.done() and not waiting.cancelled():
            waiting.exception()  # what cannot be had of a run, its card says
        waiting.cancel()
    if cancelling.done():
        cancelling.result()
    return ending


def say_waiting(what: str) -> None:
    """Tell who waits longer than a moment what is being done, and the way out."""
    say(f"Interrupted: {what} is being cancelled. ■ again (or Ctrl-C) does not wait for that.")


def say(text: str) -> None:
    """Say it in the cell."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - said in the cell


def said(what: str, ending: Ending, phase: str = "") -> str:
    """What has happened, in one line.

    Args:
        what: it was; phase: that it has ended with, "" when that goes without saying.
    """
    if ending is Ending.DETACHED:
        return f"Detached: {what} was asked to end and is not waited for any longer; its card says when it has ended."
    if ending is Ending.LATE:
        return f"Interrupted: {what} was cancelled and did not end within {CANCEL_WITHIN:g} s; it is being killed."
    return f"Interrupted: {what} was cancelled{f' and has ended: {phase}' if phase else ''}."


def _titles(runs: tuple[Run, ...]) -> str:
    return ", ".join(run.label for run in runs)


def _say_all(runs: tuple[Run, ...], ending: Ending) -> None:
    for run in runs:
        its = Ending.ENDED if run.phase.is_terminal else ending  # also if others were late
        say(said(run.label, its, run.phase.value))


def _cancel(runs: tuple[Run, ...]) -> None:
    for run in runs:
        run.cancel(REASON)


def _have_ended(runs: tuple[Run, ...], seconds: float) -> bool:
    until = time.monotonic() + seconds
    try:
        for run in runs:
            run.until_ended(max(0.0, until - time.monotonic()))
    except TimeoutError:
        return False
    return True


async def _comes(waiting: asyncio.Future[Any], seconds: float, again: threading.Event) -> None:
    """Wait until it is done, or until a second interrupt; awake now and then, since none wakes the loop."""
    until = time.monotonic() + seconds
    while not (waiting.done() or again.is_set()) and (left := until - time.monotonic()) > 0:
        await asyncio.wait({waiting}, timeout=min(SLICE, left))


def _is_done(future: Future[None], seconds: float) -> bool:
    return bool(futures.wait([future], seconds).done)


def _aside(work: Callable[[], None]) -> Future[None]:
    """Do it on a thread of its own, to the end whatever happens here."""
    future: Future[None] = Future()

    def do() -> None:
        try:
            work()
        except BaseException as error:  # told to who waits
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=do, name="flyte-jupyter-cancel", daemon=True).start()
    return future
