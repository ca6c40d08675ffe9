"""`%flyte_config` and `%flyte_doctor`: what is set, and what works."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from ... import __version__, context, doctor, session
from ...config.resolve import LEVEL_NAMES
from ...config.say import said
from ...config.spec import PARAMS, Level
from ...config.text import name_of
from ...engine.options import RunOptions
from ...environment import TaskEnvironment, environments
from ...errors import nearest
from ...home import Home
from ...task import Task
from ..cards import tables
from ..cells.places import without_home
from .magic import Magic, Use
from .options import OptionError, Parser


def config(use: Use) -> Any:
    """What is set: of a task, of an environment, of a parameter, or of this installation."""
    if not use.line.words:
        shown = tables.bundle(("Setting", "Value"), _here(), title="Settings", empty="", widest=_WIDEST)
        return use.publish(without_home(shown))
    word = use.line.words[0]
    tasks = {name: task for env in environments().values() for name, task in env.tasks.items()}
    found = use.variables.get(word, tasks.get(word, environments().get(word)))
    if isinstance(found, Task):
        return found.effective_config()
    if isinstance(found, TaskEnvironment):
        return found
    param = name_of(word)
    if param in PARAMS:
        return use.publish(tables.bundle(("Parameter", param), _about(param), title=param, empty="", widest=_WIDEST))
    mine = [name for name, value in use.variables.items() if isinstance(value, (Task, TaskEnvironment))]
    near = nearest(word, [*mine, *tasks, *environments(), *PARAMS])
    hint = f"; did you mean {near}?" if near else ""
    raise OptionError(f"{word}: no task, no environment and no parameter{hint}")


def doctor_(use: Use) -> None:
    """What of this installation works, tried, and what to do."""
    with _unobserved():
        found = list(doctor.results())
    rows = [("✓ works" if each.is_fine else "✗ fails", each.name, each.text) for each in found]
    use.publish(tables.bundle(("", "What", ""), rows, title="Doctor", empty="", widest=_WIDEST))
    for each in found:
        if each.page:
            use.say(each.page)


@contextlib.contextmanager
def _unobserved() -> Iterator[None]:
    """Runs that are started meanwhile show no card."""
    observers, context.observers[:] = list(context.observers), []
    try:
        yield
    finally:
        context.observers[:] = observers


_WIDEST = 400
"""Nothing that one has to know is cut."""


def _here() -> list[tuple[str, str]]:
    home = Home()
    given = [(name, value) for name, value in sorted(os.environ.items()) if name.startswith("FLYTE_JUPYTER_")]
    runs = [
        (name, str(value)) for name, value in vars(session.defaults).items() if value != getattr(RunOptions(), name)
    ]
    return [
        ("version", __version__),
        ("state folder", str(home.path)),
        ("settings file", str(home.settings) + ("" if home.settings.exists() else " (not there: defaults)")),
        ("Host", "runs" if home.is_served(home.host) else "starts with the next run"),
        ("tasks run", "on this machine"),
        *((f"of all runs: {name}", value) for name, value in runs),
        *((f"${name}", value) for name, value in given),
    ]


def _about(name: str) -> list[tuple[str, str]]:
    p = PARAMS[name]
    return [
        ("says", p.doc),
        ("set in", ", ".join(LEVEL_NAMES[level] for level in Level if level & p.levels)),
        ("accepts", p.type_text + (f"; one of {', '.join(p.words())}" if p.words() else "")),
        ("default", said(p, p.default)),
        ("such as", ", ".join(map(repr, p.examples))),
        ("on this machine", p.local),
        ("on Kubernetes", p.kubernetes),
    ]


CONFIG = Magic(
    "flyte_config",
    Parser(
        "%flyte_config [TASK | ENVIRONMENT | PARAMETER]",
        "The configuration of a task, with the level that each value comes from; the settings of an environment; what a"
        " parameter says. Without a word, what is set on this machine.",
        names=("tasks", "environments", "parameters"),
    ),
    config,
)
DOCTOR = Magic(
    "flyte_doctor",
    Parser("%flyte_doctor", "What of this installation works, tried and not guessed, and what to do.", most=0),
    doctor_,
)
