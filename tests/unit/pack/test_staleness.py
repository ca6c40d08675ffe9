"""The one thing that must never happen: a program that computes something else has the same digest.

Programs are put together from pieces that refer to each other in every way that the walk has to see, and changed at one
place.  Whatever comes out differently for some input must have another digest; what only looks different must not.
"""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flyte_jupyter.pack.codec import dumps, loads
from flyte_jupyter.pack.reach import reach

_PIECES = """
=== global number: G{n}
G{n} = {k}
=== global list: L{n}[0] + len(L{n}[1])
L{n} = [{k}, [x for x in range({j})]]
=== global dict: D{n}['a'] * D{n}['b'][0]
D{n} = {{'a': {k}, 'b': ({j}, 'text')}}
=== global set: len(S{n}) + ({k} in S{n})
S{n} = {{{k}, {j}, 'a'}}
=== function: f{n}(x)
def f{n}(x):
    return x * {k} + {j}
=== default: d{n}(x)
def d{n}(x, y={k}, *, z={j}):
    return x + y * z
=== closure: c{n}(x)
def m{n}(k):
    def inner(x):
        return x + k
    return inner
c{n} = m{n}({k})
=== lambda: l{n}(x)
l{n} = lambda x: x - {k}
=== recursion: r{n}(x % 5)
def r{n}(x):
    return {k} if x <= 0 else r{n}(x - 1) + {j}
=== loop: w{n}(x)
def w{n}(x):
    total = {k}
    for i in range({j}):
        total += i if i % 2 else x
    return total
=== try: t{n}(x)
def t{n}(x):
    try:
        return {k} // (x - {j})
    except ZeroDivisionError:
        return {j}
=== text: s{n}(x)
def s{n}(x):
    return len(f'{{x:{k}}}' + 'a' * {j})
=== class: C{n}(x).area() + C{n}.unit() + C{n}(x).twice
class C{n}:
    size = {k}
    def __init__(self, x):
        self.x = x
    def area(self):
        return self.x * self.size + {j}
    @staticmethod
    def unit():
        return {j}
    @property
    def twice(self):
        return 2 * self.x
=== subclass: E{n}().go()
class B{n}:
    def go(self):
        return {k}
class E{n}(B{n}):
    def go(self):
        return super().go() + {j}
=== dataclass: P{n}().a + P{n}().b[0]
import dataclasses
@dataclasses.dataclass
class P{n}:
    a: int = {k}
    b: list = dataclasses.field(default_factory=lambda: [{j}])
=== enum: N{n}.A.value + N{n}.B.value
import enum
class N{n}(enum.Enum):
    A = {k}
    B = {j} + 100
=== instance: i{n}.v + i{n}.w[0]
class I{n}: pass
i{n} = I{n}()
i{n}.v = {k}
i{n}.w = [{j}]
=== partial: p{n}(x)
import functools
def q{n}(x, y):
    return x * y
p{n} = functools.partial(q{n}, {k})
=== decorator: u{n}(x)
def o{n}(g):
    def wrapper(x):
        return g(x) + {k}
    return wrapper
@o{n}
def u{n}(x):
    return x * {j}
=== table of functions: A{n}['go'](x) * A{n}['n']
def a{n}(x):
    return x + {k}
A{n} = {{'go': a{n}, 'n': {j}}}
=== attribute: v{n}(x)
def v{n}(x):
    return x * v{n}.factor
v{n}.factor = {k}
=== array: int(Y{n}.sum())
import numpy
Y{n} = numpy.arange({j} + 2) * {k}
"""


def _pieces() -> dict[str, tuple[str, str]]:
    """What is defined, and how it is used, by kind; `n` makes names different, `k` and `j` are numbers."""
    found = {}
    for piece in _PIECES.split("=== ")[1:]:
        head, _, source = piece.partition("\n")
        kind, _, use = head.partition(": ")
        found[kind] = (source.rstrip(), use)
    return found


PIECES = _pieces()
SMALL = st.integers(min_value=1, max_value=6)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The source of a cell that defines `f`, which uses all that the cell defines."""
    kinds = draw(st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=4))
    definitions, used = [], []
    for n, kind in enumerate(kinds):
        source, use = PIECES[kind]
        names = {"n": n, "k": draw(SMALL), "j": draw(SMALL)}
        definitions.append(source.format(**names))
        used.append(use.format(**names))
    return "\n".join([*definitions, f"def f(x):\n    return {' + '.join(used)}\n"])


def ran(source: str) -> dict[str, Any]:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "/tmp/ipykernel_1/1.py", "exec"), scope)
    return scope


def behaviour(scope: dict[str, Any]) -> list[Any]:
    """What `f` gives for some inputs, or what it raises."""
    found: list[Any] = []
    for x in (0, 1, 2, 3, 7, 11):
        try:
            found.append(scope["f"](x))
        except Exception as error:
            found.append((type(error), str(error)))
    return found


class Change(ast.NodeTransformer):
    """Changes one place of a program, the one with that number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def _is_it(self) -> bool:
        self.left -= 1
        return self.left == -1

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, int) and self._is_it():
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, (ast.Add, ast.Mult)) and self._is_it():
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if self._is_it():
            node.body, node.orelse = node.orelse, node.body
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if node.value is not None and self._is_it():
            node.value = ast.Tuple([node.value], ast.Load())
        return node


def changed(source: str, number: int) -> str:
    tree = Change(number).visit(ast.parse(source))
    return ast.unparse(ast.fix_missing_locations(tree))


def relaid(source: str, seed: int) -> str:
    """The same program with other blank lines and comments."""
    rng = random.Random(seed)
    lines: list[str] = []
    for line in source.splitlines():
        indent = len(line) - len(line.lstrip())
        lines += ["", f"{' ' * indent}# {rng.random()}"] * rng.randint(0, 2)
        lines.append(line + "  # so" * rng.randint(0, 1))
    return "\n".join(lines) + "\n"


@settings(max_examples=400, deadline=None)
@given(programs(), st.integers(min_value=0, max_value=25))
def test_what_computes_something_else_has_another_digest(source: str, number: int) -> None:
    other = changed(source, number)
    assume(other != ast.unparse(ast.parse(source)))
    try:
        scopes = ran(source), ran(other)
    except (TypeError, ValueError):
        assume(False)
    before, after = map(behaviour, scopes)
    assume(before != after)
    assert reach(scopes[0]["f"]).digest != reach(scopes[1]["f"]).digest


@settings(max_examples=150, deadline=None)
@given(programs(), st.integers())
def test_what_only_looks_different_has_the_same(source: str, seed: int) -> None:
    assert reach(ran(source)["f"]).digest == reach(ran(relaid(source, seed))["f"]).digest


@settings(max_examples=60, deadline=None)
@given(programs())
def test_it_is_the_same_after_a_way_through_a_pickle(source: str) -> None:
    func = ran(source)["f"]
    again = loads([bytes(part) for part in dumps(func).parts])
    assert {name: part.digest for name, part in reach(func).parts.items()} == {
        name: part.digest for name, part in reach(again).parts.items()
    }


@pytest.mark.parametrize("kind", sorted(PIECES))
def test_every_piece_counts(kind: str) -> None:
    """So that the properties above are about something: each number in each piece makes a difference."""
    source, use = PIECES[kind]
    text = f"{source.format(n=0, k=2, j=3)}\ndef f(x):\n    return {use.format(n=0, k=2, j=3)}\n"
    before = ran(text)
    differed = 0
    for number in range(30):
        other = changed(text, number)
        if other == ast.unparse(ast.parse(text)):
            break
        try:
            after = ran(other)
        except (TypeError, ValueError):
            continue
        if behaviour(before) != behaviour(after):
            differed += 1
            assert reach(before["f"]).digest != reach(after["f"]).digest, other
    assert differed
