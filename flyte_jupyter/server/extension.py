"""The extension of a Jupyter server: `jupyter server extension list` shows it as `flyte_jupyter`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode

from .late import Late
from .routes import BELOW
from .stream import Stream
from .web import handlers

if TYPE_CHECKING:
    from .answers.here import Here
    from .shapes.runs import RunSummary

_AT_ONCE = 16
"""Answers that are made at the same time."""
_CONTENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
"""What is done with files through the server."""
_log = logging.getLogger("flyte_jupyter")


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
    emits_events = Bool(
        True, help="Whether the phases of runs are told to those who listen to the events of the server."
    ).tag(config=True)

    def initialize_handlers(self) -> None:
        """Add the handlers of all routes; what is behind them is imported later."""
        self._began = time.time()
        self._threads = ThreadPoolExecutor(_AT_ONCE, "flyte-jupyter-answer")
        self._patient = ThreadPoolExecutor(_AT_ONCE, "flyte-jupyter-patient")
        root = self.serverapp.root_dir if self.serverapp is not None else "."
        self._late = Late(self.home, Path(root), self._listen)
        given = {"late": self._late, "threads": self._threads, "patient": self._patient}
        self.handlers.extend(handlers(given))
        self.handlers.append((f"{BELOW}/stream", Stream, given))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """The server is up: begin to look, beside everything else."""
        await super()._start_jupyter_server_extension(serverapp)  # type: ignore[no-untyped-call]  # Jupyter annotates only a part
        self._beginning = asyncio.get_running_loop().create_task(self._begin())
        if serverapp.event_logger is not None:
            serverapp.event_logger.add_listener(schema_id=_CONTENTS, listener=self._file_changed)

    async def _begin(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._late.get)
        except Exception:  # the server ends, or the state folder cannot be used, which each answer says
            _log.info("The runs are not looked at yet", exc_info=True)

    async def _file_changed(self, *, data: Mapping[str, Any], **_: Any) -> None:
        """A notebook, or a folder of some, may have another path now."""
        if data["action"] != "rename" or self.serverapp is None:
            return
        source, path = data["source_path"].strip("/"), data["path"].strip("/")
        sessions = await self.serverapp.session_manager.list_sessions()
        notebooks = {each["kernel"]["id"]: each["path"].strip("/") for each in sessions}

        def follow() -> None:
            self._late.get().feed.moved(source, path, notebooks)

        await asyncio.get_running_loop().run_in_executor(self._threads, follow)

    def _listen(self, here: Here) -> None:
        """Tell those who listen to the events of the server of all phases from now on."""
        server = self.serverapp
        if not self.emits_events or server is None or server.event_logger is None:
            return
        from .events import ID, SCHEMA, Phases

        logger = server.event_logger
        logger.register_event_schema(SCHEMA)
        phases = Phases(self._began)

        def emit(changed: list[RunSummary]) -> None:
            for event in phases.changes(changed):
                logger.emit(schema_id=ID, data=event)

        def told(changed: list[RunSummary], _: list[str]) -> None:
            server.io_loop.add_callback(emit, changed)

        here.feed.subscribe(told)

    async def stop_extension(self) -> None:
        """Let go of everything; what runs, runs on."""
        await asyncio.get_running_loop().run_in_executor(None, self._late.close)
        for threads in (self._threads, self._patient):
            threads.shutdown(wait=False, cancel_futures=True)
