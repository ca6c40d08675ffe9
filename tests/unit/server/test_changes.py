"""Whether something has changed in a folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flyte_jupyter.server.feed.changes import Changes


def test_a_folder_is_looked_at_once_for_each_change(tmp_path: Path) -> None:
    changes = Changes(tmp_path)
    os.utime(tmp_path, (0, time.time() - 10))
    assert [True, False, False] == [changes.are_there() for _ in range(3)]
    (tmp_path / "new").touch()
    assert changes.are_there()


def test_a_clock_that_was_put_back_does_not_make_it_look_for_ever(tmp_path: Path) -> None:
    changes = Changes(tmp_path)
    later = time.time() + 3600
    os.utime(tmp_path, (later, later))
    assert [True, False, False] == [changes.are_there() for _ in range(3)]
    (tmp_path / "new").touch()
    assert changes.are_there()


def test_a_folder_may_come_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    changes = Changes(folder)
    assert [True, False] == [changes.are_there() for _ in range(2)]
    folder.mkdir()
    assert changes.are_there()
    folder.rmdir()
    assert changes.are_there()
