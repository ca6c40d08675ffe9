"""Objects to bytes and back, also through a real process that knows nothing of this one."""

from __future__ import annotations

import importlib
import json
import pickle
import subprocess
import sys
import textwrap
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from flyte_jupyter.config.values import pod_spec
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.pack import codec
from flyte_jupyter.pack.codec import Pickled, dumps, loads

ROOT = Path(__file__).parents[3]
ELSEWHERE = f"""
import pickle, sys
sys.path.append({str(ROOT)!r})
from flyte_jupyter.pack.codec import dumps, loads
work = loads(pickle.load(sys.stdin.buffer))
pickle.dump([bytes(part) for part in dumps(work()).parts], sys.stdout.buffer)
"""


def elsewhere(work: Callable[[], Any]) -> Any:
    """What a function returns when it is called in a process of its own, far from our files."""
    given = pickle.dumps([bytes(part) for part in dumps(work).parts])
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], input=given, capture_output=True, cwd="/", check=False)
    assert 0 == done.returncode, done.stderr.decode()
    return loads(pickle.loads(done.stdout))


def here(obj: Any) -> Any:
    return loads(dumps(obj).parts)


def notebook(source: str) -> types.SimpleNamespace:
    """What cells define: their module is `__main__`, which is not importable elsewhere."""
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(textwrap.dedent(source), cell)
    return types.SimpleNamespace(**{name: value for name, value in cell.items() if name[:2] != "__"})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], types.ModuleType]]:
    """Writes a file beside "the notebook" and imports it."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # an edit within a second is seen

    def write(name: str, source: str) -> types.ModuleType:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def registered() -> set[str]:
    return set(cloudpickle.cloudpickle.list_registry_pickle_by_value())


# --- what travels -----------------------------------------------------------------------------------------------------

WORK: dict[str, tuple[str, Any]] = {
    "a lambda": ("work = lambda: 7", 7),
    "a global": (
        """
        n = 5
        def work(): return n + 2
        """,
        7,
    ),
    "a closure": (
        """
        def outer(n):
            def work(): return n + 2
            return work
        work = outer(5)
        """,
        7,
    ),
    "defaults": ("def work(a=3, *, b=4): return a + b", 7),
    "a helper": (
        """
        def helper(n): return n + 2
        def work(): return helper(5)
        """,
        7,
    ),
    "a recursive function": (
        """
        def f(n): return 1 if n < 2 else n * f(n - 1)
        def work(): return f(5)
        """,
        120,
    ),
    "functions that call each other": (
        """
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n > 0 and even(n - 1)
        def work(): return even(10)
        """,
        True,
    ),
    "a class": (
        """
        class A:
            def f(self): return 7
        def work(): return A().f()
        """,
        7,
    ),
    "a class that names itself": (
        """
        class A:
            def twin(self): return A
        def work(): return A().twin() is A
        """,
        True,
    ),
    "super": (
        """
        class A:
            def f(self): return 3
        class B(A):
            def f(self): return super().f() + 4
        def work(): return B().f()
        """,
        7,
    ),
    "a property and a class method": (
        """
        class A:
            n = 7
            @property
            def p(self): return self.n
            @classmethod
            def c(cls): return cls().p
        def work(): return A.c()
        """,
        7,
    ),
    "a dataclass": (
        """
        from dataclasses import dataclass, replace
        @dataclass(frozen=True)
        class P:
            x: int = 3
            y: int = 4
        def work(): return str(replace(P(), y=5))
        """,
        "P(x=3, y=5)",
    ),
    "slots": (
        """
        class A:
            __slots__ = ('n',)
        a = A(); a.n = 7
        def work(): return a.n
        """,
        7,
    ),
    "an enum": (
        """
        import enum
        class Color(enum.Enum):
            RED = 1
            def shout(self): return self.name + '!'
        def work(): return Color(1).shout()
        """,
        "RED!",
    ),
    "a named tuple": (
        """
        import typing
        class P(typing.NamedTuple):
            x: int
            y: int = 4
        def work(): return str(P(3))
        """,
        "P(x=3, y=4)",
    ),
    "an imported module": (
        """
        import json
        def work(): return json.dumps([7])
        """,
        "[7]",
    ),
    "a part of a package": (
        """
        import os.path
        def work(): return os.path.join('a', 'b')
        """,
        "a/b",
    ),
    "a generator function": (
        """
        def g():
            yield from range(3)
        def work(): return list(g())
        """,
        [0, 1, 2],
    ),
    "a coroutine function": (
        """
        import asyncio
        async def f(): return 7
        def work(): return asyncio.run(f())
        """,
        7,
    ),
    "a decorated function": (
        """
        import functools
        def twice(f):
            @functools.wraps(f)
            def g(): return 2 * f()
            return g
        @twice
        def work(): return 7
        """,
        14,
    ),
    "a partial": (
        """
        import functools
        work = functools.partial(int, '7')
        """,
        7,
    ),
    "a bound method": (
        """
        class A:
            n = 7
            def f(self): return self.n
        work = A().f
        """,
        7,
    ),
}


def test_everything_that_cells_define_travels() -> None:
    """All in one process, because starting one for each takes its time."""
    works = {name: notebook(source).work for name, (source, _) in WORK.items()}
    results = elsewhere(lambda: {name: work() for name, work in works.items()})
    assert {name: expected for name, (_, expected) in WORK.items()} == results


def test_a_recursive_closure() -> None:
    cell = notebook(
        """
        def outer():
            def f(n): return 1 if n < 2 else n * f(n - 1)
            return f
        f = outer()
        def work(): return f(5)
        """
    )
    assert 120 == elsewhere(cell.work)


def test_one_object_stays_one() -> None:
    shared = [1]
    left, right = here((shared, shared))
    assert left is right


# --- classes that this process has already ----------------------------------------------------------------------------

CLASSES = """
import dataclasses, enum

@dataclasses.dataclass
class Point:
    x: int
    tags = []

    def double(self):
        return Point(2 * self.x)

    def __add__(self, other):
        return Point(self.x + other.x)

class Color(enum.Enum):
    RED = 1
    BLUE = 2

class Odd(Exception):
    def __init__(self, number):
        super().__init__(number)

p = Point(3)
def work():
    Point.tags.append("elsewhere")
    return p.double(), Point, Color.BLUE, Odd(3)
"""


@pytest.mark.parametrize("kind", ["notebook", "module"])
def test_a_class_keeps_its_identity_and_its_methods(kind: str, module: Callable[[str, str], types.ModuleType]) -> None:
    ours: Any = notebook(CLASSES) if kind == "notebook" else module("classes_of_test_codec", CLASSES)
    before = {name: vars(ours.Point)[name] for name in ("double", "__add__", "__init__", "tags")}
    point, cls, color, error = elsewhere(ours.work)
    assert (ours.Point, ours.Point, ours.Odd) == (type(point), cls, type(error))
    assert ours.Color.BLUE is color
    assert ours.Point(6) == point
    assert ours.Point(12) == point.double()
    assert (3,) == error.args
    after = {name: vars(ours.Point)[name] for name in before}
    assert {name: id(value) for name, value in before.items()} == {name: id(value) for name, value in after.items()}
    assert [] == ours.Point.tags  # what was changed elsewhere stays elsewhere


def test_a_class_that_is_defined_again_is_another_one() -> None:
    first = notebook("class A:\n    n = 1\na = A()\ndef work(): return a")
    second = notebook("class A:\n    n = 2\na = A()\ndef work(): return a")
    assert (1, 2) == (elsewhere(first.work).n, elsewhere(second.work).n)
    assert (first.A, second.A) == (type(here(first.a)), type(here(second.a)))


def test_a_method_given_later_stays() -> None:
    cell = notebook("class A:\n    pass\ndef work(): return A()")
    data = dumps(cell.A()).parts
    cell.A.late = lambda self: 7
    assert 7 == loads(data).late()
    assert 7 == elsewhere(cell.work).late()


def test_a_class_made_elsewhere_arrives_whole() -> None:
    made = elsewhere(notebook("def work():\n    class A:\n        def f(self): return 7\n    return A()").work)
    assert 7 == made.f()


# --- modules beside the notebook --------------------------------------------------------------------------------------


def test_a_module_beside_the_notebook_travels(module: Callable[[str, str], types.ModuleType]) -> None:
    helpers = module(
        "helpers_of_test_codec",
        "FACTOR = 2\ndef inner(n): return n * FACTOR\ndef twice(n): return inner(n)\nclass A:\n    n = 7\n",
    )

    def work() -> Any:
        return helpers.twice(4), helpers.A().n

    assert (8, 7) == elsewhere(work)
    twice = helpers.twice
    assert 10 == elsewhere(lambda: twice(5))


def test_an_edited_module_travels_as_edited(module: Callable[[str, str], types.ModuleType]) -> None:
    before = module("edited_of_test_codec", "def f(): return 'before'\n")
    assert "before" == elsewhere(before.f)
    Path(str(before.__file__)).write_text("def f(): return 'after it was edited'\n")
    assert "after it was edited" == elsewhere(importlib.reload(before).f)


def test_a_package_beside_the_notebook_travels(module: Callable[[str, str], types.ModuleType]) -> None:
    module("package_of_test_codec.__init__", "")
    module("package_of_test_codec.low", "def f(n): return n + 1\n")
    high = module("package_of_test_codec.high", "from .low import f\ndef g(n): return f(n) * 2\n")
    assert 8 == elsewhere(lambda: high.g(3))


def test_what_travels_is_named(module: Callable[[str, str], types.ModuleType]) -> None:
    helpers = module("named_of_test_codec", "import json\ndef f(): return json.dumps(1)\n")

    def work() -> Any:
        return helpers.f(), np.zeros(3), pd.DataFrame

    pickled = dumps(work)
    assert {"numpy", "pandas", "json"} <= pickled.referenced
    assert "named_of_test_codec" not in pickled.referenced
    assert {__file__, str(helpers.__file__)} == set(pickled.files)


def test_installed_code_does_not_travel() -> None:
    pickled = dumps((np.ndarray, pytest.raises, pd.Series))
    assert frozenset() == pickled.files
    assert {"numpy", "_pytest", "pandas"} == pickled.referenced
    assert len(pickled.parts[0]) < 500


# --- cloudpickle's own registry ---------------------------------------------------------------------------------------


def test_the_registry_is_left_as_it_was(module: Callable[[str, str], types.ModuleType]) -> None:
    mine = module("registered_of_test_codec", "def f(): return 1\n")
    other = module("not_registered_of_test_codec", "def f(): return 1\n")
    lock = threading.Lock()
    cloudpickle.register_pickle_by_value(mine)
    try:
        before = registered()
        dumps((mine.f, other.f))
        assert before == registered()
        with pytest.raises(TypeError):
            dumps((other.f, lock))
        assert before == registered()
        assert {mine.__name__} <= before
    finally:
        cloudpickle.unregister_pickle_by_value(mine)


def test_threads_do_not_disturb_each_other(module: Callable[[str, str], types.ModuleType]) -> None:
    modules = [module(f"thread_{n}_of_test_codec", f"def f(): return {n}\nclass A: n = {n}\n") for n in range(4)]
    before = registered()
    ready = threading.Barrier(8)

    def go(me: int) -> list[tuple[int, type]]:
        mine = modules[me % 4]
        ready.wait(10)
        found = []
        for _ in range(30):
            f, a = here((mine.f, mine.A()))
            found.append((f(), type(a)))
        return found

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(go, range(8)))
    assert [[(me % 4, modules[me % 4].A)] * 30 for me in range(8)] == results
    assert before == registered()


def test_one_pickle_at_a_time() -> None:
    """The registry is one per process: nobody may change it while somebody else pickles."""
    free: list[bool] = []

    def take() -> None:
        free.append(codec._registry_lock.acquire(blocking=False))
        if free[-1]:
            codec._registry_lock.release()

    class Probe:
        def __reduce__(self) -> Any:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(take).result(10)
            return int, ()

    assert 0 == here(Probe())
    take()
    assert [False, True] == free


# --- large buffers ----------------------------------------------------------------------------------------------------


def test_large_arrays_are_not_copied() -> None:
    array = np.arange(100_000, dtype=np.float64)
    pickled = dumps({"a": array, "again": array})
    assert 2 == len(pickled.parts)
    assert len(pickled.parts[0]) < 1000
    assert np.shares_memory(array, np.frombuffer(pickled.parts[1]))
    data = pickle.dumps(array.tobytes())  # keeps `data` apart from the array
    received: list[bytes | memoryview] = [bytes(pickled.parts[0]), memoryview(pickle.loads(data))]
    found = loads(received)
    assert found["a"] is found["again"]
    assert np.shares_memory(found["a"], np.frombuffer(received[1]))
    assert np.array_equal(array, found["a"])
    assert not found["a"].flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        found["a"][0] = 1


def test_small_arrays_are_inside_the_pickle() -> None:
    pickled = dumps(np.arange(10))
    assert 1 == len(pickled.parts)
    assert list(range(10)) == here(np.arange(10)).tolist()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(60_000).reshape(200, 300)[:, ::2],
        np.asfortranarray(np.arange(60_000).reshape(200, 300)),
        np.array([["a" * 1000] * 30, ["b"] * 30]),
        np.array([{"an": "object"}] * 5000, dtype=object),
        np.empty((0, 100)),
    ],
    ids=["strided", "fortran", "text", "objects", "empty"],
)
def test_arrays_of_all_kinds(array: Any) -> None:
    found = here(array)
    assert (array.dtype, array.shape, array.tolist()) == (found.dtype, found.shape, found.tolist())


def test_frames_are_not_copied() -> None:
    frame = pd.DataFrame({"a": np.arange(50_000), "b": np.arange(50_000) / 2})
    pickled = dumps(frame)
    assert len(pickled.parts) > 1
    assert len(pickled.parts[0]) < 10_000
    pd.testing.assert_frame_equal(frame, loads(pickled.parts))


def test_a_pickle_says_what_it_is() -> None:
    assert isinstance(dumps(1), Pickled)
    assert (frozenset(), frozenset()) == (dumps(1).referenced, dumps(1).files)


def test_a_pod_template_is_unpickled_without_the_client_of_kubernetes() -> None:
    container = {"name": "primary", "image": "a:1"}
    template = PodTemplate(pod_spec.like(None, {"containers": [container]}), annotations={"a": "b"})
    load = "import json, pickle, sys; t = pickle.loads(sys.stdin.buffer.read());"
    program = f"{load} print(json.dumps([t.as_request(), 'kubernetes' in sys.modules]))"
    data = bytes(dumps(template).parts[0])
    found = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)
    asked = {"podSpec": {"containers": [container]}, "primary": "primary", "annotations": {"a": "b"}}
    assert [asked, False] == json.loads(found.stdout)
