"""`%flyte_runs`, `%flyte_logs`, `%flyte_cancel`: what ran, and what runs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from ... import api
from ...engine.interrupt import CANCEL_WITHIN
from ...engine.run import Run
from ...errors import RunNotFoundError, nearest
from ...pods import ROOT
from ...task import Task
from ..cards import tables
from .magic import Magic, Use
from .options import Flag, Line, OptionError, Parser

_LOOKED_AT = 200
"""So many of the newest runs are looked at when one is not named in full."""


def runs(use: Use) -> None:
    """Show the newest runs."""
    found = api.runs(_number(use.line, "--number", 20), cluster="--cluster" in use.line.options)
    views = [run.view() for run in found]
    use.publish(tables.runs(views, now=time.time()))


def logs(use: Use) -> None:
    """Print what a run has printed."""
    most, number = _shown(use.line)
    run = run_of(use.line.words[0] if use.line.words else "", use.variables)
    action = _action(run, use.line.options.get("--action", ""))
    attempt = _attempt(number, run, action)
    lines = list(run.get_logs(attempt, action=action))
    left_out = len(lines) - most if most is not None else 0
    if left_out > 0:
        _print(f"… {left_out} lines above; --lines all shows them")
    for line in lines[max(left_out, 0) :]:
        _print(line)
    if "--follow" in use.line.options:
        _follow(run, action, attempt, len(lines))
    elif not lines:
        _print(f"{run.label} has printed nothing{'' if run.done() else ' so far'}.")


def cancel(use: Use) -> None:
    """Cancel runs, wait a little, and say what happened."""
    _chosen(use.line)
    if use.line.words:
        chosen = [run_of(word, use.variables) for word in use.line.words]
    else:
        chosen = [run for run in api.runs(_LOOKED_AT) if not run.done()]
        if len(chosen) > 1 and "--all" not in use.line.options:
            names = "\n".join(f"  {run.name}  {run.title}" for run in chosen)
            raise OptionError(f"{len(chosen)} runs are open; name some of them, or give --all\n{names}")
        if not chosen:
            return use.say("nothing runs")
    ended = [run for run in chosen if run.done()]
    for run in chosen:
        if run not in ended:
            run.cancel("It was cancelled by %flyte_cancel.")
    deadline = time.monotonic() + CANCEL_WITHIN
    return use.say("\n".join(_cancelled(run, deadline, was_over=run in ended) for run in chosen))


def run_of(word: str, variables: Mapping[str, Any]) -> Run:
    """The run that a word means: a variable that holds it, its name or its beginning, its number in `flyte.runs()`,
    the newest run of a task; the newest of all for no word.

    Raises:
        OptionError: there is none, or several begin so.
    """
    value = variables.get(word)
    if isinstance(value, Run):
        return value
    try:
        return api.get_run(int(word) if word.isdigit() else word)
    except RunNotFoundError:
        pass
    known = api.runs(_LOOKED_AT)
    if not word:
        if not known:
            raise OptionError("there are no runs yet")
        return known[0]
    task = value.name if isinstance(value, Task) else word
    for run in known:
        if task in (run.task_name, run.title):
            return run
    begun = [run for run in known if run.name.startswith(word)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise OptionError(f"{word}: {len(begun)} runs begin so: {', '.join(run.name for run in begun[:5])}")
    near = nearest(word, [name for run in known for name in (run.name, run.title)])
    raise OptionError(f"{word}: no such run" + (f"; did you mean {near}?" if near else "; %flyte_runs shows them"))


def _action(run: Run, word: str) -> str:
    """The action of a run that a word means: its name, or the title of its task."""
    if not word:
        return ROOT
    actions = {str(action["name"]): str(action["title"]) for action in run.view()["actions"]}
    titled = [action for action, title in actions.items() if title == word]
    if word in actions or not titled:
        if word not in actions:
            there = ", ".join(dict.fromkeys(actions.values()))
            raise OptionError(f"--action {word}: no such action; there are: {there}")
        return word
    if len(titled) > 1:
        raise OptionError(f"--action {word}: there are {len(titled)}: {', '.join(titled[:10])}")
    return titled[0]


def _shown(line: Line) -> tuple[int | None, int | None]:
    """How many lines, and of which attempt; None for all, and for the last."""
    most = None if line.options.get("--lines") == "all" else _number(line, "--lines", 200)
    return most, _number(line, "--attempt", None)


def _chosen(line: Line) -> None:
    if line.words and "--all" in line.options:
        raise line.refusal("--all is for all that run; leave the names out", "--all")


def _attempt(number: int | None, run: Run, action: str) -> int | None:
    """The attempt that is asked for, if there is such a one; None for the last."""
    last = max((int(of["attempt"]) for of in run.view()["actions"] if of["name"] == action), default=0)
    if number is not None and number > last:
        raise OptionError(f"--attempt {number}: no such attempt; there is {'only 0' if last == 0 else f'0 to {last}'}")
    return number


def _follow(run: Run, action: str, attempt: int | None, seen: int) -> None:
    """Print lines as they come, until the run has ended."""
    changed = threading.Event()
    unsubscribe = run.subscribe(changed.set)
    try:
        while True:
            changed.clear()
            is_over = run.done()
            lines = list(run.get_logs(attempt, action=action))
            for line in lines[seen:]:
                _print(line)
            seen = len(lines)
            if is_over:
                return
            changed.wait()
    except KeyboardInterrupt:
        _print(f"{run.label} goes on; this has stopped following it.")
    finally:
        unsubscribe()


def _cancelled(run: Run, deadline: float, *, was_over: bool) -> str:
    if was_over:
        return f"{run.label} had ended already: {run.phase.value}"
    try:
        run.wait(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return f"{run.label} was cancelled and is being killed"
    return f"{run.label} was cancelled: {run.phase.value}"


def _number(line: Line, option: str, default: Any) -> Any:
    given = line.options.get(option)
    if given is None:
        return default
    if not given.isdigit():
        raise line.refusal(f"{option} {given}: not a number", option)
    return int(given)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


RUNS = Magic(
    "flyte_runs",
    Parser(
        "%flyte_runs [-n NUMBER] [--cluster]",
        "The newest runs.",
        [
            Flag("--number", "How many.", "NUMBER", "-n"),
            Flag("--cluster", "Those that are in the cluster, also of your other machines."),
        ],
        most=0,
    ),
    runs,
    lambda line, _: _number(line, "--number", 20),
)
_RUN = "A run: a variable, its name or the beginning of it, or a task for its newest run; without it the newest run."
LOGS = Magic(
    "flyte_logs",
    Parser(
        "%flyte_logs [RUN] [options]",
        f"Print what a run has printed. {_RUN}",
        [
            Flag("--follow", "Go on until it has ended; interrupting stops this, not the run.", short="-f"),
            Flag("--lines", "The last so many, 200 when not given; or all.", "NUMBER", "-n", choices=("all",)),
            Flag("--attempt", "Of one attempt, counted from 0, instead of the last.", "NUMBER"),
            Flag(
                "--action", "Of a task that it called: its title, or the name of the action.", "ACTION", names="actions"
            ),
        ],
        names=("runs",),
    ),
    logs,
    lambda line, _: _shown(line),
)
CANCEL = Magic(
    "flyte_cancel",
    Parser(
        "%flyte_cancel [RUN ...] [--all]",
        f"Stop runs and all that they have called, wait up to {CANCEL_WITHIN:g} s and say what happened. Without a name"
        " the only one that is open.",
        [Flag("--all", "All that are open, of other notebooks too.")],
        most=100,
        names=("runs",),
    ),
    cancel,
    lambda line, _: _chosen(line),
)
