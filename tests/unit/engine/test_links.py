"""The links of an action."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.engine.links import rendered
from flyte_jupyter.environment import TaskEnvironment


class Logs:
    """Writes down what it was asked."""

    name = "Logs"
    icon_uri = ""

    def __init__(self, answer: Any = "https://logs.example/x") -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def get_link(self, **names: Any) -> Any:
        self.asked.append(names)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def links_of(*links: Any, parent: str | None = None) -> tuple[dict[str, str], ...]:
    def work() -> None: ...

    task = TaskEnvironment("links").task(work, links=links)
    return rendered(task, run="r1", action="a7", parent=parent, context={"k": "v"})


def test_the_names_are_the_real_ones() -> None:
    logs = Logs()
    expected = {
        "run_name": "r1",
        "project": "",
        "domain": "",
        "context": {"k": "v"},
        "parent_action_name": "a0",
        "action_name": "a7",
        "pod_name": "r1-a7",
    }
    assert ({"name": "Logs", "uri": "https://logs.example/x"},) == links_of(logs, parent="a0")
    assert [expected] == logs.asked


def test_the_first_action_is_its_own_parent() -> None:
    logs = Logs()
    links_of(logs)
    assert "a7" == logs.asked[0]["parent_action_name"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(ValueError("no such project"), "ValueError: no such project"), (7, "TypeError: get_link gave int, not a str")],
)
def test_what_goes_wrong_in_a_link_is_told_and_stops_nothing(answer: Any, problem: str) -> None:
    good = {"name": "Logs", "uri": "https://logs.example/x"}
    assert ({"name": "Logs", "problem": problem}, good) == links_of(Logs(answer), Logs())


def test_a_link_that_leads_nowhere_is_left_out() -> None:
    assert () == links_of(Logs(""))
