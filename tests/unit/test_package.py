"""The public names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import flyte_jupyter as flyte


def test_editors_and_python_are_told_the_same() -> None:
    tree = ast.parse(Path(flyte.__file__).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    told = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
    }
    assert told == flyte._MODULE_OF


@pytest.mark.parametrize("name", sorted(flyte._MODULE_OF))
def test_every_name_can_be_had(name: str) -> None:
    assert getattr(flyte, name) is not None
    assert name in dir(flyte)


def test_a_star_imports_all_of_them() -> None:
    found: dict[str, object] = {}
    exec("from flyte_jupyter import *", found)
    assert flyte._MODULE_OF.keys() | {"__version__"} == found.keys() - {"__builtins__"}


def test_other_names_cannot() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = flyte.nothing  # type: ignore[attr-defined]
