"""Small packages from PyPI, and what becomes of the environments that are built of them."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

import flyte_jupyter as flyte
from flyte_jupyter.engine.images import find_uv
from flyte_jupyter.home import Home
from flyte_jupyter.host.image.venv import complete_ones

OLD, NEW = "iniconfig==2.0.0", "iniconfig==2.1.0"


def image(*packages: str) -> flyte.Image:
    """A plain Python with packages."""
    base = flyte.Image.from_debian_base()
    return base.with_pip_packages(*packages) if packages else base


def built(home: Home) -> list[str]:
    """The keys of the environments that are complete."""
    return sorted(each.key for each in complete_ones(home.images))


def left(home: Home) -> list[str]:
    """All that is in the folder of environments."""
    return sorted(os.listdir(home.images)) if home.images.exists() else []


def said(run: flyte.Run) -> list[str]:
    """What was said while the image of a run was built."""
    printed = list(run.get_logs())
    return [line for line in run.get_logs(filter_system=False) if line not in printed]


def tapped_uv(folder: Path, before: str = "") -> Path:
    """A script that notes its arguments in the file `calls`, does `before`, and goes on as uv."""
    uv = folder / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(folder / "calls"))}\n{before}\nexec {find_uv()} "$@"\n')
    uv.chmod(uv.stat().st_mode | stat.S_IXUSR)
    return uv


def commands(log: Path) -> Iterator[list[str]]:
    """What a uv that writes down its calls was asked, without the paths."""
    for line in log.read_text().splitlines() if log.exists() else ():
        yield line.split()
