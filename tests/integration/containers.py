"""What the container of a task's pod runs, as a process of this machine, and what it says."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flyte_jupyter.engine.request import Place, pod_request
from flyte_jupyter.home import Home
from flyte_jupyter.host.spoken import Decoder, Ended, News, Piece
from flyte_jupyter.pack.call import pack_inputs, seal_code, seal_inputs
from flyte_jupyter.pack.outcome import Outcome, unseal_outcome
from flyte_jupyter.pods import LogEvent, Phase, PodEvent, PodRequest
from flyte_jupyter.store import keys, open_store
from flyte_jupyter.task import Task
from tests.conftest import eventually
from tests.integration.processes import ROOT

ENTRY = "flyte_jupyter.runners.kubernetes.entry"


class Call:
    """A call of a task as it is in a store, and the request that a pod is given for it.

    Args:
        folder: where everything of it is; home: whose key signs it; url: of another store than one in the folder.
        kept: what is told of the result when it is kept for later calls.
    """

    def __init__(
        self,
        folder: Path,
        home: Home,
        task: Task[..., Any],
        *args: Any,
        run: str = "r1",
        url: str = "",
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.home = home
        self.store = open_store(url or (folder / "store").as_uri())
        code = seal_code(home.key(), task)
        given = pack_inputs(task, code.digest, task.interface.bind(task.name, args, {}), kept)
        place = Place(store=self.store.url, python="python", cwd="/of/the/kernel", path=("/its/path",), labels={})
        self.request = pod_request(task, place, run=run, action="a0", parent=None, work=(code, given))
        self.blobs = {
            keys.code(code.digest): code.payload,
            keys.inputs(run, "a0"): seal_inputs(home.key(), given, name=self.request.name),
        }

    def put(self) -> Call:
        """Into its store."""
        for key, parts in self.blobs.items():
            self.store.put(key, parts)
        return self

    def carry(self) -> Path:
        """Into files as of a Secret that is mounted; the folder."""
        folder = self.folder / "call"
        folder.mkdir()
        for key, parts in self.blobs.items():
            (folder / keys.as_file(key)).write_bytes(b"".join(parts))
        return folder

    def key(self, name: str) -> str:
        """Of what its action leaves."""
        return f"{keys.actions(self.request.run)}{self.request.action}/{name}"

    def pour(self, heard: Heard) -> None:
        """What a pod without a store has told goes into that of the one who listens."""
        for key, data in heard.blobs().items():
            self.store.put(key, [data])

    def outcome(self) -> Outcome:
        data = self.store.get(self.key("outcome"))
        kept = self.key("kept")
        return unseal_outcome(self.home.key(), data, worker=self.request.name, kept=lambda: self.store.get(kept))

    def value(self) -> Any:
        return self.outcome().outputs()[0]


class Heard:
    """What a container has said so far.

    Attributes:
        news: as they came; text: all that it has printed.
    """

    def __init__(self, request: PodRequest) -> None:
        self.news: list[News] = []
        self.text = b""
        self._decoder = Decoder.of(request)

    def take(self, data: bytes) -> None:
        self.text += data
        self.news += self._decoder.feed(data)

    def close(self) -> None:
        self.news += self._decoder.close()

    @property
    def events(self) -> list[PodEvent]:
        return [news for news in self.news if isinstance(news, PodEvent)]

    def phases(self) -> list[Phase]:
        return [event.phase for event in self.events]

    def lines(self) -> list[str]:
        return [text for news in self.news if isinstance(news, LogEvent) for _, _, text in news.lines]

    def until_printed(self, text: str) -> None:
        eventually(lambda: text in self.lines(), within=60)

    def blobs(self) -> dict[str, bytes]:
        """What it has told of its store."""
        found: dict[str, bytes] = {}
        for piece in self.news:
            if isinstance(piece, Piece):
                found[piece.key] = found.get(piece.key, b"") + piece.data
        return found

    @property
    def has_said_all(self) -> bool:
        return self.news[-1:] == [Ended()]


class Container(Heard):
    """The process."""

    def __init__(self, process: subprocess.Popen[bytes], request: PodRequest) -> None:
        super().__init__(request)
        self.process = process
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.take(data)
        self.close()

    def ended(self) -> int:
        """Its exit code, once all that it says has come."""
        code = self.process.wait(60)
        self._thread.join()
        return code


@contextlib.contextmanager
def container(call: Call, name: str = "pod", request: PodRequest | None = None, **more: str) -> Iterator[Container]:
    """Start what its pod runs, with the variables that it has there; killed at the end if it still runs.

    Args:
        name: of a folder: another pod has another one.
        request: when it is not quite that of the call; more: variables.
    """
    work = call.folder / name / "work"
    work.mkdir(parents=True, exist_ok=True)
    request = request or call.request
    process = subprocess.Popen(
        [sys.executable, "-m", ENTRY],
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**variables(call, work.parent, request), **more},
    )
    started = Container(process, request)
    try:
        yield started
    finally:
        process.kill()
        process.wait()
        started.ended()
        assert process.stdout is not None
        process.stdout.close()


def variables(call: Call, folder: Path, request: PodRequest) -> Mapping[str, str]:
    """Those of a container; what is not for pods is taken out of the request, as it is in a manifest."""
    known = {**request.to_json(), "env": {}}
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "FLYTE_JUPYTER_REQUEST": json.dumps(known),
        "FLYTE_JUPYTER_HOME": str(folder / "home"),
        "FLYTE_JUPYTER_KEY": str(call.home.path / "key"),
        "RUN_NAME": request.run,
        "ACTION_NAME": request.action,
        **request.env,
    }
