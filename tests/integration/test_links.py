"""Links, documentation and names, from the declaration to the record of a run."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.store import keys
from tests.conftest import forget_session

pytestmark = [pytest.mark.one_host, pytest.mark.usefixtures("home")]

env = flyte.TaskEnvironment("links", description="To try links")


class Logs:
    """A link as users write one."""

    name = "Logs"
    icon_uri = "https://icons.example/logs.svg"

    def __init__(self, host: str) -> None:
        self.host = host

    def get_link(self, run_name: str, action_name: str, parent_action_name: str, context: Any, **_: Any) -> str:
        return f"https://{self.host}/{run_name}/{parent_action_name}/{action_name}?{context.get('who', '')}"


class Broken(Logs):
    name = "Broken"

    def get_link(self, **_: Any) -> str:
        raise LookupError("no such host")


@env.task(links=Logs("child.example"))
async def child(x: int) -> int:
    return x


@env.task(
    links=[Logs("main.example"), Broken("nowhere")],
    short_name="Main part",
    docs="Calls the other.",
    report=True,
    interruptible=True,
    service_account="me",
)
async def main(x: int) -> dict[str, Any]:
    """Not this."""
    await child(x)
    return {
        "docs": main.docs.description,
        "short_name": main.short_name,
        "description": main.description,
        "name": main.name,
        "interruptible": main.interruptible,
        "service_account": main.service_account,
        "report": main.report,
    }


def test_links_have_the_real_names_of_run_and_action() -> None:
    run = flyte.with_runcontext(custom_context={"who": "me"}).run(main, 1)
    view = run.view()
    expected = [
        {"name": "Logs", "uri": f"https://main.example/{run.name}/a0/a0?me"},
        {"name": "Broken", "problem": "LookupError: no such host"},
    ]
    assert expected == view["links"]
    (called,) = [action for action in view["actions"] if action["name"] != "a0"]
    uri = f"https://child.example/{run.name}/a0/{called['name']}?me"
    assert [{"name": "Logs", "uri": uri}] == called["links"]
    forget_session()
    again = flyte.get_run(run.name).view()
    assert (expected, [called["links"]]) == (
        again["links"],
        [action["links"] for action in again["actions"] if action["name"] != "a0"],
    )


def test_items_of_a_map_have_links() -> None:
    assert [1, 2] == list(flyte.map(child, [1, 2]))
    view = flyte.runs()[0].view()
    uris = [link["uri"] for action in view["actions"] for link in action["links"]]
    assert 2 == len(set(uris))
    assert [] == [uri for uri in uris if view["run"] not in uri]


def test_what_the_task_is_for_is_in_the_record_and_in_the_task() -> None:
    run = flyte.run(main, 1)
    record = json.loads(bytes(session.current().store.get(keys.record(run.name))))
    about = {"environment": "links", "description": "To try links", "docs": "Calls the other."}
    assert (about, "Main part", "links.main", True) == (
        record["about"],
        record["title"],
        record["task"],
        record["report"],
    )
    assert (True, "me") == (record["pod"]["interruptible"], record["pod"]["service_account"])
    assert ["service_account and interruptible need a cluster: this machine only keeps and shows them."] == [
        note for note in record["notes"] if "cluster" in note
    ]
    expected = {
        "docs": "Calls the other.",
        "short_name": "Main part",
        "description": "To try links",
        "name": "links.main",
        "interruptible": True,
        "service_account": "me",
        "report": True,
    }
    assert expected == run.result()


def test_a_link_that_cannot_go_along_is_named() -> None:
    link = Logs("x.example")
    link.lock = threading.Lock()  # type: ignore[attr-defined]  # what makes it stay here

    with pytest.raises(errors.CaptureError, match="lock"):
        flyte.run(child.override(links=link), 1)
