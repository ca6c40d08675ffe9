"""Which modules travel with a task, and which are installed."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flyte_jupyter.pack.modules import is_local


@pytest.fixture
def import_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., types.ModuleType]]:
    """Writes a module at a path below a folder of its own and imports it."""
    before = set(sys.modules)

    def write_and_import(name: str, text: str = "", root: str = "") -> types.ModuleType:
        folder = tmp_path / root
        path = folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write_and_import
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    [
        "json",
        "numpy",
        "numpy.linalg",
        "pytest",
        "cloudpickle",
        "sys",
        "builtins",
        "flyte_jupyter.task",
        "flyte_jupyter",
        "not_imported_at_all",
    ],
)
def test_what_is_installed_or_unknown_stays(name: str) -> None:
    assert None is is_local(name)


def test_a_file_of_the_users_travels(import_from: Callable[..., types.ModuleType]) -> None:
    module = import_from("my_helpers_of_test_modules")
    assert module is is_local("my_helpers_of_test_modules")


def test_so_does_a_file_in_a_package_of_the_users(import_from: Callable[..., types.ModuleType]) -> None:
    module = import_from("my_package_of_test_modules.part")
    assert module is is_local("my_package_of_test_modules.part")
    # a folder without __init__.py has no file
    assert None is is_local("my_package_of_test_modules")


@pytest.mark.parametrize("root", ["venv/lib/python3.11/site-packages", "other/site-packages"])
def test_site_packages_of_anybody_stay(import_from: Callable[..., types.ModuleType], root: str) -> None:
    import_from("installed_elsewhere_of_test_modules", root=root)
    assert None is is_local("installed_elsewhere_of_test_modules")


def test_a_module_made_by_hand_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "made_by_hand", types.ModuleType("made_by_hand"))
    assert None is is_local("made_by_hand")


def test_compiled_modules_stay(import_from: Callable[..., types.ModuleType]) -> None:
    module = import_from("compiled_of_test_modules")
    module.__file__ = str(module.__file__).replace(".py", ".so")
    assert None is is_local("compiled_of_test_modules")


def test_a_link_into_an_installed_place_stays(
    import_from: Callable[..., types.ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_from("linked_of_test_modules", root="env/site-packages")
    (tmp_path / "linked").mkdir()
    module = sys.modules["linked_of_test_modules"]
    link = tmp_path / "linked" / "linked_of_test_modules.py"
    link.symlink_to(str(module.__file__))
    module.__file__ = str(link)
    assert None is is_local("linked_of_test_modules")
