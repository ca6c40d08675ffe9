"""One call of a task, in the process that runs it: from its payloads to its outcome."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib
import inspect
import os
import sys
import threading
import time
import types
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ... import context
from ...credentials.mask import Mask
from ...errors import StoreError, StoreRefusedError
from ...home import Home
from ...pack import call as packed
from ...pack import inline, outcome
from ...pack.capture import explain
from ...pack.codec import Pickled, dumps, loads
from ...pack.envelope import seal
from ...pack.failure import failure_of, masked
from ...pack.modules import installed
from ...pack.preview import preview
from ...pods import Failure, PodEvent, PodRequest
from ...store import cached, keys, open_store
from ..machine import limits
from . import missing
from .inside import Inside
from .outlet import Outlet

if TYPE_CHECKING:
    from ...engine.children import Children
    from ...task import Task

    _Left: TypeAlias = tuple[list[bytes | memoryview], Failure | None, int]

_RETURNED = (
    "flyte_jupyter: what {} returned holds the value of one of its secrets, and is stored as it is; "
    "return what was made with the secret instead.\n"
)


_KEPT = 4
"""Versions of a task."""


class Stopped(BaseException):
    """Raised in the task when the Host asks it to end, so that `finally` and `with` do their work."""


class Codes:
    """The tasks that were unpickled in this process, by digest, each with the `__main__` that it has: what a task
    leaves in globals of the notebook is there when it is called again. A task that was changed, or overridden, is
    another one; of each the last few are kept, so that somebody who works on a cell does not fill the memory.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Task[..., Any], types.ModuleType]] = {}

    def open(self, key: bytes, digest: str, get: Callable[[str], memoryview]) -> Task[..., Any]:
        """The task of that digest, verified before it is unpickled; `__main__` is its own from then on.

        Args:
            get: reads the store.
        """
        known = self._known.pop(digest, None)
        if known is None:
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            task = packed.unseal_code(key, get(keys.code(digest)), digest=digest)
            _fill(main, task)
            known = task, main
            same = [other for other, (kept, _) in self._known.items() if kept.name == task.name]
            for oldest in same[: max(0, len(same) + 1 - _KEPT)]:
                del self._known[oldest]
        self._known[digest] = known
        sys.modules["__main__"] = known[1]
        return known[0]


def _fill(main: types.ModuleType, task: Task[..., Any]) -> None:
    """What the task's function has of the notebook is in `__main__`, as there: `pickle` looks for it, so pools do."""
    names = getattr(inspect.unwrap(task.func), "__globals__", {})
    if names.get("__name__") == "__main__":
        vars(main).update({name: value for name, value in names.items() if name[:2] != "__"})


class Call:
    """One attempt of one action.

    Args:
        told: the Host's message: the attempt's number, the home, and what the process was given.
        mask: knows the secrets of the task; inside: the image; codes: the tasks that this process has.
        send: takes what the task shows while it runs to the Host.

    Attributes:
        is_stopped: whether the Host has asked it to end.
    """

    def __init__(
        self,
        pod: PodRequest,
        told: Mapping[str, Any],
        mask: Mask,
        inside: Inside,
        codes: Codes,
        send: Callable[[dict[str, Any]], None],
    ) -> None:
        self._pod = pod
        self._told = told
        self._mask = mask
        self._inside = inside
        self._codes = codes
        self._loaded = frozenset(sys.modules)
        self._store = open_store(pod.store)
        self._key = Home(told["home"]).key()
        self._process = os.getpid()
        self.is_stopped = False
        self._kept: Mapping[str, Any] = {}
        new = keys.new_report(pod.run, pod.action, int(told["attempt"]))
        self._outlet = Outlet(pod.title, send, lambda data: self._store.put(new, [data]), mask)
        self._calls = _Calls(pod, told, self._outlet.recalled)

    def run(
        self, ready: Callable[[], None], complete: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run
    ) -> dict[str, Any]:
        """Run it and put its outcome into the store; the message that says so. Raises `Stopped`.

        Args:
            ready: called when the task's own code is about to begin.
            complete: runs a coroutine to its end.
        """
        try:
            task, inputs = self._open()
            ready()
            self._enter(task)
            with limits.files_of_at_most(self._told["file_size"]):
                outputs = task.interface.check_outputs(task.name, _called(task, inputs, complete))
            left = self._succeeded(task, outputs)
        except Stopped:
            raise
        except BaseException as error:
            left = self._failed(error)
        finally:
            self._outlet.close()
        return self._leave(*left)

    async def arun(self, ready: Callable[[], None]) -> dict[str, Any]:
        """The same for a coroutine, among others on one event loop; it is `Stopped` when it is cancelled then."""
        try:
            task, inputs = self._open()
            ready()
            self._enter(task)
            has_hooks = task.has_own("pre", "execute", "post")
            call = task.execute(**inputs) if has_hooks else task.interface.call_with(task.func, inputs)
            left = self._succeeded(task, task.interface.check_outputs(task.name, await call))
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and self.is_stopped:
                raise Stopped from None
            left = self._failed(error)
        finally:
            self._outlet.close()
        return self._leave(*left)

    def close(self) -> None:
        """The process goes on: let go of what only this call has used."""
        self._calls.close()

    def _open(self) -> tuple[Task[..., Any], dict[str, Any]]:
        """The task and its inputs, once their signatures are checked."""
        pod, get = self._pod, self._store.get
        self._inside.put_files(self._store)
        given = packed.unseal_inputs(self._key, get(keys.inputs(pod.run, pod.action)), name=pod.name)
        self._kept = given.header["kept"]
        task = self._codes.open(self._key, given.header["code"], get)
        inputs = loads(given.parts)
        if pod.trigger_time is not None:
            from ...config.values.trigger import inputs_at

            inputs = inputs_at(inputs, pod.trigger_time, task.interface.convert)
        return task, inputs

    def _enter(self, task: Task[..., Any]) -> None:
        pod = self._pod
        self._outlet.is_reported = task.report
        here = context.TaskContext(
            action=context.ActionName(name=pod.action, run_name=pod.run),
            attempt_number=int(self._told["attempt"]),
            mode=str(self._told["mode"]),
            custom_context=dict(pod.options.get("custom_context", {})),
            data={},
        )
        context.enter(here, self._calls, self._outlet)

    def _succeeded(self, task: Task[..., Any], outputs: tuple[Any, ...]) -> _Left:
        """The payload, no failure, and how many bytes are kept for later calls."""
        pod = self._pod
        pickled = _pickled(pod, task, outputs)
        is_shown = outputs and (pod.parent is None or pod.cache_key)  # what is kept is shown some day
        shown = preview(outputs[0] if len(outputs) == 1 else outputs, self._mask) if is_shown else None
        if self._mask.is_in(pickled.parts):
            sys.stderr.write(_RETURNED.format(pod.title))
        if pod.cache_key and self._is_here():
            payload, kept = self._keep(pickled, shown)
            return payload, None, kept
        return outcome.seal_value(self._key, pickled, shown, name=pod.name), None, 0

    def _failed(self, error: BaseException) -> _Left:
        pod = self._pod
        limits.lift()
        is_in_container = self._told["mode"] == "remote"
        if isinstance(error, ModuleNotFoundError) and (self._inside.venv is not None or is_in_container):
            missing.explain_module(error, pod.title, pod.path)
        if isinstance(error, FileNotFoundError) and is_in_container:
            missing.explain_file(error, pod.title, pod.cwd)
        return *_seal_error(self._key, pod, error, self._told["memory"], self._mask), 0

    def _leave(self, payload: list[bytes | memoryview], failure: Failure | None, kept: int) -> dict[str, Any]:
        if not self._is_here():  # the task has forked: its child does not answer for it
            sys.stderr.write(f"{failure.traceback}{failure.code}: {failure.message}\n" if failure else "")
            flush()
            os._exit(1 if failure else 0)
        is_stored = True
        try:
            self._store.put(keys.outcome(self._pod.run, self._pod.action), payload)
        except (StoreError, OSError) as error:
            is_stored, failure, kept = False, _not_stored(self._pod, error), 0
        flush()
        return {
            "op": "done",
            "stored": is_stored,
            "failure": failure.to_json() if failure else None,
            "peak_memory": limits.peak_memory(),
            "imported": sorted(installed(set(sys.modules) - self._loaded)),
            "kept": kept,
        }

    def _is_here(self) -> bool:
        return os.getpid() == self._process

    def _keep(self, outputs: Pickled, shown: dict[str, Any] | None) -> tuple[list[bytes | memoryview], int]:
        """Keep a success for later calls: its outcome, and how many bytes. The task has not failed when this does."""
        pod = self._pod
        made = {"created": time.time(), "run": pod.run, "action": pod.action}
        place = keys.kept(pod.run, pod.action)
        try:
            header = outcome.header_of_kept(outputs, shown, entry=pod.cache_key, about=made)
            payload = seal(self._key, header, outputs.parts)
            size = sum(memoryview(part).nbytes for part in payload)
            self._store.put(place, payload)
            cached.keep(self._store, pod.cache_key, place, size, {**self._kept, **made})
        except Exception as error:
            sys.stderr.write(f"The result of {pod.title} was not stored for later calls: {error}\n")
            return outcome.seal_value(self._key, outputs, shown, name=pod.name), 0
        return outcome.seal_again(self._key, header, name=pod.name), size


def flush() -> None:
    """Print what is still in the streams, as far as the task has left any."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or replaced by anything at all
            stream.flush()


def _called(task: Task[..., Any], inputs: dict[str, Any], complete: Callable[[Coroutine[Any, Any, Any]], Any]) -> Any:
    """What the task's function returns, run with the hooks of its plugin."""
    if not task.has_own("pre", "execute", "post"):
        value = task.interface.call_with(task.func, inputs)
        return complete(value) if inspect.iscoroutine(value) else value
    if task.is_async or task.has_own("execute"):
        return complete(task.execute(**inputs))
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        data = loop.run_until_complete(task.pre(**inputs))
        with context.having(data):
            value = task.interface.call_with(task.func, inputs)  # on the main thread, where no loop runs now
            loop.run_until_complete(task.post(value))
    return value


class _Calls:
    """Loads the engine when the task calls a task, not before."""

    def __init__(self, pod: PodRequest, told: Mapping[str, Any], recalled: Callable[[PodEvent], None]) -> None:
        self._pod = pod
        self._told = told
        self._recalled = recalled
        self._caller: Children | None = None
        self._lock = threading.Lock()

    def _ready(self) -> Children:
        with self._lock:
            if self._caller is None:
                nested = importlib.import_module("flyte_jupyter.engine.nested")
                values = map(tuple, self._told["secrets"]["values"])
                self._caller = nested.open_caller(self._pod, self._told["home"], values, self._recalled)
            return self._caller

    def start(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> context.Invocation:
        return self._ready().start(task, args, kwargs)

    def close(self) -> None:
        if self._caller is not None:
            self._caller.close()


def _pickled(pod: PodRequest, task: Task[..., Any], outputs: tuple[Any, ...]) -> Pickled:
    try:
        pickled = dumps(outputs)
    except MemoryError:
        raise
    except Exception as error:
        value = outputs[0] if len(outputs) == 1 else outputs
        raise explain(f"{pod.title} → returned value", value, error, returned=True) from None
    names = [output.name for output in task.interface.outputs]
    inline.check(pod.task, "output", dict(zip(names, outputs, strict=True)), pickled, pod.inline_limit)
    return pickled


def _not_stored(pod: PodRequest, error: Exception) -> Failure:
    return Failure(
        code="OutcomeNotStored",
        kind="system",
        message=f"What {pod.title} has left could not be stored: {error}",
        recoverable=not isinstance(error, StoreRefusedError),
    )


def _seal_error(
    key: bytes, pod: PodRequest, error: BaseException, memory: int | None, mask: Mask
) -> tuple[list[bytes | memoryview], Failure]:
    if isinstance(error, MemoryError):
        message = limits.out_of_memory(pod.title, memory)
        failure = dataclasses.replace(failure_of(error), code="OOMError", message=message)
        return outcome.seal_failure(key, failure, name=pod.name), failure
    if isinstance(error, SystemExit):
        failure = masked(failure_of(error), mask)
        failure = dataclasses.replace(failure, message=failure.message.replace("The task", pod.title, 1))
        return outcome.seal_failure(key, failure, name=pod.name), failure
    return outcome.seal_error(key, error, name=pod.name, mask=mask)
