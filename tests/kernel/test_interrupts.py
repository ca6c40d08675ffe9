"""■ in a notebook: what waits in the kernel's event loop hears of it, and leaves nothing running."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from tests.conftest import eventually
from tests.integration.processes import is_gone, pid_in
from tests.kernel.front import SLEEP, START, Cell, Front

TASK = """
import asyncio, os, time
from pathlib import Path

@env.task
def stays(place: str) -> None:
    Path(place).write_text(f"{os.getpid()}\\n")
    time.sleep(60)

@env.task
def stays_unless_first(folder: str, x: int) -> int:
    if x:
        (Path(folder) / str(x)).write_text(f"{os.getpid()}\\n")
        time.sleep(60)
    return x

@env.task
def stays_whatever_happens(place: str) -> None:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stays.func(place)
"""


@pytest.fixture
def front(home: Home) -> Iterator[Front]:
    with Front(home, START, TASK) as made:
        yield made


def interrupting(front: Front, *places: Path) -> tuple[Callable[[Cell], None], list[float]]:
    """What presses ■ once when all tasks have left their process ids there, and when it did."""
    asked: list[float] = []

    def each(_: Cell) -> None:
        if not asked and all(place.exists() for place in places):
            asked.append(time.monotonic())
            front.interrupt()

    return each, asked


def no_pods(home: Home) -> bool:
    status = call(home, {"op": "status"})
    return status is not None and status["pods"] == []


def test_awaiting_a_run(front: Front, home: Home, tmp_path: Path) -> None:
    place = tmp_path / "pid"
    each, asked = interrupting(front, place)
    line = f"await flyte.run.aio(stays, {str(place)!r})"
    cell = front.run(line, each=each)
    assert "error" == cell.status
    assert time.monotonic() - asked[0] < 5
    assert cell.error.startswith(("KeyboardInterrupt", "CancelledError"))
    assert "was cancelled and has ended: aborted" in cell.stderr
    assert "aborted" in cell.card()[-1]
    assert is_short(cell, line)
    eventually(lambda: is_gone(pid_in(place)) and no_pods(home))
    assert "2" == front.run("1 + 1").result


def is_short(cell: Cell, line: str) -> bool:
    """Whether the traceback has one frame: the cell's own, with that line."""
    frames = [each for each in cell.traceback.splitlines() if each.startswith(("Cell In", "File "))]
    return len(frames) == 1 and f"----> 1 {line}" in cell.traceback


WAITS = [
    "{0}.wait()",
    "{0}.outputs()",
    "{0}.result()",
    "await {0}",
    "await {0}.wait_aio()",
    "flyte.attach({0})",
    "await flyte.attach.aio({0})",
]


def is_waited_for(cell: Cell) -> bool:
    """Whether the wait that follows the word has begun: the card has moved meanwhile."""
    return "now" in cell.stdout and len(cell.updates) > 1


def test_what_was_submitted_goes_on_and_that_is_said(front: Front, tmp_path: Path) -> None:
    for number, form in enumerate(WAITS):
        place = tmp_path / str(number)
        front.run(f"run = flyte.submit(stays, {str(place)!r})")
        each, asked = interrupting(front, place)
        line = f"print('now', flush=True); {form.format('run')}"  # it is waited for, not just started
        cell = front.run(line, each=lambda cell, each=each: each(cell) if is_waited_for(cell) else None)
        assert ("error", 1) == (cell.status, len(asked))
        assert cell.error.startswith(("KeyboardInterrupt", "CancelledError"))
        name = front.run("run.name").result
        said = f"goes on. flyte.attach({name}) waits for it again, flyte.get_run({name}).cancel() ends it."
        assert said in cell.stderr
        assert 1 == len(cell.stderr.splitlines())
        assert is_short(cell, line)
        assert "running" in front.run("run.phase.value").result
        front.run("run.cancel()")
        eventually(lambda: is_gone(pid_in(place)))  # noqa: B023 - it waits here


def test_gathering_runs(front: Front, home: Home, tmp_path: Path) -> None:
    places = [tmp_path / name for name in "ab"]
    each, asked = interrupting(front, *places)
    source = f"await asyncio.gather(*[flyte.run.aio(stays, place) for place in {[*map(str, places)]!r}])"
    cell = front.run(source, each=each)
    assert ("error", 1) == (cell.status, len(asked))
    assert time.monotonic() - asked[0] < 5
    eventually(lambda: all(is_gone(pid_in(place)) for place in places) and no_pods(home))
    front.more(cell, lambda c: c.stderr.count("was cancelled and has ended: aborted") == 2)
    assert "['aborted', 'aborted']" == front.run("[run.phase.value for run in flyte.runs()]").result


LOOPS = [
    "for value in flyte.map(stays, {0}): print(value)",
    "async for value in flyte.map.aio(stays, {0}): print(value)",
]


@pytest.mark.parametrize("form", LOOPS)
def test_waiting_for_an_item_of_a_map(front: Front, home: Home, tmp_path: Path, form: str) -> None:
    places = [tmp_path / name for name in "ab"]
    each, asked = interrupting(front, *places)
    line = form.format([*map(str, places)])
    cell = front.run(line, each=each)
    assert ("error", 1) == (cell.status, len(asked))
    assert time.monotonic() - asked[0] < 5
    assert all(is_gone(pid_in(place)) for place in places)
    assert ["Interrupted:", "was", "cancelled."] == [*cell.stderr.split()[:1], *cell.stderr.split()[-2:]]
    assert "stays × 2: 2 aborted" in cell.card()[-1]
    assert "The cell was interrupted." in cell.card()[-1]
    assert is_short(cell, line)


@pytest.mark.parametrize("form", ["for", "async for"])
def test_in_the_body_of_a_loop_over_a_map(front: Front, home: Home, tmp_path: Path, form: str) -> None:
    places = [tmp_path / name for name in "12"]
    each, asked = interrupting(front, *places)  # an async cell can be interrupted where it awaits, says ipykernel
    name, sleep = ("map.aio", "await asyncio.sleep") if form == "async for" else ("map", "time.sleep")
    source = f"""
import functools
values = flyte.{name}(functools.partial(stays_unless_first, {str(tmp_path)!r}), range(3))
{form} value in values:
    while True:
        print(value)
        {sleep}(0.05)
"""
    cell = front.run(source, each=each)
    assert ("error", 1) == (cell.status, len(asked))
    assert cell.error.startswith(("KeyboardInterrupt", "CancelledError"))
    eventually(lambda: all(is_gone(pid_in(place)) for place in places) and no_pods(home))
    front.more(cell, lambda c: "was cancelled" in c.stderr)  # asyncio closes an `async for` after the cell
    assert "'aborted'" == front.run("flyte.runs()[0].phase.value").result


def test_a_map_of_an_earlier_cell_goes_on(front: Front, tmp_path: Path) -> None:
    front.run("""
@env.task
def double(x: int) -> int:
    return 2 * x
values = flyte.map(double, range(3))
next(values)
""")
    asked: list[float] = []

    def each(cell: Cell) -> None:
        if "now" in cell.stdout and not asked:  # a kernel that has not begun the cell ignores it
            asked.append(time.monotonic())
            front.interrupt()

    cell = front.run(f"print('now', flush=True)\n{SLEEP}", each=each)
    assert ("error", 1) == (cell.status, len(asked))
    assert "[2, 4]" == front.run("list(values)").result


FORMS = ["flyte.run({0})", "await flyte.run.aio({0})"]


@pytest.mark.parametrize("form", FORMS)
def test_the_first_interrupt_waits_until_a_stubborn_task_is_gone(front: Front, tmp_path: Path, form: str) -> None:
    place = tmp_path / "pid"
    each, asked = interrupting(front, place)
    cell = front.run(form.format(f"stays_whatever_happens, {str(place)!r}"), each=each)
    assert "error" == cell.status
    assert "is being cancelled. ■ again" in cell.stderr
    assert "was cancelled and has ended: aborted" in cell.stderr
    assert is_gone(pid_in(place))
    assert "aborted" in cell.card()[-1]
    assert time.monotonic() - asked[0] < 6


@pytest.mark.parametrize("form", FORMS)
def test_the_second_interrupt_detaches(front: Front, home: Home, tmp_path: Path, form: str) -> None:
    place = tmp_path / "pid"
    first, asked = interrupting(front, place)

    def each(cell: Cell) -> None:
        first(cell)
        if "■ again" in cell.stderr and len(asked) == 1:
            asked.append(time.monotonic())
            front.interrupt()

    cell = front.run(form.format(f"stays_whatever_happens, {str(place)!r}"), each=each)
    assert ("error", 2) == (cell.status, len(asked))
    assert cell.error.startswith(("KeyboardInterrupt", "CancelledError"))
    assert "Detached: stays_whatever_happens" in cell.stderr
    assert "has ended" not in cell.stderr.split("Detached")[0]
    assert "2" == front.run("1 + 1").result
    eventually(lambda: is_gone(pid_in(place)) and no_pods(home))  # it was cancelled all the same
    front.more(cell, lambda c: "aborted" in c.card()[-1])  # and its card lives on


def test_attaching_gives_the_value_and_an_interrupt_leaves_the_run_alone(front: Front, tmp_path: Path) -> None:
    front.run("""
@env.task
def waits(place: str) -> int:
    while not Path(place + ".go").exists():
        Path(place).touch()
        time.sleep(0.02)
    return 42
""")
    place = tmp_path / "there"
    front.run(f"run = flyte.submit(waits, {str(place)!r})")
    each, asked = interrupting(front, place)
    cell = front.run("flyte.attach(run.name)", each=lambda c: each(c) if c.displays else None)
    assert ("error", 1) == (cell.status, len(asked))
    assert "Detached: waits" in cell.stderr
    assert "running" in front.run("run.phase.value").result
    place.with_name("there.go").touch()
    assert "42" == front.run("flyte.attach(0)").result
    assert "42" == front.run("await flyte.attach.aio(run)").result
    assert "There is no run number 1" in front.run("flyte.attach(1)").error
