"""Where builds get packages from: what this machine's uv and pip are told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flyte_jupyter.container.index import Index, choices, configured


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables of a process that nobody has configured."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}


def script_says(index: Index, environ: dict[str, str]) -> dict[str, str]:
    """What a shell makes of its script."""
    done = subprocess.run(
        ["sh", "-c", f"{index.script()} env"], env=environ, capture_output=True, text=True, check=True
    )
    said = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    return {name: value for name, value in said.items() if name not in environ and name != "PWD" and name != "_"}


def test_nothing_is_configured(environ: dict[str, str]) -> None:
    assert Index() == configured({**environ, "PIP_CONFIG_FILE": os.devnull})  # not that of the machine either


def test_what_is_said_for_uv_counts_for_pip_too(environ: dict[str, str]) -> None:
    url = "https://me:it's secret@host/simple"
    found = configured({**environ, "UV_DEFAULT_INDEX": url.replace(" ", "%20"), "UV_EXCLUDE_NEWER": "2026-01-01"})
    expected = {"UV_DEFAULT_INDEX": "https://me:it's%20secret@host/simple", "UV_EXCLUDE_NEWER": "2026-01-01"}
    assert {**expected, "PIP_INDEX_URL": expected["UV_DEFAULT_INDEX"]} == script_says(found, environ)


def test_what_is_said_for_pip_counts_for_uv(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://mirror/simple\n[install]\nextra-index-url =\n  https://a/simple\n  https://b/simple\n"
    )
    found = configured({**environ, "PIP_TRUSTED_HOST": "mirror"})
    assert {
        "UV_DEFAULT_INDEX": "https://mirror/simple",
        "UV_INDEX": "https://a/simple https://b/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INSECURE_HOST": "mirror",
        "PIP_INDEX_URL": "https://mirror/simple",
        "PIP_EXTRA_INDEX_URL": "https://a/simple https://b/simple",
        "PIP_TRUSTED_HOST": "mirror",
    } == found.variables


def test_folders_of_this_machine_are_left_out(environ: dict[str, str]) -> None:
    found = configured({**environ, "PIP_FIND_LINKS": "/opt/wheels https://host/wheels", "UV_CONSTRAINT": "/a/b.txt"})
    assert "https://host/wheels" == found.variables["UV_FIND_LINKS"]
    assert ("/a/b.txt", "/opt/wheels") == found.left_out


def test_certificates(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text("certificates")
    assert file == configured({**environ, "PIP_CERT": str(file)}).certificates
    assert file == configured({**environ, "SSL_CERT_FILE": str(file), "PIP_CERT": "/not/there"}).certificates
    (tmp_path / "pip.conf").write_text(f"[global]\ncert = {file}\n")
    assert file == configured(environ).certificates


def test_what_chooses_versions_is_part_of_an_image(environ: dict[str, str]) -> None:
    given = {**environ, "UV_RESOLUTION": "lowest", "UV_INDEX": "https://host", "UV_CONSTRAINT": "/a/b.txt"}
    assert {"UV_RESOLUTION": "lowest"} == choices(given)


def test_without_pip(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert Index() == configured(environ)
