"""The stream: what other processes do is on the socket of a browser at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket

import flyte_jupyter as flyte
from tests.conftest import PATIENCE, eventually
from tests.server.conftest import Server

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="streamed")


@env.task
def square(x: int) -> int:
    return x * x


@env.task
def prints(folder: str, lines: int) -> str:
    for number in range(lines):
        print(f"line {number}")
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    print("the last line")
    return "went"


@env.task
def prints_much(lines: int) -> None:
    for number in range(lines):
        print(f"line {number} {'x' * 500}")


@env.task
def calls(n: int) -> int:
    return sum(flyte.map(square, range(n)))


class Browser:
    """A front end: what it was told, in order."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket
        self.told: list[dict[str, Any]] = []

    def watch(self, *topics: str, **start: int) -> None:
        self.socket.send(json.dumps({"topics": topics, "start": start}))

    def until(self, is_it: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first news that are what is wanted; of those that were told before, none."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            news = json.loads(self.socket.recv())
            self.told.append(news)
            if is_it(news):
                return news
        raise AssertionError(f"not told within {PATIENCE} s; the last was {str(self.told[-1])[:1000]}")

    def until_run(self, name: str, phase: str) -> dict[str, Any]:
        def found(news: dict[str, Any]) -> list[dict[str, Any]]:
            return [run for run in news.get("changed", ()) if (run["name"], run["phase"]) == (name, phase)]

        return found(self.until(found))[0]


@contextmanager
def browser(server: Server, **options: Any) -> Iterator[Browser]:
    address = f"{server.address.replace('http', 'ws', 1)}/flyte-jupyter/stream"
    header = {"Authorization": f"token {server.token}"}
    given = {"header": header, "skip_utf8_validation": True, **options}  # which takes it half a second per megabyte
    with closing(websocket.create_connection(address, PATIENCE, **given)) as socket:
        yield Browser(socket)


def test_a_run_of_another_process_is_told_from_its_start_to_its_end(server: Server, tmp_path: Path) -> None:
    with browser(server) as page:
        page.watch("runs")
        run = flyte.submit(prints, str(tmp_path), 1)
        page.until_run(run.name, "running")
        (tmp_path / "go").touch()
        ended = page.until_run(run.name, "succeeded")
    assert ("streamed.prints", "prints", {}) == (ended["task"], ended["title"], ended["actions"])


def test_a_cancel_is_seen_by_the_code_that_started_the_run(server: Server, tmp_path: Path) -> None:
    with browser(server) as page:
        page.watch("runs")
        run = flyte.submit(prints, str(tmp_path), 1)
        page.until_run(run.name, "running")
        server.post(f"runs/{run.name}/cancel", {"reason": "nobody wants it"})
        with pytest.raises(flyte.errors.ActionAbortedError, match="nobody wants it"):
            run.result()
        assert "nobody wants it" == page.until_run(run.name, "aborted")["reason"]


def test_a_card_is_told_until_its_run_has_ended(server: Server, tmp_path: Path) -> None:
    run = flyte.submit(prints, str(tmp_path), 3)
    with browser(server) as page:
        page.watch(f"card:{run.name}")
        page.until(lambda news: "line 2" in news["card"]["html"])
        (tmp_path / "go").touch()
        card = page.until(lambda news: news["card"]["phase"] == "succeeded" and "went" in news["card"]["html"])["card"]
    assert run.name == card["run"]
    assert "<script" not in card["html"]
    assert server.get(f"runs/{run.name}/card")["commands"] == card["commands"]


def test_actions_are_all_told_at_first_and_then_those_that_change(server: Server, tmp_path: Path) -> None:
    run = flyte.submit(calls, 5)
    known: dict[str, Any] = {}
    with browser(server) as page:
        page.watch(f"actions:{run.name}")
        while len(known) < 6 or any(row["phase"] != "succeeded" for row in known.values()):
            news = page.until(lambda news: news["topic"] == "actions")
            assert (not known) == news["is_all"]
            known |= {row["name"]: row for row in news["actions"]}
    assert {row["name"]: row for row in server.get(f"runs/{run.name}/actions")} == known
    assert {"calls": 1, "square": 5} == {t: sum(r["title"] == t for r in known.values()) for t in ("calls", "square")}


def test_a_log_is_told_from_a_line_on_and_as_it_grows(server: Server, tmp_path: Path) -> None:
    run = flyte.submit(prints, str(tmp_path), 12_000)
    topic = f"log:{run.name}/a0/0"
    lines: list[str] = []
    with browser(server) as page:
        page.watch(topic, **{topic: 11_000})
        while len(lines) < 1000:
            told = page.until(lambda news: news["topic"] == "log")["page"]
            assert 11_000 + len(lines) == told["start"]
            lines += [text for _, _, text in told["lines"]]
        (tmp_path / "go").touch()
        while not told["is_complete"]:
            told = page.until(lambda news: news["topic"] == "log")["page"]
            lines += [text for _, _, text in told["lines"]]
    assert [*(f"line {number}" for number in range(11_000, 12_000)), "the last line"] == lines


@pytest.mark.parametrize(
    ("message", "of", "said"),
    [
        ("no json", "", "is no JSON"),
        ("[]", "", "is not an object"),
        ('{"topics": 7}', "", "is not a list"),
        ('{"topics": ["cards"]}', "cards", "is no topic; there are"),
        ('{"topics": ["card:../../etc/passwd"]}', "card:../../etc/passwd", "is no topic"),
        ('{"topics": ["card:r00000000000000"]}', "card:r00000000000000", "There is no run"),
        ('{"topics": ["log:r00000000000000/a0/0"]}', "log:r00000000000000/a0/0", "There is no run"),
        ('{"topics": [], "more": 1}', "", "it may have: topics, start"),
    ],
)
def test_what_cannot_be_told_is_refused_and_the_rest_goes_on(server: Server, message: str, of: str, said: str) -> None:
    with browser(server) as page:
        page.socket.send(message)
        refused = page.until(lambda news: news["topic"] == "refused")
        assert (of, True) == (refused["of"], said in refused["message"])
        page.watch("runs")
        page.until(lambda news: news["topic"] == "runs")


@pytest.mark.parametrize("header", [{}, {"Authorization": "token wrong"}], ids=["nobody", "a stranger"])
def test_nobody_else_is_told_anything(server: Server, header: dict[str, str]) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused, browser(server, header=header):
        pass
    assert 403 == refused.value.status_code


def test_a_page_of_another_origin_is_refused_although_the_browser_is_logged_in(server: Server) -> None:
    _, _, headers = server.fetch(f"api/status?token={server.token}", headers={})
    cookie = headers["Set-Cookie"].partition(";")[0]
    with browser(server, header={}, cookie=cookie) as page:
        page.watch("runs")
        page.until(lambda news: news["topic"] == "runs")
    with (
        pytest.raises(websocket.WebSocketBadStatusException) as refused,
        browser(server, header={}, cookie=cookie, origin="http://elsewhere.example"),
    ):
        pass
    assert 403 == refused.value.status_code


def test_topics_that_are_left_out_are_told_no_more(server: Server, tmp_path: Path) -> None:
    run = flyte.submit(prints, str(tmp_path), 1)
    with browser(server) as page:
        page.watch("runs", f"card:{run.name}")
        page.until(lambda news: news["topic"] == "card")
        page.watch("runs")
        (tmp_path / "go").touch()
        page.told.clear()
        page.until_run(run.name, "succeeded")
        later = flyte.run(square, 1)
        page.until_run(later.name, "succeeded")
    assert 1 >= sum(news["topic"] == "card" for news in page.told)  # one may have been on its way


def test_a_browser_that_reads_nothing_holds_up_nobody_and_is_told_the_present_in_the_end(server: Server) -> None:
    lines = 60_000  # of 500 characters: far more than lies between a server and a browser that does not read
    log = flyte.run(prints_much, lines)
    topic = f"log:{log.name}/a0/0"
    eventually(lambda: server.get(f"runs/{log.name}/actions/a0/logs?limit=1")["is_complete"])
    with browser(server) as slow, browser(server) as page:
        slow.watch("runs", topic)
        page.watch("runs")
        for number in range(30):
            last = flyte.run(square, number)
            page.until_run(last.name, "succeeded")
        slow.until_run(last.name, "succeeded")
        while not slow.told[-1].get("page", {}).get("is_complete"):
            slow.until(lambda news: news["topic"] == "log")
    numbers = [int(text.split()[1]) for news in slow.told for _, _, text in news.get("page", {}).get("lines", ())]
    assert list(range(lines)) == numbers
    of_runs = [sum(news["topic"] == "runs" for news in told) for told in (slow.told, page.told)]
    assert of_runs[0] < of_runs[1] / 2  # what came meanwhile was folded
