"""This very copy of the package, as a wheel: what runs in a pod is what runs here, released or not."""

from __future__ import annotations

import functools
import io
import re
import zipfile
from importlib import metadata
from pathlib import Path

from .. import __version__
from ..config.toml import parse_toml
from ..errors import ImageFileError

_PACKAGE = Path(__file__).resolve().parents[1]
_NAME = _PACKAGE.name
_EXTRA = "kubernetes"
"""The extra with what pods of a cluster need besides."""
_OF_EXTRA = re.compile(r"""\s*(?:;|\band\b)\s*extra\s*==\s*['"](?P<name>[^'"]+)['"]""")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file knows."""


@functools.cache
def requirements() -> tuple[str, ...]:
    """What a pod needs to be installed, cloudpickle in the version of this process, since pickles travel.

    Raises:
        ImageFileError: this copy of the package does not say what it needs.
    """
    return (f"cloudpickle=={metadata.version('cloudpickle')}", *_declared())


@functools.cache
def wheel() -> tuple[str, bytes]:
    """(file name, contents); not compressed, so that equal files make equal bytes everywhere."""
    info = f"{_NAME}-{__version__}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {_NAME}", f"Version: {__version__}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in _declared()]
    files = {path.relative_to(_PACKAGE.parent).as_posix(): path.read_bytes() for path in sorted(_files())}
    files[f"{info}/METADATA"] = "\n".join([*lines, ""]).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: flyte_jupyter\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_STORED)
    return f"{_NAME}-{__version__}-py3-none-any.whl", made.getvalue()


def _files() -> list[Path]:
    """Without what only a Jupyter server needs, which a checkout may have or not."""
    left_out = {"__pycache__", "labextension"}
    return [p for p in _PACKAGE.rglob("*") if p.is_file() and not left_out & set(p.relative_to(_PACKAGE).parts)]


@functools.cache
def _declared() -> tuple[str, ...]:
    """Requirements of the package and its extra, by the checkout that it lies in, else by what is installed."""
    project = _PACKAGE.parent / "pyproject.toml"
    text = project.read_text("utf-8") if project.is_file() else ""
    said = parse_toml(text, _NAME, project).get("project", {})
    if said.get("name") == _NAME:
        return (*said["dependencies"], *said.get("optional-dependencies", {}).get(_EXTRA, ()))
    try:
        installed = metadata.requires(_NAME) or []
    except metadata.PackageNotFoundError:
        raise ImageFileError(
            f"image: {_PACKAGE} is neither installed nor beside its pyproject.toml: what it needs is not known\n"
            "  install it: pip install flyte_jupyter"
        ) from None
    extras = [(_OF_EXTRA.search(line), line) for line in installed]
    return tuple(_OF_EXTRA.sub("", line) for extra, line in extras if extra is None or extra["name"] == _EXTRA)
