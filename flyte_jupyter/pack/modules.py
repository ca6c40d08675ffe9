"""Which modules belong to the user's work, and so travel with a task, and which are installed."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import types
from collections.abc import Iterable
from functools import cache

from ..errors import is_ours

_STANDARD = frozenset(sys.stdlib_module_names)


@cache
def _installed_under() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    places = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    places.update(site.getsitepackages(), [site.getusersitepackages()])
    return tuple(os.path.realpath(place) + os.sep for place in places)


@cache
def _is_installed(path: str) -> bool:
    real = os.path.realpath(path)
    return real.startswith(_installed_under()) or "site-packages" in real.split(os.sep) or is_ours(real)


def installed(names: Iterable[str]) -> set[str]:
    """The top-level names of those loaded modules that were installed with pip, conda or the like; no private ones."""
    found: set[str] = set()
    for top in {name.partition(".")[0] for name in names} - _STANDARD:
        file = getattr(sys.modules.get(top), "__file__", None)
        if isinstance(file, str) and top[0] != "_" and _is_installed(file) and not is_ours(os.path.abspath(file)):
            found.add(top)
    return found


def is_local(name: str) -> types.ModuleType | None:
    """The module, if it is a file of the user's that is not installed anywhere, else None."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if module is None or not isinstance(file, str) or not file.endswith(".py") or _is_installed(file):
        return None
    return module
