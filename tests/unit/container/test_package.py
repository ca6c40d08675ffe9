"""This copy of the package, as a wheel that pip and uv install."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from flyte_jupyter import __version__
from flyte_jupyter.container import package

PROJECT = Path(__file__).parents[3]


def test_what_a_pod_needs() -> None:
    names = [Requirement(line).name for line in package.requirements()]
    assert "cloudpickle" == names[0]
    assert {"psutil", "kubernetes", "obstore"} <= set(names)
    assert not {"pytest", "jupyterlab"} & set(names)


def test_a_wheel_has_every_file_and_nothing_else() -> None:
    name, data = package.wheel()
    assert f"flyte_jupyter-{__version__}-py3-none-any.whl" == name
    inside = zipfile.ZipFile(io.BytesIO(data)).namelist()
    tracked = subprocess.run(
        ["git", "ls-files", "flyte_jupyter"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    there = {file for file in tracked.stdout.split() if (PROJECT / file).exists()}
    assert there <= set(inside)
    assert not [file for file in inside if "__pycache__" in file]


def test_it_can_be_installed(tmp_path: Path) -> None:
    name, data = package.wheel()
    (tmp_path / name).write_bytes(data)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "there")]
    subprocess.run([*install, str(tmp_path / name)], check=True)
    said = "import importlib.metadata as m, flyte_jupyter as f; print(f.__file__, m.version('flyte_jupyter'))"
    done = subprocess.run(
        [sys.executable, "-c", said], cwd=tmp_path / "there", env={}, capture_output=True, text=True, check=True
    )
    assert f"{tmp_path}/there/flyte_jupyter/__init__.py {__version__}\n" == done.stdout


def test_equal_files_make_equal_bytes() -> None:
    first = package.wheel()
    package.wheel.cache_clear()
    assert first == package.wheel()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('kubernetes>=29; extra == "kubernetes"', ("kubernetes>=29",)),
        (
            "obstore>=0.7; python_version >= '3.11' and extra == 'kubernetes'",
            ("obstore>=0.7; python_version >= '3.11'",),
        ),
        ('jupyterlab; extra == "lab"', ()),
        ("tomli>=2; python_version < '3.11'", ("tomli>=2; python_version < '3.11'",)),
    ],
)
def test_what_an_installed_package_needs(
    line: str, expected: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed, it lies beside no pyproject.toml; what it needs stands in its metadata."""
    info = tmp_path / "flyte_jupyter-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: flyte_jupyter\nVersion: 1\nRequires-Dist: {line}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(package, "_PACKAGE", tmp_path / "flyte_jupyter")
    package._declared.cache_clear()
    try:
        assert expected == package._declared()
    finally:
        package._declared.cache_clear()
