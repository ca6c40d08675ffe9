"""The doctor, as far as no cluster is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyte_jupyter import doctor, session
from flyte_jupyter.home import Home


@pytest.fixture(autouse=True)
def kubeconfig(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setattr(doctor, "CHECKS", {})
    monkeypatch.setattr(session, "cluster", None)


def results() -> dict[str, doctor.Result]:
    return {each.name: each for each in doctor.results()}


def test_without_a_cluster_in_the_settings_none_is_looked_for() -> None:
    assert {} == results()


def test_a_cluster_that_is_not_known_is_said_once(home: Home) -> None:
    home.settings.write_text('[kubernetes]\nimage = "x/y:1"\n[queues.gpu]\nnamespace = "far"\n')
    found = results()
    assert "There is no kubeconfig at" in found["cluster"].text
    assert ["cluster", "data", "images", "gpu cluster", "gpu data", "gpu images"] == list(found)
    assert [False, True, True] * 2 == [each.is_fine for each in found.values()]


def test_settings_that_are_wrong_are_named(home: Home) -> None:
    home.settings.write_text("[kubernetes]\nnamespcae = 'x'\n")
    assert "namespace" in results()["settings"].text


def test_a_bucket_that_is_not_there_is_a_finding(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home.settings.write_text(f'[kubernetes]\nstore = "file://{tmp_path}/file/in"\n')
    assert not results()["data"].is_fine
    home.settings.write_text(f'[kubernetes]\nstore = "file://{tmp_path}/folder"\n')
    assert "can be written and read from here" in results()["data"].text
    assert [] == [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]
