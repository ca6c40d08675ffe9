"""The extension in the programs that load it; what it tells as events; what it costs at the start."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import websocket

import flyte_jupyter as flyte
from flyte_jupyter.config.toml import parse_toml
from flyte_jupyter.home import Home
from tests.conftest import PATIENCE, eventually
from tests.server.conftest import ROOT, Server, served

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="extended")


@env.task
def told(x: int) -> int:
    return x


@env.task(retries=1)
def fails(path: str) -> None:
    eventually(Path(path).exists)
    raise ValueError("it always does")


def test_where_the_wheel_puts_it_jupyter_finds_it(tmp_path: Path) -> None:
    project = parse_toml((ROOT / "pyproject.toml").read_text(), "project", ROOT / "pyproject.toml")
    data = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    [(source, target)] = [(source, target) for source, target in data.items() if "server_config" in target]
    shutil.copytree(ROOT / source, tmp_path / target)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(tmp_path / "etc" / "jupyter")}
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert re.search(r"flyte_jupyter\s+enabled", said)
    assert re.search(rf"flyte_jupyter {re.escape(flyte.__version__)}\s+OK", said), said


@pytest.mark.parametrize("program", ["jupyter_server", "jupyterlab", "notebook"])
def test_each_program_of_jupyter_serves_it(program: str, tmp_path: Path, home: Home) -> None:
    run = flyte.run(told, 1)
    with served(tmp_path, home=home.path, program=program) as server:
        assert "succeeded" == server.get(f"runs/{run.name}")["summary"]["phase"]


def test_the_state_folder_is_configured(tmp_path: Path, home: Home) -> None:
    run = flyte.run(told, 1)
    config = {"ServerApp": {"jpserver_extensions": {"flyte_jupyter": True}}, "FlyteJupyter": {"home": str(home.path)}}
    with served(tmp_path, home=tmp_path / "another", config=config) as server:
        assert run.name == server.get("runs")["runs"][0]["name"]


def test_a_server_starts_as_soon_as_without_it() -> None:
    heavy = (
        "cloudpickle",
        "IPython",
        "flyte_jupyter.engine",
        "flyte_jupyter.pack",
        "flyte_jupyter.notebook",
        "sqlite3",
    )
    program = (
        "import sys, jupyter_server.serverapp\nbefore = set(sys.modules)\n"
        "from flyte_jupyter.server.extension import FlyteJupyter\n"
        "from flyte_jupyter.server.web import handlers\n"
        f"list(handlers({{}}))\nprint([name for name in {heavy} if name in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "[]\n" == done.stdout


def test_the_phases_of_runs_are_events_of_the_server(server: Server, tmp_path: Path) -> None:
    server.get("runs")  # from then on it listens
    address = f"{server.address.replace('http', 'ws', 1)}/api/events/subscribe"
    header = {"Authorization": f"token {server.token}"}
    flag = tmp_path / "flag"
    with closing(websocket.create_connection(address, PATIENCE, header=header)) as socket:
        run = flyte.submit(fails, str(flag))
        seen = [_event(socket, run.name)]
        while seen[-1]["phase"] != "running":
            seen.append(_event(socket, run.name))
        flag.touch()
        while seen[-1]["phase"] != "failed":
            seen.append(_event(socket, run.name))
    assert all(before["phase"] == after["previous"] for before, after in itertools.pairwise(seen))
    assert ("extended.fails", "fails", 1, "local", None, False) == tuple(
        seen[-1][of] for of in ("task", "title", "attempt", "mode", "notebook", "is_cached")
    )
    assert seen[0]["at"] <= seen[-1]["at"]


def _event(socket: websocket.WebSocket, run: str) -> dict[str, object]:
    while True:
        told: dict[str, object] = json.loads(socket.recv())
        if told["schema_id"] == "urn:flyte-jupyter:run-state" and told["run"] == run:
            return told


def test_who_looks_on_does_not_keep_a_server_that_a_hub_would_stop(server: Server) -> None:
    def used() -> object:
        return json.loads(server.fetch("api/status?no_track_activity=1")[1])["last_activity"]

    before = used()
    server.get("runs?no_track_activity=1")
    server.get("pools")
    server.post("cells", {"cells": []})
    assert before == used()
    server.post("prune", {"days": 1, "dry_run": True})
    assert before != used()
