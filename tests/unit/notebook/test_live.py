from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from flyte_jupyter.notebook import live
from flyte_jupyter.notebook.cards import card
from tests.unit.notebook.views import STARTED, T, action, view

RUNNING = view(phase="running", actions=[action("a0", None, "running", STARTED, title="train")])
ENDED = view(result={"text": "7", "html": None})


class FakeRun:
    """A run whose view is what the test says."""

    name = "r-1"

    def __init__(self) -> None:
        self.shown: Any = RUNNING
        self.callbacks: list[Callable[[], None]] = []

    def done(self) -> bool:
        return self.shown is ENDED

    def view(self) -> dict[str, Any]:
        if isinstance(self.shown, Exception):
            raise self.shown
        return dict(self.shown)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def tell(self) -> None:
        for callback in list(self.callbacks):
            callback()


class Screen:
    """A front end: what was sent, and when by the test's clock."""

    def __init__(self) -> None:
        self.now = T + 100
        self.sent: list[tuple[float, bool, dict[str, Any]]] = []
        self.arrived = threading.Condition()

    def __call__(self, data: dict[str, Any], display_id: str, is_update: bool) -> None:
        with self.arrived:
            self.sent.append((round(self.now - T - 100, 3), is_update, data))
            self.arrived.notify_all()

    def clock(self) -> float:
        return self.now

    @property
    def times(self) -> list[float]:
        return [at for at, _, _ in self.sent]


class Still(live.Updater):
    """An updater without its thread: the test calls `step`."""

    def _loop(self) -> None:
        pass


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def run() -> FakeRun:
    return FakeRun()


def start(run: FakeRun, screen: Screen) -> tuple[Still, live.LiveCard]:
    updater = Still(screen.clock)
    shown = live.LiveCard(run, screen, screen.clock)
    shown.draw()
    updater.add(shown)
    return updater, shown


def advance(updater: Still, screen: Screen, seconds: float) -> float | None:
    screen.now += seconds
    return updater.step()


def test_first_at_once_and_as_a_display_then_updates(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    advance(updater, screen, 0.3)
    assert [False, True] == [is_update for _, is_update, _ in screen.sent]
    assert [0.0, 0.3] == screen.times


def test_at_most_five_updates_a_second(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    for _ in range(100):
        run.tell()
        advance(updater, screen, 0.02)
    assert 11 >= len(screen.sent) >= 8
    gaps = [b - a for a, b in zip(screen.times, screen.times[1:], strict=False)]
    assert min(gaps) >= live.INTERVAL - 1e-6


def test_after_a_quiet_time_news_is_shown_at_once(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    advance(updater, screen, 0.2)
    advance(updater, screen, 0.5)
    run.tell()
    updater.step()
    assert [0.0, 0.2, 0.7] == screen.times


def test_without_news_the_seconds_move_once_a_second(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    advance(updater, screen, 0.2)
    assert live.TICK == pytest.approx(updater.step(), abs=1e-3)
    for _ in range(20):
        advance(updater, screen, 0.1001)
    assert [0.0, 0.2, 1.2, 2.2] == [round(at, 1) for at in screen.times]


def test_the_last_picture_is_the_final_one_and_nothing_follows(run: FakeRun, screen: Screen) -> None:
    updater, shown = start(run, screen)
    run.shown = ENDED
    run.tell()
    assert advance(updater, screen, 0.2) is None
    run.tell()
    shown.draw()
    assert [0.0, 0.2] == screen.times
    assert "succeeded" in screen.sent[-1][2]["text/plain"]
    assert ([], []) == (run.callbacks, updater.cards())


def test_a_run_that_succeeded_waits_for_its_value(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    run.shown = view()
    run.tell()
    assert advance(updater, screen, 0.2) is not None
    run.shown = ENDED
    run.tell()
    assert advance(updater, screen, 0.2) is None
    assert "result: 7" in screen.sent[-1][2]["text/plain"]


def test_but_not_for_ever(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    run.shown = view()
    run.tell()
    steps = [advance(updater, screen, 0.5) for _ in range(8)]
    assert steps[-1] is None


def test_the_end_of_a_cell_draws_what_changed(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    run.shown = ENDED
    run.tell()
    updater.flush()
    assert [0.0, 0.0] == screen.times
    assert "succeeded" in screen.sent[-1][2]["text/plain"]


def test_the_end_of_a_cell_draws_what_has_ended_before_its_news(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    advance(updater, screen, 0.2)
    run.shown = ENDED
    updater.flush()
    assert "succeeded" in screen.sent[-1][2]["text/plain"]


def test_two_cards_of_one_run(run: FakeRun, screen: Screen) -> None:
    updater, first = start(run, screen)
    second = live.LiveCard(run, screen, screen.clock)
    second.draw()
    updater.add(second)
    assert first.display_id != second.display_id
    run.shown = ENDED
    run.tell()
    assert advance(updater, screen, 0.2) is None
    assert 4 == len(screen.sent)


def test_a_card_that_cannot_be_drawn_says_so_in_one_line(run: FakeRun, screen: Screen) -> None:
    run.shown = KeyError("phase")
    shown = live.LiveCard(run, screen, screen.clock)
    shown.draw()
    expected = {"text/plain": "flyte_jupyter could not draw the card of r-1: KeyError: 'phase'"}
    assert (True, expected) == (shown.is_closed, screen.sent[-1][2])


def test_a_front_end_that_is_gone_stops_the_card(run: FakeRun, screen: Screen) -> None:
    def send(data: dict[str, Any], display_id: str, is_update: bool) -> None:
        raise OSError("closed")

    updater = Still(screen.clock)
    updater.add(live.LiveCard(run, send, screen.clock))
    assert advance(updater, screen, 0.2) is None


def test_the_thread_ends_with_the_last_card_and_starts_again(run: FakeRun) -> None:
    screen = Screen()
    updater = live.Updater()
    for _ in range(2):
        run.shown = RUNNING
        shown = live.LiveCard(run, screen)
        shown.draw()
        updater.add(shown)
        thread = updater._thread
        assert thread is not None
        run.shown = ENDED
        run.tell()
        thread.join(10)
        assert (False, []) == (thread.is_alive(), updater.cards())
    assert "succeeded" in screen.sent[-1][2]["text/plain"]


class CapturingPublisher:
    """As IPython's: collects outputs."""

    def __init__(self) -> None:
        self.outputs: list[dict[str, Any]] = []

    def publish(
        self, data: dict[str, Any], metadata: dict[str, Any], *, transient: dict[str, Any], update: bool
    ) -> None:
        self.outputs.append({"data": data, "metadata": metadata, "transient": transient, "update": update})


def test_under_capture_one_output_is_kept_and_is_the_last() -> None:
    publisher = CapturingPublisher()
    for i in range(3):
        live.publish(publisher, {"text/plain": str(i)}, "one", i > 0)
    live.publish(publisher, {"text/plain": "other"}, "two", False)
    assert ["2", "other"] == [output["data"]["text/plain"] for output in publisher.outputs]


def test_the_bundle_is_the_cards(run: FakeRun, screen: Screen) -> None:
    live.LiveCard(run, screen, screen.clock).draw()
    assert {"text/plain", "text/html", card.MIME} == set(screen.sent[0][2])


def test_what_runs_for_long_is_drawn_less_often(run: FakeRun, screen: Screen) -> None:
    updater, _ = start(run, screen)
    for _ in range(3600):
        advance(updater, screen, 1.0)
    gaps = [b - a for a, b in zip(screen.times, screen.times[1:], strict=False)]
    assert (live.TICK, 2, live.SLOWEST_TICK) == (max(gaps[:60]), gaps[80], max(gaps))
    run.tell()
    advance(updater, screen, live.INTERVAL)
    assert 3600.2 == screen.times[-1]


def test_many_cards_share_the_kernel(screen: Screen) -> None:
    runs = [FakeRun() for _ in range(200)]
    updater = Still(screen.clock)
    for each in runs:
        updater.add(live.LiveCard(each, screen, screen.clock))
    for _ in range(200):
        for each in runs:
            each.tell()
        advance(updater, screen, 0.05)
    seconds = 10
    assert len(runs) < len(screen.sent) <= seconds / live.INTERVAL_OF_ALL + len(runs)
