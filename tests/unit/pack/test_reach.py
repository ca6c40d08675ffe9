"""What a task reaches: whatever can change its result changes the digest, what cannot does not."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.pack import libraries
from flyte_jupyter.pack.codec import dumps, loads
from flyte_jupyter.pack.reach import Reach, interface_text, reach

ROOT = Path(__file__).parents[3]


def cell(source: str, number: int = 1, **names: Any) -> dict[str, Any]:
    """The namespace after a cell was run."""
    scope: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(textwrap.dedent(source), f"/tmp/ipykernel_1/{number}.py", "exec"), scope)
    return scope


def of(source: str, **names: Any) -> Reach:
    """What the function `f` of a cell reaches."""
    return reach(cell(source, **names)["f"])


def changed(before: Reach, after: Reach) -> set[str]:
    names = before.parts.keys() | after.parts.keys()
    return {name for name in names if _digest(before, name) != _digest(after, name)}


def _digest(found: Reach, name: str) -> str | None:
    part = found.parts.get(name)
    return part.digest if part is not None else None


WORK = """
import functools

size = 3
settings = {"rate": [0.5, {"depth": 2}]}

def helper(x, by=2):
    return x * by

class Base:
    def start(self):
        return 1

class Model(Base):
    scale = 1.5
    def predict(self, x):
        return self.start() + helper(x) * self.scale

def make(n):
    def inner(x):
        return x + n
    return inner

add = make(10)
model = Model()

def f(x: int) -> float:
    '''Works.'''
    total = add(x) + size + model.predict(x)
    for name, value in settings.items():
        total += len(name)
    return total
"""


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("return x * by", "return x * by + 1", {"function helper"}),
        ("by=2", "by=3", {"function helper"}),
        ("def helper(x,", "def helper(x: int,", {"function helper"}),
        ("size = 3", "size = 4", {"global size"}),
        ("size = 3", "size = True", {"global size"}),
        ('"depth": 2', '"depth": 3', {"global settings"}),
        ('{"rate": [0.5, {"depth": 2}]}', '{"depth": 2, "rate": 0.5}', {"global settings"}),
        ("0.5", "0.25", {"global settings"}),
        ("total = add", "total = -add", {"function f"}),
        ("total += len(name)", "total -= len(name)", {"function f"}),
        ("x + n", "x - n", {"function make.<locals>.inner"}),
        ("make(10)", "make(11)", {"closure n of make.<locals>.inner"}),
        ("self.start() +", "2 * self.start() +", {"function Model.predict"}),
        ("scale = 1.5", "scale = 1.25", {"class Model"}),
        ("return 1", "return 2", {"function Base.start"}),
        ("class Model(Base)", "class Model(Base, int)", {"class Model", "global model"}),
        ("model = Model()", "model = Model(); model.name = 'a'", {"global model"}),
        ("'''Works.'''", "'''Does it.'''", {"function f"}),
    ],
)
def test_what_is_changed_is_known(old: str, new: str, parts: set[str]) -> None:
    assert old in WORK
    before, after = of(WORK), of(WORK.replace(old, new))
    assert parts == changed(before, after)
    assert before.digest != after.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n", "\n\n"),
        ("return x * by", "# by default twice\n    return x * by  # here"),
        ("return x * by", "return (\n        x\n        * by\n    )"),
        ("total = add(x) + size", "total = add(\n        x,\n    ) + size"),
        ("def helper(x, by=2):", "def helper(\n    x,\n    by=2,\n):"),
        ("    return x + n", "    return x + n\n    # the end"),
        ("total += len(name)", "total += len(name); pass"),
        ("size = 3", "size = 1 + 2"),
        ('{"rate": [0.5, {"depth": 2}]}', "dict(rate=[0.5, dict(depth=2)])"),
    ],
)
def test_comments_and_layout_make_no_difference(old: str, new: str) -> None:
    assert of(WORK).digest == of(WORK.replace(old, new)).digest


def test_neither_does_what_is_not_used() -> None:
    unused = WORK + "\ndef other(): return size\nunused = 3\nmodel_path = 'x'\n"
    assert of(WORK).digest == of(unused).digest
    assert of("def f(x): return x.size", size=1).digest == of("def f(x): return x.size", size=2).digest


def test_a_part_says_where_it_is() -> None:
    parts = of(WORK).parts
    assert ("/tmp/ipykernel_1/1.py", 7) == (parts["function helper"].file, parts["function helper"].line)
    first_method, itself = 11, 10  # a class knows its line from Python 3.13 on
    assert (parts["class Base"].file, parts["class Base"].line) in [
        ("/tmp/ipykernel_1/1.py", line) for line in (first_method, itself)
    ]
    assert "" == parts["global size"].file


def test_the_place_does_not_count() -> None:
    assert reach(cell(WORK)["f"]).digest == reach(cell("\n" * 9 + WORK, 7)["f"]).digest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("try:\n        a(); b()\n    except E: pass", "a()\n    try:\n        b()\n    except E: pass"),
        ("return a or b", "return a and b"),
        ("return a[1]", "return a[2]"),
        ("return 1", "return 1.0"),
        ("return 1", "return True"),
        ("return 0.0", "return -0.0"),
        ("return a.b", "return a.c"),
        ("return {1, 2}", "return {1, 3}"),
        ("return x in {'a', 'b'}", "return x in {'a', 'c'}"),
        ("return lambda y: y", "return lambda y: -y"),
        ("yield x", "return x"),
        ("return x", "return y"),
        ("return a < b < c", "return a < b <= c"),
        ("while x: a()", "if x: a()"),
        ("return f'{a:2}'", "return f'{a:3}'"),
        ("return a(b=1)", "return a(c=1)"),
        ("import json", "import csv"),
        ("from json import loads as a", "from json import dumps as a"),
        ("with a: b()", "with a as c: b()"),
        ("return (1, (2, 3))", "return (1, (2, 4))"),
        ("return [y for y in x if y]", "return [y for y in x if not y]"),
        ("class C: z = 1", "class C: z = 2"),
        ("return a\n    return b", "return b\n    return a"),
    ],
)
def test_code_that_does_something_else_is_different(before: str, after: str) -> None:
    head = "def f(x, y=0):\n    "
    assert of(head + before).digest != of(head + after).digest


def test_async_and_other_parameters_are_different() -> None:
    heads = ["def f(x, y)", "def f(y, x)", "def f(x, *y)", "def f(x, *, y)", "def f(x, /, y)", "async def f(x, y)"]
    assert len(heads) == len({of(f"{head}: return 1").digest for head in heads})


def test_code_without_source() -> None:
    """As `exec` and a plain Python prompt give it."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec("def f(x): return x + 1", scope)
    before = reach(scope["f"]).digest
    exec("def f(x): return x + 2", scope)
    assert before != reach(scope["f"]).digest


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_that_is_bound_to_something_else() -> None:
    source = "def a(x): return x\ndef b(x): return x\ng = {}\ndef f(x): return g(x) + a(x) + b(x)"
    assert {"global g"} == changed(of(source.format("a")), of(source.format("b")))


def test_a_name_that_is_not_there_any_more() -> None:
    """The one built in takes its place, whatever else still reaches the function."""
    scope = cell("def sum(x): return 1\nmine = sum\ndef f(x): return sum(x) + mine(x)")
    before = reach(scope["f"]).digest
    del scope["sum"]
    assert before != reach(scope["f"]).digest


def test_functions_of_one_name_are_told_apart() -> None:
    source = "a, b = {}, {}\ndef f(x): return a(x) + b(x)"
    one = of(source.format("lambda x: 1", "lambda x: 2"))
    other = of(source.format("lambda x: 2", "lambda x: 1"))
    assert {"function <lambda>", "function <lambda> (2)"} == changed(one, other)


def test_decorated_functions() -> None:
    source = """
import functools
def twice(g):
    @functools.wraps(g)
    def wrapper(*args):
        return 2 * g(*args)
    return wrapper
@functools.lru_cache(maxsize=None)
def cached(x): return x
@twice
def helper(x): return x
part = functools.partial(helper, 3)
def f(x): return helper(x) + cached(x) + part()
"""
    before = of(source)
    assert {"function helper"} == changed(before, of(source.replace("2 * g", "3 * g")))
    assert {"function helper (2)"} == changed(
        before, of(source.replace("def helper(x): return x", "def helper(x): return -x"))
    )
    assert {"function cached"} == changed(
        before, of(source.replace("def cached(x): return x", "def cached(x): return -x"))
    )
    assert {"global part"} == changed(before, of(source.replace("helper, 3", "helper, 4")))


def test_a_state_that_a_function_keeps_counts() -> None:
    scope = cell("def helper(): return helper.count\nhelper.count = 1\ndef f(): return helper()")
    before = reach(scope["f"]).digest
    scope["helper"].count = 2
    assert before != reach(scope["f"]).digest


CLASSES = """
import abc, collections, dataclasses, enum, typing

@dataclasses.dataclass
class Box:
    size: int = 3
    tags: list = dataclasses.field(default_factory=list)

@dataclasses.dataclass(frozen=True, slots=True)
class Slim:
    a: int
    b: str = "x"

class Color(enum.Enum):
    RED = 1
    BLUE = "b"
    def shown(self): return self.name.title()

class Shape(abc.ABC):
    __slots__ = ("side",)
    @abc.abstractmethod
    def area(self): ...
    @property
    def name(self): return "shape"
    @classmethod
    def of(cls): return cls()
    @staticmethod
    def unit(): return 1

class Square: ...

Point = collections.namedtuple("Point", "x y")

class Row(typing.NamedTuple):
    a: int
    b: str = "q"

T = typing.TypeVar("T")

class Holder(typing.Generic[T]):
    def get(self, x: T) -> T: return x

class Meta(type):
    def who(cls): return 1

class Made(metaclass=Meta): ...

class Mode(enum.Flag):
    READ = 1
    WRITE = 2

def f(): return Box, Slim, Color, Shape, Point, Row, Holder, Made, Mode, Square
"""


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("size: int = 3", "size: int = 4", "class Box"),
        ("default_factory=list", "default_factory=set", "class Box"),
        ("tags: list", "tags: set", "class Box"),
        ("frozen=True, ", "", "class Slim"),
        ('b: str = "x"', 'b: str = "y"', "class Slim"),
        ("RED = 1", "RED = 2", "class Color"),
        ("self.name.title()", "self.name", "function Color.shown"),
        ("    READ = 1\n    WRITE = 2", "    WRITE = 2\n    READ = 1", "class Mode"),
        ("class Square: ...", "class Square: ...\nShape.register(Square)", "class Shape"),
        ('"shape"', '"form"', "function Shape.name"),
        ("return cls()", "return cls", "function Shape.of"),
        ("return 1\n\nclass Sq", "return 2\n\nclass Sq", "function Shape.unit"),
        ('("side",)', '("edge",)', "class Shape"),
        ('"x y"', '"x z"', "class Point"),
        ('b: str = "q"', 'b: str = "r"', "class Row"),
        ("x: T) -> T: return x", "x: T) -> T: return -x", "function Holder.get"),
        ("def who(cls): return 1", "def who(cls): return 2", "function Meta.who"),
    ],
)
def test_classes(old: str, new: str, part: str) -> None:
    assert old in CLASSES
    assert part in changed(of(CLASSES), of(CLASSES.replace(old, new)))


def test_the_order_of_a_dict_counts() -> None:
    """A loop sees it, and so do the columns of a frame that is made of it."""
    before, after = (
        of(f"names = {names}\ndef f(): return list(names)") for names in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    )
    assert {"global names"} == changed(before, after)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="flags have no boundary before")
def test_the_boundary_of_flags_counts() -> None:
    source = "import enum\nclass Mode(enum.Flag, boundary=enum.STRICT): READ = 1\ndef f(): return Mode(9)"
    assert {"class Mode"} == changed(of(source), of(source.replace("STRICT", "KEEP")))


def test_models_of_pydantic() -> None:
    source = """
import pydantic
class Order(pydantic.BaseModel):
    number: int = 1
    name: str = pydantic.Field(default="a", max_length=10)
    @pydantic.field_validator("name")
    @classmethod
    def lower(cls, v): return v.lower()
def f(): return Order()
"""
    before = of(source)
    assert before.digest == of("\n" + source).digest
    assert "class Order" in changed(before, of(source.replace("number: int = 1", "number: int = 2")))
    assert "class Order" in changed(before, of(source.replace("max_length=10", "max_length=11")))
    assert "function Order.lower" in changed(before, of(source.replace("v.lower()", "v")))


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes a file beside "the notebook"; modules from there are forgotten at the end."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # an edit within a second is seen

    def write(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_of_a_module_what_is_taken_of_it(write: Callable[[str, str], None]) -> None:
    text = "RATE = 2\ncalls = []\ndef scale(x): return x * RATE\ndef other(x): return x\n"
    write("reach_a.py", text)
    module = importlib.import_module("reach_a")
    source = "import reach_a\ndef f(x): return reach_a.scale(x)"
    before = of(source)
    assert {"function f", "function reach_a.scale", "global reach_a.RATE"} == before.parts.keys()
    module.calls.append(1)
    write("reach_a.py", text.replace("def other(x): return x", "def other(x): return -x"))
    importlib.reload(module)
    assert before.digest == of(source).digest
    write("reach_a.py", text.replace("x * RATE", "x + RATE"))
    assert before.digest == of(source).digest  # what runs is what is loaded
    importlib.reload(module)
    assert {"function reach_a.scale"} == changed(before, of(source))
    write("reach_a.py", text.replace("RATE = 2", "RATE = 3"))
    importlib.reload(module)
    assert {"global reach_a.RATE"} == changed(before, of(source))


def test_a_module_that_is_passed_on_counts_whole(write: Callable[[str, str], None]) -> None:
    write("reach_b.py", "A = 1\ndef g(): return A\n")
    source = "import reach_b\ndef f(x): return getattr(reach_b, x)"
    before = of(source)
    write("reach_b.py", "A = 1\ndef g(): return -A\n")
    importlib.reload(sys.modules["reach_b"])
    assert {"function reach_b.g"} == changed(before, of(source))
    sys.modules["reach_b"].NEW = 1  # type: ignore[attr-defined]
    assert {"function reach_b.g", "module reach_b", "global reach_b.NEW"} == changed(before, of(source))


@pytest.mark.parametrize(
    "source",
    [
        "import reach_pkg.deep.leaf\ndef f(x): return reach_pkg.deep.leaf.g(x)",
        "from reach_pkg.deep import leaf\ndef f(x): return leaf.g(x)",
        "from reach_pkg.deep.leaf import g\ndef f(x): return g(x)",
    ],
)
def test_modules_in_folders(write: Callable[[str, str], None], source: str) -> None:
    write("reach_pkg/deep/leaf.py", "def g(x): return x\n")  # no __init__.py
    before = of(source)
    write("reach_pkg/deep/leaf.py", "def g(x): return -x\n")
    importlib.reload(sys.modules["reach_pkg.deep.leaf"])
    assert {"function reach_pkg.deep.leaf.g"} == changed(before, of(source))


def test_what_is_imported_when_it_runs_is_read_from_the_disk(write: Callable[[str, str], None]) -> None:
    write("reach_c/__init__.py", "")
    write("reach_c/one.py", "from . import two\nfrom .three import g\nimport json, numpy\n")
    write("reach_c/two.py", "def h(x): return x\n")
    write("reach_c/three.py", "import reach_d\ndef g(x): return reach_d.VALUE\n")
    write("reach_d.py", "VALUE = 1\n")
    source = "def f(x):\n    from reach_c import one\n    return one.g(x)"
    before = of(source)
    files = {"file reach_c", "file reach_c.one", "file reach_c.two", "file reach_c.three", "file reach_d"}
    assert files | {"function f", "library numpy"} == before.parts.keys()
    write("reach_d.py", "# no more than a comment\nVALUE = 1\n")
    assert before.digest == of(source).digest
    write("reach_d.py", "VALUE = 2\n")
    assert {"file reach_d"} == changed(before, of(source))
    write("reach_c/two.py", "def h(x) return\n")  # the task will say so
    assert {"file reach_c.two", "file reach_d"} == changed(before, of(source))
    assert not any(name.startswith("reach_") for name in sys.modules)


def test_a_module_that_is_not_there_yet(write: Callable[[str, str], None]) -> None:
    source = "def f(x):\n    import reach_later\n    return reach_later.g(x)"
    before = of(source)
    write("reach_later.py", "def g(x): return x\n")
    assert {"file reach_later"} == changed(before, of(source))


# --- libraries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\ndef f(x): return np.mean(x)",
        "from numpy.linalg import norm\ndef f(x): return norm(x)",
        "def f(x):\n    import numpy.random\n    return x",
        "import numpy as np\nstart = np.float64(1)\ndef f(x): return start",
    ],
)
def test_a_library_counts_by_its_version(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = of(source)
    assert np.__version__ == before.parts["library numpy"].digest
    monkeypatch.setattr(libraries, "version", lambda name: "0.1")
    assert {"library numpy"} == changed(before, of(source))


def test_python_itself_is_no_library() -> None:
    source = "import json, re, os.path\ndef f(x): return json.dumps(x), re.compile('a'), os.path.join, len"
    assert not [name for name in of(source).parts if name.startswith("library")]


# --- what cannot be told ----------------------------------------------------------------------------------------------


def test_what_has_no_bytes_is_said() -> None:
    found = of("def f(): return lock, [lock]", lock=threading.Lock())
    assert ("global lock (_thread.lock)",) == found.unknown


def test_it_is_not_sure_of_what_others_pickle() -> None:
    class Odd:
        def __reduce__(self) -> Any:
            return Odd, ()

    assert of("def f(): return x", x=[1, {"a"}]).is_sure
    assert not of("def f(): return x", x=Odd()).is_sure
    assert not of("def f(): return x", x={Odd()}).is_sure


def test_it_is_not_fooled_by_what_says_it_is_a_function() -> None:
    class Proxy:
        __class__ = types.FunctionType  # type: ignore[assignment]

    assert "global x" in of("def f(): return x", x=Proxy()).parts


# --- tasks ------------------------------------------------------------------------------------------------------------

env = TaskEnvironment(name="my_env")


def test_tasks_count_without_their_configuration() -> None:
    def task(source: str, **settings: Any) -> Any:
        return env.task(cell(source)["child"]).override(**settings)

    source = "def child(x: int) -> int: return x"
    before = of("def f(x): return child(x)", child=task(source))
    assert {"function f", "function child", "task my_env.child"} == before.parts.keys()
    assert before.digest == of("def f(x): return child(x)", child=task(source, retries=3, cache="auto")).digest
    other = of("def f(x): return child(x)", child=task(source.replace("return x", "return -x")))
    assert {"function child"} == changed(before, other)
    other = of("def f(x): return child(x)", child=task(source.replace("-> int", "-> float")))
    assert {"task my_env.child", "function child"} == changed(before, other)


def test_environments_count_by_their_name() -> None:
    found = of("def f(x): return env.name", env=env)
    assert {"function f", "global env"} == found.parts.keys()


def test_the_interface_has_no_order() -> None:
    one = env.task(cell("def f(a: int, b: list[str] = []) -> tuple[int, str]: ...")["f"])
    other = env.task(cell("def f(*, b: list[str] = ['x'], a: int) -> tuple[int, str]: ...")["f"])
    assert "(a: int, b: list[str]) -> (o0: int, o1: str)" == interface_text(one.interface)
    assert interface_text(one.interface) == interface_text(other.interface)


# --- other processes --------------------------------------------------------------------------------------------------

_ELSEWHERE = """
import sys, types
sys.modules["__main__"] = types.ModuleType("__main__")
from flyte_jupyter.pack.codec import loads
from flyte_jupyter.pack.reach import reach
f = loads([bytes.fromhex(sys.stdin.read())])
for name, part in sorted(reach(f).parts.items()):
    print(name, part.digest)
"""


@pytest.mark.parametrize("source", [WORK, CLASSES])
def test_the_same_in_other_processes(source: str) -> None:
    """Whatever the order of sets is there, and although everything came by value."""
    scope = cell(source)
    here = [f"{name} {part.digest}" for name, part in sorted(reach(scope["f"]).parts.items())]
    payload = b"".join(bytes(part) for part in dumps(scope["f"]).parts).hex()
    for seed in range(3):
        environ = {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", _ELSEWHERE], input=payload, env=environ, capture_output=True, text=True, check=True
        )
        assert here == done.stdout.splitlines()


def test_the_same_after_a_way_through_a_pickle() -> None:
    scope = cell(CLASSES)
    again = loads(dumps(scope["f"]).parts)
    assert set() == changed(reach(scope["f"]), reach(again))
