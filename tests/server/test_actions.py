from __future__ import annotations

import threading
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from tests.conftest import eventually
from tests.server.conftest import Server

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="acts", resources=flyte.Resources(cpu=(0.5, 1), memory="200Mi"))


@env.task
def double(x: int) -> int:
    print(f"doubling {x}")
    return 2 * x


@env.task(retries=1, report=True)
def total(n: int) -> int:
    api_key = "not one"
    flyte.report.log("<h1>Total</h1><script>parent.hacked = 1</script>")
    flyte.report.get_tab("more").log(f"<p>{api_key}</p>")
    return sum(double(i) for i in range(n))


@env.task(retries=1)
def fails(path: str) -> None:
    print("trying")
    raise FileNotFoundError(f"{path} is not there")


@env.task
def many_lines(n: int) -> None:
    for i in range(n):
        print(f"line {i}")


@env.task
def waits(path: str) -> str:
    print("begun")
    flag = Path(path)
    eventually(flag.exists)
    return "over"


def test_all_actions_are_rows_and_each_is_told_in_detail(server: Server) -> None:
    run = flyte.run(total, 2)

    rows = server.get(f"runs/{run.name}/actions")
    assert [("a0", None), ("double", "a0"), ("double", "a0")] == [
        (row["name"] if row["parent"] is None else row["title"], row["parent"]) for row in rows
    ]
    assert {"succeeded"} == {row["phase"] for row in rows}

    first = server.get(f"runs/{run.name}/actions/a0")
    assert ({"n": "2"}, "2", "") == (first["inputs"], first["result"]["text"], first["explanation"])
    assert (0.5, 200 << 20, 1) == (first["requests"]["cpu"], first["requests"]["memory"], first["limits"]["cpu"])

    child = server.get(f"runs/{run.name}/actions/{rows[1]['name']}")
    assert (0.5, {}, "acts.double", "a0") == (
        child["requests"]["cpu"],
        child["inputs"],
        child["row"]["task"],
        child["row"]["parent"],
    )
    assert child["result"] is None  # only the value of a run is put into words
    assert [1] == [attempt["printed"] for attempt in child["attempts"]]


def test_failed_attempts_are_told_as_cards_show_them(server: Server) -> None:
    run = flyte.submit(fails, "/data/none")
    run.wait()

    told = server.get(f"runs/{run.name}/actions/a0")
    assert "FileNotFoundError: /data/none is not there" == told["explanation"]
    assert ["FileNotFoundError"] * 2 == [attempt["failure"]["code"] for attempt in told["attempts"]]
    assert [(0, 1), (1, 1)] == [(attempt["number"], attempt["printed"]) for attempt in told["attempts"]]
    assert all(attempt["began"] <= attempt["ended"] for attempt in told["attempts"])
    assert "raise FileNotFoundError" in told["attempts"][0]["failure"]["traceback"]


def test_the_code_of_a_run_is_shown_as_it_was_sent(server: Server) -> None:
    run = flyte.run(total, 1)

    source = server.get(f"runs/{run.name}")["source"]
    assert ["acts.total", "acts.double"] == [each["name"] for each in source]
    assert source[0]["text"].startswith("@env.task(retries=1, report=True)\ndef total(n: int) -> int:\n")
    assert source[1]["text"].endswith("    return 2 * x\n")


def test_what_differs_from_the_run_before_is_told(server: Server) -> None:
    before = flyte.run(double, 1)
    run = flyte.run(double.override(retries=2), 5)

    previous = server.get(f"runs/{run.name}")["previous"]
    assert before.name == previous["run"]
    assert [("input x", "1", "5"), ("retries", None, "2")] == [
        (each["name"], each["before"], each["after"]) for each in previous["differences"]
    ]


def test_a_report_comes_as_documents(server: Server) -> None:
    run = flyte.run(total, 1)

    found = server.get(f"runs/{run.name}/actions/a0/report")
    assert (0, ["main", "more"]) == (found["attempt"], [tab["title"] for tab in found["tabs"]])
    assert found["tabs"][0]["document"].startswith("<!DOCTYPE html>")
    assert "<h1>Total</h1>" in found["tabs"][0]["document"]
    status, answer = server.ask(f"runs/{flyte.run(double, 1).name}/actions/a0/report")
    assert 404 == status
    assert "has no report" in answer["message"]


def test_pages_of_a_long_log_begin_at_any_line(server: Server) -> None:
    run = flyte.run(many_lines, 25_000)

    def page(start: int, limit: int) -> tuple[list[str], int]:
        found = server.get(f"runs/{run.name}/actions/a0/logs?start={start}&limit={limit}")
        assert start == found["start"]
        return [text for _, _, text in found["lines"]], found["total"]

    for start in (0, 999, 1000, 1001, 17_500, 24_998):
        lines, number = page(start, 3)
        assert [f"line {i}" for i in range(start, min(start + 3, 25_000))] == lines
        assert 25_000 == number
    assert ([], 25_000) == page(25_000, 10)


def test_the_log_of_what_runs_grows_and_is_complete_at_the_end(server: Server, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    run = flyte.submit(waits, str(flag))
    address = f"runs/{run.name}/actions/a0/logs"

    eventually(lambda: [line[2] for line in server.get(address)["lines"]] == ["begun"])
    assert not server.get(address)["is_complete"]
    assert "" == server.get(f"runs/{run.name}/actions/a0")["explanation"]
    flag.touch()
    eventually(lambda: server.get(address)["is_complete"])


def test_a_run_is_cancelled_with_the_reason_that_was_given(server: Server, tmp_path: Path) -> None:
    run = flyte.submit(waits, str(tmp_path / "never"))
    eventually(lambda: server.get(f"runs/{run.name}")["summary"]["phase"] == "running")

    assert {} == server.post(f"runs/{run.name}/cancel", {"reason": "It is not needed."})
    run.wait()
    assert "aborted" == run.phase.value
    eventually(lambda: server.get(f"runs/{run.name}")["summary"]["phase"] == "aborted")
    assert "It is not needed." in server.get(f"runs/{run.name}/actions/a0")["explanation"]


def test_slow_answers_hold_up_nobody(server: Server) -> None:
    run = flyte.run(double, 1)
    answers = []

    def ask() -> None:
        answers.append(server.ask(f"runs/{run.name}/card")[0])

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [200] * 20 == answers
