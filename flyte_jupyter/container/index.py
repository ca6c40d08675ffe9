"""Where a build gets packages from: where this machine gets them from, as far as others can reach that.

What is said for uv counts; where nothing is, what is said for pip.  Credentials may be in it, so that it goes into a
build as a secret.
"""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..config.image.recipe_of import SETTINGS

_OF_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
}
_ALSO_FOR_PIP = {
    "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
    "UV_INDEX_URL": "PIP_INDEX_URL",
    "UV_INDEX": "PIP_EXTRA_INDEX_URL",
    "UV_EXTRA_INDEX_URL": "PIP_EXTRA_INDEX_URL",
    "UV_FIND_LINKS": "PIP_FIND_LINKS",
    "UV_INSECURE_HOST": "PIP_TRUSTED_HOST",
}
_URLS = ("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_FILES = ("UV_CONSTRAINT", "UV_OVERRIDE")
_PIP_WAITS = 20.0
"""Seconds."""


@dataclass(frozen=True)
class Index:
    """Where packages come from.

    Attributes:
        variables: of uv and pip; certificates: the file with those to be trusted, None for the image's own.
        left_out: places on this machine, which a build cannot reach.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    certificates: Path | None = None
    left_out: tuple[str, ...] = ()

    def script(self) -> str:
        """Lines for a shell that make it so."""
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in self.variables.items())


def choices(environ: Mapping[str, str]) -> dict[str, str]:
    """What changes which versions are chosen, wherever they come from: part of what an image consists of."""
    return {name: environ[name] for name in SETTINGS if name not in (*_URLS, *_FILES) and environ.get(name)}


def configured(environ: Mapping[str, str]) -> Index:
    """What the variables of this process say, and its pip."""
    said = {name: environ[name] for name in (*SETTINGS, "UV_INSECURE_HOST") if environ.get(name)}
    pip = _pip(environ)
    if not said.keys() & {*_URLS}:
        said |= {_OF_PIP[name]: value for name, value in pip.items() if name in _OF_PIP}
        if "UV_INDEX" in said:
            said["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # which is how pip chooses between indexes
    left_out = [said.pop(name) for name in _FILES if name in said]
    for name in _URLS:
        words = said.pop(name, "").replace(",", " ").split()
        near = [word for word in words if word.startswith("file:") or "://" not in word]
        left_out += near
        if kept := [word for word in words if word not in near]:
            said[name] = " ".join(kept)
    also = {_ALSO_FOR_PIP[name]: value for name, value in said.items() if name in _ALSO_FOR_PIP}
    certificates = [environ.get(name) for name in _CERTIFICATES] + [pip.get("cert")]
    found = [Path(name) for name in certificates if name and os.path.isfile(name)]
    return Index({**said, **also}, found[0] if found else None, tuple(left_out))


def _pip(environ: Mapping[str, str]) -> dict[str, str]:
    """Options of pip as its files and variables say, what is nearer winning; nothing where there is no pip."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PIP_WAITS,
        check=False,  # there need not be a pip
    )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in done.stdout.splitlines():
        name, is_one, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if is_one and section in found:
            found[section][option] = str(ast.literal_eval(value))
    return {option: value for section in found.values() for option, value in section.items()}
