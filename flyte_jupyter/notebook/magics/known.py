"""The names that a notebook has, for completions: nothing is started for them, and nobody is asked."""

from __future__ import annotations

import contextlib
import itertools
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ... import api
from ...config import text
from ...config.queues import parse_settings
from ...config.spec import PARAMS
from ...config.values.secret import Secret
from ...credentials.memory import remembered
from ...engine.run import Run
from ...environment import TaskEnvironment, environments
from ...errors import ConfigError
from ...home import Home
from ...task import Task
from ..cells.extract import UnsupportedCell, analyse
from .options import Names
from .task import names_of_user

_RUNS = 20


class Notebook:
    """What a notebook has.

    Args:
        variables: its variables; body: the cell below the magic's line, for its outputs.
    """

    def __init__(self, variables: Mapping[str, Any], body: str = "") -> None:
        self._given = variables
        self._body = body

    def __repr__(self) -> str:
        return f"<Notebook [{len(self._given)} variables]>"

    def names(self, kind: Names, of: str = "") -> list[str]:
        """The names of one kind, each once; of `inputs` those of the task `of`."""
        return list(dict.fromkeys(self._inputs(of) if kind == "inputs" else getattr(self, f"_{kind}")()))

    def _public(self) -> Iterator[tuple[str, Any]]:
        return ((name, self._given[name]) for name in names_of_user(list(self._given)))

    def _of(self, cls: type) -> Iterator[str]:
        return (name for name, value in self._public() if isinstance(value, cls))

    def _environments(self) -> Iterator[str]:
        yield from self._of(TaskEnvironment)
        yield from environments()

    def _tasks(self) -> Iterator[str]:
        yield from self._of(Task)

    def _inputs(self, task: str) -> Iterator[str]:
        found = self._given.get(task)
        yield from found.interface.inputs if isinstance(found, Task) else ()

    def _runs(self) -> Iterator[str]:
        yield from self._of(Run)
        newest = api.runs(_RUNS)
        yield from (run.title for run in newest)
        yield from (run.name for run in newest)

    def _actions(self) -> Iterator[str]:
        for run in api.runs(1):
            yield from (str(action["title"]) for action in run.view()["actions"])

    def _queues(self) -> Iterator[str]:
        path = Home().settings
        with contextlib.suppress(OSError, ConfigError):  # none is set up, or whoever uses one is told what is wrong
            yield from parse_settings(path.read_text(), path).concurrency
        yield from filter(None, self._configured("queue"))

    def _secrets(self) -> Iterator[str]:
        return (text.format("secrets", (secret,)) for secret in self._all_secrets())

    def _keys(self) -> Iterator[str]:
        return (secret.key for secret in self._all_secrets())

    def _all_secrets(self) -> Iterator[Secret]:
        yield from itertools.chain.from_iterable(self._configured("secrets"))
        yield from (Secret(key, group) for group, key in remembered)

    def _variables(self) -> Iterator[str]:
        for name, value in self._public():
            if not isinstance(value, (types.ModuleType, type)):
                yield name

    def _outputs(self) -> tuple[str, ...]:
        try:
            return analyse(self._body).assigned
        except (SyntaxError, UnsupportedCell):  # it is being written
            return ()

    def _parameters(self) -> Iterator[str]:
        yield from PARAMS

    def _notebooks(self) -> Iterator[str]:
        yield from sorted(path.name for path in Path().glob("*.ipynb"))

    def _modules(self) -> Iterator[str]:
        yield from sorted(path.name for path in Path().glob("*.py"))

    def _configured(self, name: str) -> Iterator[Any]:
        """The values of a parameter that environments and tasks have."""
        for env in environments().values():
            if name in env._layer:
                yield env._layer[name]
            yield from (getattr(task, name) for task in env.tasks.values())
        yield from (getattr(value, name) for _, value in self._public() if isinstance(value, Task))
