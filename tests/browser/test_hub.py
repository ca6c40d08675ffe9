"""Below a real JupyterHub, whose proxy is before the server and whose cookies are the user's."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import WebSocket, expect

from tests.browser.conftest import ROOT, WAIT, Lab, install, is_up, launched
from tests.conftest import clear, eventually, new_folder
from tests.server.conftest import end, free_port

PYTHON = os.environ.get("FLYTE_JUPYTER_TEST_HUB", "")
"""The Python of a JupyterHub, which also has JupyterLab and what flyte_jupyter needs; read before tests forget it."""
PROXY = "configurable-http-proxy"
USER = "ada@example.org"

CONFIG = """\
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/there/"
c.JupyterHub.hub_port = {hub}
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.Authenticator.allow_all = True
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--LabApp.expose_app_in_browser=True"]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {environment}
"""

NOTEBOOK = """\
%load_ext flyte_jupyter
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="of_hub")

@env.task
def count(until: int) -> int:
    import time
    for number in range(until):
        print("line", number, flush=True)
        time.sleep(0.2)
    return until

run = flyte.submit(count, 6000)
"""


@contextmanager
def hub(folder: Path, home: Path) -> Iterator[str]:
    """The address of one, whose only users are who they say."""
    proxy = shutil.which(PROXY)
    if not PYTHON or proxy is None:
        pytest.skip(f"needs JupyterHub: $FLYTE_JUPYTER_TEST_HUB, and {PROXY} (npm) on $PATH")
    (folder / "home").mkdir()
    environment = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    install(folder / "CONFIG", folder / "DATA")
    environment |= {"PYTHONPATH": str(ROOT), "FLYTE_JUPYTER_HOME": str(home)}
    port = free_port()
    (folder / "config.py").write_text(
        CONFIG.format(
            port=port,
            hub=free_port(),
            api=free_port(),
            folder=folder,
            proxy=proxy,
            python=PYTHON,
            environment=json.dumps(environment),
        )
    )
    token = {"CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [PYTHON, "-m", "jupyterhub", "-f", str(folder / "config.py")],
            env={**os.environ, **token},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        address = f"http://127.0.0.1:{port}/there"
        eventually(lambda: process.poll() is None and is_up(f"{address}/hub/api"))
        yield address
    finally:
        end(process)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """The JupyterLab of a user who has logged in."""
    home = new_folder()
    with hub(tmp_path, home) as address, launched() as browser:
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        page.goto(f"{address}/hub/login")
        page.get_by_label("Username").fill(USER)
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile("/user/.*/lab"))
        below = page.url.partition("/lab")[0]
        yield Lab(tmp_path / "home", f"{below}/lab/tree/{{}}?reset", page, 0, home)
    clear(home)


def test_stream_card_and_sidebar_work_below_a_hub(lab: Lab) -> None:
    sockets: list[WebSocket] = []
    lab.page.on("websocket", lambda socket: sockets.append(socket))  # noqa: PLW0108 - a built-in cannot be listened with
    lab.write("of_hub.ipynb", NOTEBOOK)
    lab.open("of_hub.ipynb")
    lab.run_cell(0)
    eventually(lambda: ["running"] == lab.statuses())
    lab.do("docmanager:save")
    lab.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")
    lab.page.reload()
    shown = lab.page.locator(".flyte-Card[data-source=server]")
    printed = shown.get_by_text(re.compile(r"line \d+\s*$"))
    before = printed.inner_text()
    eventually(lambda: printed.inner_text() != before)
    [*_, stream] = [each for each in sockets if each.url.endswith("/flyte-jupyter/stream")]
    assert "/there/user/" in stream.url
    assert not stream.is_closed()
    lab.do("flyte:show-runs")
    row = lab.page.locator("#flyte-runs").get_by_role("row", name="count, running")
    row.hover()
    row.get_by_role("button", name="Cancel Run").click()
    lab.page.locator("#flyte-runs").get_by_role("row", name="count, aborted").wait_for()
    eventually(lambda: ["aborted"] == lab.statuses())
    assert [] == lab.problems
