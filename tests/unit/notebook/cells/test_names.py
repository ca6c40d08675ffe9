from __future__ import annotations

import ast
from pathlib import Path

import pytest

import flyte_jupyter
from flyte_jupyter.notebook.cells.names import bound_plainly, names

FILES = sorted(Path(flyte_jupyter.__file__).parent.glob("notebook/**/*.py"))


def test_what_shows_at_once_is_what_symtable_says() -> None:
    """Of every statement of these files, at the top and within."""
    nodes = [n for path in FILES for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.stmt)]
    plain = {node: bound_plainly(node) for node in nodes if not isinstance(node, (ast.Nonlocal, ast.Return))}
    wrong = [ast.unparse(n) for n, bound in plain.items() if bound is not None and bound != names(n).bound]
    assert [] == wrong
    assert sum(bound is not None for bound in plain.values()) > len(nodes) / 4


@pytest.mark.parametrize(
    "source",
    ["f(y := 1)", "def f(a=(b := 1)): ...", "def f():\n global g\n g = 1", "from a import *", "x = [i for i in y]"],
)
def test_what_does_not_is_left_to_it(source: str) -> None:
    assert bound_plainly(ast.parse(source).body[0]) is None
