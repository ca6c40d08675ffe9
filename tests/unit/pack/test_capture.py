"""What cannot be sent is named, with the way to it and the way out."""

from __future__ import annotations

import contextlib
import io
import socket
import sqlite3
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.errors import CaptureError
from flyte_jupyter.pack.call import pack_inputs, seal_code
from flyte_jupyter.pack.capture import explain
from flyte_jupyter.pack.codec import dumps

KEY = b"k" * 32
env = TaskEnvironment(name="capture")


class Engine:
    """Stands for a client that holds a lock."""

    def __init__(self) -> None:
        self.settings = {"retries": 3}
        self.lock = threading.Lock()

    def use(self) -> None: ...


def told(name: str, obj: Any) -> list[str]:
    """The lines that explain why something cannot be pickled."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - cloudpickle raises what it likes
        dumps(obj)
    return str(explain(name, obj, caught.value)).splitlines()


def trail(obj: Any) -> str:
    """Name → path → kind."""
    return told("train", obj)[0].partition(": cannot be sent")[0]


def cell(source: str, **names: Any) -> Any:
    """The function `f` of a cell that knows some names."""
    scope: dict[str, Any] = {"__name__": "__main__", **names}
    exec(source, scope)
    return scope["f"]


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        yield connection


# --- the path ---------------------------------------------------------------------------------------------------------


def test_a_global() -> None:
    f = cell("def f(): return lock", lock=threading.Lock())
    assert "train → global 'lock' → _thread.lock" == trail(f)


def test_a_global_of_a_helper() -> None:
    f = cell("def deep(): return lock\ndef helper(): return deep()\ndef f(): return helper()", lock=threading.Lock())
    assert "train → function 'helper' → function 'deep' → global 'lock' → _thread.lock" == trail(f)


def test_a_name_used_in_an_inner_function() -> None:
    f = cell("def f():\n    return [lock for _ in range(3)], lambda: lock", lock=threading.Lock())
    assert "train → global 'lock' → _thread.lock" == trail(f)


def test_a_closure(db: sqlite3.Connection) -> None:
    def train() -> Any:
        return db.cursor()

    assert "train → closure 'db' → sqlite3.Connection" == trail(train)


def test_a_closure_that_is_not_set_yet(db: sqlite3.Connection) -> None:
    def make() -> Callable[[], Any]:
        def train() -> Any:
            return later, db

        if db is None:
            later = 1
        return train

    assert "train → closure 'db' → sqlite3.Connection" == trail(make())


def test_defaults() -> None:
    lock = threading.Lock()
    assert "train → default of 'b' → _thread.lock" == trail(cell("def f(a=1, b=lock): ...", lock=lock))
    assert "train → default of 'b' → _thread.lock" == trail(cell("def f(*, a=1, b=lock): ...", lock=lock))


def test_nested_containers() -> None:
    obj = {"fine": [1, 2], "deep": [1, ({"a": 1}, {("x", 2): threading.Lock()})]}
    assert "train → 'deep' → [1] → [1] → [('x', 2)] → _thread.lock" == trail(obj)


def test_an_attribute() -> None:
    f = cell("def f(): return engine.use()", engine=Engine())
    assert "train → global 'engine' → attribute 'lock' → _thread.lock" == trail(f)


def test_a_bound_method() -> None:
    f = cell("def f(): return use()", use=Engine().use)
    assert "train → global 'use' → self → attribute 'lock' → _thread.lock" == trail(f)


def test_an_attribute_of_a_class() -> None:
    f = cell("class A:\n    lock = lock\ndef f(): return A()", lock=threading.Lock())
    assert "train → global 'A' → attribute 'lock' → _thread.lock" == trail(f)


def test_a_module_beside_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("beside_of_test_capture")
    module.__file__ = str(tmp_path / "beside_of_test_capture.py")
    exec("import threading\nlock = threading.Lock()\ndef g(): return lock", vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    f = cell("def f(): return beside.g()", beside=module)
    assert "train → global 'beside' → 'beside_of_test_capture.lock' → _thread.lock" == trail(f)


def test_what_contains_itself() -> None:
    ring: list[Any] = [threading.Lock()]
    ring.insert(0, ring)
    assert "train → [1] → _thread.lock" == trail(ring)


def test_a_recursive_function() -> None:
    f = cell("def f(n): return f(n - 1) if n else lock", lock=threading.Lock())
    assert "train → global 'lock' → _thread.lock" == trail(f)


def test_the_depth_is_bounded() -> None:
    obj: Any = threading.Lock()
    for _ in range(40):
        obj = [obj]
    assert ["[0]"] * 12 == trail(obj).split(" → ")[1:-1]


# --- the reason and the way out ---------------------------------------------------------------------------------------


def test_the_reason_is_told() -> None:
    first, second = told("train", cell("def f(): return lock", lock=threading.Lock()))
    assert (
        "train → global 'lock' → _thread.lock: cannot be sent to the task's process"
        " (cannot pickle '_thread.lock' object)."
    ) == first
    assert "Make the lock inside the task; tasks share no memory, so a lock here would not protect anything." == second


def test_every_kind_has_its_way_out(db: sqlite3.Connection, tmp_path: Path) -> None:
    async def coroutine() -> None: ...

    waiting = coroutine()
    with socket.socket() as sock, (tmp_path / "file").open("w") as file:
        kinds = {
            "sqlite3.Connection": (db, "Open the connection inside the task"),
            "socket.socket": (sock, "Open it inside the task, from its address"),
            "_io.TextIOWrapper": (file, "Open the file inside the task, from its path"),
            "_thread.lock": (threading.Lock(), "Make the lock inside the task"),
            "generator": ((n for n in ()), "Pass a list of its items"),
            "coroutine": (waiting, "Await it first"),
            "frame": (sys._getframe(), "Make it inside the task, or pass as an input what it is made from"),
        }
        lines = {kind: told("train", [obj]) for kind, (obj, _) in kinds.items()}
    waiting.close()
    assert [f"train → [0] → {kind}" for kind in kinds] == [first.partition(":")[0] for first, _ in lines.values()]
    assert [True] * len(kinds) == [lines[kind][1].startswith(way_out) for kind, (_, way_out) in kinds.items()]


def test_one_who_says_no_himself_is_quoted() -> None:
    class Stubborn:
        def __reduce__(self) -> Any:
            raise RuntimeError("I stay here.")

    first = told("train", [Stubborn()])[0]
    assert first.startswith("train → [0] → ")
    assert first.endswith("Stubborn: cannot be sent to the task's process (I stay here).")


def test_one_who_says_no_without_a_word_is_named_by_the_class_of_the_error() -> None:
    class Silent:
        def __reduce__(self) -> Any:
            raise NotImplementedError

    assert told("train", [Silent()])[0].endswith("(NotImplementedError).")


# --- as a user meets it -----------------------------------------------------------------------------------------------


def test_a_task_is_named_as_its_user_named_it(db: sqlite3.Connection) -> None:
    @env.task
    def train(path: str) -> Any:
        return db.execute(path)

    with pytest.raises(CaptureError, match=r"^train → closure 'db' → sqlite3\.Connection: cannot be sent") as caught:
        seal_code(KEY, train)
    assert isinstance(caught.value, TypeError)
    assert caught.value.__suppress_context__
    with pytest.raises(CaptureError, match=r"^Training → closure 'db'"):
        seal_code(KEY, train.override(short_name="Training"))


def test_an_input_is_named() -> None:
    @env.task
    def train(path: str, settings: Any) -> None: ...

    code = seal_code(KEY, train)
    inputs = {"path": "p", "settings": {"log": io.TextIOWrapper(io.BytesIO())}}
    with pytest.raises(CaptureError, match=r"^train → input → 'settings' → 'log' → _io\.TextIOWrapper: cannot be sent"):
        pack_inputs(train, code.digest, inputs)


def test_a_task_that_calls_a_task_that_cannot_go() -> None:
    lock = threading.Lock()

    @env.task
    def inner() -> None:
        lock.acquire()

    @env.task
    def outer() -> None:
        inner()

    with pytest.raises(CaptureError, match=r"^outer → closure 'inner' → closure 'lock' → _thread\.lock"):
        seal_code(KEY, outer)


def test_a_value_that_cannot_come_back() -> None:
    obj = {"model": threading.Lock()}
    text = str(explain("train → returned value", obj, TypeError("no"), returned=True))
    assert (
        "train → returned value → 'model' → _thread.lock: cannot leave the task's process"
        " (cannot pickle '_thread.lock' object).\n"
        "Return what it is made from (a path, a URL, plain data), and make it again where it is used."
    ) == text
