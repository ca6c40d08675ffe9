"""What a function imports when it runs: in a fresh process, so what counts are the files as they are on the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder

from .bytecode import Facts, Import, facts
from .canonical import buffer
from .modules import is_installed_file, is_standard

_compiled: dict[bytes, Facts] = {}
"""By digest of the source: the same source is the same code."""


@dataclass(frozen=True)
class Source:
    """A module that is imported.

    Attributes:
        name: fully qualified; path: its file, "" for a folder without one and for what is not there.
        package: in which its own imports with dots are looked up.
        is_library: whether it is installed, so that its version says what it is.
    """

    name: str
    path: str = ""
    package: str = ""
    is_library: bool = False


def imported(imports: Iterable[Import], package: str) -> Iterator[Source]:
    """The modules that these imports load, each after the packages that it is in; those of Python are left out."""
    for each in sorted(imports, key=repr):
        names = _absolute(each, package)
        if not is_standard(names[0]):
            yield from _find(names)
            for name in each.these:
                *_, last = _find([*names, name])
                if last.path:  # else it is a name in the module
                    yield last


def told(source: Source) -> tuple[str, Facts | None]:
    """Digest and facts of a file of the user's; no facts of what is no Python source."""
    if not source.path:
        return "", None
    try:
        with open(source.path, "rb") as file:
            text = file.read()
    except OSError:
        return "", None
    digest = buffer(text)
    known = _compiled.get(digest)
    if known is None:
        try:
            known = _compiled[digest] = facts(compile(text, source.path, "exec", dont_inherit=True))
        except (SyntaxError, ValueError):
            return digest.hex(), None
    return hashlib.sha256(known.digest).hexdigest()[:32], known


def _absolute(each: Import, package: str) -> list[str]:
    name = each.name.split(".") if each.name else []
    if not each.level:
        return name
    parents = package.split(".")
    return [*parents[: len(parents) - each.level + 1], *name] or [""]


def _find(names: list[str]) -> Iterator[Source]:
    path: list[str] | None = None
    for i in range(len(names)):
        name = ".".join(names[: i + 1])
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            yield Source(name)
            return
        path = list(spec.submodule_search_locations or ())
        origin = spec.origin or ""
        if is_installed_file(origin or f"{(path or [''])[0]}/"):
            yield Source(name, is_library=True)
            return
        package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        yield Source(name, origin, package)
