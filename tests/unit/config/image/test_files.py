"""What is read for an image: which files count, and when they are the same."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flyte_jupyter.config.image.files import Ignored, MissingFileError, Sources, projects_beside, toml_of_header
from flyte_jupyter.errors import ConfigValueError


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.chdir(tmp_path)
    return Sources()


def write(path: str, text: str = "", *, seconds_ago: float = 60) -> Path:
    """A file as somebody has left it a while ago."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    then = time.time() - seconds_ago
    os.utime(file, (then, then))
    return file


def names(sources: Sources, patterns: str = "") -> list[str]:
    return [path for path, _ in sources.files(Path("src"), Ignored(patterns.splitlines()), "folder")]


@pytest.mark.parametrize(
    ("patterns", "path", "is_out"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "data/a.csv", False),
        ("**/*.csv", "data/deep/a.csv", True),
        ("**/*.csv", "a.csv", True),
        ("data", "data/deep/a.csv", True),
        ("/data/", "data/a.csv", True),
        ("./data", "data/a.csv", True),
        ("data", "data2/a.csv", False),
        ("data/*\n!data/keep.csv", "data/keep.csv", False),
        ("data/*\n!data/keep.csv", "data/a.csv", True),
        ("data\n!data/keep.csv\ndata/keep.csv", "data/keep.csv", True),
        ("# data\n\n  \n", "data", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True),
        ("[!ab].txt", "b.txt", False),
        ("a.b", "axb", False),
        ("\\#x", "#x", True),
        ("docs/**", "docs/a/b", True),
        (".", "anything", True),
    ],
)
def test_dockerignore(patterns: str, path: str, is_out: bool) -> None:
    assert is_out == (path in Ignored(patterns.splitlines()))


def test_caches_of_python_never_count(sources: Sources) -> None:
    write("src/a.py")
    write("src/__pycache__/a.pyc")
    write("src/sub/__pycache__/a.pyc")
    write("src/sub/.ipynb_checkpoints/a.py")
    assert ["a.py"] == names(sources)
    assert ["a.py"] == names(sources, "!**/__pycache__")


def test_files_come_in_order_and_through_links(sources: Sources) -> None:
    write("src/b/x.py")
    write("src/a.py")
    write("elsewhere/y.py")
    Path("src/link").symlink_to(Path("elsewhere").absolute())
    Path("src/b/back").symlink_to(Path("src").absolute())
    assert ["a.py", "b/x.py", "link/y.py"] == names(sources)


def test_a_folder_that_is_left_out_is_not_entered(sources: Sources) -> None:
    write("src/a.py")
    write("src/data/secret/a.csv")
    Path("src/data/secret").chmod(0)
    try:
        assert ["a.py"] == names(sources, "data")
    finally:
        Path("src/data/secret").chmod(0o755)


def test_which_dockerignore_counts(sources: Sources) -> None:
    from flyte_jupyter.config.image.layers import DockerIgnore

    write("src/a.csv")
    assert "a.csv" not in sources.ignored((), Path("src"))
    write(".dockerignore", "*.csv")
    assert "a.csv" in sources.ignored((), Path("src"))
    write("src/.dockerignore", "*.txt")
    assert "a.csv" not in sources.ignored((), Path("src"))
    write("own", "a.*")
    assert "a.csv" in sources.ignored((DockerIgnore(path=Path("own")),), Path("src"))
    with pytest.raises(MissingFileError, match="with_dockerignore"):
        sources.ignored((DockerIgnore(path=Path("none")),), Path("src"))


def test_contents_are_known_by_digest_and_mode(sources: Sources) -> None:
    first = sources.file("bin/run", write("run.sh", "echo"), "file")
    assert ("bin/run", 0o644) == (first.path, first.mode)
    Path("run.sh").chmod(0o755)
    second = sources.file("bin/run", Path("run.sh"), "file")
    assert (first.digest, 0o755) == (second.digest, second.mode)


def test_what_has_changed_is_noticed(sources: Sources) -> None:
    sources.text(write("a.txt", "1"), "file")
    sources.text_or_none(Path("b.txt"), "file")
    write("src/x.py")
    names(sources)
    assert sources.unchanged()
    write("a.txt", "2", seconds_ago=30)
    assert not sources.unchanged()


@pytest.mark.parametrize("path", ["b.txt", "src/y.py"])
def test_what_has_come_is_noticed(sources: Sources, path: str) -> None:
    sources.text_or_none(Path("b.txt"), "file")
    write("src/x.py")
    names(sources)
    assert sources.unchanged()
    write(path)
    assert not sources.unchanged()


def test_what_was_written_just_now_is_not_trusted(sources: Sources) -> None:
    """It may be written again within the same tick of the clock."""
    sources.text(write("a.txt", "1", seconds_ago=0), "file")
    assert not sources.unchanged()


@pytest.mark.parametrize("make", [lambda: None, lambda: Path("x").mkdir()])
def test_what_is_no_file(sources: Sources, make: object) -> None:
    make()  # type: ignore[operator]
    with pytest.raises(ConfigValueError, match=r"Image.with_requirements: 'x'") as caught:
        sources.text(Path("x"), "Image.with_requirements")
    if isinstance(caught.value, FileNotFoundError):
        assert str(Path("x").absolute()) in str(caught.value)


def test_no_text(sources: Sources) -> None:
    Path("x").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigValueError, match="UTF-8"):
        sources.text(Path("x"), "it")


def test_requirements_bring_what_they_include(sources: Sources) -> None:
    write("r.txt", "six\n-r more/s.txt  # why\n--constraint=c.txt\n-rmore/s.txt\n-c https://x/c.txt\n")
    write("more/s.txt", "-r ../r.txt\niniconfig")
    write("c.txt", "six<2\n")
    leading = "six\n-r requirements-1.txt  # why\n--constraint=requirements-2.txt\n-rrequirements-1.txt\n"
    assert [
        ("requirements.txt", f"{leading}-c https://x/c.txt\n"),
        ("requirements-1.txt", "-r requirements.txt\niniconfig\n"),
        ("requirements-2.txt", "six<2\n"),
    ] == sources.requirements(Path("r.txt"), "it")


def test_an_included_file_that_is_missing(sources: Sources) -> None:
    write("r.txt", "-r s.txt\n")
    with pytest.raises(MissingFileError, match=r"s\.txt"):
        sources.requirements(Path("r.txt"), "it")


SCRIPT = """#!/usr/bin/env python
# /// script
# requires-python = ">=3.10"
# dependencies = [
#   "six",
# ]
# ///

print("# ///")
"""


def test_the_header_of_a_script(sources: Sources) -> None:
    header = sources.script_header(write("s.py", SCRIPT), "it")
    assert 'requires-python = ">=3.10"\ndependencies = [\n  "six",\n]\n' == toml_of_header(header)
    assert header == sources.script_header(write("t.py", SCRIPT.replace("print", "exit").replace("\n", "\r\n")), "it")


@pytest.mark.parametrize("text", ["", "# /// script\n", "# /// script\n# a = 1\n", SCRIPT + SCRIPT])
def test_a_script_without_one_header(sources: Sources, text: str) -> None:
    with pytest.raises(ConfigValueError, match="one header"):
        sources.script_header(write("s.py", text), "it")


def test_projects_beside_a_project(sources: Sources) -> None:
    write(
        "app/pyproject.toml",
        '[tool.uv.sources]\na = { path = "../lib" }\nb = [{ git = "https://x" }, { path = "w.whl" }]\n'
        '[tool.uv.workspace]\nmembers = ["members/*"]\n',
    )
    write("lib/pyproject.toml", '[tool.uv.sources]\nc = { path = "../other" }\napp = { path = "../app" }\n')
    write("app/members/m/pyproject.toml")
    write("app/members/no_project/x")
    here = Path.cwd()
    found = projects_beside(sources, Path("app/pyproject.toml"), "it")
    assert [here / "lib", here / "other", here / "app/w.whl", here / "app/members/m"] == found


def test_toml_that_is_none(sources: Sources) -> None:
    with pytest.raises(ConfigValueError, match="valid TOML"):
        projects_beside(sources, write("pyproject.toml", "["), "it")
