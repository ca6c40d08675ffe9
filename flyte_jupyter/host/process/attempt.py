"""One attempt, in the process that was forked for it: take the call, run the task, leave the outcome."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import importlib
import inspect
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import context
from ...config.values.secret import FOLDER_VARIABLE
from ...credentials.mask import Mask
from ...home import Home
from ...pack import call, inline, outcome
from ...pack.capture import explain
from ...pack.codec import Pickled, dumps, loads
from ...pack.envelope import seal
from ...pack.failure import failure_of, masked
from ...pack.modules import installed
from ...pack.preview import preview
from ...pods import Failure, PodRequest
from ...store import Store, cached, keys, open_store
from ..machine import limits
from ..machine.cgroup_trees import join
from ..mounts import show
from ..wire import Channel
from . import missing, stacks
from .forked import reset_in_children
from .inside import Inside
from .orphans import adopt_orphans, die_with_parent

if TYPE_CHECKING:
    from ...task import Task


_RETURNED = (
    "flyte_jupyter: what {} returned holds the value of one of its secrets, and is stored as it is; "
    "return what was made with the secret instead.\n"
)


class Stopped(BaseException):
    """Raised in the task when the Host asks it to end, so that `finally` and `with` do their work."""


def attempt(control: int, stdout: int, stderr: int, paper: int, groups: list[str]) -> int:
    """Wait for a request, serve it, and return the exit code. Called right after the fork."""
    for fd, target in ((stdout, 1), (stderr, 2), (os.open(os.devnull, os.O_RDONLY), 0)):
        os.dup2(fd, target)
        os.close(fd)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # both are text streams
    channel = Channel(socket.socket(fileno=control))
    die_with_parent()  # the zygote, which dies with the Host
    adopt_orphans()
    is_grouped = bool(groups) and join(groups)
    request = channel.receive()
    if request is None:
        return 0
    os.set_inheritable(paper, False)
    stacks.write_on_signal(paper)
    stacks.wake_on_signal()
    stop = functools.partial(_stop, paper)
    signal.signal(signal.SIGTERM, stop)
    reset_in_children(stop)
    try:
        _serve(channel, request, None if is_grouped and request["grouped"] else request["memory"])
    except Stopped:
        return 128 + signal.SIGTERM
    return 0


def _stop(paper: int, _number: int, frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    stacks.write(paper, frame)
    raise Stopped


def _serve(channel: Channel, request: dict[str, Any], memory: int | None) -> None:
    pod = PodRequest.from_json(request["pod"])
    number = int(request["attempt"])
    if sys.platform != "linux":
        threading.Thread(target=_until_the_host_is_gone, args=(channel,), daemon=True).start()
    inside = Inside(request["image"])
    limits.keep_to_cores(request["cores"])
    _enter(pod, number, request["environ"], inside)
    mask = _receive(request["secrets"])
    loaded = frozenset(sys.modules)
    store = open_store(pod.store)
    key = Home(request["home"]).key()
    failure: Failure | None = None
    task: Task[..., Any] | None = None
    process = os.getpid()
    try:
        inside.put_files(store)
        given = call.unseal_inputs(key, store.get(keys.inputs(pod.run, pod.action)), name=pod.name)
        code_digest = given.header["code"]
        task = call.unseal_code(key, store.get(keys.code(code_digest)), digest=code_digest)
        _fill_main(task)
        inputs = loads(given.parts)
        if pod.trigger_time is not None:
            from ...config.values.trigger import inputs_at

            inputs = inputs_at(inputs, pod.trigger_time, task.interface.convert)
        limits.bound_memory(memory)
        channel.send({"op": "running"})
        with limits.files_of_at_most(request["file_size"]):
            outputs = _run(task, inputs, pod, number, request)
        pickled = _pickled(pod, task, outputs)
        is_shown = outputs and (pod.parent is None or pod.cache_key)  # what is kept is shown some day
        shown = preview(outputs[0] if len(outputs) == 1 else outputs, mask) if is_shown else None
        payload = [] if pod.cache_key else outcome.seal_value(key, pickled, shown, name=pod.name)
        if mask.is_in(pickled.parts):
            sys.stderr.write(_RETURNED.format(pod.title))
    except Stopped:
        raise
    except BaseException as error:
        limits.lift()
        if isinstance(error, ModuleNotFoundError) and inside.venv is not None:
            missing.explain(error, pod.title, pod.path)
        payload, failure = _seal_error(key, pod, error, request["memory"], mask)
    if os.getpid() != process:  # the task has forked: its child does not answer for it
        sys.stderr.write(f"{failure.traceback}{failure.code}: {failure.message}\n" if failure else "")
        flush()
        os._exit(1 if failure else 0)
    kept = 0
    if pod.cache_key and failure is None:
        payload, kept = _keep(store, key, pod, given.header["kept"], pickled, shown)
    store.put(keys.outcome(pod.run, pod.action), payload)
    flush()
    told = failure.to_json() if failure else None
    imported = sorted(installed(set(sys.modules) - loaded))
    peak = limits.peak_memory()
    channel.send({"op": "done", "failure": told, "peak_memory": peak, "imported": imported, "kept": kept})


def flush() -> None:
    """Print what is still in the streams, as far as the task has left any."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or replaced by anything at all
            stream.flush()


def _until_the_host_is_gone(channel: Channel) -> None:
    while channel.socket.recv(1):
        pass
    os.killpg(0, signal.SIGKILL)


def _enter(pod: PodRequest, number: int, environ: dict[str, str], inside: Inside) -> None:
    """The environment, folder and import path of the kernel or of the image, and a `__main__` of its own."""
    os.environ.clear()
    os.environ.update(inside.environ(environ))
    os.environ.update(pod.env)
    time.tzset()
    tempfile.tempdir = None  # it may be another folder now
    os.environ.update(RUN_NAME=pod.run, ACTION_NAME=pod.action, FLYTE_ATTEMPT_NUMBER=str(number))
    if folder := inside.folder(pod.cwd):
        os.chdir(folder)
    sys.path[:] = inside.path(pod.path, pod.cwd)
    sys.argv = [pod.title]
    _reseed()
    sys.modules["__main__"] = types.ModuleType("__main__")


def _fill_main(task: Task[..., Any]) -> None:
    """What the task's function has of the notebook is in `__main__`, as there: `pickle` looks for it, so pools do."""
    names = getattr(inspect.unwrap(task.func), "__globals__", {})
    if names.get("__name__") == "__main__":
        vars(sys.modules["__main__"]).update({name: value for name, value in names.items() if name[:2] != "__"})


def _receive(secrets: Mapping[str, Any]) -> Mask:
    """The secrets as the task wants them, and what keeps their values out of what is told of it."""
    os.environ.update(secrets["env"])
    if secrets["folder"] is not None:
        os.environ[FOLDER_VARIABLE] = show(secrets["folder"])
    return Mask(value for _, value in secrets["values"])


def _reseed() -> None:
    """Random numbers of libraries that were loaded before the fork: `random` does this itself."""
    for name, seed in (("numpy.random", "seed"), ("torch", "seed")):
        library = sys.modules.get(name)
        if library is not None:
            getattr(library, seed)()


def _run(
    task: Task[..., Any], inputs: dict[str, Any], pod: PodRequest, number: int, request: dict[str, Any]
) -> tuple[Any, ...]:
    action = context.ActionName(name=pod.action, run_name=pod.run)
    context.enter(
        context.TaskContext(
            action=action,
            attempt_number=number,
            mode="local",
            custom_context=dict(pod.options.get("custom_context", {})),
            data={},
        ),
        _Calls(pod, request),
    )
    return task.interface.check_outputs(task.name, _called(task, inputs))


def _called(task: Task[..., Any], inputs: dict[str, Any]) -> Any:
    """What the task's function returns, run with the hooks of its plugin."""
    if not task.has_own("pre", "execute", "post"):
        value = task.interface.call_with(task.func, inputs)
        return asyncio.run(value) if asyncio.iscoroutine(value) else value
    if task.is_async or task.has_own("execute"):
        return asyncio.run(task.execute(**inputs))
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        data = loop.run_until_complete(task.pre(**inputs))
        with context.having(data):
            value = task.interface.call_with(task.func, inputs)  # on the main thread, where no loop runs now
            loop.run_until_complete(task.post(value))
    return value


class _Calls:
    """Loads the engine when the task calls a task, not before."""

    def __init__(self, pod: PodRequest, request: dict[str, Any]) -> None:
        self._pod = pod
        self._request = request
        self._caller: context.Caller | None = None
        self._lock = threading.Lock()

    def _ready(self) -> context.Caller:
        with self._lock:
            if self._caller is None:
                nested = importlib.import_module("flyte_jupyter.engine.nested")
                self._caller = nested.open_caller(
                    self._pod, self._request["home"], map(tuple, self._request["secrets"]["values"])
                )
            return self._caller

    def start(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> context.Invocation:
        return self._ready().start(task, args, kwargs)


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


def _keep(
    store: Store, key: bytes, pod: PodRequest, told: Mapping[str, Any], outputs: Pickled, shown: dict[str, Any] | None
) -> tuple[list[bytes | memoryview], int]:
    """Keep a success for later calls: its outcome, and how many bytes. That this fails is no failure of the task."""
    made = {"created": time.time(), "run": pod.run, "action": pod.action}
    place = keys.kept(pod.run, pod.action)
    try:
        header = outcome.header_of_kept(outputs, shown, entry=pod.cache_key, about=made)
        payload = seal(key, header, outputs.parts)
        size = sum(memoryview(part).nbytes for part in payload)
        store.put(place, payload)
        cached.keep(store, pod.cache_key, place, size, {**told, **made})
    except Exception as error:
        sys.stderr.write(f"The result of {pod.title} was not stored for later calls: {error}\n")
        return outcome.seal_value(key, outputs, shown, name=pod.name), 0
    return outcome.seal_again(key, header, name=pod.name), size


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
