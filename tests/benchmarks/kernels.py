"""What is measured in a notebook: cells in a real kernel, of which the last one prints samples and floors as JSON."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.measures import Measured, private_home


def in_a_notebook(cells: Iterable[str]) -> Measured:
    """Execute the cells one after the other; the last line that is printed is `[samples, floors]`."""
    from jupyter_client.manager import start_new_kernel

    printed: list[str] = []

    def hook(message: dict[str, Any]) -> None:
        if message["header"]["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    with private_home():
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        manager, client = start_new_kernel(kernel_name="python3", env=environ, stderr=subprocess.DEVNULL)
        try:
            run = functools.partial(client.execute_interactive, timeout=120, output_hook=hook)
            for cell in cells:
                reply = run(cell)
                assert reply["content"]["status"] == "ok", reply["content"]
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    samples, floors = json.loads("".join(printed).strip().splitlines()[-1])
    return Measured(samples, floors)
