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

_STANDARD = frozenset(sys.stdlib_module_names) | {"builtins"}


@cache
def _installed_under() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    places = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    places.update(site.getsitepackages(), [site.getusersitepackages()])
    return tuple(os.path.realpath(place) + os.sep for place in places)


@cache
def is_installed_file(path: str) -> bool:
    """Whether a file belongs to Python, to something installed or to this package, and not to the user's work."""
    real = os.path.realpath(path)
    return real.startswith(_installed_under()) or "site-packages" in real.split(os.sep) or is_ours(real)


def installed(names: Iterable[str]) -> set[str]:
    """The top-level names of those loaded modules that were installed with pip, conda or the like; no private ones."""
    found: set[str] = set()
    for top in {name.partition(".")[0] for name in names} - _STANDARD:
        file = getattr(sys.modules.get(top), "__file__", None)
        if isinstance(file, str) and top[0] != "_" and is_installed_file(file) and not is_ours(os.path.abspath(file)):
            found.add(top)
    return found


def is_local(name: str) -> types.ModuleType | None:
    """The module, if it is a file of the user's that is not installed anywhere, else None."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if module is None or not isinstance(file, str) or not file.endswith(".py") or is_installed_file(file):
        return None
    return module


def is_installed(name: str | None) -> bool:
    """Whether what is defined there is the same wherever it is imported. What came by value has no module here."""
    return name in sys.modules and name != "__main__" and is_local(name or "") is None


def is_standard(name: str) -> bool:
    """Whether a module comes with Python, by its name alone."""
    return name.partition(".")[0] in _STANDARD


def is_users(module: types.ModuleType) -> bool:
    """Whether a module is a file or a folder of the user's; one that came by value is."""
    if module.__name__ not in sys.modules or is_local(module.__name__) is not None:
        return True
    if getattr(module, "__file__", None) is not None or module.__name__ == "__main__":
        return False
    return any(not is_installed_file(os.path.join(path, "")) for path in getattr(module, "__path__", ()))


def is_place(file: str) -> bool:
    """Whether people can look there: a cell or a file of theirs, and nothing that Python has made up."""
    return bool(file) and file[:1] != "<" and not is_installed_file(file)
