"""Files that go along with a task into a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyte_jupyter.config.image.files import MissingFileError
from flyte_jupyter.engine.images import send_files
from flyte_jupyter.errors import ConfigValueError, RuntimeSystemError
from flyte_jupyter.store import keys
from flyte_jupyter.store.included import included, list_of, listed
from flyte_jupyter.store.memory import MemoryStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With files in it, and one beside it."""
    here = tmp_path / "notebooks"
    for name in ("a.csv", "conf/x.toml", "conf/deep/y.toml", "conf/.env", "conf/__pycache__/z.pyc", "../secret"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(name)
    return here


def test_files_and_folders_go_to_the_same_places(folder: Path) -> None:
    found = included(["conf", "a.csv", "./conf/x.toml"], folder)
    assert ["a.csv", "conf/deep/y.toml", "conf/x.toml"] == sorted(content.path for content in found)


def test_a_file_that_is_named_goes_along_whatever_it_is_called(folder: Path) -> None:
    assert ["conf/.env"] == [content.path for content in included(["conf/.env"], folder)]


def test_what_is_elsewhere_has_no_place_in_a_pod(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    for path in ("../secret", str(folder.parent / "secret"), "link"):
        with pytest.raises(ConfigValueError, match="a pod has no other folder of yours"):
            included([path], folder)


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none\.csv"):
        included(["none.csv"], folder)


def test_the_list_is_found_again_from_its_digest_and_nothing_else_is(folder: Path) -> None:
    contents = included(["conf"], folder)
    store, files = MemoryStore("memory://included"), listed(contents)
    send_files(store, [*contents, files])
    assert [each.to_json() for each in contents] == [each.to_json() for each in list_of(store, files.digest)]
    store.put(keys.file(files.digest), [b"[]"])
    with pytest.raises(RuntimeSystemError, match="damaged"):
        list_of(store, files.digest)
