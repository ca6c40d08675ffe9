"""Results that are kept: found again by every process, and never when something that counts is different."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.engine.run import Run
from flyte_jupyter.engine.version import FunctionBodyPolicy
from flyte_jupyter.home import Home
from flyte_jupyter.pack.surroundings import surroundings
from flyte_jupyter.store import cached
from flyte_jupyter.task import Task
from tests.conftest import forget_session
from tests.integration.processes import program

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="kept", cache="auto")


def cell(source: str, number: int = 1, **names: Any) -> Callable[..., Any]:
    """The function `f` that a cell defines."""
    scope: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(source, f"/tmp/ipykernel_1/{number}.py", "exec"), scope)
    return scope["f"]  # type: ignore[no-any-return]


def task_of(source: str, number: int = 1, **names: Any) -> Task[..., Any]:
    return env.task(cell(source, number, **names))


def asked(task: Task[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, bool]:
    """The value of a call, and whether it was kept from an earlier one."""
    run = flyte.run(task, *args, **kwargs)
    return run.result(), run.is_cached


WORK = """
size = 1
def helper(x, by=2):
    return x * by
def f(x: int, y: int = 3) -> int:
    return helper(x) + y + size
"""


# --- found again ------------------------------------------------------------------------------------------------------


def test_a_result_is_computed_once() -> None:
    work = task_of(WORK)
    assert [(6, False), (6, True), (6, True)] == [asked(work, 1) for _ in range(3)]


def test_a_default_is_the_same_as_its_value() -> None:
    work = task_of(WORK)
    assert [(6, False), (6, True), (6, True)] == [asked(work, 1), asked(work, x=1, y=3), asked(work, 1, 3)]


def test_a_run_whose_result_was_kept_is_a_run_like_others() -> None:
    work = task_of(WORK)
    first = flyte.run(work, 1)
    run = flyte.run(work, 1)
    assert "succeeded" == run.phase.value
    assert f"stored 0 s ago by run {first.name}" == run.cache
    assert ["x", "y"] == list(run.inputs())
    assert [True] == [action["is_cached"] for action in run.view()["actions"]]
    assert "6" == run.view()["result"]["text"]
    assert [run.name, first.name] == [each.name for each in flyte.runs()]


def test_another_kernel_shows_it_and_finds_the_result_too() -> None:
    flyte.run(task_of(WORK), 1)
    run = flyte.run(task_of(WORK), 1)
    forget_session()
    again = flyte.get_run(run.name)
    assert (6, True, run.cache) == (again.result(), again.is_cached, again.cache)
    assert (6, True) == asked(task_of(WORK), 1)


PROGRAM = """
import flyte_jupyter as flyte
from beside import scale

env = flyte.TaskEnvironment(name="restarted", cache="auto")
class Box:
    def __init__(self, size):
        self.size = size
    def __eq__(self, other):
        return type(other) is Box and other.size == self.size
known = {"b", "a", "c"}

@env.task
def work(x: int, box: object) -> object:
    return [Box(scale(x)), box, known]

if __name__ == "__main__":
    run = flyte.run(work, 2, Box(1))
    print(run.is_cached, run.result() == [Box(scale(2)), Box(1), known], run.cache)
"""


def said(folder: Path, source: str = PROGRAM) -> str:
    with program(folder, source) as process:
        out, err = process.communicate(timeout=60)
    assert "" == err
    return out.strip()


def test_a_program_that_is_run_again_and_changed(tmp_path: Path) -> None:
    """Each time a process of its own, with another order of sets; a class that is defined again is the same class."""
    (tmp_path / "beside.py").write_text("def scale(x):\n    return 2 * x\n")
    assert "False True nothing is stored yet" == said(tmp_path)
    assert said(tmp_path).startswith("True True stored ")
    (tmp_path / "beside.py").write_text("def other(): ...\n\ndef scale(x):\n    return 2 * x  # twice\n")
    assert said(tmp_path, PROGRAM.replace("@env.task\n", "@env.task(retries=2)\n")).startswith("True True stored ")
    (tmp_path / "beside.py").write_text("def scale(x):\n    return 3 * x\n")
    place = f'File "{tmp_path / "beside.py"}", line 1'
    assert f"False True `beside.scale` changed in {place}" == said(tmp_path)
    changed = PROGRAM.replace("self.size = size", "self.size = size + 0")
    assert said(tmp_path, changed).startswith("False True `Box.__init__` changed in ")


# --- not found, and why -----------------------------------------------------------------------------------------------

F_CHANGED = '`f` changed in File "/tmp/ipykernel_1/7.py", line 5'


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("x * by", "x * by + 0", '`helper` changed in File "/tmp/ipykernel_1/7.py", line 3'),
        ("by=2", "by=4", '`helper` changed in File "/tmp/ipykernel_1/7.py", line 3'),
        ("size = 1", "size = 2", "global `size` changed"),
        ("y: int = 3", "y: int = 4", F_CHANGED),
        ("-> int", "-> float", "the types of inputs or outputs changed and " + F_CHANGED),
    ],
)
def test_what_is_different_is_said(old: str, new: str, why: str) -> None:
    flyte.run(task_of(WORK), 1, 3)
    run = flyte.run(task_of(WORK.replace(old, new), 7), 1, 3)
    assert (False, why) == (run.is_cached, run.cache)


@pytest.mark.parametrize(
    ("old", "new"),
    [("x * by", "x * by  # twice"), ("\n", "\n\n"), ("def f(", "def f(\n    "), ("size = 1", "size = 3 - 2")],
)
def test_comments_and_layout_are_not_different(old: str, new: str) -> None:
    flyte.run(task_of(WORK), 1)
    assert (6, True) == asked(task_of(WORK.replace(old, new), 7), 1)


def test_configuration_is_not_different() -> None:
    work = task_of(WORK)
    flyte.run(work, 1)
    configured = work.override(retries=3, timeout=60, short_name="other", resources=flyte.Resources(cpu=1), queue="q")
    assert (6, True) == asked(configured, 1)


READS = """
import os
def f(x: int) -> str:
    return os.environ.get("MODE", "none") * x
"""


def test_environment_variables_count_wherever_they_are_given() -> None:
    work = task_of(READS)
    assert ("none", False) == asked(work, 1)
    trained = flyte.run(work.override(env_vars={"MODE": "train"}), 1)
    assert ("train", "env_vars changed") == (trained.result(), trained.cache)
    for_all = [flyte.with_runcontext(env_vars={"MODE": mode}).run(work, 1) for mode in ("test", "train")]
    assert [("test", False), ("train", True)] == [(run.result(), run.is_cached) for run in for_all]
    assert ("none", True) == asked(work, 1)


def test_environment_variables_of_children_count() -> None:
    def parent(mode: str) -> Task[..., Any]:
        child = flyte.TaskEnvironment("kept_child", env_vars={"MODE": mode}).task(cell(READS))
        return task_of("def f() -> str: return child(1)", child=child)

    assert [("a", False), ("b", False), ("a", True)] == [asked(parent(mode)) for mode in ("a", "b", "a")]


def test_what_an_image_says_counts_also_where_this_machine_leaves_it_out() -> None:
    def told(command: str) -> dict[str, str]:
        image = flyte.Image.from_debian_base().with_commands([command])
        return surroundings(flyte.TaskEnvironment("kept_in_image", image=image).task(cell(WORK)))

    assert told("echo 1 > /v") == told("echo 1 > /v") != told("echo 2 > /v")


def test_the_image_counts_by_what_it_comes_to(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text("WORD = 'one'")

    def work() -> Task[..., Any]:
        image = flyte.Image.from_debian_base().with_source_file(tmp_path / "words.py")
        source = "def f() -> str:\n    import words\n    return words.WORD"
        return flyte.TaskEnvironment("kept_in_image", image=image, cache="auto").task(cell(source))

    assert [("one", False), ("one", True)] == [asked(work()), asked(work())]
    (tmp_path / "words.py").write_text("WORD = 'two'")
    run = flyte.run(work())
    assert ("two", "image changed") == (run.result(), run.cache)


def test_the_reason_is_about_the_same_inputs_when_there_are_any() -> None:
    flyte.run(task_of(WORK), 1)
    flyte.run(task_of(WORK), 2)
    changed = task_of(WORK.replace("x * by", "by * x"))
    assert '`helper` changed in File "/tmp/ipykernel_1/1.py", line 3' == flyte.run(changed, 1).cache
    assert "input `x` differs" == flyte.run(changed, 5, 3).cache
    assert "input `x` differs and input `y` differs" == flyte.run(changed, 6, 7).cache


def test_closures_and_globals_that_change_while_the_kernel_runs() -> None:
    source = (
        "def make(n):\n    def f() -> int:\n        return n[0] + settings['a']\n    return f\nn = [1]\nf = make(n)"
    )
    scope: dict[str, Any] = {"__name__": "__main__", "settings": {"a": 1}}
    exec(source, scope)
    work = env.task(scope["f"])
    assert [(2, False), (2, True)] == [asked(work), asked(work)]
    scope["n"][0] = 2
    run = flyte.run(work)
    assert (3, "closure `n` of `f` changed") == (run.result(), run.cache)
    scope["settings"]["a"] = 2
    run = flyte.run(work)
    assert (4, "global `settings` changed") == (run.result(), run.cache)
    scope["n"][0], scope["settings"]["a"] = 1, 1
    assert (2, True) == asked(work)


def test_the_class_of_an_input_counts() -> None:
    def box(body: str) -> Any:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(f"class Box:\n    def area(self): {body}", "/tmp/ipykernel_1/4.py", "exec"), scope)
        return scope["Box"]()

    work = task_of("def f(box: object) -> int: return box.area()")
    assert [(1, False), (1, True)] == [asked(work, box("return 1")), asked(work, box("return 1"))]
    run = flyte.run(work, box("return 2"))
    assert (2, '`Box.area` changed in File "/tmp/ipykernel_1/4.py", line 2') == (run.result(), run.cache)


def test_an_error_is_not_kept(tmp_path: Path) -> None:
    @env.task
    def fails_at_first(folder: str) -> int:
        if not (Path(folder) / "once").exists():
            (Path(folder) / "once").touch()
            raise ValueError("at first")
        return 1

    with pytest.raises(ValueError, match="at first"):
        flyte.run(fails_at_first, str(tmp_path))
    assert [(1, False), (1, True)] == [asked(fails_at_first, str(tmp_path)) for _ in range(2)]


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:-1] + b"?"])
def test_what_is_damaged_is_computed_again(home: Home, damage: Callable[[bytes], bytes]) -> None:
    work = task_of(WORK)
    flyte.run(work, 1)
    (entry,) = [each.key for each in cached.kept(session.current().store)]
    path = home.path / "store" / entry
    path.write_bytes(damage(path.read_bytes()))
    run = flyte.run(work, 1)
    assert (6, False) == (run.result(), run.is_cached)
    assert run.cache.startswith("what is stored cannot be used: ")
    assert (6, True) == asked(work, 1)


@pytest.mark.parametrize("told", [{}, {"version": 1}, {"version": {}}, {"version": {"Python": "3"}, "parts": []}])
def test_what_is_told_by_another_version_of_ours_is_no_harm(home: Home, told: dict[str, Any]) -> None:
    flyte.run(task_of(WORK), 1)
    (path,) = (home.path / "store" / "cache").glob("*/*/*.json")
    path.write_text(json.dumps({"created": 1.0, "task": "kept.f", **told}))
    run = flyte.run(task_of(WORK.replace("size = 1", "size = 2")), 1)
    assert (7, False) == (run.result(), run.is_cached)
    assert run.cache
    assert 2 == len(flyte.cache.list())


def test_a_result_that_was_moved_to_another_key_is_not_used(home: Home) -> None:
    work = task_of(WORK)
    flyte.run(work, 1)
    flyte.run(work, 2)
    one, other = [home.path / "store" / each.key for each in cached.kept(session.current().store)]
    one.write_bytes(other.read_bytes())
    results = [flyte.run(work, 1), flyte.run(work, 2)]
    assert [6, 8] == [run.result() for run in results]
    assert [False, True] == sorted(run.is_cached for run in results)


class Restless:
    """Pickled in another way each time."""

    def __reduce__(self) -> Any:
        return Restless, (), {"at": time.perf_counter_ns()}


def test_what_has_no_stable_hash_is_said_and_not_kept() -> None:
    work = task_of("def f(x: object) -> int: return 1")
    run = flyte.run(work, [Restless()])
    said = "input `x` has no stable hash: it looks different each time, so its results are not stored"
    assert (False, said) == (run.is_cached, run.cache)
    run = flyte.run(task_of("def f() -> int: return 1 if thing else 0", thing=Restless()))
    assert run.cache.startswith("global thing has no stable hash")
    assert [] == list(cached.kept(session.current().store))


# --- what was asked for -----------------------------------------------------------------------------------------------


def test_disabled() -> None:
    work = task_of(WORK).override(cache="disable")
    assert [(6, False, "")] * 2 == [
        (run.result(), run.is_cached, run.cache) for run in (flyte.run(work, 1), flyte.run(work, 1))
    ]


def test_override_runs_and_stores() -> None:
    work = task_of(WORK)
    override = work.override(cache="override")
    assert [False, False, True] == [asked(each, 1)[1] for each in (override, override, work)]
    assert 'cache="override": what is stored is replaced' == flyte.run(override, 1).cache


def test_options_of_a_run() -> None:
    work = task_of(WORK)
    flyte.run(work, 1)
    run = flyte.with_runcontext(disable_run_cache=True).run(work, 1)
    assert (False, "it is switched off for this run (disable_run_cache)") == (run.is_cached, run.cache)
    flyte.with_runcontext(disable_run_cache=True).run(work, 2)
    assert (8, False) == asked(work, 2)
    run = flyte.with_runcontext(overwrite_cache=True).run(work, 1)
    assert (False, "overwrite_cache=True: what is stored is replaced") == (run.is_cached, run.cache)
    assert f"stored 0 s ago by run {run.name}" == flyte.run(work, 1).cache


@env.task
def leaf(x: int) -> int:
    return x + 1


@env.task(cache="disable")
async def branch(n: int) -> list[int]:
    return [await leaf.aio(x) for x in range(n)]


def test_options_of_a_run_hold_for_what_it_calls() -> None:
    flyte.run(branch, 2)
    for options, stored in (({"disable_run_cache": True}, False), ({"overwrite_cache": True}, False), ({}, True)):
        run = flyte.with_runcontext(**options).run(branch, 2)
        assert [stored] * 2 == [action["is_cached"] for action in run.view()["actions"][1:]]


def test_results_expire() -> None:
    def aged(age: timedelta | int | None) -> Task[..., Any]:
        return leaf.override(cache=flyte.Cache("auto", max_age=age))

    flyte.run(leaf, 1)
    assert [True, True, True] == [asked(aged(age), 1)[1] for age in (None, 0, 3600)]
    run = flyte.run(aged(timedelta(microseconds=1)), 1)
    assert not run.is_cached
    assert re.fullmatch(r"expired: stored \d+ s ago, max_age is 0 s", run.cache)


def test_a_version_that_is_given_is_all_that_counts() -> None:
    def pinned(source: str, version: str, salt: str = "") -> Task[..., Any]:
        return task_of(source).override(cache=flyte.Cache("auto", version, salt=salt))

    flyte.run(pinned(WORK, "1"), 1)
    assert (6, True) == asked(pinned(WORK.replace("size = 1", "size = 7"), "1", "salt"), 1)
    run = flyte.run(pinned(WORK.replace("size = 1", "size = 7"), "2"), 1)
    assert (12, "version_override 1 → 2") == (run.result(), run.cache)


def test_the_salt() -> None:
    salted = task_of(WORK).override(cache=flyte.Cache("auto", salt="a"))
    flyte.run(salted, 1)
    assert (6, True) == asked(salted, 1)
    assert "salt changed" == flyte.run(salted.override(cache=flyte.Cache("auto", salt="b")), 1).cache


def test_inputs_that_are_ignored() -> None:
    work = task_of(WORK).override(cache=flyte.Cache("auto", ignored_inputs="y"))
    assert [(6, False), (6, True)] == [asked(work, 1, 3), asked(work, 1, 100)]


class Release:
    def __init__(self, version: str) -> None:
        self.version = version

    def get_version(self, salt: str, params: Any) -> str:
        assert "f" == params.func.__name__
        assert ("auto", None) == (params.image, params.code_bundle)
        return self.version + salt


def test_policies() -> None:
    def by(*policies: Any, source: str = WORK) -> Task[..., Any]:
        return task_of(source).override(cache=flyte.Cache("auto", policies=list(policies)))

    other = WORK.replace("size = 1", "size = 2")
    flyte.run(by(Release("1")), 1)
    assert (6, True) == asked(by(Release("1"), source=other), 1)
    assert "Release changed" == flyte.run(by(Release("2")), 1).cache
    flyte.run(by(Release("1"), FunctionBodyPolicy()), 2)
    assert (8, True) == asked(by(Release("1"), FunctionBodyPolicy()), 2)
    run = flyte.run(by(Release("1"), FunctionBodyPolicy(), source=other), 2)
    assert (9, "global `size` changed") == (run.result(), run.cache)


def test_a_policy_that_fails() -> None:
    class Broken:
        def get_version(self, salt: str, params: Any) -> str:
            raise OSError("no git here")

    work = task_of(WORK).override(cache=flyte.Cache("auto", policies=[Broken()]))
    with pytest.raises(ValueError, match=r"Failed to generate version for cache policy .*: OSError: no git here"):
        flyte.run(work, 1)
    assert [] == flyte.runs()


# --- values -----------------------------------------------------------------------------------------------------------


@dataclass
class Pair:
    a: int
    b: list[str]


class Named(NamedTuple):
    x: int
    y: str


@env.task
def nothing() -> None: ...


@env.task
def none() -> int | None:
    return None


@env.task
def two() -> tuple[int, str]:
    return 1, "b"


@env.task
def named() -> Named:
    return Named(1, "b")


@env.task
def array(n: int) -> np.ndarray[Any, Any]:
    return np.arange(n)


@env.task
def things() -> list[Any]:
    return [Pair(1, ["a"]), ValueError("kept"), {1, 2}]


def test_values_come_back_as_they_were() -> None:
    expected: list[tuple[Task[..., Any], tuple[Any, ...], Any]] = [
        (nothing, (), None),
        (none, (), None),
        (two, (), (1, "b")),
        (named, (), Named(1, "b")),
    ]
    for task, args, value in expected:
        assert [(value, False), (value, True)] == [asked(task, *args) for _ in range(2)]
        assert type(value) is type(asked(task, *args)[0])
    for _ in range(2):
        pair, error, numbers = asked(things)[0]
        assert (Pair(1, ["a"]), "kept", {1, 2}) == (pair, str(error), numbers)
        assert (Pair, ValueError) == (type(pair), type(error))


@pytest.mark.parametrize("n", [10, 200_000])
def test_arrays_come_back_and_can_be_changed(n: int) -> None:
    for stored in (False, True, True):
        found, is_cached = asked(array, n)
        assert (stored, True) == (is_cached, np.array_equal(np.arange(n), found))
        found[0] = 7


# --- children ---------------------------------------------------------------------------------------------------------


def children_of(run: Run) -> list[tuple[bool, str]]:
    return [(action["is_cached"], action["cache"]) for action in run.view()["actions"][1:]]


def test_children_find_what_runs_have_left_and_the_other_way_round() -> None:
    first = flyte.run(leaf, 0)
    run = flyte.run(branch, 2)
    assert [(True, f"stored 0 s ago by run {first.name}"), (False, "input `x` differs")] == children_of(run)
    again = flyte.run(leaf, 1)
    assert (2, True, f"stored 0 s ago by run {run.name}") == (again.result(), again.is_cached, again.cache)
    assert [True, True] == [is_cached for is_cached, _ in children_of(flyte.run(branch, 2))]


def test_a_kernel_that_comes_later_sees_them_too() -> None:
    flyte.run(branch, 2)
    run = flyte.run(branch, 2)
    forget_session()
    again = flyte.get_run(run.name)
    assert [True, True] == [is_cached for is_cached, _ in children_of(again)]


def test_a_parent_whose_result_was_kept_calls_nothing() -> None:
    parent = branch.override(cache="auto")
    flyte.run(parent, 2)
    run = flyte.run(parent, 2)
    assert ([1, 2], True, []) == (run.result(), run.is_cached, children_of(run))


@env.task(cache="disable")
def mapped(n: int) -> list[Any]:
    return list(flyte.map(leaf, range(n)))


def test_maps() -> None:
    assert [1, 2] == list(flyte.map(leaf, range(2)))
    assert [1, 2, 3, 4] == list(flyte.map(leaf, range(4)))
    assert [False, False, True, True] == sorted(is_cached for is_cached, _ in children_of(flyte.runs()[0]))
    run = flyte.run(mapped, 4)
    assert [1, 2, 3, 4] == run.result()
    assert [True] * 4 == [is_cached for is_cached, _ in children_of(run)]


@env.task(cache="disable", retries=1)
def tries_twice(folder: str) -> list[int]:
    found = [leaf(1), leaf(2)]
    if not (Path(folder) / "once").exists():
        (Path(folder) / "once").touch()
        raise ValueError("again")
    return found


def test_a_second_attempt_takes_over_the_children_of_the_first(tmp_path: Path) -> None:
    flyte.run(leaf, 1)
    run = flyte.run(tries_twice, str(tmp_path))
    assert [2, 3] == run.result()
    assert [False, True] == sorted(is_cached for is_cached, _ in children_of(run))


# --- what is told of it -----------------------------------------------------------------------------------------------


def test_nothing_is_told_but_digests_and_inputs_in_words(home: Home) -> None:
    flyte.run(task_of("secret = 'hunter2'\ndef f(x: int) -> int: return len(secret)"), 1)
    (kept,) = cached.kept(session.current().store)
    assert "hunter" not in json.dumps(dict(kept.about))
    assert {"task", "version", "parts", "inputs", "said", "created", "run", "action"} == kept.about.keys()
    assert {"x": "1"} == kept.about["said"]


def test_a_parent_that_is_cached_cannot_be_what_was_not(tmp_path: Path) -> None:
    """A child that another parent has, and a parent of another child, are not mixed up."""
    one = task_of("def f(x: int) -> int: return child(x)", child=leaf)
    other = task_of("def f(x: int) -> int: return child(x)", child=task_of("def f(x: int) -> int: return -x"))
    assert [(2, False), (-1, False), (2, True), (-1, True)] == [asked(each, 1) for each in (one, other, one, other)]


def test_a_value_that_is_nested_too_deep_is_said() -> None:
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]
    work = task_of("def f(x: list) -> int: return 1")
    run = flyte.run(work, deep)
    assert (1, True) == (run.result(), "nested too deep" in run.cache)
