"""Logs that come with the news of pods, written down by all who hear of them."""

from __future__ import annotations

import threading
from pathlib import Path

from flyte_jupyter.host.logs import parse
from flyte_jupyter.pods import LogEvent
from flyte_jupyter.runners.kubernetes.carried_logs import LogFiles
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore


def test_each_line_is_there_once_however_many_write_them(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri())
    lines = tuple((float(number), "stdout", f"line {number}") for number in range(400))
    together = threading.Barrier(4)

    def write(step: int) -> None:
        files = LogFiles(store)
        for start in range(0, len(lines), step):
            together.wait(30)
            files.add(LogEvent(run="r1", action="a0", attempt=0, start=start, lines=lines[start : start + step]))

    writers = [threading.Thread(target=write, args=(2,)) for _ in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert list(lines) == parse(bytes(store.get(keys.log("r1", "a0", 0))))
