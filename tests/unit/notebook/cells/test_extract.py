from __future__ import annotations

import asyncio
import inspect
import textwrap
import traceback
from typing import Any

import pytest

from flyte_jupyter.notebook.cells.extract import CellCode, UnsupportedCell, analyse


def cell(source: str, **more: Any) -> CellCode:
    return analyse(textwrap.dedent(source), **more)


# source, free, early, required, assigned
NAMES: dict[str, tuple[str, str, str, str, str]] = {
    "nothing": ("", "", "", "", ""),
    "reads": ("total = sum(r['x'] for r in rows)", "sum rows", "", "", "total"),
    "assigned before": ("x = 1\ny = x", "", "", "", "x y"),
    "augmented": ("total += step", "step", "total", "total", "total"),
    "augmented after assignment": ("total = 0\ntotal += step", "step", "", "", "total"),
    "attribute of an input": ("df.x = 1\ndf['y'] += 2", "df", "", "", ""),
    "item of a local": ("d = {}\nd['x'] = v", "v", "", "", "d"),
    "branch": ("if flag:\n    x = 1\nprint(x)", "flag print", "x", "", "x"),
    "both branches": ("if flag:\n    x = 1\nelse:\n    x = 2\nprint(x)", "flag print", "", "", "x"),
    "loop variable": ("for i in items:\n    last = i\nprint(last)", "items print", "last", "", "i last"),
    "read in loop before assignment": ("for i in items:\n    print(x)\n    x = i", "items print", "x", "", "i x"),
    "while": ("while n:\n    n -= 1", "", "n", "n", "n"),
    "while, bound inside": ("while go():\n    x = 1\nx", "go", "x", "", "x"),
    "with": ("with open(p) as f:\n    t = f.read()", "open p", "", "", "f t"),
    "try": ("try:\n    x = f()\nexcept E as e:\n    print(e)\nprint(x)", "f E print", "x", "", "x e"),
    "try, both": ("try:\n    x = f()\nexcept E:\n    x = 0\nprint(x)", "f E print", "", "", "x"),
    "finally": ("try:\n    x = f()\nfinally:\n    done = 1\nprint(done, x)", "f print", "", "", "x done"),
    "match": ("match p:\n    case {'k': v, **rest}:\n        print(v, rest)", "p print", "", "", "v rest"),
    "match star": ("match p:\n    case [a, *b] if a > k:\n        c = b", "p k", "", "", "a b c"),
    "comprehension has a scope": ("ys = [x + k for x in xs if x]", "xs k", "", "", "ys"),
    "comprehension does not bind": ("[x for x in xs]\nprint(x)", "x xs print", "", "", ""),
    "walrus": ("if (n := len(xs)) > 2:\n    print(n)", "len xs print", "", "", "n"),
    "walrus in a comprehension": ("ys = [y := f(x) for x in xs]\nprint(y)", "f xs print", "y", "", "ys y"),
    "lambda": ("g = lambda a: a + b", "b", "", "", "g"),
    "function uses a local": ("k = 2\ndef f(x):\n    return x * k\ny = f(3)", "", "", "", "k f y"),
    "function uses what comes later": ("def f():\n    return k\nk = 2\nf()", "", "k", "", "f k"),
    "function calls itself": ("def f(n):\n    return f(n - 1)\nz = f(1)", "", "", "", "f z"),
    "function parameter": ("def f(rows):\n    return rows\ny = f(1)", "", "", "", "f y"),
    "function local": ("def f():\n    v = w\n    return v\ny = f()", "w", "", "", "f y"),
    "default": ("def f(a=b, *, c: T = d) -> R:\n    pass\ny = f()", "b T d R", "", "", "f y"),
    "decorator": ("@deco(k)\ndef f():\n    pass\ny = f()", "deco k", "", "", "f y"),
    "global in a function": ("def f():\n    global n\n    n = n + 1\nf()", "", "n", "", "f n"),
    "global, augmented": ("def f():\n    global n\n    n += 1\nf()", "", "n", "", "f n"),
    "global, bound before": ("n = 0\ndef f():\n    global n\n    n += 1\nf()", "", "", "", "n f"),
    "global at the top": ("global n\nn = 1", "", "", "", "n"),
    "nonlocal": ("def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = 2\nf()", "", "", "", "f"),
    "class": ("class A(Base):\n    k = v\n    def m(self):\n        return w\na = A()", "Base v w", "", "", "A a"),
    "class does not bind": ("class A:\n    k = 1\nprint(k)", "print k", "", "", "A"),
    "class reads a local": ("v = 1\nclass A:\n    k = v\na = A", "", "", "", "v A a"),
    "imports": ("import os.path, numpy as np\nfrom math import pi as p\nx = os, np, p", "", "", "", "os np p x"),
    "del": ("del big\nprint(1)", "print", "big", "big", "big"),
    "del of a local": ("x = 1\ndel x", "", "", "", "x"),
    "read after del": ("x = 1\ndel x\nprint(x)", "print", "x", "", "x"),
    "annotation alone": ("x: int\nprint(x)", "int print", "x", "x", "x"),
    "annotated": ("x: int = y", "int y", "", "", "x"),
    "await": ("r = await call(x)", "call x", "", "", "r"),
    "async for": ("async for i in stream:\n    n = i", "stream", "", "", "i n"),
    "async comprehension": ("r = [i async for i in stream]", "stream", "", "", "r"),
    "async with": ("async with lock as held:\n    n = held", "lock", "", "", "held n"),
    "f-string": ("s = f\"{a!r:>{width}} {b['k']} {'x' + c}\"", "a width b c", "", "", "s"),
    "unpacking": ("(a, *b), c.d = value", "c value", "", "", "a b"),
    "chained": ("a = b = c", "c", "", "", "a b"),
    "assert": ("assert x, msg", "x msg", "", "", ""),
    "dunder": ("print(__name__)", "print __name__", "", "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("source", "free", "early", "required", "assigned"), NAMES.values(), ids=list(NAMES))
def test_names(source: str, free: str, early: str, required: str, assigned: str) -> None:
    found = analyse(source)
    expected = [sorted(names.split()) for names in (free, early, required, assigned)]
    assert expected == [sorted(names) for names in (found.free, found.early, found.required, found.assigned)]


def test_names_are_in_the_order_they_appear() -> None:
    assert ("zeta", "alpha") == cell("zeta + alpha").free


@pytest.mark.parametrize(
    ("source", "kind", "functions"),
    [
        ("def f(): pass", "functions", ("f",)),
        ('"""Text."""\nimport os\n@deco\nasync def g(): pass\ndef f(): pass', "functions", ("g", "f")),
        ("import os", "body", ()),
        ("x = 1\ndef f(): pass", "body", ()),
        ("def f(): pass\nf()", "body", ()),
        ("class A: pass\ndef f(): pass", "body", ()),
        ("", "body", ()),
        ("# only a comment", "body", ()),
    ],
)
def test_kind(source: str, kind: str, functions: tuple[str, ...]) -> None:
    found = analyse(source)
    assert (kind, functions) == (found.kind, found.functions)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x", True),
        ("x;", False),
        ("x; # why", False),
        ("x  # ;", True),
        ("x = 1", False),
        ("f(\n  1\n)", True),
        ("", False),
    ],
)
def test_has_value(source: str, expected: bool) -> None:
    assert expected is analyse(source).has_value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("await x", True),
        ("async with x: pass", True),
        ("async def f():\n    await x\ny = f()", False),
        ("[i async for i in x]", True),
        ("x", False),
    ],
)
def test_is_async(source: str, expected: bool) -> None:
    assert expected is analyse(source).is_async


@pytest.mark.parametrize("source", ["return 1", "x = (", "yield 1", "nonlocal x", "def f(:\n  pass", "break"])
def test_syntax_errors_have_the_line_of_the_cell(source: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        analyse("a = 1\n" + source, offset=1)
    assert 3 == caught.value.lineno


def test_star_imports_are_refused() -> None:
    with pytest.raises(UnsupportedCell, match="line 3: `from math import"):
        analyse("x = 1\nfrom math import *", offset=1)


# --- the function -----------------------------------------------------------------------------------------------------


def call(source: str, given: dict[str, Any] | None = None, outputs: tuple[str, ...] = (), **world: Any) -> Any:
    found = cell(source)
    made: dict[str, Any] = {}
    exec(compile(found.function("made", list(given or {}), outputs), "<cell>", "exec"), world, made)
    result = made["made"](**(given or {}))
    return asyncio.run(result) if inspect.iscoroutine(result) else result


@pytest.mark.parametrize(
    ("source", "given", "outputs", "expected"),
    [
        ("total = sum(r['x'] for r in rows)", {"rows": [{"x": 1}, {"x": 2}]}, ("total",), 3),
        ("total += 2", {"total": 1}, ("total",), 3),
        ("a = 1\nb = 2", {}, ("b", "a"), (2, 1)),
        ("x = 4\nx * 2", {}, (), 8),
        ("x = 4\nx * 2;", {}, (), None),
        ("x = 4", {}, (), None),
        ("", {}, (), None),
        ("# comment", {}, (), None),
        ("'only text'", {}, (), "only text"),
        ("k = 3\ndef f(x):\n    return x * k\nf(2)", {}, (), 6),
        ("n = 0\ndef f():\n    global n\n    n += 1\nf()\nf()\nn", {}, (), 2),
        ("def f():\n    global n\n    n += 1\nf()", {"n": 5}, ("n",), 6),
        ("def f():\n    global fresh\n    fresh = 7\nf()\nfresh", {}, (), 7),
        ("global n\nn = 1\nn", {}, (), 1),
        ("class A:\n    k = v\nA.k", {"v": 9}, (), 9),
        ("class A:\n    def m(self):\n        global n\n        n = 3\nA().m()\nn", {}, (), 3),
        ("[y := x * 2 for x in xs]\ny", {"xs": [1, 2]}, (), 4),
        ("import math as m\nm.floor(x)", {"x": 2.5}, (), 2),
        ("from __future__ import annotations\nx: Missing = 1\nx", {}, (), 1),
        ("import asyncio\nawait asyncio.sleep(0)\nx = 5\nx", {}, (), 5),
        ("r = await one()\nr", {}, (), 1),
        ("del x\n'gone'", {"x": 1}, (), "gone"),
        ("def f(n):\n    return 1 if n == 0 else n * f(n - 1)\nf(4)", {}, (), 24),
        ("def f():\n    return len(word)\nword = 'abcd'\nf()", {}, (), 4),
    ],
)
def test_the_function_does_what_the_cell_does(
    source: str, given: dict[str, Any], outputs: tuple[str, ...], expected: Any
) -> None:
    async def one() -> int:
        return 1

    assert expected == call(source, given, outputs, one=one)


def test_others_globals_stay_global() -> None:
    world = {"counter": 1}
    call("def f():\n    global counter\n    return counter\nf()", {}, **world)


def test_line_numbers_are_the_cells() -> None:
    found = analyse("x = 1\n\n1 / zero\n", offset=1)
    made: dict[str, Any] = {}
    exec(compile(found.function("made", ["zero"], ["x"]), "<cell>", "exec"), {}, made)
    with pytest.raises(ZeroDivisionError) as caught:
        made["made"](0)
    assert 4 == traceback.extract_tb(caught.tb)[-1].lineno


def test_a_cell_can_become_a_function_more_than_once() -> None:
    found = cell("n = 0\ndef f():\n    global n\n    n += 1\nf()\nn")
    for _ in range(2):
        made: dict[str, Any] = {}
        exec(compile(found.function("made", []), "<cell>", "exec"), {}, made)
        assert 1 == made["made"]()
