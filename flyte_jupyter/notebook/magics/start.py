"""What magics that start a task have in common: in the background, as a dry run, or in the kernel itself."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ... import api, session
from ...config.cluster import MODES
from ...config.effective import EffectiveConfig
from ...config.resolve import LEVEL_NAMES
from ...config.say import span
from ...config.text import name_of
from ...config.values.quantity import rough_bytes
from ...engine.options import RunOptions
from ...engine.request import notes
from ...engine.run import Run
from ...markup import Html, el, join
from ...pack.captured import captured, size_of
from ...pack.envelope import Envelope
from ...pods import PodRequest
from ...task import Task
from ..cards import tables
from .magic import Use
from .options import Flag, Line

_PAIRS = "NAME=VALUE[,...]"
FLAGS = [
    Flag("--background", "Do not wait."),
    Flag("--dry-run", "Show what would go along, the configuration and what would be asked for; run nothing."),
    Flag(
        "--local",
        "Run it in the kernel, for debugging: breakpoint() and %debug work, the tasks that it calls run there too. Of"
        " its configuration only env_vars count.",
    ),
]
"""At most one of them."""
OF_RUN = [
    Flag(
        "--mode",
        "Where: local for this machine, remote for pods in the cluster; not given, as flyte.init, the settings file or"
        " the queue say.",
        "MODE",
        choices=MODES,
    ),
    Flag("--overwrite-cache", "Run all of its tasks, and replace what is cached."),
    Flag("--disable-run-cache", "Read nothing from the cache, and put nothing there."),
    Flag("--labels", "Of the run, for finding it.", _PAIRS, joined=True),
    Flag("--custom-context", "Text by name that every task of the run can read.", _PAIRS, joined=True),
    Flag("--strict", "Refuse what cannot be done there, instead of saying so on the card."),
]
"""Options of the run, for all tasks of it: those of `flyte.with_runcontext` that are no settings of its task too."""


@dataclass(frozen=True)
class Call:
    """A task and its inputs."""

    task: Task[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def start(
    use: Use, call: Call, *, wait: Callable[[Run], Any], later: Callable[[Run], Any], here: Callable[[Any], Any]
) -> Any:
    """Start a task as the line says it.

    Args:
        wait: is given the run when it has ended, `later` when it has just begun, `here` the value of a local one; what
            they return is the magic's value.
    """
    context = context_of(use.line)
    given = use.line.options
    if "--local" in given:
        return here(in_kernel(call))
    if "--dry-run" in given:
        return explain(use, call, context.options)
    if "--background" in given:
        run = context.submit(call.task, *call.args, **call.kwargs)
        use.hooks.in_background(run)
        return later(run)
    return wait(context.run(call.task, *call.args, **call.kwargs))


def options_given(line: Line) -> list[str]:
    """Those of `OF_RUN` that the line has."""
    return [flag.name for flag in OF_RUN if flag.name in line.options]


def context_of(line: Line) -> api.RunContext:
    """What the line says of the run. Raises `ConfigError`, `OptionError`."""
    given, of_run = [flag.name for flag in FLAGS if flag.name in line.options], options_given(line)
    if len(given) > 1:
        raise line.refusal(f"{' and '.join(given)} do not go together", *given)
    if given == ["--local"] and of_run:
        raise line.refusal(f"{' and '.join(of_run)}: for a run; with --local there is none", *of_run)
    found: dict[str, Any] = {}
    for option in of_run:
        name, value = name_of(option), line.options[option]
        flag = next(flag for flag in OF_RUN if flag.name == option)
        found[name] = _pairs(option, line) if flag.metavar == _PAIRS else value if flag.metavar else True
    return api.with_runcontext(**found)


def _pairs(option: str, line: Line) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in line.options[option].split(",") if pair]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise line.refusal(f"{option} {line.options[option]}: write it as {_PAIRS}", option)
    return {name: text for name, _, text in pairs}


# --- in the kernel ----------------------------------------------------------------------------------------------------


def in_kernel(call: Call) -> Any:
    """What the task returns when its function is called here, with its environment variables and the inputs and outputs
    that a run would have.
    """
    task = call.task
    inputs = task.interface.bind(task.name, call.args, call.kwargs)
    with _variables(task.env_vars), _breakpoints():
        value = task.interface.call_with(task.func, inputs)
        value = _now(value) if inspect.iscoroutine(value) else value
    outputs = task.interface.check_outputs(task.name, value)
    return outputs[0] if len(outputs) == 1 else outputs or None


def _now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on this thread, where a debugger can stop it, though the kernel's own loop runs."""
    outer = asyncio._get_running_loop()
    task = asyncio.current_task(outer) if outer is not None else None
    loop = asyncio.new_event_loop()
    if outer is not None and task is not None:
        asyncio.tasks._leave_task(outer, task)
    asyncio._set_running_loop(None)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio._set_running_loop(outer)
        if outer is not None and task is not None:
            asyncio.tasks._enter_task(outer, task)


@contextlib.contextmanager
def _breakpoints() -> Iterator[None]:
    """`breakpoint()` asks in the cell, unless a front end's debugger is attached: ipykernel leaves it to that alone."""
    before, debugpy = sys.breakpointhook, sys.modules.get("debugpy")
    if debugpy is None or not debugpy.is_client_connected():
        sys.breakpointhook = sys.__breakpointhook__
    try:
        yield
    finally:
        sys.breakpointhook = before


@contextlib.contextmanager
def _variables(given: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# --- a dry run --------------------------------------------------------------------------------------------------------


def explain(use: Use, call: Call, options: RunOptions) -> None:
    """Show what a run would be: inputs and captures with sizes, the configuration with levels, and the pod."""
    here = session.current()
    plan = here.plan(call.task, call.args, dict(call.kwargs), options)
    if isinstance(plan.work, Envelope):
        said = f"would not run {call.task.name}: the cache has its result, {plan.pod.cache}"
    else:
        code, given = plan.work
        sizes = [rough_bytes(sum(map(len, parts))) for parts in (code.payload, given.parts)]
        said = f"would run {call.task.name}: {sizes[0]} of code, {sizes[1]} of inputs"
    config = call.task.effective_config()
    pod, cluster = here.screen.masked(plan.pod), plan.site.cluster
    rows = pod_rows(call.task, pod, "local" if cluster is None else "kubernetes")
    parts = [
        {"text/plain": said, "text/html": el("p", said)},
        tables.bundle(("Input", *_OF), _inputs(here, plan.inputs), title="Inputs", empty="no inputs"),
        tables.bundle(("Goes along", *_OF), _captures(here, call.task), title="Captured", empty="nothing goes along"),
        {"text/plain": repr(config), "text/html": _configuration(config)},
        tables.bundle(("Pod", ""), rows, title="Pod", empty="", widest=200),
    ]
    if cluster is not None:
        from ...pod_manifest import assumed

        made = assumed(pod, cluster)
        parts.append({"text/plain": repr(made), "text/html": made._repr_html_()})
    html = join(*(Html(part.get("text/html") or el("p", part["text/plain"])) for part in parts))
    use.publish({"text/plain": "\n\n".join(part["text/plain"] for part in parts), "text/html": html})


def _configuration(config: EffectiveConfig) -> str:
    """What was given; the defaults are folded."""
    rows = config.rows()
    defaults = [row for row in rows if row[2] == LEVEL_NAMES[None]]
    given = [row for row in rows if row not in defaults]
    return tables.html(("Parameter", "Value", "From"), given, title="Configuration", folded=defaults)


_OF = ("Type", "Size", "Value")


def _inputs(here: session.Session, inputs: Mapping[str, Any]) -> list[tuple[str, ...]]:
    words = here.said(inputs)
    return [(name, type(value).__name__, rough_bytes(size_of(value)), words[name]) for name, value in inputs.items()]


def _captures(here: session.Session, task: Task[..., Any]) -> list[tuple[str, ...]]:
    found = captured(task)
    words = here.said({one.name: one.value for one in found if one.is_data})
    return [(one.name, one.type, rough_bytes(one.size), words.get(one.name, "")) for one in found]


def pod_rows(task: Task[..., Any], pod: PodRequest, runner: str) -> list[tuple[str, str]]:
    """What a pod asks for, in words; without the values of variables, and without paths of this machine."""
    limits = {name: getattr(pod, name) for name in ("max_runtime", "max_queued_time", "deadline")}
    said: dict[str, Any] = {
        "task": pod.title,
        "image": pod.image_uri or (pod.image[:12] if pod.image else "the kernel's own environment"),
        **pod.resources.to_json(),
        **{name: rough_bytes(size) for name, size in pod.resources.to_json().items() if name in _SIZES},
        **({"shm": "as much as the memory allows"} if pod.resources.shm == 0 else {}),
        "variables": ", ".join(sorted(pod.env)),
        "secrets": ", ".join(secret.title for secret in pod.secrets),
        "retries": pod.retries,
        **{name: span(seconds) for name, seconds in limits.items() if seconds},
        "queue": pod.queue,
        "imports ahead": ", ".join(pod.preload),
        "cache": pod.cache,
        "service account": pod.service_account,
        "interruptible": "yes" if pod.interruptible else "",
    }
    rows = [(name.replace("_", " "), str(value)) for name, value in said.items() if value not in ("", None)]
    return [*rows, *(("note", note) for note in notes(task, runner))]


_SIZES = ("memory", "memory_limit", "disk", "shm")
