"""The functions that a notebook or a script calls: run, submit, wait."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from tests.conftest import eventually
from tests.integration.processes import is_gone, pid_in, program

pytestmark = pytest.mark.usefixtures("home")

env = flyte.TaskEnvironment(name="api")


@env.task
async def adds(x: int, y: int = 1) -> int:
    print(f"adding {x} and {y}")
    return x + y


@env.task
def both(x: int) -> tuple[int, str]:
    return x, str(x)


@env.task
def fails(x: int) -> int:
    raise LookupError(f"no {x}")


@env.task
def stays(place: str) -> None:
    Path(place).write_text(f"{os.getpid()}\n")
    time.sleep(60)


@env.task
def waits_for(place: str) -> int:
    print("waiting")
    while not Path(place).exists():
        time.sleep(0.01)
    print("seen")
    return 7


# --- running


def test_run() -> None:
    run = flyte.run(adds, 1, y=2)
    assert 3 == run.outputs()[0]
    assert 3 == run.result()
    assert run.done()
    assert ["adding 1 and 2"] == list(run.get_logs())
    assert {"x": "1", "y": "2"} == run.inputs()
    assert f"<Run {run.name} adds [succeeded]>" == repr(run)


def test_several_outputs() -> None:
    run = flyte.run(both, 3)
    assert (3, "3") == tuple(run.outputs())
    assert {"o0": 3, "o1": "3"} == run.outputs().named_outputs
    assert (3, "3") == run.result()


def test_run_raises_the_error_of_the_task() -> None:
    with pytest.raises(LookupError, match="no 4") as caught:
        flyte.run(fails, 4)
    assert isinstance(caught.value, errors.RuntimeUserError)
    assert ("LookupError", "user") == (caught.value.code, caught.value.kind)
    assert __file__ == caught.traceback[-1].path.as_posix()
    assert "fails" == caught.traceback[-1].name


def test_in_a_running_loop() -> None:
    async def cell() -> list[Any]:
        ticks = 0

        async def ticking() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticker = asyncio.ensure_future(ticking())
        awaited = (await flyte.run.aio(adds, 1)).outputs()[0]
        ticker.cancel()
        return [awaited, ticks > 1, flyte.run(adds, 2).outputs()[0], await flyte.submit(adds, 3)]

    assert [2, True, 3, 4] == asyncio.run(cell())


def test_run_aio_raises_and_is_cancelled_with_its_run(tmp_path: Path) -> None:
    async def fail() -> None:
        await flyte.run.aio(fails, 1)

    async def give_up() -> None:
        await asyncio.wait_for(flyte.run.aio(stays, str(tmp_path / "pid")), 1)

    with pytest.raises(LookupError):
        asyncio.run(fail())
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(give_up())
    pid = pid_in(tmp_path / "pid")
    eventually(lambda: is_gone(pid))
    assert "aborted" == flyte.runs()[0].phase.value


_SCRIPT = """
import os
import flyte_jupyter as flyte

env = flyte.TaskEnvironment(name="script")
SIZE = 5

class Box:
    def __init__(self, x): self.x = x

@env.task
async def fill(x: int) -> Box:
    return Box(x + SIZE)

box = flyte.run(fill, 1).outputs()[0]
print(box.x, type(box) is Box)
"""


def test_in_a_plain_script(tmp_path: Path) -> None:
    with program(tmp_path, _SCRIPT) as script:
        out, err = script.communicate(timeout=30)
    assert ("6 True\n", "", 0) == (out, err, script.returncode)


# --- refusals, before anything starts


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "message"),
    [
        ((), {}, errors.ConfigValueError, "Missing required inputs: x"),
        ((1,), {"z": 2}, errors.ConfigValueError, "Unknown input 'z'; there are: x, y"),
        ((1,), {"X": 2}, errors.ConfigValueError, "Unknown input 'X'; there are: x, y"),
        ((1,), {"strict": True}, errors.ConfigValueError, r"flyte.with_runcontext\(strict=True\).run\(adds, ...\)"),
        ((1, 2, 3), {}, errors.ConfigValueError, "3 given, 2 possible"),
        (("one",), {}, errors.ConfigTypeError, "'x': expected int, got str 'one'"),
    ],
)
def test_wrong_inputs_start_nothing(
    args: tuple[Any, ...], kwargs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        flyte.run(adds, *args, **kwargs)
    assert [] == flyte.runs()


@env.task
def lazy() -> Any:
    return (n for n in range(3))


def test_a_generator_that_a_task_returns_is_named_and_not_awaited() -> None:
    with pytest.raises(errors.CaptureError, match="generator"):
        flyte.run(lazy)


def test_a_function_is_no_task() -> None:
    with pytest.raises(errors.ConfigTypeError, match=r"(?s)not function adds.*@env\.task"):
        flyte.run(adds.func, 1)
    with pytest.raises(errors.ConfigTypeError, match="not int"):
        flyte.submit(1)  # type: ignore[arg-type]
    assert [] == flyte.runs()


# --- waiting


def test_submit_is_live(tmp_path: Path) -> None:
    place = tmp_path / "go"
    run = flyte.submit(waits_for, str(place))
    with pytest.raises(TimeoutError):
        run.wait(0.01)
    with pytest.raises(errors.RunNotDoneError):
        run.raise_for_status()
    eventually(lambda: ["waiting"] == list(run.get_logs()))
    assert ("running", False) == (run.phase.value, run.done())
    changes: list[str] = []
    unsubscribe = run.subscribe(lambda: changes.append(run.phase.value))
    place.touch()
    run.wait(10)
    assert 7 == run.result()
    eventually(lambda: "succeeded" in changes)
    unsubscribe()
    assert ["waiting", "seen"] == list(run.get_logs())


def test_wait_does_not_raise_the_error() -> None:
    run = flyte.submit(fails, 1)
    run.wait()
    assert "failed" == run.phase.value
    for ask in (run.raise_for_status, run.outputs, run.result):
        with pytest.raises(LookupError, match="no 1"):
            ask()


# --- options of a run


@env.task
def sees(name: str) -> tuple[str | None, dict[str, str]]:
    return os.environ.get(name), dict(flyte.ctx().custom_context or {})


@env.task
def passes_on(name: str) -> list[tuple[str | None, dict[str, str]]]:
    own = os.environ.get(name), dict(flyte.ctx().custom_context or {})
    return [own, sees(name), sees.override(env_vars={name: "task"})(name)]


def test_options_hold_for_the_task_and_what_it_calls() -> None:
    context = flyte.with_runcontext(env_vars={"MARK": "run"}, custom_context={"who": "me"})
    expected = ("run", {"who": "me"})
    assert [expected] * 3 == context.run(passes_on, "MARK").outputs()[0]
    assert (None, {}) == flyte.run(sees, "MARK").outputs()
    assert expected == context.submit(sees, "MARK").outputs()


def test_strict_refuses_what_cannot_be_done_here() -> None:
    template = adds.override(pod_template="small", service_account="robot")
    with pytest.raises(errors.ConfigValueError, match=r"strict[\s\S]*service_account[\s\S]*pod_template"):
        flyte.with_runcontext(strict=True).run(template, 1)
    assert 2 == flyte.run(template, 1).outputs()[0]


def test_strict_may_be_set_for_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from flyte_jupyter import session

    monkeypatch.setattr(session, "defaults", session.defaults)
    flyte.init(strict=True)
    with pytest.raises(errors.ConfigValueError, match="strict"):
        flyte.run(adds.override(service_account="robot"), 1)
    assert 2 == flyte.with_runcontext(strict=False).run(adds.override(service_account="robot"), 1).outputs()[0]


def test_what_a_run_cannot_be_given_is_refused() -> None:
    with pytest.raises(errors.ConfigValueError, match="did you mean 'remote'"):
        flyte.with_runcontext(mode="remot")  # type: ignore[arg-type]
    with pytest.raises(errors.ConfigTypeError, match="did you mean 'overwrite_cache'"):
        flyte.with_runcontext(overwrite_caches=True)  # type: ignore[call-arg]
