"""Which statements of a notebook some names need. Pure.

Statements are thought to run in the order in which they are given, as those of a module do.  A name at a place stands
for what the last statement before it has bound, and for all that may have changed that since.  Functions are called
nobody knows when, so what they read is needed at the place where they are needed and at the end.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from .statements import PACKAGE, PATH, Place, Statement, imports_from

_ALWAYS = frozenset({"__name__", "__file__", "__doc__", "__annotations__", "__builtins__", "__debug__", "__spec__"})


@dataclass(frozen=True)
class Missing:
    """A name that nothing binds where it is needed.

    Attributes:
        by: where it is read; later: where it is bound after that, if it is.
    """

    name: str
    by: Place
    later: Place | None = None

    def __str__(self) -> str:
        if self.name == "get_ipython":
            return f"{self.by}: IPython's ! and % cannot leave the notebook; write it in Python"
        said = f"{self.by} needs {self.name!r}, which no cell defines"
        return said if self.later is None else f"{said} before; {self.later} does, after it"


@dataclass
class Slice:
    """What some names need.

    Attributes:
        chosen: indices of the statements; missing: names that nothing binds, by name.
    """

    chosen: set[int] = field(default_factory=set)
    missing: dict[str, Missing] = field(default_factory=dict)


class Program:
    """The statements of a notebook in their order, and how they hang together."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.statements = list(statements)
        self._binding: dict[str, list[int]] = {}
        for index, statement in enumerate(self.statements):
            for name in statement.bound:
                self._binding.setdefault(name, []).append(index)

    def __repr__(self) -> str:
        return f"<Program [{len(self.statements)} statements]>"

    @functools.cached_property
    def _changing(self) -> list[int]:
        return [i for i, statement in enumerate(self.statements) if statement.changes or statement.stored]

    @property
    def end(self) -> int:
        """The place behind the last statement."""
        return len(self.statements)

    @property
    def names(self) -> list[str]:
        """All names that are bound, in the order of their first binding."""
        return list(self._binding)

    @property
    def packages(self) -> frozenset[str]:
        """The names of our package, and of what is imported from it."""
        found = [s.bound for s in self.statements if imports_from(s.node, PACKAGE)]
        return frozenset().union(*found)

    def binding(self, name: str, before: int | None = None) -> Statement | None:
        """The last statement that surely binds a name."""
        index = self._last(name, self.end if before is None else before)
        return None if index is None else self.statements[index]

    def needs_of_tasks(self, *names: str) -> Slice:
        """What tasks need at the end, and what is set for all runs: `flyte.init(...)`, `flyte.secrets.allow(...)`."""
        return self.needs(
            *((name, self.end) for name in (*(n.partition(".")[0] for n in names), *sorted(self.packages)))
        )

    def needs(
        self, *demands: tuple[str, int], chosen: Sequence[int] = (), known: Collection[str] = frozenset()
    ) -> Slice:
        """What names at places need, and what statements need that are `chosen` anyway; `known` names are there."""
        found = Slice()
        nowhere = Place("the export", 1)
        todo: list[tuple[str, int, Place]] = [(name, at, nowhere) for name, at in demands]
        seen: set[tuple[str, int]] = set()

        def take(index: int) -> None:
            if index not in found.chosen:
                found.chosen.add(index)
                statement = self.statements[index]
                todo.extend((name, index, statement.place) for name in sorted(statement.eager))
                hinted = [name for name in sorted(statement.hinted) if self._last(name, self.end) is not None]
                todo.extend((name, self.end, statement.place) for name in hinted)
                todo.extend((name, self.end, statement.place) for name in sorted(statement.deferred))

        for index in chosen:
            take(index)
        while todo:
            name, at, place = todo.pop()
            if (name, at) in seen or name in known:
                continue
            seen.add((name, at))
            bound, changed = self._origin(name, at)
            for index in (*bound, *changed):
                take(index)
                statement = self.statements[index]
                todo.extend((other, at, statement.place) for other in sorted(statement.deferred))
            if not bound and name != PATH and not (hasattr(builtins, name) or name in _ALWAYS):
                found.missing.setdefault(name, Missing(name, place, self._later(name, at)))
        return found

    def _origin(self, name: str, at: int) -> tuple[list[int], list[int]]:
        """What binds a name, as it is seen at a place, and what may change it until there."""
        last = self._last(name, at)
        binding = None if last is None else self.statements[last]
        first = 0 if last is None else last + 1
        maybe = [i for i in self._binding.get(name, ()) if first <= i < at]
        aliases = self._aliases(name, first, at)
        changed = [i for i in self._changing if first <= i < at and any(self._changes(i, n, binding) for n in aliases)]
        bound = maybe if last is None else [last, *maybe]
        if not bound and not hasattr(builtins, name):
            bound = [i for i, s in enumerate(self.statements[:at]) if s.is_star]
        return bound, changed

    def _aliases(self, name: str, first: int, at: int) -> list[str]:
        """A name, and others for the same object or for parts of it."""
        found = [name]
        for statement in self.statements[first:at]:
            if statement.alias_of in found:
                found += sorted(statement.bound - set(found))
        return found

    def _changes(self, index: int, name: str, binding: Statement | None) -> bool:
        statement = self.statements[index]
        is_ours = bool(statement.calls) and {called for called, _ in statement.calls} <= self.packages
        leaves_alone = is_ours or statement.starts_runs(self.packages)  # flyte.deploy(env), flyte.run(task, rows)
        if leaves_alone and name not in statement.bound | statement.stored | self.packages:
            return False
        if statement.may_change(name, binding):
            return True
        for called, _ in statement.calls:  # a function of the notebook that changes it
            origin = self.binding(called, index)
            node = origin.node if origin is not None else None
            is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            if is_function and origin is not None and name in origin.deferred and origin.may_change_within(name):
                return True
        return False

    def _last(self, name: str, before: int) -> int | None:
        for index in reversed(self._binding.get(name, ())):
            if index < before and name in self.statements[index].sure:
                return index
        return None

    def _later(self, name: str, at: int) -> Place | None:
        return next((self.statements[i].place for i in self._binding.get(name, ()) if i >= at), None)
