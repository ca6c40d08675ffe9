"""How environments and tasks look in a notebook."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .config.about import documentation
from .config.resolve import LEVEL_NAMES
from .config.say import said
from .config.show import muted, name, page
from .config.spec import PARAMS
from .markup import Html, cut, el, table

if TYPE_CHECKING:
    from .environment import TaskEnvironment
    from .task import Task

asides: list[Callable[[TaskEnvironment], Iterable[Html]]] = []
"""What else there is to show of an environment, besides what it says itself; the notebook has its pools shown."""
_MOST = 100
"""Tasks that an environment lists: what is displayed is saved with the notebook."""


def environment(env: TaskEnvironment) -> str:
    """An environment: what was given, and its tasks."""
    given = {key: value for key, value in env._layer.items() if key not in ("name", "description")}
    rows = [(name(key, PARAMS[key].doc), said(PARAMS[key], value)) for key, value in given.items()]
    shown = itertools.islice(env.tasks.values(), _MOST)
    tasks: list[tuple[object, object]] = [(signature(task), muted(cut(first_paragraph(task), 200))) for task in shown]
    if (more := len(env.tasks) - len(tasks)) > 0:
        tasks.append((muted(f"and {more:,} more"), ""))
    return page(
        f"environment {env.name}",
        env._layer.get("description"),
        table((), rows, title="Settings") if rows else el("div", muted("nothing but its name is given")),
        table(("tasks", ""), tasks, title="Tasks") if tasks else el("div", muted("no tasks yet")),
        *itertools.chain.from_iterable(aside(env) for aside in asides),
    )


def task(shown: Task[..., Any]) -> str:
    """A task: its signature, what it is for, and its configuration, what was given first."""
    config = shown.effective_config()
    rows = [row for row in config.rows() if row[0] not in ("name", "docs")]
    given = [row for row in rows if row[2] != LEVEL_NAMES[None]]
    others = [row for row in rows if row[2] == LEVEL_NAMES[None]]
    called = None if shown.short_name == shown.func.__name__ else f"“{shown.short_name}”"
    return page(
        signature(shown),
        called,
        el("div", first_paragraph(shown)),
        config.table(given) if given else el("div", muted("nothing is configured")),
        el("details", el("summary", muted(f"{len(others)} defaults")), config.table(others)),
    )


def signature(task: Task[..., Any]) -> Html:
    """Name, inputs and outputs."""
    try:
        found = inspect.signature(task.func, eval_str=True)
    except Exception:  # an annotation with a name that is not there (yet)
        found = inspect.signature(task.func)
    return el("code", f"{'async ' * task.is_async}{task.name}{found}")


def first_paragraph(task: Task[..., Any]) -> str:
    """What the task is for: the beginning of its documentation."""
    return documentation(task.spec, task.func).strip().partition("\n\n")[0]
