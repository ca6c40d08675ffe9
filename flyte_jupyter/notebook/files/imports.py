"""Imports as a module has them at its top: each once, sorted, only what is used. Pure."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass

from .statements import PACKAGE


@dataclass(frozen=True)
class Imported:
    """One imported name.

    Attributes:
        module: with its leading dots; name: what is taken from it, "" for the module itself; alias: what it is called
            here, "" for its own name.
    """

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name that it binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def top(self) -> str:
        """The package."""
        return self.module.partition(".")[0]

    @property
    def is_standard(self) -> bool:
        """Whether it is Python's own."""
        return self.top in sys.stdlib_module_names

    @property
    def is_kept(self) -> bool:
        """Whether it counts though nobody reads what it binds: `from __future__`, `import *`."""
        return self.module == "__future__" or self.name == "*"

    def line(self) -> str:
        """As a line of its own, without `from`."""
        return f"import {self.module}{f' as {self.alias}' if self.alias else ''}"


def imported(node: ast.stmt) -> list[Imported]:
    """The names that an import imports."""
    if isinstance(node, ast.Import):
        return [Imported(a.name, "", a.asname or "") for a in node.names]
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return [Imported(module, a.name, a.asname or "") for a in node.names]
    return []


def import_lines(names: Collection[Imported], *, package: str = PACKAGE, is_local: Callable[[str], bool]) -> str:
    """All of them, in the order that formatters of imports agree on."""
    sections: dict[int, list[Imported]] = {}
    for name in {_of(name, package) for name in names}:
        sections.setdefault(_section(name, is_local), []).append(name)
    return "\n\n".join("\n".join(_lines(sections[section])) for section in sorted(sections))


def _of(name: Imported, package: str) -> Imported:
    """`name`, taken from `package` instead of ours."""
    if package == PACKAGE or name.top != PACKAGE:
        return name
    module = package + name.module[len(PACKAGE) :]
    alias = name.alias if name.name or name.alias else PACKAGE
    return Imported(module, name.name, "" if alias == module else alias)


def _section(name: Imported, is_local: Callable[[str], bool]) -> int:
    if name.module == "__future__":
        return 0
    if name.module.startswith("."):
        return 4
    return 1 if name.is_standard else 3 if is_local(name.top) else 2


def _lines(names: Collection[Imported]) -> list[str]:
    whole = sorted((n for n in names if not n.name), key=lambda n: (n.module.lower(), n.module, n.alias))
    taken: dict[str, list[Imported]] = {}
    for name in names:
        if name.name:
            taken.setdefault(name.module, []).append(name)
    lines = [name.line() for name in whole]
    for module in sorted(taken, key=lambda m: (m.lower(), m)):
        parts = sorted(taken[module], key=lambda n: (_kind(n.name), n.name.lower(), n.name, n.alias))
        said = [f"{p.name} as {p.alias}" if p.alias else p.name for p in parts]
        line = f"from {module} import {', '.join(said)}"
        lines += [line] if len(line) <= 88 else [f"from {module} import (", *(f"    {s}," for s in said), ")"]
    return lines


def _kind(name: str) -> int:
    """Constants, then classes, then the rest."""
    return 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
