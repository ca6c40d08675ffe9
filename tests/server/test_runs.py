from __future__ import annotations

import json

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore
from tests.conftest import eventually
from tests.server.conftest import Server

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="served")


@env.task
def square(x: int) -> int:
    """The square of a number."""
    print(f"squaring {x}")
    return x * x


@env.task
def broken(x: int) -> int:
    raise ValueError(f"no square of {x}")


def test_a_run_is_listed_told_in_detail_and_drawn(server: Server) -> None:
    run = flyte.run(square, 3)

    eventually(lambda: run.name in _names(server, "text=SQUA&phase=succeeded"))  # news come a moment later
    page = server.get("runs?text=SQUA")
    assert run.name == page["runs"][0]["name"]
    assert page["total"] == len(page["runs"])
    assert ("served.square", "succeeded", "local") == tuple(page["runs"][0][of] for of in ("task", "phase", "mode"))

    detail = server.get(f"runs/{run.name}")
    assert page["runs"][0] == detail["summary"]
    assert ({"x": "3"}, "9", "The square of a number.") == (
        detail["inputs"],
        detail["result"]["text"],
        detail["docs"],
    )

    card = server.get(f"runs/{run.name}/card")
    assert detail["commands"] == card["commands"]
    assert "succeeded" == card["phase"]
    assert f'<code class="fr-muted">{run.name}</code>' in card["html"]
    assert "rerun" in [command["name"] for command in card["commands"]]


def test_what_a_run_printed_is_paged_and_saved(server: Server) -> None:
    run = flyte.run(square, 3)

    page = server.get(f"runs/{run.name}/actions/a0/logs")
    assert (0, 1, True) == (page["attempt"], page["total"], page["is_complete"])
    assert [["stdout", "squaring 3"]] == [line[1:] for line in page["lines"]]

    status, data, headers = server.fetch(f"flyte-jupyter/runs/{run.name}/actions/a0/logs/download")
    assert (200, b"squaring 3\n") == (status, data)
    assert f'attachment; filename="{run.name}-a0.0.log"' == headers["Content-Disposition"]
    assert "text/plain; charset=utf-8" == headers["Content-Type"]


def test_runs_are_found_by_phase_and_task(server: Server) -> None:
    good, bad = flyte.run(square, 2), flyte.submit(broken, 1)
    bad.wait()

    eventually(lambda: bad.name in _names(server, "phase=failed,aborted"))
    assert good.name not in _names(server, "phase=failed,aborted")
    assert good.name in _names(server, "task=served.square")
    assert bad.name not in _names(server, "task=served.square")
    assert [bad.name] == _names(server, "offset=0&limit=1")


def _names(server: Server, query: str) -> list[str]:
    return [each["name"] for each in server.get(f"runs?{query}")["runs"]]


def test_what_is_not_there_or_not_right_is_refused_with_what_to_do(server: Server) -> None:
    def refused(path: str) -> tuple[int, str]:
        status, answer = server.ask(path)
        assert ("refused", "") == (answer["topic"], answer["of"])
        return status, answer["message"]

    assert (404, "There is no run 'r0000000000' here; it may have been deleted.") == refused("runs/r0000000000")
    assert (400, "run: '..' is not the name of a run.") == refused("runs/%2e%2e")
    assert (400, "limit: '0' is not a number from 1 to 1000.") == refused("runs?limit=0")
    assert (400, "'ofset' is no parameter here; did you mean 'offset'?") == refused("runs?ofset=3")


def test_a_run_whose_cluster_does_not_answer_is_told_as_it_was_written_down(server: Server, home: Home) -> None:
    run = flyte.run(square, 3)
    key = keys.record(run.name)
    store = FileStore(home.store_url)
    record = json.loads(bytes(store.get(key)))
    name = f"{run.name[:-1]}{'1' if run.name[-1] == '0' else '0'}"
    cluster = {"context": "nowhere", "namespace": "none"}
    far = {**record, "run": name, "mode": "remote", "site": "nowhere/none", "cluster": cluster}
    store.put(keys.record(name), [json.dumps(far).encode()])

    detail = server.get(f"runs/{name}")
    assert ({"x": "3"}, [], None) == (detail["inputs"], detail["source"], detail["result"])
    assert "nowhere/none" in server.get(f"runs/{name}/card")["html"]
    status, answer = server.ask(f"runs/{name}/actions/a0/logs")
    assert (502, "refused") == (status, answer["topic"])
    assert answer["message"]
