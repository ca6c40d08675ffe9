"""Tasks that call tasks: each is an action of its own, in a process of its own."""

# ruff: noqa: ASYNC110, ASYNC240, ASYNC251 - a task has its process to itself, so that blocking it blocks nobody

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.host.machine.admission import SLOTS_VARIABLE
from tests.conftest import eventually
from tests.integration.processes import is_gone, pid_in

pytestmark = [pytest.mark.one_host, pytest.mark.usefixtures("home")]

env = flyte.TaskEnvironment(name="nested")


class TooBigError(Exception):
    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} > {limit}")
        self.size = size


@env.task
async def square(x: int) -> int:
    return x * x


@env.task
def square_sync(x: int) -> int:
    return x * x


@env.task
async def pid(x: int) -> int:
    return os.getpid()


@env.task
async def refuses(x: int) -> int:
    raise TooBigError(x, 1)


@env.task
async def once(x: int, folder: str) -> int:
    (Path(folder) / f"{x}.{os.getpid()}").touch()
    return x


@env.task
async def stays(place: str) -> None:
    Path(place).write_text(f"{os.getpid()}\n")
    time.sleep(60)


def test_await() -> None:
    @env.task
    async def parent(x: int) -> list[int]:
        return [await square(x), await square(x + 1)]

    run = flyte.run(parent, 3)
    assert [9, 16] == run.outputs()[0]
    actions = run.view()["actions"]
    assert [("a0", None, "parent"), ("a0", "square"), ("a0", "square")] == [
        (actions[0]["name"], actions[0]["parent"], actions[0]["title"]),
        *((action["parent"], action["title"]) for action in actions[1:]),
    ]
    assert {"succeeded"} == {action["phase"] for action in actions}


def test_override_in_the_call() -> None:
    @env.task
    def variable() -> str | None:
        return os.environ.get("GIVEN")

    @env.task
    def parent() -> list[str | None]:
        return [variable.override(env_vars={"GIVEN": "yes"}, short_name="given")(), variable()]

    run = flyte.run(parent)
    assert ["yes", None] == run.outputs()[0]
    assert ["parent", "given", "variable"] == [action["title"] for action in run.view()["actions"]]


def test_gather_of_fifty() -> None:
    @env.task
    async def parent() -> list[int]:
        return await asyncio.gather(*[pid(x) for x in range(50)])

    run = flyte.run(parent)
    assert 50 == len(set(run.outputs()[0]))
    assert 51 == run.view()["total"]


def test_sync_parent_and_sync_children() -> None:
    @env.task
    def parent(x: int) -> list[int]:
        return [square_sync(x), asyncio.run(square_sync.aio(x + 1)), asyncio.run(_awaited(x + 2))]

    async def _awaited(x: int) -> int:
        return await square(x)

    assert [4, 9, 16] == flyte.run(parent, 2).outputs()[0]


def test_async_parent_and_sync_children() -> None:
    @env.task
    async def parent(x: int) -> list[int]:
        return await asyncio.gather(square_sync.aio(x), square.aio(x + 1))

    assert [4, 9] == flyte.run(parent, 2).outputs()[0]


def test_sync_call_that_would_block_the_loop_is_refused() -> None:
    @env.task
    async def parent(x: int) -> int:
        return square_sync(x)

    with pytest.raises(errors.SyncTaskCallInAsyncContextError, match=r"await square_sync\.aio"):
        flyte.run(parent, 2)


def test_exceptions_keep_their_class() -> None:
    @env.task
    async def parent(x: int) -> str:
        try:
            await refuses(x)
        except TooBigError as error:
            return f"{type(error).__name__} {error.size} {error}"
        return "nothing"

    @env.task
    async def parent_that_does_not_care(x: int) -> int:
        return await refuses(x)

    assert "TooBigError 5 5 > 1" == flyte.run(parent, 5).outputs()[0]
    with pytest.raises(TooBigError, match="5 > 1") as caught:
        flyte.run(parent_that_does_not_care, 5)
    assert 5 == caught.value.size
    assert isinstance(caught.value, errors.RuntimeUserError)


def test_wrong_inputs_of_a_child_are_the_parents_error() -> None:
    @env.task
    async def parent() -> int:
        return await square("x")  # type: ignore[arg-type]

    with pytest.raises(errors.ConfigTypeError, match="square"):
        flyte.run(parent)


@env.task
async def deep(n: int) -> int:
    return n if n == 0 else await deep(n - 1) + 1


def test_deep_chain_on_one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SLOTS_VARIABLE, "1")
    assert 8 == flyte.run(deep, 8).outputs()[0]


def test_wide_and_deep_on_one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    @env.task
    async def tree(depth: int) -> int:
        if depth == 0:
            return 1
        return sum(await asyncio.gather(tree(depth - 1), tree(depth - 1)))

    monkeypatch.setenv(SLOTS_VARIABLE, "1")
    assert 8 == flyte.run(tree, 3).outputs()[0]


def test_retry_of_a_parent_finds_what_its_children_have_done(tmp_path: Path) -> None:
    @env.task(retries=1)
    async def parent(folder: str) -> int:
        values = await asyncio.gather(*[once(x, folder) for x in range(5)])
        if flyte.ctx().attempt_number == 0:
            raise RuntimeError("after the children")
        return sum(values)

    assert 10 == flyte.run(parent, str(tmp_path)).outputs()[0]
    assert [f"{x}" for x in range(5)] == sorted(path.stem for path in tmp_path.iterdir())


def test_retry_of_a_parent_gives_failed_children_another_chance(tmp_path: Path) -> None:
    @env.task
    def fails_first(place: str) -> int:
        if not Path(place).exists():
            Path(place).touch()
            raise RuntimeError("first")
        return 1

    @env.task(retries=1)
    def parent(place: str) -> int:
        return fails_first(place)

    assert 1 == flyte.run(parent, str(tmp_path / "place")).outputs()[0]


def test_retry_of_a_parent_does_not_mistake_its_children() -> None:
    def branch(n: int) -> flyte.Task[[int], int]:
        @env.task
        def branch(x: int) -> int:
            return x * n

        return branch

    @env.task
    def branch_with_a_set(x: int) -> bool:
        return str(x) in {"1", "2", "3", "four"}

    @env.task
    def settings(x: int) -> str:
        return os.environ.get("GIVEN", "nothing")

    two, three, given = branch(2), branch(3), settings.override(env_vars={"GIVEN": "this"})

    @env.task(retries=1)
    def parent() -> list[object]:
        calls = [("two", two), ("three", three), ("given", given), ("nothing", settings), ("set", branch_with_a_set)]
        if flyte.ctx().attempt_number == 1:
            calls.reverse()
        found = {name: task(1) for name, task in calls}
        if flyte.ctx().attempt_number == 0:
            raise RuntimeError("after the children")
        return [found[name] for name in ("two", "three", "given", "nothing", "set")]

    run = flyte.run(parent)
    assert [2, 3, "this", "nothing", True] == run.outputs()[0]
    assert 6 == run.view()["total"]


def test_same_call_twice_is_two_actions(tmp_path: Path) -> None:
    @env.task
    async def parent(folder: str) -> int:
        return await once(1, folder) + await once(1, folder)

    assert 2 == flyte.run(parent, str(tmp_path)).outputs()[0]
    assert 2 == len(list(tmp_path.iterdir()))


def test_children_go_with_a_parent_that_ends(tmp_path: Path) -> None:
    @env.task
    async def parent(place: str) -> int:
        background = asyncio.ensure_future(stays(place))
        while not Path(place).exists():
            await asyncio.sleep(0.01)
        return id(background)

    run = flyte.run(parent, str(tmp_path / "pid"))
    assert "succeeded" == run.phase.value
    child = pid_in(tmp_path / "pid")
    eventually(lambda: is_gone(child))


def test_children_go_with_a_parent_that_dies(tmp_path: Path) -> None:
    @env.task
    async def parent(place: str) -> None:
        background = asyncio.ensure_future(stays(place))
        while not Path(place).exists():
            await asyncio.sleep(0.01)
        os._exit(id(background) and 3)

    with pytest.raises(errors.WorkerCrashedError):
        flyte.run(parent, str(tmp_path / "pid"))
    child = pid_in(tmp_path / "pid")
    eventually(lambda: is_gone(child))


def test_cancelled_await_ends_the_child(tmp_path: Path) -> None:
    @env.task
    async def parent(place: str) -> str:
        try:
            await asyncio.wait_for(stays(place), 0.5)
        except asyncio.TimeoutError:
            return "went on"
        return "waited"

    assert "went on" == flyte.run(parent, str(tmp_path / "pid")).outputs()[0]
    child = pid_in(tmp_path / "pid")
    eventually(lambda: is_gone(child))


def test_a_task_starts_no_runs() -> None:
    @env.task
    def parent() -> None:
        flyte.run(square, 1)

    with pytest.raises(errors.ConfigValueError, match="A task cannot start a run"):
        flyte.run(parent)
