"""The extension of a Jupyter server: `jupyter server extension list` shows it as `flyte_jupyter`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from ..home import Home

if TYPE_CHECKING:
    from .here import Here

_AT_ONCE = 16
"""Answers that are made at the same time: some wait for a cluster, and the others not for them."""


class FlyteJupyter(ExtensionApp):
    """Runs, tasks and machines of flyte_jupyter for front ends, below `flyte-jupyter/`."""

    name = "flyte_jupyter"
    description = "What flyte_jupyter runs, for front ends."
    load_other_extensions = True
    home = Unicode(
        "",
        help="The state folder of flyte_jupyter whose runs are shown; by default that of the kernels,"
        " $FLYTE_JUPYTER_HOME or the platform's place.",
    ).tag(config=True)

    def initialize_handlers(self) -> None:
        """Add the handlers of all routes."""
        from .here import Here
        from .routes import BELOW
        from .stream import Stream
        from .web import handlers

        self._threads = ThreadPoolExecutor(_AT_ONCE, "flyte-jupyter-answer")
        self._patient = ThreadPoolExecutor(_AT_ONCE, "flyte-jupyter-patient")
        self._here: Here = Here(Home(self.home or None), Path(self.serverapp.root_dir if self.serverapp else "."))
        self.handlers.extend(handlers(self._here, self._threads))
        given = {"here": self._here, "threads": self._threads, "patient": self._patient}
        self.handlers.append((f"{BELOW}/stream", Stream, given))

    async def stop_extension(self) -> None:
        """Let go of everything; what runs, runs on."""
        self._here.close()
        for threads in (self._threads, self._patient):
            threads.shutdown(wait=False, cancel_futures=True)
