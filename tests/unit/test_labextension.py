"""What builds the extension of JupyterLab, and what it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flyte_jupyter
from labextension import build

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A labextension/ of one file, in a clone of its own."""
    here = tmp_path / "clone" / "labextension"
    (here / "src").mkdir(parents=True)
    (here / "src" / "index.ts").write_text("export default [];")
    monkeypatch.setattr(build, "HERE", here)
    monkeypatch.setattr(build, "BUILT", tmp_path / "clone" / "flyte_jupyter" / "labextension")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return here


def keep(key: str, text: str) -> None:
    """As if that had been built before."""
    folder = build.kept(key)
    (folder / "static").mkdir(parents=True)
    (folder / "static" / "style.js").write_text(text)
    (folder / ".key").write_text(key)


def test_nothing_is_built_of_the_same_sources_again(sources: Path) -> None:
    keep(build.key(), "built")
    assert [] == build.requires()
    assert build.place()
    assert "built" == (build.BUILT / "static" / "style.js").read_text()
    assert build.place()


def test_a_change_of_a_source_takes_a_build(sources: Path) -> None:
    keep(build.key(), "old")
    build.place()
    (sources / "src" / "index.ts").write_text("export default [1];")
    assert not build.place()
    assert "jupyter-builder>=1.2,<2" == build.requires()[0]
    keep(build.key(), "new")
    assert build.place()
    assert "new" == (build.BUILT / "static" / "style.js").read_text()


def test_what_npm_and_the_compiler_leave_behind_is_no_source(sources: Path) -> None:
    before = build.key()
    for folder in ("node_modules", "lib"):
        (sources / folder / "x").mkdir(parents=True)
        (sources / folder / "x" / "index.js").write_text("")
    assert before == build.key()


def test_a_command_that_fails_says_what_it_said(sources: Path) -> None:
    with pytest.raises(build.BuildError, match=r"sh -c .* ended with exit code 3:\nno such thing"):
        build.run(["sh", "-c", "echo no such thing; exit 3"], sources)


def test_python_and_npm_agree_on_the_version() -> None:
    assert flyte_jupyter.__version__ == json.loads((ROOT / "labextension" / "package.json").read_text())["version"]
