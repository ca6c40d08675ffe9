from __future__ import annotations

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import context
from tests.server.conftest import Server

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="again")


@env.task
def doubles(x: int) -> int:
    return 2 * x


def test_a_run_is_run_again_in_the_name_of_its_notebook(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(server.folder / "mine.ipynb")
    monkeypatch.setitem(context.notebook, "path", path)
    monkeypatch.setitem(context.notebook, "cell", "c1")
    first = flyte.run(doubles, 4)
    monkeypatch.delitem(context.notebook, "path")

    again = flyte.get_run(server.post(f"runs/{first.name}/rerun", {})["run"])
    assert 8 == again.result()
    assert first.name < again.name
    summary = server.get(f"runs/{again.name}")["summary"]
    assert ("mine.ipynb", "c1") == (summary["notebook"], summary["cell"])


def test_parameters_are_overridden_as_a_line_says(server: Server) -> None:
    first = flyte.run(doubles, 1)

    again = flyte.get_run(server.post(f"runs/{first.name}/rerun", {"override": "retries=3, memory=300Mi"})["run"])
    again.wait()
    config = {each["name"]: (each["value"], each["level"]) for each in server.get(f"runs/{again.name}")["config"]}
    assert {"retries": ("3", "override"), "resources": ("memory 300 MiB", "override")} == config


def test_what_is_wrong_with_it_is_the_answer(server: Server) -> None:
    first = flyte.run(doubles, 1)

    status, answer = server.ask(f"runs/{first.name}/rerun", {"override": "retires=3"})
    assert (400, "--retires: no such option\n  did you mean '--retries'?") == (status, answer["message"])
    status, answer = server.ask(f"runs/{first.name}/rerun", {"override": "env_vars={'A': '\0'}"})
    assert (400, True) == (status, "NUL" in answer["message"])
    status, answer = server.ask("runs/r00000000000000/rerun", {})
    assert (404, "There is no run 'r00000000000000' here; it may have been deleted.") == (status, answer["message"])


def test_a_map_as_a_whole_is_not_run_again(server: Server) -> None:
    assert [2, 4] == list(flyte.map(doubles, [1, 2]))
    name = flyte.runs()[0].name

    status, answer = server.ask(f"runs/{name}/rerun", {})
    assert 400 == status
    assert "is a map as a whole" in answer["message"]
    source = server.get(f"runs/{name}")["source"]
    assert ["again.doubles"] == [each["name"] for each in source]
