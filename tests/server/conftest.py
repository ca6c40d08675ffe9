"""A real Jupyter server with the extension, and this process as a kernel that runs tasks."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import psutil
import pytest

from flyte_jupyter.home import HOME_VARIABLE
from tests.conftest import PATIENCE, eventually

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """A Jupyter server.

    Attributes:
        address: its base URL, without a slash at its end; folder: what it serves; log: what it prints.
    """

    address: str
    token: str
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def ask(
        self, path: str, body: Any = None, *, method: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of an answer; with a body it is posted."""
        status, data, _ = self.fetch(f"flyte-jupyter/{path}", body, method=method, headers=headers)
        return status, json.loads(data)

    def get(self, path: str) -> Any:
        """The answer, when there is a good one."""
        status, answer = self.ask(path)
        assert (200, answer) == (status, answer)
        return answer

    def post(self, path: str, body: Any) -> Any:
        """The same of what is posted."""
        status, answer = self.ask(path, body)
        assert (200, answer) == (status, answer)
        return answer

    def cookies(self) -> dict[str, str]:
        """What a browser has after its user has logged in."""
        jar = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        for page in (f"api/status?token={self.token}", "login"):  # who it is, then a page with a form
            browser.open(f"{self.address}/{page}").close()
        return {each.name: each.value or "" for each in jar}

    def fetch(
        self, path: str, body: Any = None, *, method: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, content and headers of any answer."""
        given = {"Authorization": f"token {self.token}"} if headers is None else headers
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/{path}", data, given, method=method or None)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read(), dict(refused.headers)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _of_file: Path) -> Iterator[Server]:
    """For tests with the marker `one_host`: one for all of a file."""
    with served(tmp_path_factory.mktemp("server"), home=_of_file) as made:
        yield made


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def served(
    tmp_path: Path,
    *options: str,
    home: Path,
    prefix: str = "/",
    config: dict[str, Any] | None = None,
    env: dict[str, str] | None = None,
    port: int | None = None,
    token: str | None = None,
    program: str = "jupyter_server",
) -> Iterator[Server]:
    """A server that keeps what it writes in a folder, for the state folder `home`."""
    folder = tmp_path / "notebooks"
    folder.mkdir(exist_ok=True)
    port, token = port or free_port(), token or secrets.token_hex(16)
    more = env or {}
    path = os.pathsep.join(
        part for part in (more.get("PYTHONPATH"), str(ROOT), os.environ.get("PYTHONPATH")) if part is not None
    )
    environ = {**os.environ, **more, "PYTHONPATH": path, "JUPYTER_TOKEN": token, HOME_VARIABLE: str(home)}
    environ |= {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    (tmp_path / "CONFIG").mkdir(exist_ok=True)
    extension = json.loads((ROOT / "jupyter-config" / "server-config" / "flyte_jupyter.json").read_text())
    settings = {**extension, **(config or {})}
    (tmp_path / "CONFIG" / "jupyter_server_config.json").write_text(json.dumps(settings))
    given = (f"--port={port}", f"--ServerApp.root_dir={folder}", f"--ServerApp.base_url={prefix}", "--no-browser")
    command = [sys.executable, "-m", program, *given, "--allow-root", *options]
    log = tmp_path / "log"
    with log.open("w") as printed:
        process = subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=printed, stderr=printed)
    try:
        made = Server(f"http://127.0.0.1:{port}{prefix.rstrip('/')}", token, folder, log, process)
        eventually(lambda: is_up(made))
        yield made
    finally:
        end(process)


def is_up(server: Server) -> bool:
    """Whether it answers; fails when it has ended."""
    assert server.process.poll() is None, server.log.read_text()
    try:
        return server.fetch("api/status")[0] == 200
    except OSError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever it has started."""
    processes = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.terminate()
    _, left = psutil.wait_procs(processes, timeout=30)
    for each in left:
        each.kill()
    process.wait(10)
