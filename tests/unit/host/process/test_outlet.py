"""What an attempt tells, and when."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from flyte_jupyter.bars import Progress
from flyte_jupyter.credentials.mask import Mask
from flyte_jupyter.host.process.outlet import Outlet
from tests.conftest import eventually


class Attempt:
    def __init__(self, mask: Mask | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.written: list[dict[str, Any]] = []
        self.outlet = Outlet("train", self.sent.append, self._write, mask or Mask(()))

    def _write(self, data: bytes) -> None:
        self.written.append(json.loads(data))

    def done(self) -> list[Any]:
        return [message["bars"][0]["done"] for message in self.sent if "bars" in message]


def test_many_changes_are_few_messages_and_the_last_one_is_told() -> None:
    attempt = Attempt()
    progress = attempt.outlet.bars.put(Progress(0, None, "rows", ""))
    for _ in range(200_000):
        progress.done += 1
        attempt.outlet.changed()
    attempt.outlet.close()
    assert 200_000 == attempt.done()[-1]
    assert 50 > len(attempt.sent)
    progress.done += 1
    attempt.outlet.changed()
    assert 200_000 == attempt.done()[-1]  # nothing after the end


def test_a_report_that_is_asked_for_is_written_soon_and_at_the_end() -> None:
    attempt = Attempt(Mask(["hunter2"]))
    attempt.outlet.is_reported = True
    attempt.outlet.report.get_tab("main").log("the hunter2")
    eventually(lambda: attempt.sent)
    assert {"name": "train", "tabs": {"main": "the ***"}} == attempt.written[-1]
    assert {"op": "shows", "report": {"tabs": ["main"], "size": 46}} == attempt.sent[-1]
    attempt.outlet.report.get_tab("more").log("x")
    attempt.outlet.close()
    assert {"main": "the ***", "more": "x"} == attempt.written[-1]["tabs"]


def test_a_report_that_is_not_asked_for_is_written_when_it_is_flushed() -> None:
    attempt = Attempt()
    attempt.outlet.flush()
    attempt.outlet.report.get_tab("main").log("x")
    attempt.outlet.flush()
    attempt.outlet.report.get_tab("main").log("y")
    attempt.outlet.close()
    assert [{"main": "x"}] == [written["tabs"] for written in attempt.written]
    assert [["main"]] == [message["report"]["tabs"] for message in attempt.sent]


def test_what_cannot_be_written_or_told_is_no_failure_of_the_task(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no room")

    attempt = Attempt()
    outlet = Outlet("train", refused, refused, Mask(()))
    outlet.report.get_tab("main").log("x")
    outlet.flush()
    outlet.close()
    assert "the report of train could not be written: no room" in capsys.readouterr().err

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    attempt.outlet.bars.put(Progress(1, None, "rows", ""))
    attempt.outlet.changed()
    attempt.outlet.close()
    assert [1] == attempt.done()
