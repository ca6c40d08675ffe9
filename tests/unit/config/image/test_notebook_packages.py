"""What is installed, as requirements."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.config.image.image import Image
from flyte_jupyter.config.image.notebook_packages import contradictions, packages, requirements


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path


def put(site: Path, name: str, version: str, origin: Any = None, requires: tuple[str, ...] = ()) -> Distribution:
    """A distribution as an installer leaves it."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {requirement}" for requirement in requires)]
    (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    return Distribution.at(folder)


def test_exact_versions_in_the_order_of_names(site: Path) -> None:
    found = [
        put(site, "Zope.Interface", "5.0"),
        put(site, "a_b", "1.0rc1"),
        put(site, "pip", "23"),
        put(site, "flyte_jupyter", "1"),
    ]
    assert (["a-b==1.0rc1", "zope-interface==5.0"], []) == requirements(found)


def test_of_two_the_first_counts(site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = [put(site, "a", "2.0"), put(tmp_path_factory.mktemp("later"), "a", "1.0")]
    assert ["a==2.0"] == requirements(found)[0]


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        ({"url": "https://h/a.whl", "archive_info": {}}, "a @ https://h/a.whl"),
        (
            {"url": "https://me:secret@h/a.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "a @ git+https://h/a.git@abc",
        ),
        (
            {"url": "https://h/m.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}, "subdirectory": "x"},
            "a @ git+https://h/m.git@abc#subdirectory=x",
        ),
    ],
)
def test_what_came_from_a_url(site: Path, origin: Any, line: str) -> None:
    assert ([line], []) == requirements([put(site, "a", "1.0", origin)])


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (
            {"url": "file:///home/me/a", "dir_info": {"editable": True}},
            "an editable folder of this machine, file:///home/me/a",
        ),
        ({"url": "file:///home/me/a.whl", "archive_info": {}}, "a folder or file of this machine"),
    ],
)
def test_what_is_of_this_machine_is_left_out(site: Path, origin: Any, words: str) -> None:
    lines, (difference,) = requirements([put(site, "a", "1.0", origin)])
    assert ([], True) == (lines, words in difference)


def test_local_versions(site: Path) -> None:
    lines, (difference,) = requirements([put(site, "torch", "2.3.0+cu121")])
    assert (["torch==2.3.0"], "torch is 2.3.0, not 2.3.0+cu121, which no public index has") == (lines, difference)


def test_what_contradicts(site: Path) -> None:
    found = [
        put(site, "a", "1.0", requires=("b<2", "c>=1", "b>=3; extra == 'x'", "d; python_version < '3'")),
        put(site, "b", "2.1"),
        put(site, "c", "2.0rc1"),
    ]
    assert ["a wants b<2, and 2.1 is installed"] == contradictions(found)


def test_the_image_of_a_notebook(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        put(site, "a", "1.0", requires=("b<2",)),
        put(site, "b", "2.1"),
        put(site, "c", "1.0", {"url": "file:///x", "dir_info": {"editable": True}}),
    ]
    monkeypatch.setattr("flyte_jupyter.config.image.notebook_packages.distributions", lambda: iter(found))
    with pytest.warns(UserWarning, match="Image.from_notebook") as warned:
        image = Image.from_notebook(registry="r")
    expected = Image.from_debian_base(name="notebook", registry="r").with_pip_packages(
        "a==1.0", "b==2.1", extra_args="--no-deps"
    )
    assert expected == image
    assert [True, True] == ["c is left out" in str(warned[0].message), "a wants b<2" in str(warned[1].message)]


def test_this_python() -> None:
    assert "iniconfig==" in packages()
