"""A front end without a screen: a real kernel, talked to through jupyter_client as JupyterLab does it."""

from __future__ import annotations

import os
import queue
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipykernel
import pytest
from jupyter_client.manager import KernelManager

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards.card import MIME
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient
    from typing_extensions import Self

ROOT = Path(__file__).parents[2]
START = "%load_ext flyte_jupyter\nimport flyte_jupyter as flyte\nenv = flyte.TaskEnvironment(name='my_env')"
SLEEP = "while True: time.sleep(0.1)"
"""Until it is interrupted: Python misses a signal that comes just before the system call of one long sleep."""

needs_subshells = pytest.mark.skipif(ipykernel.version_info < (7,), reason="ipykernel has subshells since version 7")


def plain(text: str) -> str:
    """Without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@dataclass
class Cell:
    """What came back for one cell; its traceback without colours."""

    status: str = ""
    error: str = ""
    traceback: str = ""
    result: str = ""
    stdout: str = ""
    stderr: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)

    def card(self) -> list[str]:
        """The text of the first card in all states that it was seen in."""
        first = next(d for d in self.displays if MIME in d["data"])
        later = [u for u in self.updates if u["transient"] == first["transient"]]
        return [content["data"]["text/plain"] for content in (first, *later)]


class Front:
    """A kernel, and who talks to it; `with` ends it.

    Args:
        home: the state folder of the kernel; cells: run at once, and none may fail.
        kernel: its name, as Jupyter knows it; within: seconds that it may take to start.
    """

    def __init__(self, home: Home, *cells: str, kernel: str = "python3", within: float = PATIENCE) -> None:
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
        self._env = {**os.environ, "FLYTE_JUPYTER_HOME": str(home.path), "PYTHONPATH": path}
        # sockets of its own: by itself it looks for names that are free, and other tests take them
        sockets = str(home.path / f"k{secrets.token_hex(4)}")
        self._manager = KernelManager(kernel_name=kernel, transport="ipc", ip=sockets)
        self._manager.start_kernel(env=self._env)
        try:
            self._connect(within)
            for source in cells:
                cell = self.run(source)
                assert "ok" == cell.status, cell.error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, within: float = PATIENCE) -> None:
        self.client: BlockingKernelClient = self._manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=within)

    def restart(self) -> None:
        """Kill the kernel and start another."""
        self.client.stop_channels()
        self._manager.restart_kernel(now=True)
        self._connect()

    def close(self) -> None:
        """Kill the kernel."""
        self._end(now=True)

    def shut_down(self) -> None:
        """As a front end does it: ask first."""
        self._end(now=False)

    def _end(self, *, now: bool) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=now)
        self._manager.cleanup_resources()

    def interrupt(self) -> None:
        """■"""
        self._manager.interrupt_kernel()

    def run(self, source: str, each: Callable[[Cell], None] | None = None) -> Cell:
        """Execute a cell; `each` is called after every message of it."""
        request = self.client.execute(source)
        cell = Cell()
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self.client.get_iopub_msg(timeout=deadline - time.monotonic())
            is_mine = message["parent_header"].get("msg_id") == request
            if is_mine and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            self._take(cell, message)
            if each is not None:
                each(cell)
        cell.status = self.reply(request)["status"]
        return cell

    def reply(self, request: str) -> dict[str, Any]:
        """What the kernel answers to a request on the shell channel."""
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self.client.get_shell_msg(timeout=deadline - time.monotonic())
            if message["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = message["content"]
                return content

    def new_subshell(self) -> str:
        """The id of a new subshell."""
        self.client.control_channel.send(self.client.session.msg("create_subshell_request", {}))
        subshell: str = self.client.get_control_msg(timeout=PATIENCE)["content"]["subshell_id"]
        return subshell

    def more(self, cell: Cell, enough: Callable[[Cell], object]) -> None:
        """Go on listening after the cell has ended, until it is enough."""
        deadline = time.monotonic() + PATIENCE
        while not enough(cell):
            try:
                self._take(cell, self.client.get_iopub_msg(timeout=deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"nothing came; so far {cell}")

    def _take(self, cell: Cell, message: dict[str, Any]) -> None:
        content = message["content"]
        match message["msg_type"]:
            case "display_data":
                cell.displays.append(content)
            case "update_display_data":
                cell.updates.append(content)
            case "execute_result":
                cell.result = content["data"]["text/plain"]
            case "stream" if content["name"] == "stdout":
                cell.stdout += content["text"]
            case "stream":
                cell.stderr += content["text"]
            case "error":
                cell.error = f"{content['ename']}: {content['evalue']}"
                cell.traceback = plain("\n".join(content["traceback"]))


class Person:
    """Answers what a cell asks, one after the other; given to `Front.run`, which calls it when the cell has begun."""

    def __init__(self, front: Front, *answers: str, is_unseen: bool = True) -> None:
        self.prompts: list[str] = []
        self._is_unseen = is_unseen
        self._client = front.client
        self._answers = list(answers)

    def __call__(self, _: Cell) -> None:
        while self._answers:
            self.is_asked()
            self._client.input(self._answers.pop(0))

    def is_asked(self) -> None:
        """Wait for a question."""
        request = self._client.get_stdin_msg(timeout=60)["content"]
        assert self._is_unseen == request["password"]
        self.prompts.append(request["prompt"])
