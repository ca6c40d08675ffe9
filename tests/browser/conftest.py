"""A real JupyterLab, and a real browser that looks at it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import clear, eventually, lacking, new_folder

ROOT = Path(__file__).parents[2]
WAIT = 60_000.0
"""Milliseconds that the browser waits for anything."""
PYTHON = os.environ.get("FLYTE_JUPYTER_TEST_LAB", sys.executable)
"""The Python whose JupyterLab is looked at: other versions of it are tried with their own."""


class Lab:
    """A server with notebooks in a folder of its own, and a page.

    Attributes:
        server: the number of its process; home: the state folder; address: of Jupyter, as the browser sees it.
    """

    def __init__(self, folder: Path, address: str, token: str, page: Page, server: int, home: Path) -> None:
        self.folder = folder
        self.address = address
        self.home = home
        self.server = server
        self.page = page
        self._token = token
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def write(self, name: str, *cells: str | Any) -> None:
        """A notebook of these cells, none of which was executed in this server."""
        made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
        nbformat.write(notebook, str(self.folder / name))

    def open(self, name: str) -> None:
        """Show a notebook, and wait until its kernel can be asked."""
        self._go(f"lab/tree/{name}")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=WAIT)
        self.wait_for_kernel()

    def open_launcher(self) -> None:
        """Show JupyterLab as it is at first."""
        self._go("lab")
        self.page.wait_for_selector(".jp-Launcher", timeout=WAIT)

    def wait_for_kernel(self) -> None:
        """Wait until the kernel of the notebook that is shown can be asked."""
        self.page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus === 'connected'",
            timeout=WAIT,
        )

    def open_in_notebook(self, name: str) -> None:
        """Show a notebook in Notebook 7, which the same server has."""
        self._go(f"notebooks/{name}")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=WAIT)

    def _go(self, path: str) -> None:
        self.page.goto(f"{self.address}/{path}?reset&token={self._token}")

    def do(self, command: str, **arguments: object) -> None:
        """Run a command of JupyterLab, and wait for its end."""
        execute = "async ([id, given]) => { await window.jupyterapp.commands.execute(id, given); }"
        self.page.evaluate(execute, [command, arguments])

    def start(self, command: str) -> None:
        """The same for one that does not end by itself."""
        self.page.evaluate("id => void window.jupyterapp.commands.execute(id)", command)

    def run_cell(self, number: int) -> None:
        """Execute a cell, without waiting for its end."""
        self.select(number)
        self.start("notebook:run-cell")

    def select(self, number: int) -> None:
        """Make a cell the active one."""
        self.page.evaluate("n => {window.jupyterapp.shell.currentWidget.content.activeCellIndex = n}", number)

    def runs(self) -> list[dict[str, Any]]:
        """What the server says of its runs, the newest first."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "async at => (await (await fetch(at + '/flyte-jupyter/runs')).json()).runs", self.address
        )
        return found

    def statuses(self) -> list[str]:
        """What the cards say of their runs, from top to bottom."""
        return [text.split()[-1] for text in self.page.locator(".flyte-run [role=status]").all_inner_texts()]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def lab(tmp_path: Path, chromium: Browser) -> Iterator[Lab]:
    with started(tmp_path, chromium) as made:
        yield made


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser."""
    program = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
    if program is None:
        lacking("Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def extended(tmp_path: Path, chromium: Browser) -> Iterator[Lab]:
    """The same with our extensions of server and front end."""
    with started(tmp_path, chromium, is_extended=True) as made:
        yield made


@contextmanager
def started(
    tmp_path: Path, chromium: Browser, *, is_extended: bool = False, is_served: bool = True, prefix: str = ""
) -> Iterator[Lab]:
    """A server that keeps what it writes in a folder.

    Args:
        is_extended: whether it has our extensions, as an installation puts them into place.
        is_served: whether that of the server is one of them.
        prefix: what its addresses begin with, such as "/hub/user/ada".
    """
    folder = tmp_path / "notebooks"
    folder.mkdir()
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, home = secrets.token_hex(16), new_folder()
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    env = {**os.environ, "PYTHONPATH": path, "JUPYTER_TOKEN": token, "FLYTE_JUPYTER_HOME": str(home)}
    env |= {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    config = Path(env["JUPYTER_CONFIG_DIR"])
    if is_extended:
        install(config, Path(env["JUPYTER_DATA_DIR"]))
    leave_out(config, front=not is_extended, server=not (is_extended and is_served))
    options = ("--no-browser", "--allow-root", f"--port={port}", f"--ServerApp.root_dir={folder}")
    options = (*options, f"--ServerApp.base_url={prefix}/")
    command = [PYTHON, "-m", "jupyterlab", *options, "--LabApp.expose_app_in_browser=True"]
    address = f"http://127.0.0.1:{port}{prefix}"
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        eventually(lambda: server.poll() is None and is_up(f"{address}/api"), within=60)
        with chromium.new_page(viewport={"width": 1500, "height": 1400}) as page:
            yield Lab(folder, address, token, page, server.pid, home)
    finally:
        end(server)
        clear(home)


def install(config: Path, data: Path) -> None:
    """Put our extensions where the wheel has them."""
    built = ROOT / "flyte_jupyter" / "labextension"
    if not built.is_dir():
        lacking("the extension of JupyterLab: python setup_jupyter.py develop")
    (data / "labextensions").mkdir(parents=True)
    (data / "labextensions" / "flyte-jupyter").symlink_to(built)
    config.mkdir(exist_ok=True)
    (config / "jupyter_server_config.d").symlink_to(ROOT / "jupyter-config" / "server-config")


def leave_out(config: Path, *, front: bool, server: bool) -> None:
    """Do without an extension of ours, also where the package is installed with it."""
    (config / "labconfig").mkdir(parents=True, exist_ok=True)
    if front:
        without = {"disabledExtensions": {"flyte-jupyter": True}}
        (config / "labconfig" / "page_config.json").write_text(json.dumps(without))
    if server:
        without = {"ServerApp": {"jpserver_extensions": {"flyte_jupyter": False}}}
        (config / "jupyter_server_config.json").write_text(json.dumps(without))


def end(server: subprocess.Popen[bytes]) -> None:
    """End a server and its kernels, whose Host lives on. One of whose kernels just starts may wait for ever."""
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
    server.terminate()
    _, left = psutil.wait_procs(processes, timeout=30)
    for process in left:
        process.kill()
    server.wait(10)


def is_up(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True
